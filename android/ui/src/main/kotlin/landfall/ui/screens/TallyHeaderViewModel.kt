package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.Answer
import landfall.ui.core.CoreError
import landfall.ui.core.DraftView
import landfall.ui.core.QuestionKind
import java.time.Duration
import java.time.OffsetDateTime
import java.time.format.DateTimeFormatter
import java.time.temporal.ChronoUnit

/** When and how people arrived. Every tap is an answer in the draft before the screen shows it. */
class TallyHeaderViewModel(nav: Nav, scope: CoroutineScope, draft: String?) : ScreenModel(nav, scope, Place.TallyHeader(draft)) {
    private var view: DraftView? = null
    private var all = false
    private var open: String? = null
    private var problem: String? = null
    private var point = ""

    var state by mutableStateOf<TallyHeaderState?>(null)
        private set

    init {
        ask {
            point = nav.core.home(nav.lang).point.name
            show(if (draft == null) nav.core.startTally(nav.lang) else nav.core.draft(draft, nav.lang))
        }
    }

    private fun show(draft: DraftView) {
        view = draft
        state = shown(draft)
    }

    private fun redraw() {
        view?.let { state = shown(it) }
    }

    private fun answer(code: String, value: Answer) {
        val draft = view ?: return
        ask({ refused(it) }) {
            problem = null
            show(nav.core.answer(draft.id, code, value, nav.lang))
        }
    }

    private fun refused(e: CoreError): Boolean {
        if (e !is CoreError.Invalid) return false
        problem = nav.words(if (e.question == "A03") "error_invalid_future" else "error_invalid_body")
        redraw()
        return true
    }

    fun on(event: TallyHeaderEvent) {
        val draft = view ?: return
        when (event) {
            is TallyHeaderEvent.Minutes -> {
                val base = moment(draft) ?: nav.now()
                val stepped = base.truncatedTo(ChronoUnit.MINUTES).let { it.minusMinutes((it.minute % 5).toLong()) }
                val down = event.by < 0 && stepped != base.truncatedTo(ChronoUnit.MINUTES)
                answer("A03", Answer.Moment(rfc(if (down) stepped else stepped.plusMinutes(event.by.toLong()))))
            }
            is TallyHeaderEvent.Precision -> answer("A04", Answer.Code(event.code))
            is TallyHeaderEvent.PartOfDay -> {
                val hour = PARTS.getValue(event.code)
                val today = nav.now().truncatedTo(ChronoUnit.DAYS).withHour(hour)
                answer("A03", Answer.Moment(rfc(if (today.isAfter(nav.now())) today.minusDays(1) else today)))
            }
            is TallyHeaderEvent.Transport -> answer("A05", Answer.Code(event.code))
            TallyHeaderEvent.MoreTransports -> { all = true; redraw() }
            is TallyHeaderEvent.OpenRow -> { open = event.code; redraw() }
            TallyHeaderEvent.CloseSheet -> { open = null; redraw() }
            is TallyHeaderEvent.Pick -> pick(draft, event)
            TallyHeaderEvent.NobodyArrived -> ask({ refused(it) }) {
                nav.core.answer(draft.id, "A07", Answer.Code("no"), nav.lang)
                nav.go(Place.Summary(draft.id))
            }
            TallyHeaderEvent.Start -> ask({ refused(it) }) {
                var now = nav.core.draft(draft.id, nav.lang)
                if (now.code("A07") != "yes") now = nav.core.answer(draft.id, "A07", Answer.Code("yes"), nav.lang)
                if (now.code("A21") == null) nav.core.answer(draft.id, "A21", Answer.Code("yes"), nav.lang)
                nav.go(Place.Tally(draft.id))
            }
        }
    }

    private fun pick(draft: DraftView, event: TallyHeaderEvent.Pick) {
        val question = draft.question(event.code) ?: return
        if (question.kind == QuestionKind.Several) {
            answer(event.code, toggled(question, event.choice))
        } else {
            open = null
            redraw()
            answer(event.code, Answer.Code(event.choice))
        }
    }

