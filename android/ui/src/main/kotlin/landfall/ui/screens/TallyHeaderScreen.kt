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
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import landfall.ui.core.Answer
import landfall.ui.core.DraftView
import landfall.ui.core.Question
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Frame
import landfall.ui.parts.Line
import landfall.ui.parts.Link
import landfall.ui.parts.Mark
import landfall.ui.parts.OpenRow
import landfall.ui.parts.Problem
import landfall.ui.parts.Sheet
import landfall.ui.parts.Tile
import landfall.ui.parts.Tiles
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.WhenField
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

/** One thing that can be chosen. */
data class Option(val code: String, val label: String, val chosen: Boolean)

/** The choices of a question as they stand. */
internal fun Question.options(): List<Option> {
    val chosen = when (val v = value) { is Answer.Code -> setOf(v.code); is Answer.Codes -> v.codes.toSet(); else -> emptySet() }
    // the bundled fonts have no arrows
    return choices.map { Option(it.code, it.label.replace(" → ", " – "), it.code in chosen) }
}

/** The answer in words, or null when there is none. */
internal fun Question.inWords(): String? = options().filter { it.chosen }.joinToString(", ") { it.label }.ifEmpty { null }

data class TallyHeaderState(
    val second: String,
    val whenTitle: String,
    val clock: String,
    val below: String,
    val precisions: List<Option>,
    val partOfDay: List<Option>?,
    val transportTitle: String,
    val transports: List<Option>,
    val moreTransports: Int,
    val rows: List<Row>,
    val missing: Int,
    val problem: String?,
    val sheet: ChoiceSheet?,
) {
    data class Row(val code: String, val label: String, val value: String, val missing: Boolean)
}

/** A question opened from a row. */
data class ChoiceSheet(val code: String, val title: String, val several: Boolean, val options: List<Option>)

sealed class TallyHeaderEvent {
    data class Minutes(val by: Int) : TallyHeaderEvent()
    data class Precision(val code: String) : TallyHeaderEvent()
    data class PartOfDay(val code: String) : TallyHeaderEvent()
    data class Transport(val code: String) : TallyHeaderEvent()
    data object MoreTransports : TallyHeaderEvent()
    data class OpenRow(val code: String) : TallyHeaderEvent()
    data class Pick(val code: String, val choice: String) : TallyHeaderEvent()
    data object CloseSheet : TallyHeaderEvent()
    data object NobodyArrived : TallyHeaderEvent()
    data object Start : TallyHeaderEvent()
}

/** The icon of a way of arriving; the word beside it says the same. */
internal fun transportIcon(code: String): String = when (code) {
    "flight_charter" -> "airplane"
    "flight_commercial" -> "airplaneUp"
    "flight_military" -> "jet"
    "bus" -> "bus"
    "truck" -> "truck"
    "convoy" -> "convoy"
    "foot" -> "onFoot"
    "boat" -> "boat"
    "train" -> "train"
    else -> "other"
}

@Composable
fun TallyHeaderScreen(state: TallyHeaderState, ways: Ways, on: (TallyHeaderEvent) -> Unit) {
    val words = Ui.words
    Box(Modifier.fillMaxSize()) {
        Frame(
            top = { TopBar(words("header_title"), state.second, ways, back = true) },
            bottom = {
                BottomBar {
                    if (state.missing > 0) Words(words.count("header_missing", state.missing), Ui.type.label, Modifier.padding(bottom = 8.dp), Ui.colours.inkSoft)
                    Button(words("header_start"), ButtonLook.Filled, Modifier.fillMaxWidth(), icon = "tap", tag = "start") { on(TallyHeaderEvent.Start) }
                }
            },
        ) {
            Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
                Card {
                    Words(state.whenTitle, Ui.type.head)
                    Spacer(Modifier.height(12.dp))
                    if (state.partOfDay == null) {
                        WhenField(state.clock, state.below, { on(TallyHeaderEvent.Minutes(-5)) }, { on(TallyHeaderEvent.Minutes(5)) })
                    } else {
                        Tiles(state.partOfDay) { o, m -> Tile(o.label, o.chosen, Mark.None, m) { on(TallyHeaderEvent.PartOfDay(o.code)) } }
                    }
                    Spacer(Modifier.height(12.dp))
                    Tiles(state.precisions) { o, m -> Tile(o.label, o.chosen, Mark.None, m, minHeight = 52, tag = "precision-${o.code}") { on(TallyHeaderEvent.Precision(o.code)) } }
                    if (state.problem != null) Problem(state.problem, Modifier.padding(top = 8.dp))
                }
                Card {
                    Words(state.transportTitle, Ui.type.head)
                    Spacer(Modifier.height(10.dp))
                    Tiles(state.transports) { o, m -> Tile(o.label, o.chosen, Mark.None, m, transportIcon(o.code), tag = "transport-${o.code}") { on(TallyHeaderEvent.Transport(o.code)) } }
                    if (state.moreTransports > 0) Link(words.count("header_more", state.moreTransports)) { on(TallyHeaderEvent.MoreTransports) }
                }
                Card(padding = PaddingValues(vertical = 4.dp)) {
                    state.rows.forEachIndexed { i, row ->
                        if (i > 0) Line()
                        OpenRow(row.label, row.value, row.missing, "row-${row.code}") { on(TallyHeaderEvent.OpenRow(row.code)) }
                    }
                }
                Card(padding = PaddingValues(horizontal = 16.dp, vertical = 4.dp)) {
                    Link(words("header_nobody"), Modifier.fillMaxWidth(), icon = "eye") { on(TallyHeaderEvent.NobodyArrived) }
                }
                Spacer(Modifier.height(2.dp))
            }
        }
        val sheet = state.sheet
        if (sheet != null) {
            ChoiceSheetView(sheet, { on(TallyHeaderEvent.Pick(sheet.code, it)) }, { on(TallyHeaderEvent.CloseSheet) })
        }
    }
}

/** The choices of one question over the screen; several answers end with Done. */
@Composable
internal fun ChoiceSheetView(sheet: ChoiceSheet, onPick: (String) -> Unit, onClose: () -> Unit) {
    Sheet(sheet.title, onClose) {
        Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
            for (o in sheet.options) Tile(o.label, o.chosen, if (sheet.several) Mark.Square else Mark.Circle, Modifier.fillMaxWidth()) { onPick(o.code) }
            if (sheet.several) Button(Ui.words("common_done"), ButtonLook.Filled, Modifier.fillMaxWidth(), minHeight = 56) { onClose() }
        }
    }
}

/** `Charter flight · 14:20`, from the answers themselves, or the core's own line. */
internal fun eventLine(nav: Nav, draft: DraftView): String {
    val words = nav.words
    val parts = listOfNotNull(draft.question("A05")?.inWords(), moment(draft)?.let { words.time(it) })
    return if (parts.isEmpty()) draft.eventLine else parts.joinToString(" · ")
}
