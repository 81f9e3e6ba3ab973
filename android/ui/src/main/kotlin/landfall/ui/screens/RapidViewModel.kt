package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.Answer
import landfall.ui.core.CoreError
import landfall.ui.core.DraftView
import landfall.ui.core.Outcome
import landfall.ui.core.Question
import landfall.ui.core.QuestionKind

/**
 * The rapid interview: one open question, the next one peeking. What is asked, and what may not be asked in front of officials, is
 * said by the core; this model only knows the order in which the questions stand on the screen.
 */
class RapidViewModel(nav: Nav, scope: CoroutineScope, private val draft: String) : ScreenModel(nav, scope, Place.Rapid(draft)) {
    private var view: DraftView? = null
    private var sheet: RapidState.Sheet? = null
    private var problem: String? = null
    private var busy = false

    /** Questions that a person has left behind with Next, or a question opened again by Change. */
    private val passed = mutableSetOf<String>()
    private var reopened: String? = null
    private var event = ""

    var state by mutableStateOf<RapidState?>(null)
        private set

    init {
        ask {
            show(nav.core.draft(draft, nav.lang))
            // a draft that is opened again goes on after what was answered
            view?.let { v -> for (q in asked(v)) if (q.value != null && q.kind == QuestionKind.Several && nextAfter(v, q)?.value != null) passed += q.code }
            redraw()
        }
    }

    private fun show(next: DraftView) {
        view = next
        event = next.eventLine
        redraw()
    }

    private fun redraw() {
        view?.let { state = shown(it) }
    }

    private fun asked(view: DraftView): List<Question> = ORDER.mapNotNull { view.question(it) }.filter { it.relevant }

    private fun nextAfter(view: DraftView, q: Question): Question? = asked(view).dropWhile { it.code != q.code }.drop(1).firstOrNull()

    /** The question that is open: the one opened again, else the first that is neither answered nor left. */
    private fun open(view: DraftView): Question? {
        val list = asked(view)
        reopened?.let { code -> list.firstOrNull { it.code == code }?.let { return it } }
        return list.firstOrNull { q -> q.code !in passed && (q.value == null || (q.kind == QuestionKind.Several && q.value !is Answer.Skipped)) }
    }

    override fun back() {
        val now = view ?: return nav.go(Place.Home)
        val list = asked(now)
        val at = open(now)?.let { o -> list.indexOfFirst { it.code == o.code } } ?: list.size
        val before = list.getOrNull(at - 1)
        if (before == null) {
            nav.go(Place.Home)
        } else {
            reopened = before.code
            passed -= before.code
            redraw()
        }
    }

    fun on(event: RapidEvent) {
        val now = view ?: return
        when (event) {
            is RapidEvent.Answer -> answer(now, event)
            RapidEvent.Skip -> open(now)?.let { q -> step { nav.core.skip(draft, q.code, nav.lang) } }
            RapidEvent.Next -> open(now)?.let { passed += it.code; reopened = null; redraw() }
            RapidEvent.Stop -> set(RapidState.Sheet.Stop)
            RapidEvent.KeepIt -> nav.go(Place.Home)
            RapidEvent.DeleteIt -> ask { nav.core.discardDraft(draft); nav.go(Place.Home) }
            RapidEvent.Answers -> set(
                RapidState.Sheet.Answers(asked(now).filter { it.value != null }.map { Triple(it.code, it.label, it.inWords() ?: nav.words("common_skipped")) }),
            )
            is RapidEvent.Change -> { sheet = null; reopened = event.code; passed -= event.code; redraw() }
            RapidEvent.Privacy -> now.question("K06")?.let { set(RapidState.Sheet.Privacy(it.label, it.options())) }
            RapidEvent.CloseSheet -> set(null)
            is RapidEvent.Finish -> finish(now, event.contact)
        }
    }

    private fun set(next: RapidState.Sheet?) {
        sheet = next
        redraw()
    }

    private fun refused(e: CoreError): Boolean {
        busy = false
        if (e !is CoreError.Invalid) return false
        problem = nav.words("summary_check", "what" to (view?.question(e.question)?.label ?: e.question))
        redraw()
        return true
    }

    private fun step(call: suspend () -> DraftView) {
        // closed now, not when the core has answered: by then another sheet may be open
        set(null)
        ask(::refused) {
            val next = call()
            problem = null
            reopened = null
            show(next)
        }
    }

    private fun answer(now: DraftView, event: RapidEvent.Answer) {
        val q = now.question(event.code) ?: return
        if (q.kind == QuestionKind.Several) {
            // answering the peeking question opens it and leaves the one above
            val above = open(now)
            if (above != null && above.code != q.code && above.value != null) passed += above.code
            val exclusive = q.choices.any { it.code == event.choice && it.exclusive }
            val value = toggled(q, event.choice)
            ask(::refused) {
                val next = if ((value as Answer.Codes).codes.isEmpty()) nav.core.clear(draft, q.code, nav.lang) else nav.core.answer(draft, q.code, value, nav.lang)
                problem = null
                if (reopened != q.code || exclusive) reopened = null
                show(next)
            }
        } else if (q.code == "K03" && event.choice == "no") {
            ask(::refused) {
                nav.core.answer(draft, "K03", Answer.Code("no"), nav.lang)
                nav.core.finishDraft(draft, nav.lang)
                nav.go(Place.Refused(now.eventId))
            }
        } else {
            step { nav.core.answer(draft, q.code, Answer.Code(event.choice), nav.lang) }
        }
    }

