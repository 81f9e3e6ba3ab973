package landfall.ui.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import landfall.ui.core.Outcome
import landfall.ui.core.RecordState
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.StatusChip
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

/** What was just saved and where it stands. */
data class SavedState(val interview: Boolean, val receiptCode: String, val state: RecordState, val cannotSendYet: Boolean)

sealed class SavedEvent {
    data object NextPerson : SavedEvent()
    data object Today : SavedEvent()
}

@Composable
fun SavedScreen(state: SavedState, ways: Ways, on: (SavedEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar(words(if (state.interview) "saved_interview_title" else "saved_count_title"), null, ways, back = true) },
        bottom = {
            BottomBar {
                Equal(
                    stack = Ui.scale > 1.3f,
                    items = listOf(
                        { m -> Button(words("home_title"), ButtonLook.Outlined, m, icon = "house", tag = "today") { on(SavedEvent.Today) } },
                        { m -> Button(words(if (state.interview) "saved_next_person" else "saved_interview"), ButtonLook.Filled, m, icon = "chat", tag = "next-person") { on(SavedEvent.NextPerson) } },
                    ),
                    weights = listOf(1f, 1.3f),
                )
            }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
            Card {
                StatusChip(state.state, Modifier.testTag("status"))
                Spacer(Modifier.height(12.dp))
                Words(words(moreKey(state.state)), Ui.type.body)
                Spacer(Modifier.height(16.dp))
                Words(words("saved_code"), Ui.type.label, colour = Ui.colours.inkSoft)
                Words(words.isolate(state.receiptCode), Ui.type.count)
            }
            if (state.cannotSendYet) Card { Words(words("saved_cannot_send"), Ui.type.body) }
        }
    }
}

/** The sentence under a state. */
internal fun moreKey(state: RecordState): String = when (state) {
    RecordState.Saved -> "status_saved_more"
    RecordState.Mailbox -> "status_mailbox_more"
    RecordState.Received -> "status_received_more"
    RecordState.Refused -> "status_refused_more"
}

class SavedViewModel(nav: Nav, scope: CoroutineScope, private val place: Place.Saved) : ScreenModel(nav, scope, place) {
    var state by mutableStateOf(SavedState(place.interview, place.saved.receiptCode, place.saved.state, place.saved.outcome == Outcome.CannotSendYet))
        private set

    init {
        this.scope.launch {
            nav.core.changes.collect {
                ask { nav.core.home(nav.lang).done.firstOrNull { it.receiptCode == place.saved.receiptCode }?.let { state = state.copy(state = it.state) } }
            }
        }
    }

    fun on(event: SavedEvent) = when (event) {
        SavedEvent.NextPerson -> nav.go(Place.InterviewStart(place.eventId))
        SavedEvent.Today -> nav.go(Place.Home)
    }
}

/** After a no: nothing was kept but the count of one. */
data class RefusedState(val eventId: String?)

sealed class RefusedEvent {
    data object NextPerson : RefusedEvent()
    data object Today : RefusedEvent()
}

@Composable
fun RefusedScreen(ways: Ways, on: (RefusedEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar(words("refused_title"), null, ways, back = true) },
        bottom = {
            BottomBar {
                Equal(
                    stack = Ui.scale > 1.3f,
                    items = listOf(
                        { m -> Button(words("home_title"), ButtonLook.Outlined, m, icon = "house") { on(RefusedEvent.Today) } },
                        { m -> Button(words("saved_next_person"), ButtonLook.Filled, m, icon = "chat") { on(RefusedEvent.NextPerson) } },
                    ),
                    weights = listOf(1f, 1.3f),
                )
            }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp)) {
            Card {
                Words(words("refused_nothing"), Ui.type.ask, Modifier.semantics { heading() })
                Words(words("refused_counted"), Ui.type.body, Modifier.padding(top = 8.dp))
                Words(words("refused_same_help"), Ui.type.body, Modifier.fillMaxWidth().padding(top = 8.dp))
            }
        }
    }
}

class RefusedViewModel(nav: Nav, scope: CoroutineScope, val state: RefusedState) : ScreenModel(nav, scope, Place.Refused(state.eventId)) {
    fun on(event: RefusedEvent) = when (event) {
        RefusedEvent.NextPerson -> nav.go(Place.InterviewStart(state.eventId))
        RefusedEvent.Today -> nav.go(Place.Home)
    }
}
