package landfall.border

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import landfall.core.AnswerValue
import landfall.core.Comparison
import landfall.core.FieldException
import landfall.ui.core.Answer
import landfall.ui.core.Choice
import landfall.ui.core.CoreError
import landfall.ui.core.CoreGateway
import landfall.ui.core.CountView
import landfall.ui.core.Counts
import landfall.ui.core.CourierReport
import landfall.ui.core.DeviceState
import landfall.ui.core.DraftRow
import landfall.ui.core.DraftView
import landfall.ui.core.EnrolStep
import landfall.ui.core.HomeView
import landfall.ui.core.Outcome
import landfall.ui.core.PlaceName
import landfall.ui.core.Question
import landfall.ui.core.QuestionKind
import landfall.ui.core.RecordRow
import landfall.ui.core.RecordState
import landfall.ui.core.SavedView
import landfall.ui.core.Totals
import landfall.ui.core.Violation
import landfall.core.CoreGateway as Core
import landfall.core.DraftView as CoreDraft
import landfall.core.RecordState as CoreState

/**
 * The real core behind the screens' interface: translates names and numbers, decides nothing. The only file of the shell that knows
 * the generated binding.
 */
class FieldGateway(private val core: Core) : CoreGateway {
    /** A round that somebody asks for while another runs comes after it: the core would answer Busy. */
    private val rounds = Mutex()

    override suspend fun deviceState(): DeviceState = called {
        when (core.deviceState()) {
            landfall.core.DeviceState.FRESH -> DeviceState.Fresh
            landfall.core.DeviceState.WORDS_PENDING -> DeviceState.WordsPending
            landfall.core.DeviceState.ENROLLED -> DeviceState.Enrolled
            landfall.core.DeviceState.DAMAGED -> DeviceState.Damaged
        }
    }

    override suspend fun enrolBegin(invitation: String, passcode: ByteArray): EnrolStep = called {
        val step = core.enrolBegin(invitation, passcode)
        EnrolStep(step.replyText, step.words, step.organisation)
    }

    override suspend fun enrolConfirm(passcode: ByteArray, same: Boolean) = called {
        core.enrolConfirm(passcode, if (same) Comparison.SAME else Comparison.DIFFERENT)
    }

    override suspend fun unlock(passcode: ByteArray) = called { core.unlock(passcode) }

    override suspend fun lock() = called { core.lock() }

    override suspend fun home(lang: String): HomeView = called {
        val home = core.home(lang)
        HomeView(
            PlaceName(home.point.code, home.point.name),
            home.organisation,
            home.drafts.map { DraftRow(it.id, it.form, it.eventId, it.eventLine, it.updatedAt, it.total?.toInt()) },
            home.done.map { RecordRow(it.id, it.kind, it.form, it.eventId, it.eventLine, it.receiptCode, it.savedAt, state(it.state), it.total?.toInt(), it.children?.toInt(), it.interviews.toInt()) },
            counts(home.counts),
        )
    }

    override suspend fun startTally(lang: String) = called { draft(core.startTally(lang)) }

    override suspend fun startInterview(eventId: String?, lang: String) = called { draft(core.startInterview(eventId, lang)) }

    override suspend fun draft(id: String, lang: String) = called { draft(core.draft(id, lang)) }

    override suspend fun answer(id: String, code: String, value: Answer, lang: String) = called { draft(core.answer(id, code, value(value), lang)) }

    override suspend fun skip(id: String, code: String, lang: String) = called { draft(core.skip(id, code, lang)) }

    override suspend fun clear(id: String, code: String, lang: String) = called { draft(core.clear(id, code, lang)) }

    override suspend fun count(id: String, cell: String, by: Int): CountView = called {
        val count = core.count(id, cell, by)
        CountView(count.cell, count.value.toInt(), count.total.toInt(), count.children.toInt())
    }

    override suspend fun discardDraft(id: String) = called { core.discardDraft(id) }

    override suspend fun finishDraft(id: String, lang: String): SavedView = called {
        val saved = core.finishDraft(id, lang)
        val outcome = when (saved.outcome) {
            landfall.core.Outcome.SAVED -> Outcome.Saved
            landfall.core.Outcome.REFUSED -> Outcome.Refused
            landfall.core.Outcome.SAVED_CANNOT_SEND_YET -> Outcome.CannotSendYet
        }
        SavedView(outcome, saved.receiptCode.orEmpty(), saved.state?.let { state(it) } ?: RecordState.Saved, saved.entries.size)
    }

