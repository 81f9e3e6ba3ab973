package landfall.ui.core

import kotlinx.coroutines.flow.Flow

/**
 * What the screens may ask of the core, one function for each of the border's, all of them safe to call from the main thread.
 * The screens never hold keys, never judge an answer and never decide what is kept: they ask again after every change.
 */
interface CoreGateway {
    /** What this phone is before anybody has unlocked it. */
    suspend fun deviceState(): DeviceState

    /** Makes keys and the store from an invitation; nothing can be recorded before [enrolConfirm]. */
    suspend fun enrolBegin(invitation: String, passcode: ByteArray): EnrolStep

    /** Ends the enrolment: [same] = both sides read the same six words; otherwise all that [enrolBegin] made is erased. */
    suspend fun enrolConfirm(passcode: ByteArray, same: Boolean)

    /** @throws CoreError.WrongPasscode */
    suspend fun unlock(passcode: ByteArray)

    /** Drops the key. Every later call but those of the courier answers [CoreError.Locked]. */
    suspend fun lock()

    suspend fun home(lang: String): HomeView
    suspend fun startTally(lang: String): DraftView
    suspend fun startInterview(eventId: String?, lang: String): DraftView
    suspend fun draft(id: String, lang: String): DraftView

    /** Durable when it returns. @throws CoreError.Invalid when the form refuses the answer; nothing is changed then. */
    suspend fun answer(id: String, code: String, value: Answer, lang: String): DraftView
    suspend fun skip(id: String, code: String, lang: String): DraftView
    suspend fun clear(id: String, code: String, lang: String): DraftView

    /** One tap of the counter, durable when it returns. */
    suspend fun count(id: String, cell: String, by: Int): CountView
    suspend fun discardDraft(id: String)
    suspend fun finishDraft(id: String, lang: String): SavedView

    /** One round of handing over and taking receipts, which works while locked. */
    suspend fun handOver(budgetMs: Int): CourierReport
    suspend fun counts(): Counts
    suspend fun exportBundle(path: String): Int

    /** Something changed; the value says nothing, ask again. */
    val changes: Flow<Unit>
}

enum class DeviceState { Fresh, WordsPending, Enrolled, Damaged }

/** The reply to carry to the desk, and the six words that both sides compare. */
data class EnrolStep(val reply: String, val words: List<String>, val organisation: String)

data class PlaceName(val code: String, val name: String)

/** What stands where, in records. */
data class Counts(val saved: Int, val mailbox: Int, val received: Int, val refused: Int)

enum class RecordState { Saved, Mailbox, Received, Refused }

data class DraftRow(val id: String, val form: String, val eventId: String?, val eventLine: String, val updatedAt: Long, val total: Int?)

data class RecordRow(
    val id: String,
    val kind: String,
    val form: String?,
    val eventId: String?,
    val eventLine: String,
    val receiptCode: String,
    /** Seconds UTC. */
    val savedAt: Long,
    val state: RecordState,
    val total: Int?,
    val children: Int?,
    val interviews: Int,
)

data class HomeView(val point: PlaceName, val organisation: String, val drafts: List<DraftRow>, val done: List<RecordRow>, val counts: Counts)

/** One answer as the border carries it. */
sealed class Answer {
    data object Skipped : Answer()
    data class Code(val code: String) : Answer()
    data class Codes(val codes: List<String>) : Answer()
    data class Number(val value: Long) : Answer()
    data class Decimal(val text: String) : Answer()
    data class Text(val text: String) : Answer() {
        override fun toString() = "Text(..)"
    }

    /** RFC 3339 with offset. */
    data class Moment(val text: String) : Answer()
}

enum class QuestionKind { One, Several, Number, Decimal, Text, Moment, Computed, Other }

data class Choice(val code: String, val label: String, val exclusive: Boolean)

data class Question(
    val code: String,
    val kind: QuestionKind,
    val label: String,
    val hint: String?,
    val group: String?,
    val relevant: Boolean,
    val required: Boolean,
    val skippable: Boolean,
    val monitorOnly: Boolean,
    val value: Answer?,
    val choices: List<Choice>,
)

data class Totals(val people: Int, val children: Int)

data class Violation(val question: String, val rule: String)

data class DraftView(
    val id: String,
    val form: String,
    val eventId: String?,
    val eventLine: String,
    val questions: List<Question>,
    val totals: Totals?,
    val missing: List<String>,
    val violations: List<Violation>,
) {
    fun question(code: String): Question? = questions.firstOrNull { it.code == code }
    fun code(code: String): String? = (question(code)?.value as? Answer.Code)?.code
    fun number(code: String): Long? = (question(code)?.value as? Answer.Number)?.value
}

data class CountView(val cell: String, val value: Int, val total: Int, val children: Int)

enum class Outcome { Saved, Refused, CannotSendYet }

data class SavedView(val outcome: Outcome, val receiptCode: String, val state: RecordState, val entries: Int)

data class CourierReport(val handed: Int, val received: Int, val purged: Int, val refused: Int, val waiting: Int, val nextTrySeconds: Long?)

/** The ways in which the core says no. Each is something different that a person can do. */
sealed class CoreError(message: String) : Exception(message) {
    class Locked : CoreError("locked")
    class WrongPasscode(val attempts: Int, val waitSeconds: Long, val triesLeft: Int?) : CoreError("wrong passcode")
    class Invalid(val question: String, val rule: String) : CoreError("invalid $question $rule")
    class NotFound : CoreError("not found")
    class Busy : CoreError("busy")
    class StorageFull(val bytesNeeded: Long) : CoreError("storage full")
    class Damaged(val savedAside: Boolean) : CoreError("damaged")
    class NeedsUpdate(val minVersion: String) : CoreError("needs update")
    class NotTrusted : CoreError("not trusted")
    class Cancelled : CoreError("cancelled")
    class Internal(val code: String) : CoreError("internal $code")
}
