package landfall.ui

import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.test.hasTestTag
import androidx.compose.ui.test.junit4.v2.createComposeRule
import androidx.compose.ui.test.assertIsNotEnabled
import androidx.compose.ui.unit.Density
import landfall.ui.fake.FakeCore
import landfall.ui.flows.Person
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import java.time.OffsetDateTime

/** How the screens behave where the core says no; the flows on the real core stand in desktop. */
class FakeFlowsTest {
    @get:Rule
    val rule = createComposeRule()
    private val core = FakeCore()
    private val person = Person(rule)
    private var out = 0

    private fun start() {
        val shell = object : Shell {
            override fun now(): OffsetDateTime = OffsetDateTime.parse("2026-11-22T14:52:00-05:00")
            override fun exportPath(): String? = null
            override fun outOfSight() { out++ }
        }
        rule.setContent {
            val scope = rememberCoroutineScope()
            val app = remember { App(core, shell, "en", scope) }
            CompositionLocalProvider(LocalDensity provides Density(1f, 1f)) { AppView(app, dark = false, highContrast = false, reducedMotion = true, TestFaces.fonts) }
        }
    }

    private fun unlocked() {
        start()
        person.enters(FakeCore.PASSCODE)
        person.sees("Today")
    }

    @Test
    fun `a wrong passcode says so, and the second time waits`() {
        start()
        person.enters("111111")
        person.sees("That was not the passcode.")
        person.enters("111111")
        person.seesTag("wait")
        assertFalse(core.open)
    }

    @Test
    fun `undo names what it takes back and goes back without limit`() {
        unlocked()
        person.taps("Count people")
        person.taps("Start counting")
        person.tapsTag("cell-T_f_18_59")
        person.tapsTag("cell-T_m_0_4")
        person.tapsTag("cell-T_m_0_4")
        person.hears("3 people, 2 children")
        person.sees("Male 0–4")
        person.taps("Undo")
        person.taps("Undo")
        person.sees("Female 18–59")
        person.taps("Undo")
        person.hears("0 people, 0 children")
        rule.onNode(hasTestTag("undo")).assertIsNotEnabled()
    }

    @Test
    fun `holding a cell takes away and types`() {
        unlocked()
        person.taps("Count people")
        person.taps("Start counting")
        person.holds("cell-T_u_60p")
        person.types("cell-number", "41")
        person.taps("Set")
        person.hears("Not known 60+, 41")
        person.holds("cell-T_u_60p")
        person.taps("−5")
        person.hears("Not known 60+, 36")
    }

    @Test
    fun `with a full phone the count goes on and says that it is not kept`() {
        unlocked()
        person.taps("Count people")
        person.taps("Start counting")
        person.tapsTag("cell-T_f_18_59")
        person.hears("1 person, 0 children")
        core.full = true
        person.tapsTag("cell-T_f_5_11")
        person.sees("Not being kept: free some space.")
        person.hears("2 people, 1 child")
        core.full = false
        person.tapsTag("cell-T_f_5_11")
        person.doesNotSee("Not being kept: free some space.")
        assertEquals("nothing counted twice or lost", listOf("T_f_18_59" to 1, "T_f_5_11" to 1, "T_f_5_11" to 1), core.counted)
    }

    @Test
    fun `a number above the total is refused beside its field`() {
        unlocked()
        person.taps("Count people")
        person.taps("Start counting")
        person.tapsTag("cell-T_f_5_11")
        person.hears("1 person, 1 child")
        person.taps("Next")
        person.tapsSpoken("One more: Children without any adult")
        person.tapsSpoken("One more: Children without any adult")
        person.sees("At most 1, the number of children.")
    }

    @Test
    fun `Leave locks at once and the same screen returns`() {
        unlocked()
        person.taps("Count people")
        person.taps("Start counting")
        person.tapsTag("cell-T_f_18_59")
        person.hears("1 person, 0 children")
        person.tapsTag("leave")
        person.sees("Enter your passcode")
        rule.waitUntil { out == 1 }
        assertFalse(core.open)
        person.enters(FakeCore.PASSCODE)
        person.hears("1 person, 0 children")
        assertTrue(core.open)
    }

    @Test
    fun `nothing is recorded before the words are the same`() {
        core.state = landfall.ui.core.DeviceState.Fresh
        start()
        person.types("invitation", "nonsense")
        person.taps("Next")
        person.types("passcode-first", FakeCore.PASSCODE)
        person.types("passcode-second", FakeCore.PASSCODE)
        person.taps("Set")
        person.sees("This text was not signed by your organisation. It was not used.")
        person.types("invitation", "landfall ")
        person.taps("Next")
    }
}