    private fun finish(now: DraftView, contact: String?) {
        busy = true
        redraw()
        ask(::refused) {
            if (now.question("W03")?.relevant == true) {
                if (contact == null) nav.core.skip(draft, "W03", nav.lang) else nav.core.answer(draft, "W03", Answer.Code(contact), nav.lang)
            }
            // what was left open at the end stays open only where the form allows it
            if (now.question("RF")?.let { it.relevant && it.value == null } == true) nav.core.skip(draft, "RF", nav.lang)
            val saved = nav.core.finishDraft(draft, nav.lang)
            nav.go(if (saved.outcome == Outcome.Refused) Place.Refused(now.eventId) else Place.Saved(saved, interview = true, eventId = now.eventId))
        }
    }

    private fun shown(view: DraftView): RapidState {
        val words = nav.words
        val list = asked(view)
        val open = open(view)
        val inBar = open?.code == "W03" || open?.code == "RF" || open == null
        val contact = list.firstOrNull { it.code == "W03" }
        val card = if (open?.code == "W03") null else open
        val at = if (open == null) list.size else list.indexOfFirst { it.code == open.code } + 1
        val next = card?.let { nextAfter(view, it) }?.takeIf { card.kind == QuestionKind.Several && it.code != "W03" }
        val answered = list.filter { it.value != null && it.code != open?.code }
        val short = view.question("K06")?.value.let { it != null && (it as? Answer.Code)?.code !in setOf("private", "overheard") }
        val bar = when {
            open?.code == "K03" -> RapidState.Bar.Consent(open.options(), open.skippable)
            inBar && contact != null -> RapidState.Bar.Contact(contact.label)
            inBar -> RapidState.Bar.Save
            else -> RapidState.Bar.Ask(
                skip = open.skippable,
                next = open.value != null && open.value !is Answer.Skipped && (open.kind == QuestionKind.Several || reopened != null),
            )
        }
        return RapidState(
            second = event,
            at = at,
            of = maxOf(list.size, if (view.question("K03")?.value == null) PATH else 0),
            soFar = answered.joinToString(if (words.rightToLeft) "، " else ", ") { short(it) }.replaceFirstChar { it.uppercase() }.ifEmpty { null },
            open = card?.let { card(it, hideOptions = it.code == "K03") },
            next = next?.let { card(it, hideOptions = false) },
            bar = bar,
            shortList = short,
            sheet = sheet,
            problem = problem,
            busy = busy,
        )
    }

    /** An answer in the fewest words: consent and a skip have words of their own. */
    private fun short(q: Question): String = when {
        q.value is Answer.Skipped -> nav.words("rapid_so_far_skipped")
        q.code == "K03" -> nav.words("rapid_so_far_agrees")
        else -> q.inWords().orEmpty().let { if (nav.lang == "en") it.replaceFirstChar { c -> c.lowercase() } else it }
    }

    private fun card(q: Question, hideOptions: Boolean): RapidState.Card {
        val several = q.kind == QuestionKind.Several
        val options = if (hideOptions) emptyList() else q.options()
        val groups = if (q.code == "RF") {
            val known = FACTS.flatMap { it.second }.toSet()
            FACTS.map { (key, codes) -> RapidState.Group(nav.words(key), codes.mapNotNull { c -> options.firstOrNull { it.code == c } }) } +
                RapidState.Group(null, options.filter { it.code !in known })
        } else {
            listOf(RapidState.Group(null, options))
        }
        val hint = when {
            q.code == "RF" -> nav.words("rapid_hint_facts")
            several -> nav.words("rapid_hint_several")
            else -> q.hint
        }
        return RapidState.Card(q.code, q.label, hint, several, groups.filter { it.options.isNotEmpty() })
    }

    companion object {
        internal val ORDER = listOf("K06", "K03", "P01", "P02", "P07", "F02", "D01", "D02", "RF", "W03")
        private const val PATH = 8
        private val FACTS = listOf(
            "rapid_group_body" to listOf("medical_urgent", "injured", "med_gap", "pregnant", "disability", "self_harm"),
            "rapid_group_danger" to listOf("fear_today", "fear_state", "held_now", "traffick_sign"),
            "rapid_group_done" to listOf("ill_treated", "survivor_care", "extorted", "items_taken", "restraint_arrival"),
            "rapid_group_place" to listOf("family_split", "no_place", "not_national"),
        )
    }
}
