package landfall.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import landfall.ui.core.CoreError
import landfall.ui.core.CoreGateway
import landfall.ui.core.DeviceState
import landfall.ui.parts.Ways
import landfall.ui.screens.*
import landfall.ui.theme.Fonts
import landfall.ui.theme.LandfallTheme
import landfall.ui.theme.Reading
import landfall.ui.words.Words
import java.time.OffsetDateTime

/** What a shell gives the screens: its clock, a place for files, and how to go out of sight. */
interface Shell {
    fun now(): OffsetDateTime
    fun exportPath(): String?

    /** The vault is locked by now: take the app away from the eye. */
    fun outOfSight()
}

/**
 * Which screen is open, and how one leads to another. After a lock it remembers a place (ids, no content), so that the same
 * screen returns after unlocking.
 */
class App(override val core: CoreGateway, private val shell: Shell, lang: String, private val scope: CoroutineScope) : Nav, Ways {
    override var lang by mutableStateOf(lang)
        private set
    override val words: Words get() = Words.of(lang)
    private var place: Place = Place.Home
    private var then: Place = Place.Home

    var model by mutableStateOf<ScreenModel?>(null)
        private set

    init {
        scope.launch {
            go(
                try {
                    when (core.deviceState()) {
                        DeviceState.Fresh, DeviceState.WordsPending -> Place.Enrol
                        DeviceState.Enrolled -> Place.Unlock
                        DeviceState.Damaged -> Place.Error(CoreError.Damaged(false), Place.Unlock)
                    }
                } catch (e: CoreError) {
                    Place.Error(e, Place.Unlock)
                },
            )
        }
    }

    override fun now(): OffsetDateTime = shell.now()

    override fun exportPath(): String? = shell.exportPath()

    override fun go(place: Place) {
        model?.close()
        if (place is Place.Unlock && this.place.keeps()) then = this.place
        this.place = place
        model = when (place) {
            Place.Enrol -> EnrolViewModel(this, scope)
            Place.Unlock -> UnlockViewModel(this, scope, then)
            Place.Home -> HomeViewModel(this, scope).also { handOver() }
            is Place.TallyHeader -> TallyHeaderViewModel(this, scope, place.draft)
            is Place.Tally -> TallyViewModel(this, scope, place.draft)
            is Place.Seen -> SeenViewModel(this, scope, place.draft)
            is Place.Summary -> TallySummaryViewModel(this, scope, place.draft)
            is Place.InterviewStart -> InterviewStartViewModel(this, scope, place.eventId)
            is Place.Rapid -> RapidViewModel(this, scope, place.draft)
            is Place.Refused -> RefusedViewModel(this, scope, RefusedState(place.eventId))
            is Place.Saved -> SavedViewModel(this, scope, place).also { handOver() }
            Place.Sending -> SendingViewModel(this, scope)
            is Place.Error -> ErrorViewModel(this, scope, place)
        }
        if (place !is Place.Unlock && place !is Place.Error) then = Place.Home
    }

    /** A count that has no draft yet would start a second one, and what was shown once is not shown again. */
    private fun Place.keeps() = this is Place.Tally || this is Place.Seen || this is Place.Summary || this is Place.Rapid || this is Place.Sending ||
        (this is Place.TallyHeader && draft != null)

    override fun choose(lang: String) {
        this.lang = lang
        if (place is Place.Unlock) go(Place.Unlock)
    }

    /** A round of handing over in the background; without a network it simply does nothing. */
    private fun handOver() {
        scope.launch { try { core.handOver(HAND_OVER_MS) } catch (_: CoreError) { /* shown under Sending, never in the way */ } }
    }

    override fun back() {
        model?.back()
    }

    override fun leave() {
        scope.launch {
            lock()
            shell.outOfSight()
        }
    }

    /** Drops the key and what is on the screen; also when the phone's screen goes dark. */
    suspend fun lock() {
        if (place is Place.Unlock || place is Place.Enrol) return
        val left = model
        go(Place.Unlock)
        // what was tapped just before is kept, but the key does not wait long for it
        withTimeoutOrNull(SETTLE_MS) { left?.settle() }
        try { core.lock() } catch (_: CoreError) { /* locked is locked */ }
    }

    private companion object {
        const val HAND_OVER_MS = 20_000
        const val SETTLE_MS = 200L
    }
}

@Composable
fun AppView(app: App, dark: Boolean, highContrast: Boolean, reducedMotion: Boolean, fonts: Fonts) {
    LandfallTheme(Reading(app.lang, dark, highContrast, reducedMotion), fonts) {
        when (val m = app.model) {
            null -> Unit
            is EnrolViewModel -> EnrolScreen(m.state, m::on)
            is UnlockViewModel -> UnlockScreen(m.state, m::on)
            is HomeViewModel -> m.state?.let { HomeScreen(it, app, m::on) }
            is TallyHeaderViewModel -> m.state?.let { TallyHeaderScreen(it, app, m::on) }
            is TallyViewModel -> m.state?.let { TallyScreen(it, app, m::on) }
            is SeenViewModel -> m.state?.let { SeenScreen(it, app, m::on) }
            is TallySummaryViewModel -> m.state?.let { TallySummaryScreen(it, app, m::on) }
            is InterviewStartViewModel -> m.state?.let { InterviewStartScreen(it, app, m::on) }
            is RapidViewModel -> m.state?.let { RapidScreen(it, app, m::on) }
            is RefusedViewModel -> RefusedScreen(app, m::on)
            is SavedViewModel -> SavedScreen(m.state, app, m::on)
            is SendingViewModel -> m.state?.let { SendingScreen(it, app, m::on) }
            is ErrorViewModel -> ErrorScreen(m.state, app, m::on)
        }
    }
}
