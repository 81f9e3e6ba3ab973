package landfall.core

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * The core as screens ask it: calls that block run on [io], never on the caller's thread. It decides nothing and keeps
 * nothing but the handle of the open app. Records that come back hold answers: nobody may print one.
 */
class CoreGateway(
    private val home: String,
    private val guard: KeyGuard,
    private val clock: DeviceClock? = null,
    private val io: CoroutineDispatcher = Dispatchers.IO,
) {
    private val turn = Mutex()

    @Volatile
    private var app: FieldApp? = null

    // One waiting ping says as much as ten.
    private val pings = MutableSharedFlow<Unit>(extraBufferCapacity = 1, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    private val watcher =
        object : Watcher {
            override fun changed() {
                pings.tryEmit(Unit)
            }
        }

    /** Something changed; the value says nothing, ask again. */
    val changes: SharedFlow<Unit> = pings.asSharedFlow()

    /** Whether an app is open here. */
    val isOpen: Boolean get() = app != null

    suspend fun deviceState(): DeviceState = withContext(io) { deviceState(home) }

    /** Wipes [passcode] when it is done. */
    suspend fun enrolBegin(
        invitation: String,
        passcode: ByteArray,
    ): EnrolStep = withContext(io) { wiping(passcode) { enrolBegin(home, invitation, passcode, guard, clock) } }

    /** Wipes [passcode] when it is done. */
    suspend fun enrolConfirm(
        passcode: ByteArray,
        comparison: Comparison,
    ) = withContext(io) { wiping(passcode) { enrolConfirm(home, passcode, guard, clock, comparison) } }

    /** Wipes [passcode] when it is done. */
    suspend fun unlock(passcode: ByteArray) =
        withContext(io) {
            turn.withLock {
                val opened = wiping(passcode) { FieldApp.unlock(home, passcode, guard, clock) }
                opened.setWatcher(watcher)
                shut()
                app = opened
            }
        }

    /** Drops the key. Every later call answers [FieldException.Locked]. */
    suspend fun lock() = withContext(io) { turn.withLock { shut() } }

    private fun shut() {
        val open = app ?: return
        app = null
        open.lock()
        open.close()
    }

    private suspend fun <T> ask(call: (FieldApp) -> T): T =
        withContext(io) {
            val open = app ?: throw FieldException.Locked()
            try {
                call(open)
            } catch (closed: IllegalStateException) {
                // The handle was freed between the two lines above: somebody locked meanwhile.
                throw FieldException.Locked()
            }
        }

    suspend fun home(lang: String): HomeView = ask { it.home(lang) }

    suspend fun startTally(lang: String): DraftView = ask { it.startTally(lang) }

    suspend fun startCount(
        eventId: String,
        lang: String,
    ): DraftView = ask { it.startCount(eventId, lang) }

    suspend fun startInterview(
        eventId: String?,
        lang: String,
    ): DraftView = ask { it.startInterview(eventId, lang) }

    suspend fun draft(
        id: String,
        lang: String,
    ): DraftView = ask { it.draft(id, lang) }

    suspend fun answer(
        id: String,
        code: String,
        value: AnswerValue,
        lang: String,
    ): DraftView = ask { it.answer(id, code, value, lang) }

    suspend fun skip(
        id: String,
        code: String,
        lang: String,
    ): DraftView = ask { it.skip(id, code, lang) }

    suspend fun clear(
        id: String,
        code: String,
        lang: String,
    ): DraftView = ask { it.clear(id, code, lang) }

    suspend fun count(
        id: String,
        cell: String,
        by: Int,
    ): CountView = ask { it.count(id, cell, by) }

    suspend fun discardDraft(id: String) = ask { it.discardDraft(id) }

    suspend fun finishDraft(
        id: String,
        lang: String,
    ): SavedView = ask { it.finishDraft(id, lang) }

    suspend fun record(
        id: String,
        lang: String,
    ): RecordRow = ask { it.record(id, lang) }

    suspend fun records(lang: String): List<RecordRow> = ask { it.records(lang) }

    private suspend fun <T> carry(call: (Courier) -> T): T =
        withContext(io) {
            Courier.open(home, clock).use { courier ->
                courier.setWatcher(watcher)
                call(courier)
            }
        }

    /** One round of handing over and taking receipts; works while locked. [cancel] stops it between two steps. */
    suspend fun handOver(
        budgetMs: Int,
        cancel: CancelToken? = null,
    ): CourierReport =
        carry { courier ->
            if (cancel != null) {
                courier.runOnce(budgetMs.toUInt(), cancel)
            } else {
                CancelToken().use { courier.runOnce(budgetMs.toUInt(), it) }
            }
        }

    /** The same for a job of the platform: only what is due by the schedule. */
    suspend fun handOverDue(
        budgetMs: Int,
        cancel: CancelToken,
    ): CourierReport = carry { it.runDue(budgetMs.toUInt(), cancel) }

    /** Lets refused records be tried again, because a person asks. */
    suspend fun retryRefused(): Int = carry { it.retryRefused().toInt() }

    suspend fun counts(): Counts = carry { it.counts() }

    suspend fun waiting(): List<CourierRow> = carry { it.records() }

    suspend fun exportBundle(path: String): Int = carry { it.exportBundle(path).toInt() }

    suspend fun importBundle(path: String): CourierReport = carry { it.importBundle(path) }

    private inline fun <T> wiping(
        secret: ByteArray,
        call: () -> T,
    ): T =
        try {
            call()
        } finally {
            secret.fill(0)
        }
}
