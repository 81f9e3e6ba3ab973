package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.Answer
import landfall.ui.core.CoreError
import landfall.ui.core.DraftView
import landfall.ui.core.QuestionKind

/** The count before it is saved. Sums of rows and columns are shown here; the total and what is missing come from the core. */
class TallySummaryViewModel(nav: Nav, scope: CoroutineScope, private val draft: String) : ScreenModel(nav, scope, Place.Summary(draft)) {
    private var view: DraftView? = null
    private var open: String? = null
    private var typing: String? = null
    private var busy = false
    private var problem: String? = null

    var state by mutableStateOf<TallySummaryState?>(null)
        private set

    init {
        ask { show(nav.core.draft(draft, nav.lang)) }
    }

    override fun back() = nav.go(if (view?.code("A07") == "no") Place.TallyHeader(draft) else Place.Seen(draft))

    private fun show(next: DraftView) {
        view = next
        redraw()
    }

    private fun redraw() {
        view?.let { state = shown(it) }
    }

    private fun refused(e: CoreError): Boolean {
        busy = false
        if (e !is CoreError.Invalid) return false
        problem = nav.words("summary_check", "what" to (view?.question(e.question)?.label ?: e.question))
        redraw()
        return true
    }

    fun on(event: TallySummaryEvent) {
        val now = view ?: return
        when (event) {
            TallySummaryEvent.Change -> nav.go(if (now.code("A07") == "no") Place.TallyHeader(draft) else Place.Tally(draft))
            TallySummaryEvent.Save -> {
                busy = true
                redraw()
                ask(::refused) {
                    val saved = nav.core.finishDraft(draft, nav.lang)
                    nav.go(Place.Saved(saved, interview = false, eventId = now.eventId))
                }
            }
            is TallySummaryEvent.OpenMissing -> {
                val q = now.question(event.code)
                when {
                    q == null -> Unit
                    q.kind == QuestionKind.One || q.kind == QuestionKind.Several -> { open = event.code; redraw() }
                    else -> nav.go(if (event.code in SeenViewModel.RAPID) Place.Seen(draft) else Place.TallyHeader(draft))
                }
            }
            is TallySummaryEvent.Pick -> {
                val q = now.question(event.code) ?: return
                val several = q.kind == QuestionKind.Several
                if (!several) open = null
                redraw()
                ask(::refused) { show(nav.core.answer(draft, q.code, if (several) toggled(q, event.choice) else Answer.Code(event.choice), nav.lang)) }
            }
            TallySummaryEvent.CloseSheet -> { open = null; typing = null; redraw() }
            TallySummaryEvent.AddNumber -> { typing = ""; redraw() }
            is TallySummaryEvent.Type -> { typing = nav.words.plainDigits(event.text).filter { it in '0'..'9' }.take(5); redraw() }
            TallySummaryEvent.TypeDone -> {
                val value = typing?.toLongOrNull() ?: return
                typing = null
                ask(::refused) { show(nav.core.answer(draft, "A33", Answer.Number(value), nav.lang)) }
            }
        }
    }

    private fun shown(view: DraftView): TallySummaryState {
        val words = nav.words
        val nobody = view.code("A07") == "no"
        val people = view.totals?.people ?: 0
        val officials = view.number("A33")
        val sheet = open?.let { view.question(it) }?.let { ChoiceSheet(it.code, it.label, it.kind == QuestionKind.Several, it.options()) }
        return TallySummaryState(
            second = summaryLine(view),
            count = if (nobody) null else count(view),
            numbers = listOfNotNull(words.number(people) to words("summary_you"), officials?.let { words.number(it) to words("summary_officials") }),
            officialsAsked = officials != null,
            seen = if (nobody) emptyList() else seen(view),
            missing = view.missing.map { TallySummaryState.Missing(it, view.question(it)?.label ?: it) },
            sheet = sheet,
            typing = typing,
            busy = busy,
            problem = problem,
        )
    }

    private fun summaryLine(view: DraftView): String =
        listOfNotNull(eventLine(nav, view).ifEmpty { null }, view.question("A04")?.inWords()?.lowercase()).joinToString(if (nav.words.rightToLeft) "، " else ", ")

    private fun count(view: DraftView): TallySummaryState.Count {
        val words = nav.words
        val byAge = view.code("A21") != "no"
        val ages = if (byAge) TallyViewModel.AGES else listOf("adult", "child")
        val letter = if (byAge) "T" else "N"
        val table = ages.map { a ->
            val figures = TallyViewModel.SEXES.map { s -> view.number("${letter}_${s}_$a")?.toInt() ?: 0 }
            TallySummaryState.Row(words("tally_age_$a"), figures + figures.sum())
        }
        val sums = List(TallyViewModel.SEXES.size + 1) { i -> table.sumOf { it.figures[i] } }
        return TallySummaryState.Count(
            view.totals?.people ?: 0,
            view.totals?.children ?: 0,
            view.question("A20")?.inWords(),
            TallyViewModel.SEXES.map { words("tally_column_$it") } + words("summary_all"),
            table + TallySummaryState.Row(words("summary_all"), sums),
        )
    }

    private fun seen(view: DraftView): List<Pair<String, String>> {
        val codes = SeenViewModel.RAPID + SeenViewModel.GROUPS.flatMap { it.second }
        return codes.filter { it != "A33" }.mapNotNull { view.question(it) }.filter { it.relevant }.mapNotNull { q ->
            val value = when (val v = q.value) {
                is Answer.Number -> nav.words.number(v.value)
                is Answer.Text -> v.text
                else -> q.inWords()
            }
            value?.let { q.label to it }
        }
    }
}
