package landfall.desktop

import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.requiredSize
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.test.junit4.v2.createComposeRule
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import kotlinx.coroutines.runBlocking
import landfall.border.FieldGateway
import landfall.core.CoreGateway
import landfall.practice.Practice
import landfall.ui.App
import landfall.ui.AppView
import landfall.ui.Shell
import landfall.ui.flows.Person
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.time.OffsetDateTime

/** The flows of a monitor, driven by text and role, on the real core, with a real vault, hub and desk. */
class FlowsTest {
    @get:Rule(order = 0)
    val folder = TemporaryFolder()

    @get:Rule(order = 1)
    val rule = createComposeRule()

    private lateinit var practice: Practice
    private lateinit var core: CoreGateway
    private val amina = Person(rule)
    private var out = 0

    @Before
    fun organisation() {
        practice = Practice(File(System.getProperty("landfall.practice")), folder.root)
        core = practice.gateway()
    }

    @After
    fun end() {
        runBlocking { core.lock() }
        practice.close()
    }

    private fun enrolled() = runBlocking { practice.enrol(core, PASSCODE) }

    private fun open(lang: String = "en") {
        val shell = object : Shell {
            override fun now(): OffsetDateTime = OffsetDateTime.now()
            override fun exportPath(): String = File(folder.root, "file.landfall").path
            override fun outOfSight() { out++ }
        }
        rule.setContent {
            val scope = rememberCoroutineScope()
            val app = remember { App(FieldGateway(core), shell, lang, scope) }
            CompositionLocalProvider(LocalDensity provides Density(1f, 1f)) {
                Box(Modifier.requiredSize(360.dp, 712.dp)) { AppView(app, dark = false, highContrast = false, reducedMotion = true, fonts = remember { Faces.load() }) }
            }
        }
    }

    private fun unlock() {
        amina.enters(PASSCODE)
        amina.seesTag("count")
    }

    /** The header of a bus, every required row chosen. */
    private fun header() {
        amina.taps("Count people")
        amina.taps("Bus")
        for ((row, choice) in listOf(
            "A08" to "Deportation order carried out", "A09" to "Notified, official point, agreed hours", "A10" to "Not announced",
            "A11" to "Full access", "A12" to "Nobody", "A20" to "Counted one by one",
        )) {
            amina.tapsTag("row-$row")
            amina.taps(choice)
            if (row == "A12") amina.taps("Done")
        }
    }

    private fun seen() {
        amina.tapsSpoken("One less: Children without any adult")
        amina.hears("Children without any adult, 0")
        amina.tapsSpoken("One less: People injured or in need of a doctor")
        amina.hears("People injured or in need of a doctor, 0")
        amina.tapsSpoken("One less: People taken away by officials")
        amina.hears("People taken away by officials, 0")
        amina.taps("As a group")
    }

    private fun savedCount() {
        header()
        amina.taps("Start counting")
        repeat(3) { amina.tapsTag("cell-T_m_18_59") }
        amina.tapsTag("cell-T_f_5_11")
        amina.hears("4 people, 1 child")
        amina.taps("Next")
        seen()
        amina.taps("Next")
        amina.taps("Save count")
        amina.sees("Count saved")
    }

    private fun rapid(): Int {
        val before = amina.taps
        amina.taps("Private")
        amina.taps("Yes")
        amina.taps("Female")
        amina.taps("18–24")
        amina.taps("Adult alone")
        amina.taps("Only removal papers")
        amina.taps("Medicine running out")
        amina.sees("7 of 8")
        amina.taps("Yes")
        amina.sees("Interview saved")
        return amina.taps - before
    }

    @Test
    fun `a phone becomes one of an organisation by text, six words and a passcode`() {
        open()
        amina.types("invitation", practice.invitationText())
        amina.taps("Next")
        amina.types("passcode-first", PASSCODE)
        amina.sees("A person who finds this phone can guess it in days.")
        amina.types("passcode-second", PASSCODE)
        amina.taps("Set")
        amina.seesTag("reply")
        val reply = runBlocking { shown("reply") }
        val words = practice.answer(reply)
        for (word in words) amina.sees(word)
        practice.confirm(words)
        amina.taps("Same")
        amina.sees("Enter your passcode")
        unlock()
        amina.sees("Nothing yet today. Tap Count people when they arrive.")
    }

