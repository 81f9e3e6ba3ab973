package landfall.ui.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.hapticfeedback.HapticFeedbackType
import androidx.compose.ui.platform.LocalHapticFeedback
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.CustomAccessibilityAction
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.customActions
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import kotlinx.coroutines.delay
import landfall.ui.parts.Banner
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Edged
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Sheet
import landfall.ui.parts.TextBox
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.parts.tappable
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

data class TallyState(
    val second: String,
    val total: Int,
    val children: Int,
    val columns: List<String>,
    val rows: List<Row>,
    /** The cell that was counted last, and by how much. */
    val last: Last?,
    /** What Undo takes back, in words. */
    val undo: String?,
    val notKept: Boolean,
    val sheet: CellSheet?,
) {
    data class Row(val label: String, val cells: List<Cell>, val gapAbove: Boolean)

    data class Cell(val code: String, val spoken: String, val value: Int)

    data class Last(val cell: String, val by: Int, val turn: Int)

    data class CellSheet(val cell: String, val title: String, val typed: String)
}

sealed class TallyEvent {
    data class Plus(val cell: String) : TallyEvent()
    data class By(val cell: String, val by: Int) : TallyEvent()
    data class Hold(val cell: String) : TallyEvent()
    data class Type(val text: String) : TallyEvent()
    data object TypeDone : TallyEvent()
    data object CloseSheet : TallyEvent()
    data object Undo : TallyEvent()
    data object Next : TallyEvent()
}

@Composable
fun TallyScreen(state: TallyState, ways: Ways, on: (TallyEvent) -> Unit) {
    val words = Ui.words
    val large = Ui.scale > 1.3f
    Box(Modifier.fillMaxSize()) {
        Frame(
            top = { TopBar(words("tally_title"), state.second, ways, back = true) },
            bottom = {
                BottomBar {
                    Equal(
                        stack = false,
                        items = listOf(
                            { m ->
                                Button(words("tally_undo"), if (state.undo == null) ButtonLook.Still else ButtonLook.Outlined, m, icon = "undo", second = state.undo, enabled = state.undo != null, tag = "undo") { on(TallyEvent.Undo) }
                            },
                            { m -> Button(words("common_next"), ButtonLook.Filled, m, tag = "next") { on(TallyEvent.Next) } },
                        ),
                        weights = listOf(1.25f, 1f),
                    )
                }
            },
        ) {
            Column(Modifier.fillMaxSize().padding(start = 12.dp, end = 12.dp, bottom = 8.dp)) {
                TotalLine(state.total, state.children, Modifier.padding(horizontal = 4.dp, vertical = if (large) 0.dp else 5.dp))
                if (state.notKept) Banner(words("tally_not_kept"), Modifier.padding(vertical = 4.dp), icon = "warningFill")
                Grid(state, large, on)
            }
        }
        val sheet = state.sheet
        if (sheet != null) CellSheetView(sheet, on)
    }
}

/** The figure that everybody looks for, with who it is made of. */
@Composable
internal fun TotalLine(total: Int, children: Int, modifier: Modifier = Modifier) {
    val words = Ui.words
    val spoken = words("tally_total_spoken", "people" to words.count("people", total), "children" to words.count("children", children))
    Row(
        modifier.fillMaxWidth().heightIn(min = 58.dp).testTag("total").semantics(mergeDescendants = true) { contentDescription = spoken; liveRegion = LiveRegionMode.Polite },
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Words(words.number(total), Ui.type.total, Modifier.clearAndSetSemantics {}, Ui.colours.lead)
        Spacer(Modifier.width(14.dp))
        Column {
            Words(words.count("people_word", total), Ui.type.head, Modifier.clearAndSetSemantics {}, Ui.colours.lead)
            Words(words.count("children", children), Ui.type.body, Modifier.clearAndSetSemantics {}, Ui.colours.inkSoft)
        }
    }
}

