package landfall.contract

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import landfall.core.AnswerValue
import landfall.core.CancelToken
import landfall.core.Comparison
import landfall.core.CoreGateway
import landfall.core.Courier
import landfall.core.DeviceClock
import landfall.core.DeviceState
import landfall.core.DeviceTime
import landfall.core.DraftView
import landfall.core.EnrolStep
import landfall.core.FieldApp
import landfall.core.FieldException
import landfall.core.GuardException
import landfall.core.GuardScope
import landfall.core.KeyGuard
import landfall.core.Outcome
import landfall.core.QuestionView
import landfall.core.RecordState
import landfall.core.SavedView
import landfall.core.Watcher
import landfall.core.contractPanic
import landfall.core.deviceState
import landfall.core.enrolBegin
import landfall.core.enrolConfirm
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.FixMethodOrder
import org.junit.Test
import org.junit.runners.MethodSorters
import java.io.File
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec

private const val LANG = "en"

// 2026-03-09 12:00 UTC, four hours west: the border's own zone.
private const val NOON = 1_773_057_600L
private const val SENTINEL = "CANARY-0042"

private fun passcode() = "40271893".toByteArray()

private fun wrong() = "11111111".toByteArray()

/** A hardware key in software; it counts, and it can be made to fail. */
private class Guard : KeyGuard {
    @Volatile var calls = 0

    @Volatile var fails: Exception? = null
    private var aliases = 0

    override fun scope() = GuardScope.PER_DEVICE

    override fun derive(
        alias: String,
        slot: UByte,
        input: ByteArray,
    ): ByteArray {
        calls++
        fails?.let { throw it }
        val mac = Mac.getInstance("HmacSHA256")
        mac.init(SecretKeySpec("contract$alias$slot".toByteArray(), "HmacSHA256"))
        return mac.doFinal(input)
    }

    override fun makeAlias() = "contract-${++aliases}"

    override fun deleteAlias(alias: String) = Unit
}

/** A clock that the contract sets. While enrolment measures, it passes at each reading: the same costs everywhere. */
private class Clock : DeviceClock {
    private var wallS = NOON
    private var elapsedMs = 60_000L
    var stepMs = 0L

    override fun read(): DeviceTime {
        elapsedMs += stepMs
        return DeviceTime(wallS, (-240).toShort(), elapsedMs.toULong(), 7u)
    }

    fun advance(seconds: Long) {
        wallS += seconds
        elapsedMs += seconds * 1000
    }
}

private class Pings : Watcher {
    @Volatile var count = 0

    @Volatile var fails = false

    override fun changed() {
        count++
        if (fails) throw IllegalStateException("a screen that fails")
    }
}

private fun DraftView.question(code: String): QuestionView = questions.first { it.code == code }

/** The first possible answer to a required question. */
private fun answerTo(question: QuestionView): AnswerValue =
    when {
        question.kind == "select_multiple" -> AnswerValue.Codes(listOf(question.choices.first().code))
        question.choices.isNotEmpty() -> AnswerValue.Code(question.choices.first().code)
        question.kind == "integer" -> AnswerValue.Integer(0)
        else -> throw AssertionError("no answer to ${question.code} of kind ${question.kind}")
    }

/** The contract of tests/ffi/python/test_contract.py in Kotlin; the steps build on each other. */
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
class ContractTest {
    companion object {
        private val folder: File = kotlin.io.path.createTempDirectory("landfall-contract-").toFile()
        private val home = File(folder, "phone").path
        private lateinit var practice: Practice
        private lateinit var invitation: String
        private val guard = Guard()
        private val clock = Clock()
        private val pings = Pings()
        private var app: FieldApp? = null
        private var callsEach = 0
        private lateinit var draft: String
        private lateinit var saved: SavedView

        @BeforeClass @JvmStatic
        fun start() {
            practice = Practice(File(folder, "practice"))
            invitation = File(Json.textOf(practice.start, "invitation")).readText()
        }

        @AfterClass @JvmStatic
        fun end() {
            practice.end()
            folder.deleteRecursively()
        }
    }

    private fun unlock(code: ByteArray = passcode()) = FieldApp.unlock(home, code, guard, clock)

    private fun open(): FieldApp {
        val known = app
        if (known != null && !known.isLocked()) return known
        return unlock().also {
            it.setWatcher(pings)
            app = it
        }
    }

    private fun begin(
        where: String,
        text: String,
        code: ByteArray = passcode(),
    ): EnrolStep {
        clock.stepMs = 600
        try {
            return enrolBegin(where, text, code, guard, clock)
        } finally {
            clock.stepMs = 0
        }
    }

    private fun assertInvalid(
        question: String,
        rule: String,
        call: () -> Unit,
    ) {
        val error = assertThrows(FieldException.Invalid::class.java) { call() }
        assertEquals(question to rule, error.question to error.rule)
    }

