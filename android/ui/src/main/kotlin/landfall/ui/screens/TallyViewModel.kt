package landfall.ui.screens

import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kotlinx.coroutines.CoroutineScope
import landfall.ui.core.CoreError
import landfall.ui.core.CountView
import landfall.ui.core.DraftView

/**
 * The counter. Taps are told to the core one after the other and shown when the core has kept them; what it cannot keep goes on
 * being counted here, and the screen says so.
 */
class TallyViewModel(nav: Nav, scope: CoroutineScope, private val draft: String) : ScreenModel(nav, scope, Place.Tally(draft)) {
    private val undo = ArrayDeque<Tap>()
    private val unkept = ArrayDeque<Tap>()
    private var turn = 0
    private var byAge = true

    private data class Tap(val cell: String, val by: Int, val back: Boolean = false)

    var state by mutableStateOf<TallyState?>(null)
        private set

    init {
        ask { state = shown(nav.core.draft(draft, nav.lang)) }
    }

    private fun tap(tap: Tap) = ask { take(tap) }

    override fun back() = ask { nav.go(Place.TallyHeader(draft)) }

    fun on(event: TallyEvent) {
        val s = state ?: return
        when (event) {
            is TallyEvent.Plus -> tap(Tap(event.cell, 1))
            is TallyEvent.By -> { state = s.copy(sheet = null); tap(Tap(event.cell, event.by)) }
            is TallyEvent.Hold -> state = s.copy(sheet = TallyState.CellSheet(event.cell, cell(s, event.cell)?.spoken.orEmpty(), ""))
            is TallyEvent.Type -> state = s.copy(sheet = s.sheet?.copy(typed = nav.words.plainDigits(event.text).filter { it in '0'..'9' }.take(5)))
            TallyEvent.TypeDone -> s.sheet?.let { sheet ->
                state = s.copy(sheet = null)
                val to = sheet.typed.toIntOrNull() ?: return
                val now = cell(s, sheet.cell)?.value ?: 0
                if (to != now) tap(Tap(sheet.cell, to - now))
            }
            TallyEvent.CloseSheet -> state = s.copy(sheet = null)
            TallyEvent.Undo -> undo.removeLastOrNull()?.let { tap(Tap(it.cell, -it.by, back = true)) }
            TallyEvent.Next -> ask { nav.go(Place.Seen(draft)) }
        }
    }

    private fun cell(s: TallyState, code: String) = s.rows.firstNotNullOfOrNull { r -> r.cells.firstOrNull { it.code == code } }

    private suspend fun take(tap: Tap) {
        val s = state ?: return
        val now = cell(s, tap.cell)?.value ?: return
        val by = if (now + tap.by < 0) -now else tap.by
        if (by == 0) return
        val done = tap.copy(by = by)
        try {
            while (unkept.isNotEmpty()) { nav.core.count(draft, unkept.first().cell, unkept.first().by); unkept.removeFirst() }
            apply(done, nav.core.count(draft, tap.cell, by), kept = true)
        } catch (_: CoreError.StorageFull) {
            unkept.addLast(done)
            val children = if (isChild(tap.cell)) by else 0
            apply(done, CountView(tap.cell, now + by, s.total + by, s.children + children), kept = false)
        }
    }

    private fun apply(tap: Tap, count: CountView, kept: Boolean) {
        val s = state ?: return
        if (!tap.back) undo.addLast(tap)
        state = s.copy(
            total = count.total,
            children = count.children,
            rows = s.rows.map { row -> row.copy(cells = row.cells.map { if (it.code == count.cell) it.copy(value = count.value) else it }) },
            last = TallyState.Last(tap.cell, tap.by, ++turn),
            undo = undo.lastOrNull()?.let { label(it.cell) },
            notKept = !kept,
        )
    }

    private fun isChild(cell: String) = if (byAge) AGES.indexOf(cell.substring(CELL_AGE)) in 0..2 else cell.endsWith("child")

    private fun label(cell: String): String = nav.words("tally_cell_${cell.substring(2, 3)}", "age" to age(cell.substring(CELL_AGE)))

    private fun age(code: String): String = nav.words("tally_age_$code")

    private fun shown(view: DraftView): TallyState {
        val words = nav.words
        byAge = view.code("A21") != "no"
        val (letter, ages) = if (byAge) "T" to AGES else "N" to listOf("adult", "child")
        val totals = view.totals
        return TallyState(
            second = eventLine(nav, view),
            total = totals?.people ?: 0,
            children = totals?.children ?: 0,
            columns = SEXES.map { words("tally_column_$it") },
            rows = ages.map { a ->
                TallyState.Row(
                    age(a),
                    SEXES.map { sex ->
                        val code = "${letter}_${sex}_$a"
                        TallyState.Cell(code, label(code), view.number(code)?.toInt() ?: 0)
                    },
                    gapAbove = a == "18_59",
                )
            },
            last = null,
            undo = undo.lastOrNull()?.let { label(it.cell) },
            notKept = unkept.isNotEmpty(),
            sheet = null,
        )
    }

    companion object {
        private const val CELL_AGE = 4
        internal val SEXES = listOf("f", "m", "u")
        internal val AGES = listOf("0_4", "5_11", "12_17", "18_59", "60p")
    }
}