    private fun shown(draft: DraftView): TallyHeaderState {
        val words = nav.words
        val at = moment(draft)
        val transport = draft.question("A05")?.options().orEmpty()
        val first = transport.filter { it.code in FIRST }.sortedBy { FIRST.indexOf(it.code) }
        val chosen = transport.filter { it.chosen && it.code !in FIRST }
        val seen = if (all) first + (transport - first.toSet()) else first + chosen
        val precision = draft.code("A04")
        val sheet = open?.let { draft.question(it) }?.let { ChoiceSheet(it.code, it.label, it.kind == QuestionKind.Several, it.options()) }
        val needed = (listOf("A04", "A05") + ROWS.map { it.first }).filter { code ->
            val q = draft.question(code)
            q != null && q.relevant && q.required && q.value == null && code != "A21"
        }
        // before anybody has said that people arrived, what depends on it counts all the same: it will be asked
        val open = if (draft.code("A07") == null) (listOf("A04", "A05") + ROWS.map { it.first } - "A21").filter { draft.question(it)?.let { q -> q.value == null && (q.required || it in DEPENDENT) } == true } else needed
        return TallyHeaderState(
            second = placeAndDay(nav, point),
            whenTitle = draft.question("A03")?.label.orEmpty(),
            clock = at?.let { words.time(it) } ?: "–",
            below = at?.let { ago(it) } ?: words("header_when_missing"),
            precisions = draft.question("A04")?.options().orEmpty(),
            partOfDay = if (precision == "part_of_day") PARTS.map { (code, hour) -> Option(code, words("header_part_$code"), at?.hour == hour) } else null,
            transportTitle = draft.question("A05")?.label.orEmpty(),
            transports = seen,
            moreTransports = transport.size - seen.size,
            rows = ROWS.mapNotNull { (code, key) ->
                val q = draft.question(code) ?: return@mapNotNull null
                val value = q.inWords()
                val byAge = code == "A21" && value == null
                TallyHeaderState.Row(code, words(key), value ?: if (byAge) words("header_by_age_yes") else words("header_choose"), value == null && !byAge)
            },
            missing = open.size,
            problem = problem,
            sheet = sheet,
        )
    }

    private fun ago(at: OffsetDateTime): String {
        val words = nav.words
        val now = nav.now()
        val minutes = Duration.between(at, now).toMinutes().toInt()
        val same = at.toLocalDate() == now.toLocalDate()
        return when {
            !same -> words.day(at)
            minutes < 1 -> words("header_now")
            minutes < 60 -> words("header_today", "ago" to words.count("minutes_ago", minutes))
            else -> words("header_today", "ago" to words.count("hours_ago", minutes / 60))
        }
    }

    companion object {
        private val FIRST = listOf("flight_charter", "bus", "truck", "foot")
        private val DEPENDENT = setOf("A05", "A08", "A09", "A10", "A11", "A12", "A20")
        private val ROWS = listOf(
            "A02" to "header_row_corridor", "A08" to "header_row_kind", "A09" to "header_row_how", "A10" to "header_row_announced",
            "A11" to "header_row_access", "A12" to "header_row_received", "A20" to "header_row_counted", "A21" to "header_row_by_age",
        )
        private val PARTS = mapOf("night" to 3, "morning" to 9, "afternoon" to 15, "evening" to 20)
    }
}

/** The hour that the people arrived, as answered. */
internal fun moment(draft: DraftView): OffsetDateTime? =
    (draft.question("A03")?.value as? Answer.Moment)?.let { runCatching { OffsetDateTime.parse(it.text) }.getOrNull() }

internal fun rfc(at: OffsetDateTime): String = DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(at.truncatedTo(ChronoUnit.SECONDS))

/** Several answers with one more or one less; an exclusive one clears the others. */
internal fun toggled(question: landfall.ui.core.Question, choice: String): Answer {
    val now = (question.value as? Answer.Codes)?.codes.orEmpty()
    val exclusive = question.choices.filter { it.exclusive }.map { it.code }.toSet()
    val next = when {
        choice in now -> now - choice
        choice in exclusive -> listOf(choice)
        else -> now.filter { it !in exclusive } + choice
    }
    val order = question.choices.map { it.code }
    return Answer.Codes(next.sortedBy { order.indexOf(it) })
}
