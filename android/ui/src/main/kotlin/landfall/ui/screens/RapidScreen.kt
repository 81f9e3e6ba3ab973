package landfall.ui.screens

import androidx.compose.foundation.ScrollState
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.runtime.key
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Mark
import landfall.ui.parts.OpenRow
import landfall.ui.parts.Problem
import landfall.ui.parts.Sheet
import landfall.ui.parts.SkipButton
import landfall.ui.parts.SoFar
import landfall.ui.parts.Steps
import landfall.ui.parts.Tile
import landfall.ui.parts.Tiles
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.parts.tappable
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

data class RapidState(
    val second: String,
    val at: Int,
    val of: Int,
    val soFar: String?,
    val open: Card?,
    val next: Card?,
    val bar: Bar,
    /** Officials can see or hear, or nobody has said whether they can: only what is harmless in front of them is asked. */
    val shortList: Boolean,
    val sheet: Sheet?,
    val problem: String?,
    val busy: Boolean,
) {
    data class Card(val code: String, val label: String, val hint: String?, val several: Boolean, val groups: List<Group>)

    data class Group(val title: String?, val options: List<Option>)

    sealed class Bar {
        data class Ask(val skip: Boolean, val next: Boolean) : Bar()

        /** The last question stands in the bar; its answer saves. */
        data class Contact(val label: String) : Bar()
        data object Save : Bar()

        /** Yes, No and nothing preselected, all of one size. */
        data class Consent(val options: List<Option>, val skip: Boolean) : Bar()
    }

    sealed class Sheet {
        data object Stop : Sheet()
        data class Answers(val rows: List<Triple<String, String, String>>) : Sheet()
        data class Privacy(val label: String, val options: List<Option>) : Sheet()
    }
}

sealed class RapidEvent {
    data class Answer(val code: String, val choice: String) : RapidEvent()
    data object Skip : RapidEvent()
    data object Next : RapidEvent()
    data object Stop : RapidEvent()
    data object KeepIt : RapidEvent()
    data object DeleteIt : RapidEvent()
    data object Answers : RapidEvent()
    data class Change(val code: String) : RapidEvent()
    data object Privacy : RapidEvent()
    data object CloseSheet : RapidEvent()
    data class Finish(val contact: String?) : RapidEvent()
}

@Composable
fun RapidScreen(state: RapidState, ways: Ways, on: (RapidEvent) -> Unit) {
    val words = Ui.words
    Box(Modifier.fillMaxSize()) {
        Frame(
            top = {
                TopBar(words("rapid_title"), state.second, ways, back = true) {
                    Box(
                        Modifier.size(48.dp).testTag("privacy").tappable(Shapes.pill) { on(RapidEvent.Privacy) }.semantics { contentDescription = words("rapid_privacy") },
                        contentAlignment = Alignment.Center,
                    ) { Icon("eye", Ui.colours.ink) }
                }
            },
            bottom = { BottomBar { RapidBar(state, on) } },
        ) {
            Steps(state.at, state.of)
            val large = Ui.scale > 1.3f
            val soFar: @Composable () -> Unit = {
                if (state.soFar != null) Box(Modifier.padding(top = 12.dp)) { SoFar(state.soFar) { on(RapidEvent.Answers) } }
            }
            if (!large) Box(Modifier.padding(horizontal = 12.dp)) { soFar() }
            val open = state.open
            // a new question starts at its own top
            val scroll = remember(open?.code) { ScrollState(0) }
            Column(Modifier.weight(1f).verticalScroll(scroll).padding(horizontal = 12.dp)) {
                if (large) soFar()
                if (state.shortList) Words(words("rapid_short_list"), Ui.type.label, Modifier.padding(start = 4.dp, top = 12.dp), Ui.colours.inkSoft)
                if (state.problem != null) Problem(state.problem, Modifier.padding(start = 4.dp, top = 12.dp))
                if (open != null) key(open.code) { QuestionCard(open, on) }
                if (open?.code == "K03") ConsentFacts()
                val next = state.next
                if (next != null) key(next.code) { QuestionCard(next, on) }
                Spacer(Modifier.height(12.dp))
            }
        }
        when (val sheet = state.sheet) {
            null -> Unit
            RapidState.Sheet.Stop -> Sheet(words("rapid_stop_title"), { on(RapidEvent.CloseSheet) }) {
                Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
                    Button(words("rapid_stop_keep"), ButtonLook.Outlined, Modifier.fillMaxWidth(), minHeight = 56) { on(RapidEvent.KeepIt) }
                    Button(words("rapid_stop_delete"), ButtonLook.Outlined, Modifier.fillMaxWidth(), minHeight = 56) { on(RapidEvent.DeleteIt) }
                }
            }
            is RapidState.Sheet.Answers -> Sheet(words("rapid_answers"), { on(RapidEvent.CloseSheet) }) {
                for ((code, label, value) in sheet.rows) OpenRow(label, value, false, "change-$code") { on(RapidEvent.Change(code)) }
            }
            is RapidState.Sheet.Privacy -> Sheet(sheet.label, { on(RapidEvent.CloseSheet) }) {
                Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
                    for (o in sheet.options) Tile(o.label, o.chosen, Mark.Circle, Modifier.fillMaxWidth()) { on(RapidEvent.Answer("K06", o.code)) }
                }
            }
        }
    }
}

