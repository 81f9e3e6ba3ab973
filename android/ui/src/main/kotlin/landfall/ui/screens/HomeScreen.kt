package landfall.ui.screens

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import landfall.ui.core.RecordState
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.Line
import landfall.ui.parts.NavBar
import landfall.ui.parts.StatusChip
import landfall.ui.parts.Tab
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.parts.tappable
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

data class HomeState(val second: String, val unfinished: List<Unfinished>, val done: List<Done>, val waiting: Int) {
    data class Unfinished(val draft: String, val interview: Boolean, val line: String)

    /** A record of today: `event` is what an interview could be added to. */
    data class Done(val record: String, val time: String, val line: String, val second: String?, val state: RecordState, val event: String?)
}

sealed class HomeEvent {
    data object Count : HomeEvent()
    data object Interview : HomeEvent()
    data class OpenDraft(val draft: String, val interview: Boolean) : HomeEvent()
    data class Tab(val tab: landfall.ui.parts.Tab) : HomeEvent()
}

@Composable
fun HomeScreen(state: HomeState, ways: Ways, on: (HomeEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar(words("home_title"), state.second, ways, back = false) },
        bottom = {
            BottomBar {
                Equal(
                    stack = Ui.scale > 1.3f,
                    items = listOf(
                        { m -> Button(words("home_count"), ButtonLook.Filled, m, icon = "tap", minHeight = 72, tag = "count") { on(HomeEvent.Count) } },
                        { m -> Button(words("home_interview"), ButtonLook.Outlined, m, icon = "chat", minHeight = 72, tag = "interview") { on(HomeEvent.Interview) } },
                    ),
                    weights = listOf(1.15f, 1f),
                )
            }
            NavBar(Tab.Today, state.waiting) { on(HomeEvent.Tab(it)) }
        },
    ) {
        Column(Modifier.fillMaxWidth().verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
            for (draft in state.unfinished) UnfinishedCard(draft, on)
            if (state.done.isEmpty() && state.unfinished.isEmpty()) {
                Card { Words(words("home_empty"), Ui.type.body) }
            }
            if (state.done.isNotEmpty()) {
                Card(padding = PaddingValues(0.dp)) {
                    Words(words("home_done"), Ui.type.labelB, Modifier.padding(horizontal = 16.dp, vertical = 12.dp), Ui.colours.inkSoft)
                    for (row in state.done) {
                        Line()
                        DoneRow(row)
                    }
                }
            }
            Spacer(Modifier.height(2.dp))
        }
    }
}

@Composable
private fun UnfinishedCard(draft: HomeState.Unfinished, on: (HomeEvent) -> Unit) {
    val colours = Ui.colours
    Row(
        Modifier.fillMaxWidth().heightIn(min = 62.dp).testTag("draft").background(colours.leadSoft, Shapes.card).border(1.dp, colours.lead, Shapes.card)
            .tappable(Shapes.card) { on(HomeEvent.OpenDraft(draft.draft, draft.interview)) }.semantics(mergeDescendants = true) {}.padding(horizontal = 16.dp, vertical = 10.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Icon("pencil", colours.onLeadSoft)
        Spacer(Modifier.width(12.dp))
        Column(Modifier.weight(1f)) {
            Words(Ui.words(if (draft.interview) "home_interview_unfinished" else "home_count_unfinished"), Ui.type.head, colour = colours.onLeadSoft)
            Words(draft.line, Ui.type.label, colour = colours.ink)
        }
        Icon("caret", colours.onLeadSoft, size = 18.dp)
    }
}

@Composable
private fun DoneRow(row: HomeState.Done) {
    val stacked = Ui.scale > 1.3f
    Row(Modifier.fillMaxWidth().testTag("done").semantics(mergeDescendants = true) {}.padding(horizontal = 16.dp, vertical = 12.dp)) {
        if (!stacked) Words(row.time, Ui.type.bodyB, Modifier.widthIn(min = 56.dp))
        Column(Modifier.weight(1f)) {
            if (stacked) Words(row.time, Ui.type.bodyB)
            Words(row.line, Ui.type.body)
            if (row.second != null) Words(row.second, Ui.type.label, colour = Ui.colours.inkSoft)
            Spacer(Modifier.height(6.dp))
            StatusChip(row.state)
        }
    }
}
