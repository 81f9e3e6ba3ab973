package landfall.ui.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Line
import landfall.ui.parts.Link
import landfall.ui.parts.OpenRow
import landfall.ui.parts.Problem
import landfall.ui.parts.Sheet
import landfall.ui.parts.TextBox
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.theme.Ui
import landfall.ui.theme.tabular

data class TallySummaryState(
    val second: String,
    /** Null where nobody arrived: a watch without arrivals. */
    val count: Count?,
    val numbers: List<Pair<String, String>>,
    val officialsAsked: Boolean,
    val seen: List<Pair<String, String>>,
    val missing: List<Missing>,
    val sheet: ChoiceSheet?,
    val typing: String?,
    val busy: Boolean,
    val problem: String?,
) {
    data class Count(val people: Int, val children: Int, val method: String?, val columns: List<String>, val rows: List<Row>)

    /** One age: its figures in the order of the columns, all of it last. */
    data class Row(val label: String, val figures: List<Int>)

    data class Missing(val code: String, val label: String)
}

sealed class TallySummaryEvent {
    data object Change : TallySummaryEvent()
    data object Save : TallySummaryEvent()
    data class OpenMissing(val code: String) : TallySummaryEvent()
    data class Pick(val code: String, val choice: String) : TallySummaryEvent()
    data object CloseSheet : TallySummaryEvent()
    data object AddNumber : TallySummaryEvent()
    data class Type(val text: String) : TallySummaryEvent()
    data object TypeDone : TallySummaryEvent()
}

