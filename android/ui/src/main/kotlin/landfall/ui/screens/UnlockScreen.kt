package landfall.ui.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawing
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.layout.windowInsetsPadding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Mark
import landfall.ui.parts.PasscodePad
import landfall.ui.parts.Sheet
import landfall.ui.parts.StillBar
import landfall.ui.parts.TextBox
import landfall.ui.parts.Tile
import landfall.ui.parts.Words
import landfall.ui.parts.tappable
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui
import landfall.ui.words.Words as AppWords

/** The passcode as typed is held here and nowhere else; it is dropped with the screen. */
data class UnlockState(
    val typed: String,
    val shown: Boolean,
    val asWords: Boolean,
    val message: String?,
    val waitSeconds: Long,
    val busy: Boolean,
    val languages: Boolean,
) {
    override fun toString() = "UnlockState(..)"
}

sealed class UnlockEvent {
    data class Key(val c: Char) : UnlockEvent()
    data class Type(val text: String) : UnlockEvent()
    data object Delete : UnlockEvent()
    data object Words : UnlockEvent()
    data object Show : UnlockEvent()
    data object Open : UnlockEvent()
    data object Languages : UnlockEvent()
    data class Choose(val lang: String) : UnlockEvent()
}

@Composable
fun UnlockScreen(state: UnlockState, on: (UnlockEvent) -> Unit) {
    val words = Ui.words
    val colours = Ui.colours
    Box(Modifier.fillMaxSize().background(colours.paper)) {
        Column(
            Modifier.align(Alignment.TopCenter).widthIn(max = 560.dp).fillMaxSize().windowInsetsPadding(WindowInsets.safeDrawing).padding(horizontal = 24.dp),
        ) {
            Row(
                Modifier.align(Alignment.End).heightIn(min = 48.dp).tappable(Shapes.chip) { on(UnlockEvent.Languages) }.semantics(mergeDescendants = true) {}.padding(horizontal = 8.dp),
                verticalAlignment = Alignment.CenterVertically,
            ) {
                Icon("translate", colours.inkSoft, size = 22.dp)
                Spacer(Modifier.width(8.dp))
                Words(AppWords.shipped.first { it.first == words.lang }.second, Ui.type.barLabelB, colour = colours.inkSoft)
            }
            Column(Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()), verticalArrangement = Arrangement.Bottom) {
                Icon("lock", colours.lead, Modifier.align(Alignment.CenterHorizontally), size = 40.dp)
                Spacer(Modifier.height(12.dp))
                Words(words("unlock_title"), Ui.type.title, Modifier.fillMaxWidth().semantics { heading() }, align = TextAlign.Center)
                Spacer(Modifier.height(14.dp))
                TextBox(
                    if (state.asWords) state.typed else words.digits(state.typed),
                    { on(UnlockEvent.Type(it)) }, words("unlock_field"), "passcode", masked = !state.shown, digits = !state.asWords, hint = words("unlock_field"),
                ) {
                    Box(
                        Modifier.size(48.dp).tappable(Shapes.pill) { on(UnlockEvent.Show) }.semantics { contentDescription = words(if (state.shown) "unlock_hide" else "unlock_show") },
                        contentAlignment = Alignment.Center,
                    ) { Icon("eye", colours.inkSoft) }
                }
                Row(
                    Modifier.align(Alignment.CenterHorizontally).heightIn(min = 57.dp).padding(vertical = 8.dp).semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite },
                    verticalAlignment = Alignment.CenterVertically,
                ) {
                    if (state.message != null) {
                        Icon("warningFill", colours.high, size = 20.dp)
                        Spacer(Modifier.width(8.dp))
                        Words(state.message, Ui.type.label)
                    }
                }
            }
            PasscodePad({ on(UnlockEvent.Key(it)) }, { on(UnlockEvent.Delete) }, { on(UnlockEvent.Words) })
            Spacer(Modifier.height(18.dp))
            when {
                state.waitSeconds > 0 -> StillBar(words.count("unlock_wait", state.waitSeconds.toInt()), "clock", "wait")
                else -> Button(
                    words(if (state.busy) "unlock_busy" else "unlock_open"), if (state.typed.isEmpty() || state.busy) ButtonLook.Still else ButtonLook.Filled,
                    Modifier.fillMaxWidth(), minHeight = 56, enabled = state.typed.isNotEmpty() && !state.busy, tag = "open",
                ) { on(UnlockEvent.Open) }
            }
            Spacer(Modifier.height(24.dp))
        }
        if (state.languages) {
            Sheet(words("lang_title"), { on(UnlockEvent.Languages) }) {
                Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
                    for ((lang, name) in AppWords.shipped) Tile(name, lang == words.lang, Mark.Circle, Modifier.fillMaxWidth()) { on(UnlockEvent.Choose(lang)) }
                }
            }
        }
    }
}