    @Test
    fun `a count is kept through a lock, saved, handed over and received`() {
        enrolled()
        open()
        amina.enters("000000")
        amina.sees("That was not the passcode.")
        unlock()
        header()
        amina.taps("Start counting")
        repeat(5) { amina.tapsTag("cell-T_m_18_59") }
        repeat(2) { amina.tapsTag("cell-T_f_5_11") }
        amina.hears("7 people, 2 children")
        amina.taps("Undo")
        amina.hears("6 people, 1 child")
        amina.tapsTag("leave")
        amina.sees("Enter your passcode")
        rule.waitUntil(WAIT_MS) { out == 1 && !core.isOpen }
        // another start of the app finds the draft, not only the screen
        amina.enters(PASSCODE)
        amina.hears("6 people, 1 child")
        amina.tapsTag("back")
        amina.tapsTag("back")
        amina.sees("Count not finished")
        amina.taps("Count not finished")
        amina.hears("6 people, 1 child")
        amina.taps("Next")
        amina.tapsSpoken("One more: Children without any adult")
        amina.hears("Children without any adult, 1")
        amina.tapsSpoken("One more: Children without any adult")
        amina.sees("At most 1, the number of children.")
        seen()
        amina.taps("Next")
        amina.sees("Counted one by one")
        amina.taps("Save count")
        amina.sees("Count saved")
        amina.taps("Today")
        // Home hands over by itself as well: whether one record still waits here is a matter of milliseconds.
        amina.tapsTag("tab-sending")
        amina.tapsTag("send-now")
        amina.sees("In the mailbox")
        rule.waitUntil(WAIT_MS) { runBlocking { core.counts().mailbox } == 1u }
        practice.round()
        amina.tapsTag("send-now")
        rule.waitUntil(WAIT_MS) { runBlocking { core.counts().received } == 1u }
        amina.tapsSpoken("Today")
        amina.sees("Received by the desk")
    }

    @Test
    fun `a rapid interview of eight questions takes at most twelve taps`() {
        enrolled()
        open()
        unlock()
        savedCount()
        amina.taps("Interview")
        amina.taps("I read it: Rapid")
        val taps = rapid()
        assertTrue("$taps taps", taps in 8..12)
        amina.seesEither("Saved on this phone", "In the mailbox")
        amina.taps("Today")
        amina.sees("1 interview")
    }

    @Test
    fun `in front of officials only what is seen is asked, and nothing is asked about contact`() {
        enrolled()
        open()
        unlock()
        amina.taps("Interview")
        amina.taps("I read it: Rapid")
        amina.taps("Officials can see or hear, or an official interprets")
        amina.sees("Short list")
        amina.taps("Yes")
        amina.taps("Male")
        amina.taps("25–59")
        amina.taps("Adult alone")
        amina.taps("Passport")
        amina.taps("Next")
        amina.sees("Pregnant")
        amina.doesNotSee("Afraid of officials")
        amina.doesNotSee("Says they were hurt")
        amina.taps("Save interview")
        amina.sees("Interview saved")
    }

    @Test
    fun `a no keeps nothing`() {
        enrolled()
        open()
        unlock()
        savedCount()
        amina.taps("Interview")
        amina.taps("I read it: Rapid")
        amina.taps("Private")
        amina.taps("No")
        amina.sees("Nothing was kept.")
        amina.taps("Today")
        amina.doesNotSee("Interview not finished")
        amina.doesNotSee("1 interview")
    }

    @Test
    fun `an interview that is stopped is found again, and can be thrown away`() {
        enrolled()
        open()
        unlock()
        amina.taps("Interview")
        amina.taps("I read it: Rapid")
        amina.taps("Private")
        amina.taps("Yes")
        amina.taps("Female")
        amina.tapsTag("stop")
        amina.taps("Keep what was answered")
        amina.taps("Interview not finished")
        amina.sees("4 of 8")
        amina.tapsTag("stop")
        amina.taps("Delete it")
        amina.doesNotSee("Interview not finished")
    }

    @Test
    fun `the counter speaks Arabic from right to left`() {
        enrolled()
        open("ar")
        unlock()
        amina.taps("عدّ الناس")
        amina.taps("ابدأ العد")
        repeat(3) { amina.tapsTag("cell-T_f_60p") }
        amina.hears("٣ أشخاص، لا أطفال")
        amina.hears("أنثى ٦٠+، ٣")
    }

    private fun shown(tag: String): String {
        val node = rule.onNode(androidx.compose.ui.test.hasTestTag(tag)).fetchSemanticsNode()
        return node.config[androidx.compose.ui.semantics.SemanticsProperties.Text].joinToString("") { it.text }
    }

    private companion object {
        const val PASSCODE = "48213905"
        const val WAIT_MS = 30_000L
    }
}