    @Test
    fun test01Enrol() {
        assertEquals(DeviceState.FRESH, deviceState(home))
        assertInvalid("invitation", "format") { begin(home, "no invitation") }
        assertInvalid("passcode", "too_short") { begin(home, invitation, "123".toByteArray()) }
        val step = begin(home, invitation)
        assertEquals(DeviceState.WORDS_PENDING, deviceState(home))
        assertThrows(FieldException.NotFound::class.java) { unlock() }
        assertThrows(FieldException.NotFound::class.java) { Courier.open(home, clock) }
        val words = Json.textsOf(practice.send("enrol_answer", "reply" to Json.text(step.replyText)), "words")
        assertEquals(6, step.words.size)
        assertEquals(words, step.words)
        assertTrue(step.organisation.isNotEmpty())
        practice.send("enrol_confirm", "words" to Json.texts(words))
        enrolConfirm(home, passcode(), guard, clock, Comparison.SAME)
        assertEquals(DeviceState.ENROLLED, deviceState(home))
        assertInvalid("device", "already_enrolled") { begin(home, invitation) }
    }

    @Test
    fun test02DifferentWordsErase() {
        val other = "$home-other"
        begin(other, File(Json.textOf(practice.send("invite"), "invitation")).readText())
        enrolConfirm(other, ByteArray(0), guard, clock, Comparison.DIFFERENT)
        assertEquals(DeviceState.FRESH, deviceState(other))
    }

    @Test
    fun test03UnlockAsksTheHardwareKey() {
        val before = guard.calls
        unlock().lock()
        callsEach = guard.calls - before
        assertTrue("$callsEach calls", callsEach >= 4)
        unlock().lock()
        assertEquals(2 * callsEach, guard.calls - before)
    }

    @Test
    fun test04WrongPasscode() {
        for (attempt in 1..5) {
            val before = guard.calls
            val error = assertThrows(FieldException.WrongPasscode::class.java) { unlock(wrong()) }
            assertEquals(attempt.toUInt(), error.attempts)
            assertEquals(if (attempt == 5) 30u else 0u, error.waitSeconds)
            assertNull(error.triesLeft)
            assertEquals(callsEach, guard.calls - before)
        }
        val before = guard.calls
        val error = assertThrows(FieldException.WrongPasscode::class.java) { unlock() }
        assertEquals(5u to 30u, error.attempts to error.waitSeconds)
        assertEquals("while the wait runs nothing is tried", before, guard.calls)
        clock.advance(31)
        unlock().lock()
    }

    @Test
    fun test05Draft() {
        val app = open()
        val view = app.startTally(LANG)
        draft = view.id
        assertEquals("arrival_tally", view.form.id)
        assertTrue(view.question("A01").value is AnswerValue.Code)
        assertTrue("A05" in view.missing)
        assertEquals(listOf(view.id), app.home(LANG).drafts.map { it.id })
    }

    @Test
    fun test06AnswerIsDurable() {
        val car = AnswerValue.Code(open().draft(draft, LANG).question("A05").choices.first().code)
        val view = open().answer(draft, "A05", car, LANG)
        assertEquals(car, view.question("A05").value)
        open().answer(draft, "A06", AnswerValue.Text(SENTINEL), LANG)
        val cell = view.questions.first { it.relevant && it.code.matches(Regex("[NT]_m_.*")) }.code
        val count = open().count(draft, cell, 2)
        assertEquals(2L to 2L, count.value to count.total)
        assertEquals(1L, open().count(draft, cell, -1).value)
        open().lock()
        val again = open().draft(draft, LANG)
        assertEquals(car, again.question("A05").value)
        assertEquals(1L, again.totals?.people)
    }

    @Test
    fun test07ViolationChangesNothing() {
        val before = open().draft(draft, LANG)
        assertInvalid("A06", "constraint") { open().answer(draft, "A06", AnswerValue.Text("a name!"), LANG) }
        assertInvalid("A05", "unknown_choice") { open().answer(draft, "A05", AnswerValue.Code("rocket"), LANG) }
        assertInvalid("X99", "unknown_question") { open().answer(draft, "X99", AnswerValue.Integer(1), LANG) }
        assertThrows(FieldException.Invalid::class.java) { open().finishDraft(draft, LANG) }
        assertEquals(before, open().draft(draft, LANG))
    }

    @Test
    fun test08Finish() {
        val app = open()
        var view = app.draft(draft, LANG)
        while (view.missing.isNotEmpty()) {
            val code = view.missing.first()
            view = app.answer(draft, code, answerTo(view.question(code)), LANG)
        }
        saved = app.finishDraft(draft, LANG)
        assertEquals(Outcome.SAVED, saved.outcome)
        assertEquals(RecordState.SAVED, saved.state)
        assertTrue(saved.receiptCode.matches(Regex("[0-9A-Z]{4}-[0-9A-Z]{4}")))
        assertEquals(1, saved.entries.size)
        val view2 = app.home(LANG)
        assertTrue(view2.drafts.isEmpty())
        assertEquals(1u, view2.counts.saved)
        assertEquals(listOf(saved.receiptCode), view2.done.map { it.receiptCode })
        assertThrows(FieldException.NotFound::class.java) { app.draft(draft, LANG) }
    }

