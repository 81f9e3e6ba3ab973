package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import landfall.ui.core.HomeView
import landfall.ui.core.RecordRow
import landfall.ui.parts.Tab
import java.time.Instant
import java.time.OffsetDateTime

/** Today at this point: what is unfinished, what is done and where each record stands. */
class HomeViewModel(nav: Nav, scope: CoroutineScope) : ScreenModel(nav, scope, Place.Home) {
    var state by mutableStateOf<HomeState?>(null)
        private set

    init {
        refresh()
        this.scope.launch { nav.core.changes.collect { refresh() } }
    }

    override fun back() = Unit

    private fun refresh() = ask { state = shown(nav.core.home(nav.lang)) }

    fun on(event: HomeEvent) {
        when (event) {
            HomeEvent.Count -> nav.go(Place.TallyHeader(null))
            HomeEvent.Interview -> nav.go(Place.InterviewStart(state?.done?.firstNotNullOfOrNull { it.event }))
            is HomeEvent.OpenDraft -> nav.go(if (event.interview) Place.Rapid(event.draft) else Place.Tally(event.draft))
            is HomeEvent.Tab -> if (event.tab == Tab.Sending) nav.go(Place.Sending)
        }
    }

    private fun shown(view: HomeView): HomeState {
        val words = nav.words
        val tallies = view.done.filter { it.form == TALLY }
        val interviews = view.done.filter { it.form == INTERVIEW }
        // an interview stands under the count of its arrival; one that belongs to none stands alone
        val alone = interviews.filter { i -> tallies.none { it.eventId != null && it.eventId == i.eventId } }
        return HomeState(
            second = placeAndDay(nav, view.point.name),
            unfinished = view.drafts.map { draft ->
                val total = draft.total
                val line = listOfNotNull(draft.eventLine.ifEmpty { null }, total?.let { words.count("home_people_so_far", it) }).joinToString(" · ")
                HomeState.Unfinished(draft.id, draft.form == INTERVIEW, line)
            },
            done = (tallies + alone).sortedByDescending { it.savedAt }.map { done(it) },
            waiting = view.counts.saved + view.counts.refused,
        )
    }

    private fun done(row: RecordRow): HomeState.Done {
        val words = nav.words
        val tally = row.form != INTERVIEW
        val line = if (tally) listOf(row.eventLine, words.count("people", row.total ?: 0)).filter { it.isNotEmpty() }.joinToString(" · ") else words("home_one_interview")
        val second = if (row.interviews > 0) words.count("home_interviews", row.interviews) else null
        return HomeState.Done(row.id, words.time(local(nav, row.savedAt)), line, second, row.state, row.eventId)
    }

    companion object {
        const val TALLY = "arrival_tally"
        const val INTERVIEW = "arrival_observation"
    }
}

/** A moment of the core in the time of this phone. */
internal fun local(nav: Nav, seconds: Long): OffsetDateTime = Instant.ofEpochSecond(seconds).atOffset(nav.now().offset)

/** `Ouanaminthe · Sun 22 Nov`. */
internal fun placeAndDay(nav: Nav, point: String): String = listOf(point, nav.words.day(nav.now())).filter { it.isNotEmpty() }.joinToString(" · ")