@Composable
private fun QuestionCard(card: RapidState.Card, on: (RapidEvent) -> Unit) {
    Words(card.label, Ui.type.ask, Modifier.padding(start = 4.dp, end = 4.dp, top = 16.dp).semantics { heading() })
    if (card.hint != null) Words(card.hint, Ui.type.label, Modifier.padding(horizontal = 4.dp, vertical = 2.dp), Ui.colours.inkSoft)
    Spacer(Modifier.height(8.dp))
    for (group in card.groups) {
        if (group.title != null) Words(group.title, Ui.type.labelB, Modifier.padding(start = 4.dp, top = 6.dp, bottom = 6.dp).semantics { heading() }, Ui.colours.inkSoft)
        Tiles(group.options) { o, m ->
            Tile(o.label, o.chosen, if (card.several) Mark.Square else Mark.Circle, m, tag = "${card.code}-${o.code}") { on(RapidEvent.Answer(card.code, o.code)) }
        }
        Spacer(Modifier.height(8.dp))
    }
}

/** What agreeing means: who, how long, and what a no costs. */
@Composable
private fun ConsentFacts() {
    val words = Ui.words
    landfall.ui.parts.Card(Modifier.padding(top = 8.dp)) {
        for (fact in listOf("who", "long", "no")) {
            Words(words("consent_$fact"), Ui.type.label, colour = Ui.colours.inkSoft)
            Words(words("consent_record_$fact"), Ui.type.body, Modifier.padding(bottom = if (fact == "no") 0.dp else 12.dp))
        }
    }
}

@Composable
private fun RapidBar(state: RapidState, on: (RapidEvent) -> Unit) {
    val words = Ui.words
    when (val bar = state.bar) {
        is RapidState.Bar.Ask -> {
            val stop: @Composable (Modifier) -> Unit = { m -> Button(words("rapid_stop"), ButtonLook.Outlined, m, icon = "close", minHeight = 56, tag = "stop") { on(RapidEvent.Stop) } }
            val end: @Composable (Modifier) -> Unit = { m ->
                when {
                    bar.next -> Button(words("common_next"), ButtonLook.Filled, m, minHeight = 56, tag = "next") { on(RapidEvent.Next) }
                    else -> SkipButton(m) { on(RapidEvent.Skip) }
                }
            }
            Equal(stack = false, items = if (bar.skip || bar.next) listOf(stop, end) else listOf(stop))
        }
        is RapidState.Bar.Consent -> {
            val answers: List<@Composable (Modifier) -> Unit> = bar.options.map { o ->
                { m -> Button(o.label, ButtonLook.Outlined, m, tag = "K03-${o.code}") { on(RapidEvent.Answer("K03", o.code)) } }
            }
            val skip: @Composable (Modifier) -> Unit = { m -> Button(words("common_skip"), ButtonLook.Outlined, m, tag = "skip") { on(RapidEvent.Skip) } }
            Equal(stack = Ui.scale > 1.6f, items = if (bar.skip) answers + skip else answers)
        }
        is RapidState.Bar.Contact -> {
            Words(bar.label, if (Ui.scale > 1.3f) Ui.type.barLabelB else Ui.type.bodyB, Modifier.padding(horizontal = 4.dp))
            Words(words("rapid_saves"), Ui.type.barLabel, Modifier.padding(start = 4.dp, end = 4.dp, bottom = 8.dp), Ui.colours.inkSoft)
            Equal(
                stack = false,
                items = listOf(
                    { m -> Button(words("common_yes"), ButtonLook.Outlined, m, enabled = !state.busy, tag = "W03-yes") { on(RapidEvent.Finish("yes")) } },
                    { m -> Button(words("common_no"), ButtonLook.Outlined, m, enabled = !state.busy, tag = "W03-no") { on(RapidEvent.Finish("no")) } },
                    { m -> Button(words("common_skip"), ButtonLook.Outlined, m, enabled = !state.busy, tag = "W03-skip") { on(RapidEvent.Finish(null)) } },
                ),
            )
        }
        RapidState.Bar.Save -> Button(words(if (state.busy) "summary_busy" else "rapid_save"), ButtonLook.Filled, Modifier.fillMaxWidth(), enabled = !state.busy, tag = "save") { on(RapidEvent.Finish(null)) }
    }
}
