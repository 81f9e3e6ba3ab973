package landfall.ui.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.text.selection.SelectionContainer
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
import landfall.ui.core.CoreError
import landfall.ui.core.EnrolStep
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Problem
import landfall.ui.parts.TextBox
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

/** The way in: the desk's text, a passcode, six words. Nothing is recorded before the words were compared. */
data class EnrolState(val step: Step, val busy: Boolean, val problem: String?) {
    sealed class Step {
        data class Text(val text: String) : Step()
        data class Passcode(val first: String, val second: String, val strength: String) : Step() {
            override fun toString() = "Passcode(..)"
        }
        data class Compare(val reply: String, val words: List<String>, val organisation: String) : Step()
    }
}

sealed class EnrolEvent {
    data class Type(val text: String) : EnrolEvent()
    data class Repeat(val text: String) : EnrolEvent()
    data object Next : EnrolEvent()
    data object Same : EnrolEvent()
    data object Different : EnrolEvent()
}

@Composable
fun EnrolScreen(state: EnrolState, on: (EnrolEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { Spacer(Modifier.height(16.dp)) },
        bottom = {
            BottomBar {
                when (val step = state.step) {
                    is EnrolState.Step.Compare -> Equal(
                        stack = Ui.scale > 1.6f,
                        items = listOf(
                            { m -> Button(words("words_same"), ButtonLook.Outlined, m, enabled = !state.busy, tag = "same") { on(EnrolEvent.Same) } },
                            { m -> Button(words("words_different"), ButtonLook.Outlined, m, enabled = !state.busy, tag = "different") { on(EnrolEvent.Different) } },
                        ),
                    )
                    else -> {
                        val ready = !state.busy && when (step) {
                            is EnrolState.Step.Text -> step.text.isNotBlank()
                            is EnrolState.Step.Passcode -> step.first.length >= EnrolViewModel.SHORTEST && step.second.isNotEmpty()
                            else -> false
                        }
                        val key = if (state.busy) "enrol_busy" else if (step is EnrolState.Step.Passcode) "passcode_set" else "common_next"
                        Button(words(key), if (ready) ButtonLook.Filled else ButtonLook.Still, Modifier.fillMaxWidth(), enabled = ready, tag = "next") { on(EnrolEvent.Next) }
                    }
                }
            }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
            when (val step = state.step) {
                is EnrolState.Step.Text -> {
                    Words(words("enrol_title"), Ui.type.ask, Modifier.padding(horizontal = 4.dp).semantics { heading() })
                    Words(words("enrol_body"), Ui.type.body, Modifier.padding(horizontal = 4.dp))
                    TextBox(step.text, { on(EnrolEvent.Type(it)) }, words("enrol_title"), "invitation", lines = 6)
                }
                is EnrolState.Step.Passcode -> {
                    Words(words("passcode_title"), Ui.type.ask, Modifier.padding(horizontal = 4.dp).semantics { heading() })
                    Words(words("passcode_body"), Ui.type.body, Modifier.padding(horizontal = 4.dp))
                    TextBox(words.digits(step.first), { on(EnrolEvent.Type(it)) }, words("passcode_first"), "passcode-first", masked = true, hint = words("passcode_first"))
                    if (step.first.isNotEmpty()) Words(step.strength, Ui.type.label, Modifier.padding(horizontal = 4.dp).testTag("strength"))
                    TextBox(words.digits(step.second), { on(EnrolEvent.Repeat(it)) }, words("passcode_second"), "passcode-second", masked = true, hint = words("passcode_second"))
                    Words(words("passcode_forget"), Ui.type.label, Modifier.padding(horizontal = 4.dp), Ui.colours.inkSoft)
                }
                is EnrolState.Step.Compare -> CompareView(step)
            }
            if (state.problem != null) Problem(state.problem, Modifier.padding(horizontal = 4.dp))
            Spacer(Modifier.height(2.dp))
        }
    }
}