@Composable
fun TallySummaryScreen(state: TallySummaryState, ways: Ways, on: (TallySummaryEvent) -> Unit) {
    val words = Ui.words
    Box(Modifier.fillMaxSize()) {
        Frame(
            top = { TopBar(words("summary_title"), state.second, ways, back = true) },
            bottom = {
                BottomBar {
                    Equal(
                        stack = Ui.scale > 1.6f,
                        items = listOf(
                            { m -> Button(words("common_change"), ButtonLook.Outlined, m, minHeight = 56) { on(TallySummaryEvent.Change) } },
                            { m ->
                                val ready = state.missing.isEmpty() && !state.busy
                                Button(words(if (state.busy) "summary_busy" else "summary_save"), if (ready) ButtonLook.Filled else ButtonLook.Still, m, minHeight = 56, enabled = ready, tag = "save") { on(TallySummaryEvent.Save) }
                            },
                        ),
                        weights = listOf(1f, 1.4f),
                    )
                }
            },
        ) {
            Column(Modifier.verticalScroll(rememberScrollState()).padding(start = 12.dp, end = 12.dp, top = 4.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
                if (state.problem != null) Problem(state.problem, Modifier.padding(horizontal = 4.dp))
                if (state.missing.isNotEmpty()) {
                    Card(padding = PaddingValues(vertical = 4.dp), edge = Ui.colours.high) {
                        Words(words.count("header_missing", state.missing.size), Ui.type.head, Modifier.padding(horizontal = 16.dp, vertical = 10.dp))
                        for (row in state.missing) {
                            Line()
                            OpenRow(row.label, words("header_choose"), true, "missing-${row.code}") { on(TallySummaryEvent.OpenMissing(row.code)) }
                        }
                    }
                }
                val count = state.count
                if (count == null) Card { Words(words("summary_nobody"), Ui.type.body) } else CountCard(count)
                if (count != null) NumbersCard(state, on)
                if (state.seen.isNotEmpty()) {
                    Card {
                        Words(words("summary_seen"), Ui.type.head, Modifier.padding(bottom = 8.dp))
                        for ((label, value) in state.seen) {
                            Column(Modifier.fillMaxWidth().padding(vertical = 4.dp).semantics(mergeDescendants = true) {}) {
                                Words(label, Ui.type.label, colour = Ui.colours.inkSoft)
                                Words(value, Ui.type.body)
                            }
                        }
                    }
                }
                Spacer(Modifier.height(2.dp))
            }
        }
        val sheet = state.sheet
        if (sheet != null) ChoiceSheetView(sheet, { on(TallySummaryEvent.Pick(sheet.code, it)) }, { on(TallySummaryEvent.CloseSheet) })
        val typing = state.typing
        if (typing != null) {
            Sheet(words("summary_officials"), { on(TallySummaryEvent.CloseSheet) }) {
                TextBox(words.digits(typing), { on(TallySummaryEvent.Type(it)) }, words("tally_type"), "number", digits = true, hint = words("tally_type"))
                Spacer(Modifier.height(12.dp))
                Button(words("tally_set"), if (typing.isEmpty()) ButtonLook.Still else ButtonLook.Filled, Modifier.fillMaxWidth(), minHeight = 56, enabled = typing.isNotEmpty()) { on(TallySummaryEvent.TypeDone) }
            }
        }
    }
}

@Composable
private fun CountCard(count: TallySummaryState.Count) {
    val words = Ui.words
    Card {
        Row(Modifier.semantics(mergeDescendants = true) {}, verticalAlignment = Alignment.CenterVertically) {
            Words(words.number(count.people), Ui.type.total, colour = Ui.colours.lead)
            Spacer(Modifier.width(14.dp))
            Column {
                Words(words("summary_people_children", "people" to words.count("people_word", count.people), "children" to words.count("children", count.children)), Ui.type.bodyB)
                if (count.method != null) Words(count.method, Ui.type.label, colour = Ui.colours.inkSoft)
            }
        }
        Line(Modifier.padding(top = 12.dp, bottom = 8.dp))
        if (Ui.scale > 1.3f) Blocks(count) else Table(count)
    }
}

@Composable
private fun Table(count: TallySummaryState.Count) {
    val words = Ui.words
    val last = count.rows.lastIndex
    val bold = Ui.type.labelB.tabular()
    TableRow(words("summary_age"), count.columns, bold, { bold }, { Ui.colours.ink })
    count.rows.forEachIndexed { i, row ->
        if (i == last) Line(Modifier.padding(vertical = 2.dp))
        TableRow(
            row.label, row.figures.map { words.number(it) }, if (i == last) bold else Ui.type.label.tabular(),
            { column -> if (i == last || column == row.figures.lastIndex) bold else Ui.type.label.tabular() },
            { column -> if (row.figures[column] == 0) Ui.colours.inkSoft else Ui.colours.ink },
        )
    }
}

/** The same figures one under the other, where five columns would break their words. */
@Composable
private fun Blocks(count: TallySummaryState.Count) {
    val words = Ui.words
    for (row in count.rows) {
        Column(Modifier.fillMaxWidth().padding(vertical = 6.dp).semantics(mergeDescendants = true) {}) {
            (listOf(row.figures.lastIndex) + row.figures.indices.toList().dropLast(1)).forEach { i ->
                val all = i == row.figures.lastIndex
                val style = if (all) Ui.type.bodyB.tabular() else Ui.type.label.tabular()
                Row(Modifier.fillMaxWidth()) {
                    Words(if (all) row.label else count.columns[i], style, Modifier.weight(1f), if (all) Ui.colours.ink else Ui.colours.inkSoft)
                    Words(words.number(row.figures[i]), style)
                }
            }
        }
        Line()
    }
}

@Composable
private fun TableRow(label: String, cells: List<String>, first: TextStyle, style: @Composable (Int) -> TextStyle, colour: @Composable (Int) -> Color) {
    Row(Modifier.fillMaxWidth().padding(vertical = 3.dp).semantics(mergeDescendants = true) {}, verticalAlignment = Alignment.Bottom) {
        Words(label, first, Modifier.weight(1.1f).widthIn(min = 56.dp))
        cells.forEachIndexed { i, text -> Words(text, style(i), Modifier.weight(1f), colour(i), TextAlign.End) }
    }
}

@Composable
private fun NumbersCard(state: TallySummaryState, on: (TallySummaryEvent) -> Unit) {
    val words = Ui.words
    Card {
        Words(words("summary_numbers"), Ui.type.head)
        Words(words("summary_numbers_hint"), Ui.type.label, Modifier.padding(bottom = 8.dp), Ui.colours.inkSoft)
        for ((figure, who) in state.numbers) {
            Row(Modifier.fillMaxWidth().padding(vertical = 5.dp).semantics(mergeDescendants = true) {}, verticalAlignment = Alignment.CenterVertically) {
                Words(figure, Ui.type.head, Modifier.widthIn(min = 56.dp))
                Words(who, Ui.type.body)
            }
        }
        if (!state.officialsAsked) Link(words("summary_add_number"), icon = "plus") { on(TallySummaryEvent.AddNumber) }
    }
}