    @Test
    fun test09Locked() {
        val app = open()
        app.lock()
        assertTrue(app.isLocked())
        listOf<() -> Unit>(
            { app.home(LANG) },
            { app.startTally(LANG) },
            { app.startInterview(null, LANG) },
            { app.draft(draft, LANG) },
            { app.count(draft, "N_m_adult", 1) },
            { app.finishDraft(draft, LANG) },
            { app.record(saved.recordId, LANG) },
            { app.records(LANG) },
        ).forEach { call -> assertThrows(FieldException.Locked::class.java) { call() } }
        File(home).walk().filter { it.isFile }.forEach { file ->
            assertFalse(file.name, String(file.readBytes(), Charsets.ISO_8859_1).contains(SENTINEL))
        }
    }

    @Test
    fun test10TheLockedPhoneSendsAndTakesItsReceipt() {
        assertTrue(app!!.isLocked())
        Courier.open(home, clock).use { courier ->
            courier.setWatcher(pings)
            val pulled = CancelToken().apply { cancel() }
            assertThrows(FieldException.Cancelled::class.java) { courier.runOnce(20_000u, pulled) }
            assertEquals(1u, courier.exportBundle(File(folder, "a.landfall").path))
            val before = pings.count
            var report = courier.runOnce(20_000u, CancelToken())
            assertEquals(listOf(1u, 0u, 0u), listOf(report.handed, report.received, report.refused))
            assertTrue(pings.count > before)
            assertEquals(1u, courier.counts().mailbox)
            val row = courier.records().single()
            assertEquals(saved.receiptCode to RecordState.MAILBOX, row.receiptCode to row.state)
            val desk = practice.send("round")
            assertEquals(1 to 0, Json.numberOf(desk, "ingested") to Json.numberOf(desk, "quarantined"))
            clock.advance(3600)
            report = courier.runOnce(20_000u, CancelToken())
            assertEquals(1u, courier.counts().received)
            assertEquals(0u, report.waiting)
        }
        val record = open().record(saved.recordId, LANG)
        assertTrue(record.state == RecordState.RECEIVED || record.state == RecordState.BACKED_UP)
    }

    @Test
    fun test11ErrorsAreToldApart() {
        val app = open()
        assertThrows(FieldException.NotFound::class.java) { app.draft("00".repeat(16), LANG) }
        assertThrows(FieldException.NotFound::class.java) { app.record("no id", LANG) }
        assertThrows(FieldException.NotFound::class.java) { FieldApp.unlock("$home-none", passcode(), guard, clock) }
        app.lock()
        listOf(
            GuardException.Gone() to FieldException.Damaged::class.java,
            GuardException.Unavailable() to FieldException.Busy::class.java,
            GuardException.NoHardware() to FieldException.Internal::class.java,
            IllegalStateException(SENTINEL) to FieldException.Busy::class.java,
        ).forEach { (thrown, expected) ->
            guard.fails = thrown
            val error =
                try {
                    assertThrows(expected) { unlock() }
                } finally {
                    guard.fails = null
                }
            assertFalse(error.toString().contains(SENTINEL))
        }
        unlock().lock()
    }

    @Test
    fun test12WatcherAndFlow() {
        val app = open()
        val before = pings.count
        val view = app.startTally(LANG)
        assertEquals(before + 1, pings.count)
        pings.fails = true
        try {
            app.answer(view.id, "A06", AnswerValue.Text("KQ-7"), LANG)
        } finally {
            pings.fails = false
        }
        assertEquals(before + 2, pings.count)
        assertEquals("a screen that fails undoes nothing", AnswerValue.Text("KQ-7"), app.draft(view.id, LANG).question("A06").value)
        app.lock()
        val core = CoreGateway(home, guard, clock)
        runBlocking {
            assertThrows(FieldException.Locked::class.java) { runBlocking { core.home(LANG) } }
            val code = passcode()
            core.unlock(code)
            assertTrue("the gateway wipes what it was given", code.all { it == 0.toByte() })
            val ping = async(start = CoroutineStart.UNDISPATCHED) { core.changes.first() }
            core.discardDraft(view.id)
            ping.await()
            core.lock()
            assertThrows(FieldException.Locked::class.java) { runBlocking { core.records(LANG) } }
            assertEquals(1, core.counts().received.toInt())
        }
    }

    @Test
    fun test13APanicStaysInside() {
        val error = assertThrows(FieldException.Internal::class.java) { contractPanic(SENTINEL) }
        assertEquals(900u, error.code)
        assertFalse(error.toString().contains(SENTINEL))
        open().home(LANG)
    }
}