    override suspend fun handOver(budgetMs: Int): CourierReport = called {
        val report = rounds.withLock { core.handOver(budgetMs) }
        CourierReport(report.handed.toInt(), report.received.toInt(), report.purged.toInt(), report.refused.toInt(), report.waiting.toInt(), report.nextTryS?.toLong())
    }

    override suspend fun counts(): Counts = called { counts(core.counts()) }

    override suspend fun exportBundle(path: String): Int = called { core.exportBundle(path).toInt() }

    override val changes: Flow<Unit> get() = core.changes

    private fun counts(c: landfall.core.Counts) = Counts(c.saved.toInt(), c.mailbox.toInt(), c.received.toInt(), c.refused.toInt())

    /** Seven states of the core are four for a person; what the desk holds without having opened it is not yet received. */
    private fun state(state: CoreState): RecordState = when (state) {
        CoreState.CANNOT_SEND_YET, CoreState.SAVED -> RecordState.Saved
        CoreState.MAILBOX, CoreState.HELD -> RecordState.Mailbox
        CoreState.RECEIVED, CoreState.BACKED_UP -> RecordState.Received
        CoreState.REFUSED -> RecordState.Refused
    }

    private fun value(answer: Answer): AnswerValue = when (answer) {
        Answer.Skipped -> AnswerValue.Skipped
        is Answer.Code -> AnswerValue.Code(answer.code)
        is Answer.Codes -> AnswerValue.Codes(answer.codes)
        is Answer.Number -> AnswerValue.Integer(answer.value)
        is Answer.Decimal -> AnswerValue.Decimal(answer.text)
        is Answer.Text -> AnswerValue.Text(answer.text)
        is Answer.Moment -> AnswerValue.DateTime(answer.text)
    }

    private fun answer(value: AnswerValue): Answer = when (value) {
        is AnswerValue.Skipped -> Answer.Skipped
        is AnswerValue.Code -> Answer.Code(value.code)
        is AnswerValue.Codes -> Answer.Codes(value.codes)
        is AnswerValue.Integer -> Answer.Number(value.number)
        is AnswerValue.Decimal -> Answer.Decimal(value.text)
        is AnswerValue.Text -> Answer.Text(value.text)
        is AnswerValue.DateTime -> Answer.Moment(value.text)
    }

    private fun kind(kind: String): QuestionKind = when (kind) {
        "select_one" -> QuestionKind.One
        "select_multiple" -> QuestionKind.Several
        "integer" -> QuestionKind.Number
        "decimal" -> QuestionKind.Decimal
        "text" -> QuestionKind.Text
        "dateTime" -> QuestionKind.Moment
        "calculate" -> QuestionKind.Computed
        else -> QuestionKind.Other
    }

    private fun draft(d: CoreDraft) = DraftView(
        d.id,
        d.form.id,
        d.eventId,
        d.eventLine,
        d.questions.map { q ->
            Question(
                q.code, kind(q.kind), q.label, q.hint, q.group, q.relevant, q.required, q.skippable, q.monitorOnly, q.value?.let { answer(it) },
                q.choices.map { Choice(it.code, it.label, it.exclusive) },
            )
        },
        d.totals?.let { Totals(it.people.toInt(), it.children.toInt()) },
        d.missing,
        d.violations.map { Violation(it.question, it.rule) },
    )

    private inline fun <T> called(call: () -> T): T = try {
        call()
    } catch (e: FieldException) {
        throw when (e) {
            is FieldException.Locked -> CoreError.Locked()
            is FieldException.WrongPasscode -> CoreError.WrongPasscode(e.attempts.toInt(), e.waitSeconds.toLong(), e.triesLeft?.toInt())
            is FieldException.Invalid -> CoreError.Invalid(e.question, e.rule)
            is FieldException.NotFound -> CoreError.NotFound()
            is FieldException.Busy -> CoreError.Busy()
            is FieldException.StorageFull -> CoreError.StorageFull(e.bytesNeeded.toLong())
            is FieldException.Damaged -> CoreError.Damaged(true)
            is FieldException.NeedsUpdate -> CoreError.NeedsUpdate(e.minVersion)
            is FieldException.NotTrusted -> CoreError.NotTrusted()
            is FieldException.Cancelled -> CoreError.Cancelled()
            is FieldException.Internal -> CoreError.Internal(e.code.toString())
        }
    }
}