@Composable
private fun CompareView(step: EnrolState.Step.Compare) {
    val words = Ui.words
    Words(words("words_title"), Ui.type.ask, Modifier.padding(horizontal = 4.dp).semantics { heading() })
    Words(words("words_body", "organisation" to step.organisation), Ui.type.body, Modifier.padding(horizontal = 4.dp))
    Card {
        val half = (step.words.size + 1) / 2
        for (i in 0 until half) {
            Row(Modifier.fillMaxWidth().padding(vertical = 6.dp)) {
                for (j in listOf(i, i + half)) {
                    val word = step.words.getOrNull(j) ?: continue
                    Words(words.number(j + 1), Ui.type.body, Modifier.width(28.dp), Ui.colours.inkSoft)
                    Words(word, Ui.type.bodyB, Modifier.weight(1f))
                }
            }
        }
    }
    Card {
        Words(words("words_reply"), Ui.type.head, Modifier.padding(bottom = 8.dp))
        SelectionContainer { Words(step.reply, Ui.type.label, Modifier.testTag("reply")) }
    }
}

class EnrolViewModel(nav: Nav, scope: CoroutineScope) : ScreenModel(nav, scope, Place.Enrol) {
    private var invitation = ""
    private var passcode = ""

    var state by mutableStateOf(EnrolState(EnrolState.Step.Text(""), busy = false, problem = null))
        private set

    override fun back() = Unit

    fun on(event: EnrolEvent) {
        val step = state.step
        when (event) {
            is EnrolEvent.Type -> when (step) {
                is EnrolState.Step.Text -> state = state.copy(step = EnrolState.Step.Text(event.text), problem = null)
                is EnrolState.Step.Passcode -> {
                    val text = nav.words.plainDigits(event.text)
                    state = state.copy(step = step.copy(first = text, strength = nav.words(strength(text))), problem = null)
                }
                is EnrolState.Step.Compare -> Unit
            }
            is EnrolEvent.Repeat -> if (step is EnrolState.Step.Passcode) state = state.copy(step = step.copy(second = nav.words.plainDigits(event.text)), problem = null)
            EnrolEvent.Next -> when (step) {
                is EnrolState.Step.Text -> { invitation = step.text.trim(); state = EnrolState(EnrolState.Step.Passcode("", "", ""), busy = false, problem = null) }
                is EnrolState.Step.Passcode -> if (step.first != step.second) state = state.copy(problem = nav.words("passcode_differ")) else begin(step.first)
                is EnrolState.Step.Compare -> Unit
            }
            EnrolEvent.Same -> confirm(same = true)
            EnrolEvent.Different -> confirm(same = false)
        }
    }

    private fun refused(e: CoreError): Boolean {
        val key = when (e) {
            is CoreError.NotTrusted -> "enrol_not_trusted"
            is CoreError.Invalid -> "enrol_bad"
            else -> return false
        }
        state = EnrolState(EnrolState.Step.Text(invitation), busy = false, problem = nav.words(key))
        return true
    }

    private fun begin(code: String) {
        passcode = code
        state = state.copy(busy = true)
        ask(::refused) {
            val bytes = code.encodeToByteArray()
            val step: EnrolStep = try { nav.core.enrolBegin(invitation, bytes) } finally { bytes.fill(0) }
            state = EnrolState(EnrolState.Step.Compare(step.reply, step.words, step.organisation), busy = false, problem = null)
        }
    }

    private fun confirm(same: Boolean) {
        state = state.copy(busy = true)
        ask(::refused) {
            val bytes = passcode.encodeToByteArray()
            try { nav.core.enrolConfirm(bytes, same) } finally { bytes.fill(0) }
            passcode = ""
            if (same) nav.go(Place.Unlock) else state = EnrolState(EnrolState.Step.Text(""), busy = false, problem = nav.words("words_stopped"))
        }
    }

    companion object {
        const val SHORTEST = 6
        private const val YEAR = 8
        private const val LONG = 12

        /** How long a person who finds the phone needs, in plain time. */
        fun strength(text: String): String {
            val digits = text.all { it in '0'..'9' }
            val words = text.trim().split(Regex("\\s+")).size
            return when {
                words >= 5 || (!digits && text.length >= LONG) || text.length >= LONG + 2 -> "passcode_strength_long"
                text.length >= YEAR && !digits || text.length >= LONG - 2 -> "passcode_strength_year"
                else -> "passcode_strength_days"
            }
        }
    }
}
