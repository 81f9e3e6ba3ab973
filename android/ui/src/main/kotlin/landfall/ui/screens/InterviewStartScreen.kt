package landfall.ui.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.RecordRow
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Frame
import landfall.ui.parts.Mark
import landfall.ui.parts.Tile
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

data class InterviewStartState(val organisation: String, val events: List<Option>)

sealed class InterviewStartEvent {
    data class Event(val id: String) : InterviewStartEvent()
    data object Rapid : InterviewStartEvent()
}

@Composable
fun InterviewStartScreen(state: InterviewStartState, ways: Ways, on: (InterviewStartEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar(words("start_title"), null, ways, back = true) },
        bottom = {
            BottomBar {
                Words(words("start_read_it"), Ui.type.label, Modifier.padding(bottom = 8.dp), Ui.colours.inkSoft)
                Button(words("start_rapid"), ButtonLook.Filled, Modifier.fillMaxWidth(), icon = "chat", tag = "rapid") { on(InterviewStartEvent.Rapid) }
            }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
            Card {
                Words(words("start_aloud"), Ui.type.labelB, Modifier.padding(bottom = 8.dp).semantics { heading() }, Ui.colours.inkSoft)
                Words(words("start_text", "organisation" to state.organisation), Ui.type.title.copy(fontWeight = Ui.type.body.fontWeight))
            }
            if (state.events.size > 1) {
                Card(padding = PaddingValues(16.dp)) {
                    Words(words("start_event"), Ui.type.head, Modifier.padding(bottom = 8.dp))
                    Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
                        for (o in state.events) Tile(o.label, o.chosen, Mark.Circle, Modifier.fillMaxWidth()) { on(InterviewStartEvent.Event(o.code)) }
                    }
                }
            }
            Spacer(Modifier.height(2.dp))
        }
    }
}

/** The text that is read aloud, and the arrival that the interview belongs to. */
class InterviewStartViewModel(nav: Nav, scope: CoroutineScope, private var event: String?) : ScreenModel(nav, scope, Place.InterviewStart(event)) {
    private var rows: List<RecordRow> = emptyList()
    private var organisation = ""

    var state by mutableStateOf<InterviewStartState?>(null)
        private set

    init {
        ask {
            val home = nav.core.home(nav.lang)
            organisation = home.organisation.ifEmpty { nav.words("start_someone") }
            rows = home.done.filter { it.eventId != null && it.form == HomeViewModel.TALLY }.distinctBy { it.eventId }
            redraw()
        }
    }

    private fun redraw() {
        val words = nav.words
        val known = rows.map { row ->
            val line = row.eventLine.ifEmpty { words.time(local(nav, row.savedAt)) }
            Option(row.eventId.orEmpty(), listOf(line, words.count("people", row.total ?: 0)).joinToString(" · "), row.eventId == event)
        }
        state = InterviewStartState(organisation, known + Option("", words("start_no_event"), event == null))
    }

    fun on(event: InterviewStartEvent) {
        when (event) {
            is InterviewStartEvent.Event -> { this.event = event.id.ifEmpty { null }; redraw() }
            InterviewStartEvent.Rapid -> ask { nav.go(Place.Rapid(nav.core.startInterview(this.event, nav.lang).id)) }
        }
    }
}