@Composable
private fun ColumnScope.Grid(state: TallyState, large: Boolean, on: (TallyEvent) -> Unit) {
    val head = if (large) Ui.type.barLabelB else Ui.type.labelB
    val labelWidth = if (large) 62.dp else 56.dp
    Row(Modifier.fillMaxWidth().padding(top = if (large) 4.dp else 8.dp, bottom = 4.dp), verticalAlignment = Alignment.Bottom) {
        Spacer(Modifier.width(labelWidth))
        for (name in state.columns) {
            Words(name, head, Modifier.weight(1f).padding(start = 8.dp).clearAndSetSemantics {}, align = TextAlign.Center)
        }
    }
    for ((i, row) in state.rows.withIndex()) {
        if (i > 0) Spacer(Modifier.height(if (row.gapAbove) 16.dp else 8.dp))
        Row(Modifier.fillMaxWidth().weight(1f), verticalAlignment = Alignment.CenterVertically) {
            Words(row.label, head, Modifier.width(labelWidth).clearAndSetSemantics {}, align = TextAlign.Center)
            for (cell in row.cells) CounterCell(cell, state.last, Modifier.weight(1f).fillMaxHeight().padding(start = 8.dp), on)
        }
    }
}

/** One cell of the count: tap adds one, hold opens the rest. */
@Composable
private fun CounterCell(cell: TallyState.Cell, last: TallyState.Last?, modifier: Modifier, on: (TallyEvent) -> Unit) {
    val words = Ui.words
    val haptic = LocalHapticFeedback.current
    val mine = last != null && last.cell == cell.code
    var fresh by remember(cell.code) { mutableStateOf(false) }
    LaunchedEffect(mine, last?.turn) {
        fresh = mine
        if (mine) { delay(TAG_MS); fresh = false }
    }
    val spoken = words("tally_cell_spoken", "cell" to cell.spoken, "n" to cell.value)
    Edged(
        modifier.heightIn(min = 64.dp).testTag("cell-${cell.code}")
            .tappable(Shapes.cell, longLabel = words("tally_more_spoken"), onLong = { haptic.performHapticFeedback(HapticFeedbackType.LongPress); on(TallyEvent.Hold(cell.code)) }) {
                haptic.performHapticFeedback(HapticFeedbackType.TextHandleMove)
                on(TallyEvent.Plus(cell.code))
            }
            .semantics(mergeDescendants = true) {
                contentDescription = spoken
                customActions = listOf(
                    CustomAccessibilityAction(words("tally_remove_one")) { on(TallyEvent.By(cell.code, -1)); true },
                    CustomAccessibilityAction(words("tally_type")) { on(TallyEvent.Hold(cell.code)); true },
                )
            },
        Shapes.cell,
        mine,
    ) {
        Words(
            words.number(cell.value), Ui.type.count, Modifier.align(Alignment.Center).clearAndSetSemantics {},
            if (mine) Ui.colours.onLeadSoft else if (cell.value == 0) Ui.colours.inkSoft else Ui.colours.ink,
        )
        if (mine && fresh && last != null) {
            Box(Modifier.align(Alignment.TopEnd).padding(3.dp).background(Ui.colours.lead, Shapes.pill).padding(horizontal = 6.dp)) {
                Words(words.isolate((if (last.by > 0) "+" else "−") + words.number(kotlin.math.abs(last.by))), Ui.type.tag, Modifier.clearAndSetSemantics {}, Ui.colours.onLead)
            }
        }
    }
}

private const val TAG_MS = 1500L

@Composable
private fun CellSheetView(sheet: TallyState.CellSheet, on: (TallyEvent) -> Unit) {
    val words = Ui.words
    Sheet(sheet.title, { on(TallyEvent.CloseSheet) }) {
        Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
            Equal(
                stack = false,
                items = listOf(-5, -1, 5, 10).map { by ->
                    { m ->
                        val text = words.isolate((if (by > 0) "+" else "−") + words.number(kotlin.math.abs(by)))
                        Button(text, ButtonLook.Outlined, m, minHeight = 56) { on(TallyEvent.By(sheet.cell, by)) }
                    }
                },
            )
            TextBox(words.digits(sheet.typed), { on(TallyEvent.Type(it)) }, words("tally_type"), "cell-number", digits = true, hint = words("tally_type"))
            Equal(
                stack = Ui.scale > 1.3f,
                items = listOf(
                    { m -> Button(words("common_close"), ButtonLook.Outlined, m, minHeight = 56) { on(TallyEvent.CloseSheet) } },
                    { m ->
                        val ready = sheet.typed.isNotEmpty()
                        Button(words("tally_set"), if (ready) ButtonLook.Filled else ButtonLook.Still, m, minHeight = 56, enabled = ready) { on(TallyEvent.TypeDone) }
                    },
                ),
            )
        }
    }
}
