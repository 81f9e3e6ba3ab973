package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import landfall.ui.core.Answer
import landfall.ui.core.CoreError
import landfall.ui.core.DraftView
import landfall.ui.core.Question
import landfall.ui.core.QuestionKind

/** What was seen while people arrived: the rapid set first, the rest behind More, each question as the form has it. */
class SeenViewModel(nav: Nav, scope: CoroutineScope, private val draft: String) : ScreenModel(nav, scope, Place.Seen(draft)) {
    private var view: DraftView? = null
    private var more = false
    private var problem: Pair<String, String>? = null
    private var typing: SeenState.Typing? = null
    private val texts = mutableMapOf<String, String>()
    private var writing: Job? = null

    var state by mutableStateOf<SeenState?>(null)
        private set

    init {
        ask { show(nav.core.draft(draft, nav.lang)) }
    }

    override fun back() {
        for (code in texts.keys.toList()) keep(code)
        ask { nav.go(Place.Tally(draft)) }
    }

    private fun show(next: DraftView) {
        view = next
        redraw()
    }

    private fun redraw() {
        view?.let { state = shown(it) }
    }

    private fun change(code: String, call: suspend () -> DraftView) = ask({ e ->
        if (e is CoreError.Invalid) {
            problem = code to problemText(code)
            redraw()
            true
        } else {
            false
        }
    }) {
        val next = call()
        problem = null
        show(next)
    }

    /** Which total a number may not be above, in words. */
    private fun problemText(code: String): String {
        val totals = view?.totals
        return when {
            totals == null -> nav.words("error_invalid_body")
            code in OF_CHILDREN -> nav.words.count("error_invalid_children", totals.children)
            else -> nav.words.count("error_invalid_people", totals.people)
        }
    }

    private fun put(code: String, value: Answer) = change(code) { nav.core.answer(draft, code, value, nav.lang) }

    fun on(event: SeenEvent) {
        val now = view ?: return
        when (event) {
            is SeenEvent.Step -> {
                val value = now.number(event.code)
                val next = if (value == null) maxOf(event.by, 0).toLong() else value + event.by
                if (next >= 0) put(event.code, Answer.Number(next))
            }
            is SeenEvent.Pick -> {
                val q = now.question(event.code) ?: return
                when {
                    q.kind == QuestionKind.Several -> put(q.code, toggled(q, event.choice))
                    now.code(q.code) == event.choice -> change(q.code) { nav.core.clear(draft, q.code, nav.lang) }
                    else -> put(q.code, Answer.Code(event.choice))
                }
            }
            is SeenEvent.Text -> {
                texts[event.code] = event.text
                redraw()
                writing?.cancel()
                writing = scope.launch {
                    delay(WRITE_MS)
                    keep(event.code)
                }
            }
            is SeenEvent.OpenNumber -> { typing = now.question(event.code)?.let { SeenState.Typing(it.code, it.label, "") }; redraw() }
            is SeenEvent.Type -> { typing = typing?.copy(typed = nav.words.plainDigits(event.text).filter { it in '0'..'9' }.take(5)); redraw() }
            SeenEvent.TypeDone -> typing?.let { t -> typing = null; t.typed.toLongOrNull()?.let { put(t.code, Answer.Number(it)) } }
            SeenEvent.Empty -> typing?.let { t -> typing = null; change(t.code) { nav.core.clear(draft, t.code, nav.lang) } }
            SeenEvent.CloseNumber -> { typing = null; redraw() }
            SeenEvent.More -> { more = true; redraw() }
            SeenEvent.Next -> {
                writing?.cancel()
                for (code in texts.keys.toList()) keep(code)
                ask { nav.go(Place.Summary(draft)) }
            }
        }
    }

    private fun keep(code: String) {
        val text = texts.remove(code) ?: return
        if (text.isEmpty()) change(code) { nav.core.clear(draft, code, nav.lang) } else put(code, Answer.Text(text))
    }

    private fun shown(view: DraftView): SeenState {
        val words = nav.words
        fun asked(codes: List<String>) = codes.mapNotNull { view.question(it) }.filter { it.relevant && it.kind != QuestionKind.Computed }.map { asked(it) }
        val first = SeenState.Group(words("seen_first"), asked(RAPID))
        val rest = if (!more) emptyList() else GROUPS.map { (key, codes) -> SeenState.Group(words(key), asked(codes)) }
        return SeenState(eventLine(nav, view), (listOf(first) + rest).filter { it.questions.isNotEmpty() }, more, typing)
    }

    private fun asked(q: Question): SeenState.Asked {
        val shape = when (q.kind) {
            QuestionKind.Number, QuestionKind.Decimal -> SeenState.Shape.Number
            QuestionKind.Several -> SeenState.Shape.Several
            QuestionKind.One -> if (q.choices.size <= 3) SeenState.Shape.Three else SeenState.Shape.One
            else -> SeenState.Shape.Text
        }
        val figure = (q.value as? Answer.Number)?.let { nav.words.number(it.value) }
        val text = texts[q.code] ?: (q.value as? Answer.Text)?.text.orEmpty()
        return SeenState.Asked(q.code, q.label, shape, q.options(), figure, text, problem?.takeIf { it.first == q.code }?.second)
    }

    companion object {
        private const val WRITE_MS = 400L
        private val OF_CHILDREN = setOf("A40", "A41")
        internal val RAPID = listOf("A40", "A48", "A51", "A77")
        internal val GROUPS = listOf(
            "seen_children" to listOf("A41", "A42", "A43", "A45", "A72"),
            "seen_health" to listOf("A44", "A46", "A47", "A64"),
            "seen_officials" to listOf("A33", "A31", "A32", "A13", "A14", "A49", "A70", "A71", "A73", "A74", "A75", "A76", "A81", "A52", "A53", "A54"),
            "seen_place" to listOf("A60", "A61", "A62", "A63", "A65", "A66", "A67", "A68", "A78", "A79"),
            "seen_belongings" to listOf("A50", "A69", "A06", "A80"),
        )
    }
}
