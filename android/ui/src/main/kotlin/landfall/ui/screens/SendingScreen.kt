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
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import landfall.ui.core.CoreError
import landfall.ui.core.Counts
import landfall.ui.core.CourierReport
import landfall.ui.core.RecordState
import landfall.ui.parts.Banner
import landfall.ui.parts.BottomBar
import landfall.ui.parts.Button
import landfall.ui.parts.ButtonLook
import landfall.ui.parts.Card
import landfall.ui.parts.Equal
import landfall.ui.parts.Frame
import landfall.ui.parts.LabelledFigure
import landfall.ui.parts.Line
import landfall.ui.parts.NavBar
import landfall.ui.parts.StatusChip
import landfall.ui.parts.Tab
import landfall.ui.parts.TopBar
import landfall.ui.parts.Ways
import landfall.ui.parts.Words
import landfall.ui.theme.Ui

data class SendingState(val counts: Counts, val busy: Boolean, val result: String?, val canExport: Boolean)

sealed class SendingEvent {
    data object SendNow : SendingEvent()
    data object Export : SendingEvent()
    data class Tab(val tab: landfall.ui.parts.Tab) : SendingEvent()
}

@Composable
fun SendingScreen(state: SendingState, ways: Ways, on: (SendingEvent) -> Unit) {
    val words = Ui.words
    Frame(
        top = { TopBar(words("sending_title"), null, ways, back = false) },
        bottom = {
            BottomBar {
                val now: @Composable (Modifier) -> Unit = { m ->
                    Button(words(if (state.busy) "sending_busy" else "sending_now"), if (state.busy) ButtonLook.Still else ButtonLook.Filled, m, icon = "send", enabled = !state.busy, tag = "send-now") { on(SendingEvent.SendNow) }
                }
                val file: @Composable (Modifier) -> Unit = { m -> Button(words("sending_file"), ButtonLook.Outlined, m, icon = "file", tag = "as-file") { on(SendingEvent.Export) } }
                Equal(stack = Ui.scale > 1.3f, items = if (state.canExport) listOf(now, file) else listOf(now))
            }
            NavBar(Tab.Sending, state.counts.saved + state.counts.refused) { on(SendingEvent.Tab(it)) }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(horizontal = 12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
            val counts = state.counts
            if (state.result != null) Banner(state.result, Modifier.testTag("sending-result").semantics { liveRegion = LiveRegionMode.Polite })
            if (counts.refused > 0) {
                Card(edge = Ui.colours.high) {
                    StatusChip(RecordState.Refused)
                    Words(words.count("sending_refused", counts.refused), Ui.type.body, Modifier.padding(top = 8.dp))
                }
            }
            Card(padding = PaddingValues(0.dp)) {
                Group(RecordState.Saved, counts.saved, "sending_saved_more")
                Line()
                Group(RecordState.Mailbox, counts.mailbox, "sending_mailbox_more")
                Line()
                Group(RecordState.Received, counts.received, "sending_received_more")
            }
            Spacer(Modifier.height(2.dp))
        }
    }
}

@Composable
private fun Group(state: RecordState, figure: Int, more: String) {
    val words = Ui.words
    Column(Modifier.fillMaxWidth().testTag("group-${state.name}").semantics(mergeDescendants = true) {}) {
        LabelledFigure(words.number(figure)) {
            StatusChip(state)
            Words(words.count(more, figure), Ui.type.body, Modifier.padding(top = 8.dp))
        }
    }
}

/** What is only here, what is in the mailbox, and what the desk has said it has. */
class SendingViewModel(nav: Nav, scope: CoroutineScope) : ScreenModel(nav, scope, Place.Sending) {
    var state by mutableStateOf<SendingState?>(null)
        private set

    init {
        refresh()
        this.scope.launch { nav.core.changes.collect { refresh() } }
    }

    private fun refresh() = ask {
        val counts = nav.core.counts()
        state = (state ?: SendingState(counts, busy = false, result = null, canExport = nav.exportPath() != null)).copy(counts = counts)
    }

    fun on(event: SendingEvent) {
        when (event) {
            SendingEvent.SendNow -> {
                state = state?.copy(busy = true, result = null)
                // a round that the phone has begun by itself is no error
                ask({ state = state?.copy(busy = false); it is CoreError.Busy }) {
                    val report = nav.core.handOver(BUDGET_MS)
                    val counts = nav.core.counts()
                    state = state?.copy(busy = false, counts = counts, result = said(report))
                }
            }
            SendingEvent.Export -> nav.exportPath()?.let { path ->
                ask {
                    val n = nav.core.exportBundle(path)
                    state = state?.copy(result = nav.words.count("sending_exported", n, "path" to nav.words.isolate(path)))
                }
            }
            is SendingEvent.Tab -> if (event.tab == Tab.Today) nav.go(Place.Home)
        }
    }

    private fun said(report: CourierReport): String {
        val words = nav.words
        return when {
            report.refused > 0 -> words.count("sending_refused", report.refused)
            report.handed > 0 || report.received > 0 -> words("sending_done", "handed" to report.handed, "received" to report.received)
            report.waiting > 0 -> words("sending_no_network")
            else -> words("sending_nothing")
        }
    }

    private companion object {
        const val BUDGET_MS = 20_000
    }
}
