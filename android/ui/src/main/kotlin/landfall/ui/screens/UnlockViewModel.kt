package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import landfall.ui.core.CoreError

/** Takes a passcode to the core and shows the delay that the core set; it counts nothing itself. */
class UnlockViewModel(nav: Nav, scope: CoroutineScope, private val then: Place) : ScreenModel(nav, scope, Place.Unlock) {
    var state by mutableStateOf(UnlockState("", shown = false, asWords = false, message = null, waitSeconds = 0, busy = false, languages = false))
        private set

    override fun back() = Unit

    fun on(event: UnlockEvent) {
        val s = state
        when (event) {
            is UnlockEvent.Key -> state = s.copy(typed = s.typed + event.c, message = null)
            is UnlockEvent.Type -> state = s.copy(typed = nav.words.plainDigits(event.text), message = null)
            UnlockEvent.Delete -> state = s.copy(typed = s.typed.dropLast(1))
            UnlockEvent.Words -> state = s.copy(asWords = !s.asWords, typed = "")
            UnlockEvent.Show -> state = s.copy(shown = !s.shown)
            UnlockEvent.Languages -> state = s.copy(languages = !s.languages)
            is UnlockEvent.Choose -> { state = s.copy(languages = false); nav.choose(event.lang) }
            UnlockEvent.Open -> open()
        }
    }

    private fun open() {
        val bytes = state.typed.trim().encodeToByteArray()
        state = state.copy(busy = true)
        ask({ it is CoreError.WrongPasscode && wrong(it) }) {
            try {
                nav.core.unlock(bytes)
            } finally {
                bytes.fill(0)
                state = state.copy(typed = "", busy = false)
            }
            nav.go(then)
        }
    }

    private fun wrong(e: CoreError.WrongPasscode): Boolean {
        val words = nav.words
        val left = e.triesLeft
        val text = if (left != null) words.count("error_passcode_tries", left) else words("error_passcode_title")
        state = state.copy(typed = "", busy = false, message = text, waitSeconds = e.waitSeconds)
        scope.launch {
            while (state.waitSeconds > 0) {
                delay(1000)
                state = state.copy(waitSeconds = state.waitSeconds - 1)
            }
        }
        return true
    }
}
