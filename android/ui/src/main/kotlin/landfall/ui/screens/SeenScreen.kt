package landfall.ui.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.runtime.key
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Link
import landfall.ui.parts.Mark
import landfall.ui.parts.NumberField
import landfall.ui.parts.Problem
import landfall.ui.parts.Sheet
import landfall.ui.parts.TextBox
import landfall.ui.parts.Tile
import landfall.ui.parts.Tiles
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

data class SeenState(val second: String, val groups: List<Group>, val more: Boolean, val typing: Typing?) {
    data class Group(val title: String, val questions: List<Asked>)

    /** A question as it is asked here; [figure] is null where nothing was answered. */
    data class Asked(val code: String, val label: String, val shape: Shape, val options: List<Option>, val figure: String?, val text: String, val problem: String?)

    enum class Shape { Number, Three, One, Several, Text }

    data class Typing(val code: String, val title: String, val typed: String)
}

sealed class SeenEvent {
    data class Step(val code: String, val by: Int) : SeenEvent()
    data class Pick(val code: String, val choice: String) : SeenEvent()
    data class Text(val code: String, val text: String) : SeenEvent()
    data class OpenNumber(val code: String) : SeenEvent()
    data class Type(val text: String) : SeenEvent()
    data object TypeDone : SeenEvent()
    data object Empty : SeenEvent()
    data object CloseNumber : SeenEvent()
    data object More : SeenEvent()
    data object Next : SeenEvent()
}

@Composable
fun SeenScreen(state: SeenState, ways: Ways, on: (SeenEvent) -> Unit) {
    val words = Ui.words
    Box(Modifier.fillMaxSize()) {
        Frame(
            top = { TopBar(words("seen_title"), state.second, ways, back = true) },
            bottom = { BottomBar { Button(words("common_next"), ButtonLook.Filled, Modifier.fillMaxWidth(), tag = "next") { on(SeenEvent.Next) } } },
        ) {
            Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
                for (group in state.groups) {
                    Card {
                        Words(group.title, Ui.type.head, Modifier.padding(bottom = 4.dp))
                        for (q in group.questions) key(q.code) { AskedView(q, on) }
                    }
                }
                if (!state.more) {
                    Card(padding = PaddingValues(horizontal = 16.dp, vertical = 4.dp)) { Link(words("seen_more"), Modifier.fillMaxWidth(), icon = "plus") { on(SeenEvent.More) } }
                }
                Spacer(Modifier.height(2.dp))
            }
        }
        val typing = state.typing
        if (typing != null) NumberSheet(typing, on)
    }
}

@Composable
private fun AskedView(q: SeenState.Asked, on: (SeenEvent) -> Unit) {
    when (q.shape) {
        SeenState.Shape.Number -> NumberField(
            q.label, q.figure, q.problem, "number-${q.code}", { on(SeenEvent.Step(q.code, -1)) }, { on(SeenEvent.Step(q.code, 1)) }, { on(SeenEvent.OpenNumber(q.code)) },
        )
        else -> Column(Modifier.fillMaxWidth().padding(vertical = 8.dp)) {
            Words(q.label, Ui.type.body, Modifier.padding(bottom = 8.dp))
            when (q.shape) {
                SeenState.Shape.Three -> Tiles(q.options, columns = if (Ui.scale > 1.3f) 1 else 3) { o, m -> Tile(o.label, o.chosen, Mark.None, m, tag = "${q.code}-${o.code}") { on(SeenEvent.Pick(q.code, o.code)) } }
                SeenState.Shape.Text -> TextBox(q.text, { on(SeenEvent.Text(q.code, it)) }, q.label, "text-${q.code}", lines = 3)
                else -> Tiles(q.options) { o, m ->
                    Tile(o.label, o.chosen, if (q.shape == SeenState.Shape.Several) Mark.Square else Mark.Circle, m, tag = "${q.code}-${o.code}") { on(SeenEvent.Pick(q.code, o.code)) }
                }
            }
            if (q.problem != null) Problem(q.problem, Modifier.padding(top = 6.dp))
        }
    }
}

@Composable
private fun NumberSheet(typing: SeenState.Typing, on: (SeenEvent) -> Unit) {
    val words = Ui.words
    Sheet(typing.title, { on(SeenEvent.CloseNumber) }) {
        TextBox(words.digits(typing.typed), { on(SeenEvent.Type(it)) }, words("tally_type"), "number", digits = true, hint = words("tally_type"))
        Spacer(Modifier.height(12.dp))
        Equal(
            stack = Ui.scale > 1.3f,
            items = listOf(
                { m -> Button(words("seen_empty"), ButtonLook.Outlined, m, minHeight = 56) { on(SeenEvent.Empty) } },
                { m ->
                    val ready = typing.typed.isNotEmpty()
                    Button(words("tally_set"), if (ready) ButtonLook.Filled else ButtonLook.Still, m, minHeight = 56, enabled = ready) { on(SeenEvent.TypeDone) }
                },
            ),
        )
    }
}
