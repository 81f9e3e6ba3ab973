package landfall.ui.screens

import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.CoreError
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Equal
import landfall.ui.parts.ErrorState
import landfall.ui.parts.Frame
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.theme.Ui

/** One way in which the core said no: its words are `error_<variant>_…`, its figures come with it. */
data class ErrorViewState(val variant: String, val figure: Long?, val text: String?, val details: String?)

sealed class ErrorEvent {
    data object Primary : ErrorEvent()
    data object Second : ErrorEvent()
}

@Composable
fun ErrorScreen(state: ErrorViewState, ways: Ways, on: (ErrorEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar("", null, ways, back = false) },
        bottom = {
            BottomBar {
                Equal(
                    stack = true,
                    items = listOf(
                        { m -> Button(words("error_${state.variant}_primary"), ButtonLook.Filled, m.fillMaxWidth(), minHeight = 56, tag = "primary") { on(ErrorEvent.Primary) } },
                        { m -> Button(words("error_${state.variant}_second"), ButtonLook.Outlined, m.fillMaxWidth(), minHeight = 56, tag = "second") { on(ErrorEvent.Second) } },
                    ),
                )
            }
        },
    ) {
        val args = listOfNotNull(state.figure?.let { "n" to it }, state.text?.let { "v" to it }).toTypedArray()
        ErrorState(words("error_${state.variant}_title"), words("error_${state.variant}_body", *args), state.details?.let { words("error_details", "code" to words.isolate(it)) })
    }
}

class ErrorViewModel(nav: Nav, scope: CoroutineScope, private val place: Place.Error) : ScreenModel(nav, scope, place) {
    val state: ErrorViewState = of(place.error)

    fun on(event: ErrorEvent) = when (event) {
        ErrorEvent.Primary -> nav.go(if (place.error is CoreError.StorageFull || place.error is CoreError.Internal || place.error is CoreError.Busy) place.back else Place.Home)
        ErrorEvent.Second -> nav.go(if (place.error is CoreError.Busy) place.back else Place.Sending)
    }

    companion object {
        private const val MB = 1_048_576L

        fun of(error: CoreError): ErrorViewState = when (error) {
            is CoreError.StorageFull -> ErrorViewState("storage_full", maxOf(1, error.bytesNeeded / MB), null, null)
            is CoreError.Damaged -> ErrorViewState("damaged", null, null, null)
            is CoreError.NeedsUpdate -> ErrorViewState("needs_update", null, error.minVersion, null)
            is CoreError.NotTrusted -> ErrorViewState("not_trusted", null, null, null)
            is CoreError.NotFound -> ErrorViewState("not_found", null, null, null)
            is CoreError.Busy -> ErrorViewState("busy", null, null, null)
            is CoreError.Cancelled -> ErrorViewState("cancelled", null, null, null)
            is CoreError.Locked -> ErrorViewState("internal", null, null, "locked")
            is CoreError.WrongPasscode -> ErrorViewState("internal", null, null, "passcode")
            is CoreError.Invalid -> ErrorViewState("internal", null, null, "${error.question} ${error.rule}")
            is CoreError.Internal -> ErrorViewState("internal", null, null, error.code)
        }
    }
}
