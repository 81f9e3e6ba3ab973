package landfall.ui.fake

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import landfall.ui.core.*
import landfall.ui.words.Csv
import java.io.File

/** A core in memory, for the screens' own tests: the questions of forms/ with the few conditions that these tests need. */
class FakeCore : CoreGateway {
    var open = false
    var full = false
    var state = DeviceState.Enrolled
    val counted = mutableListOf<Pair<String, Int>>()
    private val drafts = linkedMapOf<String, Draft>()
    private val done = mutableListOf<RecordRow>()
    private val pings = MutableSharedFlow<Unit>(extraBufferCapacity = 8)
    private var serial = 0
    private var wrong = 0

    private class Draft(val id: String, val form: String, val event: String?, val answers: MutableMap<String, Answer> = linkedMapOf())

    override val changes: Flow<Unit> get() = pings

    override suspend fun deviceState() = state
    override suspend fun enrolBegin(invitation: String, passcode: ByteArray): EnrolStep {
        if (!invitation.startsWith("landfall")) throw CoreError.NotTrusted()
        return EnrolStep("reply", listOf("acorn", "basket", "cedar", "dolphin", "ember", "fabric"), "Practice")
    }

    override suspend fun enrolConfirm(passcode: ByteArray, same: Boolean) { state = if (same) DeviceState.Enrolled else DeviceState.Fresh }

    override suspend fun unlock(passcode: ByteArray) {
        if (passcode.decodeToString() != PASSCODE) { wrong++; throw CoreError.WrongPasscode(wrong, if (wrong > 1) 30 else 0, null) }
        open = true
    }

    override suspend fun lock() { open = false }

    override suspend fun home(lang: String): HomeView {
        locked()
        return HomeView(
            PlaceName("P1", "Ouanaminthe"), "Practice",
            drafts.values.map { d -> DraftRow(d.id, d.form, d.event, "", 1_795_375_200, if (d.form == TALLY) total(d) else null) },
            done.toList(), Counts(done.size, 0, 0, 0),
        )
    }

    override suspend fun startTally(lang: String): DraftView {
        locked()
        val d = Draft("d${++serial}", TALLY, "e$serial")
        d.answers["A03"] = Answer.Moment("2026-11-22T14:20:00-05:00")
        d.answers["A04"] = Answer.Code("exact")
        d.answers["A07"] = Answer.Code("yes")
        d.answers["A21"] = Answer.Code("yes")
        drafts[d.id] = d
        return view(d, lang)
    }

    override suspend fun startInterview(eventId: String?, lang: String): DraftView {
        locked()
        val d = Draft("d${++serial}", INTERVIEW, eventId)
        drafts[d.id] = d
        return view(d, lang)
    }

    override suspend fun draft(id: String, lang: String) = view(get(id), lang)

    override suspend fun answer(id: String, code: String, value: Answer, lang: String): DraftView {
        val d = get(id)
        if (full) throw CoreError.StorageFull(4_000_000)
        if (code == "A40" && value is Answer.Number && value.value > children(d)) throw CoreError.Invalid(code, "constraint")
        d.answers[code] = value
        return view(d, lang)
    }

    override suspend fun skip(id: String, code: String, lang: String) = answer(id, code, Answer.Skipped, lang)
    override suspend fun clear(id: String, code: String, lang: String): DraftView { get(id).answers.remove(code); return view(get(id), lang) }

    override suspend fun count(id: String, cell: String, by: Int): CountView {
        val d = get(id)
        if (full) throw CoreError.StorageFull(4_000_000)
        counted += cell to by
        val next = number(d, cell) + by
        d.answers[cell] = Answer.Number(next)
        return CountView(cell, next.toInt(), total(d), children(d))
    }

    override suspend fun discardDraft(id: String) { get(id); drafts.remove(id) }

    override suspend fun finishDraft(id: String, lang: String): SavedView {
        val d = get(id)
        val view = view(d, lang)
        view.missing.firstOrNull()?.let { throw CoreError.Invalid(it, "required") }
        drafts.remove(id)
        if (d.form == INTERVIEW && (d.answers["K03"] as? Answer.Code)?.code == "no") return SavedView(Outcome.Refused, "", RecordState.Saved, 0)
        done += RecordRow(id, d.form, d.form, d.event, "", "QK7F-41MC", 1_795_376_400, RecordState.Saved, total(d), children(d), 0)
        pings.tryEmit(Unit)
        return SavedView(Outcome.Saved, "QK7F-41MC", RecordState.Saved, 1)
    }

    override suspend fun handOver(budgetMs: Int) = CourierReport(0, 0, 0, 0, done.size, 60)
    override suspend fun counts() = Counts(done.size, 0, 0, 0)
    override suspend fun exportBundle(path: String) = done.size

    private fun locked() { if (!open) throw CoreError.Locked() }

    private fun get(id: String): Draft { locked(); return drafts[id] ?: throw CoreError.NotFound() }

    private fun number(d: Draft, code: String) = (d.answers[code] as? Answer.Number)?.value ?: 0
    private fun total(d: Draft) = d.answers.keys.filter { it.startsWith("T_") || it.startsWith("N_") }.sumOf { number(d, it) }.toInt()
    private fun children(d: Draft) = d.answers.keys.filter { it.startsWith("T_") && (it.endsWith("0_4") || it.endsWith("5_11") || it.endsWith("12_17")) }.sumOf { number(d, it) }.toInt()

    private fun relevant(d: Draft, row: Row): Boolean {
        fun code(c: String) = (d.answers[c] as? Answer.Code)?.code
        return when {
            d.form == INTERVIEW -> when (row.code) {
                "K06", "K03" -> true
                "P01", "P02", "P07", "D01", "RF" -> code("K03") == "yes"
                "W03" -> code("K03") == "yes" && code("K06") != "officials_present"
                else -> false
            }
            row.code.startsWith("T_") -> code("A21") == "yes"
            row.code.startsWith("N_") -> code("A21") == "no"
            row.code == "A40" || row.code == "A41" -> children(d) > 0
            else -> row.code in listOf("A01", "A02", "A03", "A04", "A07") || code("A07") == "yes"
        }
    }

    private fun view(d: Draft, lang: String): DraftView {
        val questions = form(d.form).map { row ->
            val kind = when {
                row.type.startsWith("select_one") -> QuestionKind.One
                row.type.startsWith("select_multiple") -> QuestionKind.Several
                row.type == "integer" -> QuestionKind.Number
                row.type == "dateTime" -> QuestionKind.Moment
                row.type == "calculate" -> QuestionKind.Computed
                else -> QuestionKind.Text
            }
            val list = row.type.split(" ").getOrNull(1)
            val choices = lists[list].orEmpty().map { Choice(it.first, if (lang == "ar") it.third else it.second, it.first == "none" || it.first == "declined") }
            Question(row.code, kind, if (lang == "ar") row.ar else row.en, null, null, relevant(d, row), row.required, !row.required, false, d.answers[row.code], choices)
        }
        val missing = questions.filter { it.relevant && it.required && it.value == null && it.kind != QuestionKind.Computed && !it.code.startsWith("T_") && it.code !in listOf("A01", "A02", "K08", "K01") }.map { it.code }
        return DraftView(d.id, d.form, d.event, "", questions, if (d.form == TALLY) Totals(total(d), children(d)) else null, missing, emptyList())
    }

    private class Row(val type: String, val code: String, val en: String, val ar: String, val required: Boolean)

    companion object {
        const val PASSCODE = "482139"
        const val TALLY = "arrival_tally"
        const val INTERVIEW = "arrival_observation"
        private val forms = File("../../forms")

        private fun form(name: String): List<Row> = loaded.getOrPut(name) {
            val rows = Csv.read(File(forms, "$name/survey.csv").readText())
            val head = rows.first()
            fun at(row: List<String>, column: String) = row.getOrElse(head.indexOfFirst { it.startsWith(column) }) { "" }
            rows.drop(1).filter { at(it, "name").isNotEmpty() && !at(it, "type").startsWith("begin") }
                .map { Row(at(it, "type"), at(it, "name"), at(it, "label::English"), at(it, "label::العربية"), at(it, "required") == "yes") }
        }

        private val loaded = mutableMapOf<String, List<Row>>()
        private val lists: Map<String, List<Triple<String, String, String>>> by lazy {
            listOf(TALLY, INTERVIEW).flatMap { Csv.read(File(forms, "$it/choices.csv").readText()).drop(1) }
                .groupBy({ it[0] }, { Triple(it[1], it[2], it[3]) }).mapValues { e -> e.value.distinctBy { it.first } }
        }
    }
}
