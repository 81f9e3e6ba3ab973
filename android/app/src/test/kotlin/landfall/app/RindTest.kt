package landfall.app

import android.app.Application
import android.view.WindowManager
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.graphics.asAndroidBitmap
import androidx.compose.ui.test.captureToImage
import kotlinx.coroutines.runBlocking
import landfall.core.KeyGuard
import landfall.practice.FileGuard
import landfall.practice.Practice
import landfall.ui.flows.Person
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.ExternalResource
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.nio.file.Files

/** The process with a stand-in for the keystore, which Robolectric does not have. */
class PracticeApp : LandfallApp() {
    override fun guard(): KeyGuard = FileGuard(File(filesDir, "keys"))
}

/** The rind around the screens, and the screens themselves on the real AndroidX, with the real core behind them. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], application = PracticeApp::class, qualifiers = "w360dp-h740dp-xhdpi")
class RindTest {
    private lateinit var practice: Practice

    @get:Rule(order = 0)
    val organisation = object : ExternalResource() {
        val root: File = Files.createTempDirectory("landfall-rind").toFile()

        override fun before() {
            practice = Practice(File(System.getProperty("landfall.practice")), root)
            val app = RuntimeEnvironment.getApplication() as PracticeApp
            runBlocking { practice.enrol(app.core, PASSCODE) }
        }

        override fun after() {
            practice.close()
            root.deleteRecursively()
        }
    }

    @get:Rule(order = 1)
    val rule = createAndroidComposeRule<MainActivity>()

    private val joseph by lazy { Person(rule) }
    private val app get() = rule.activity.application as PracticeApp

    @Test
    fun `no picture of the window leaves the phone`() {
        joseph.sees("Enter your passcode")
        assertNotEquals(0, rule.activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE)
    }

    @Test
    fun `nothing enters a backup`() {
        val info = rule.activity.packageManager.getApplicationInfo(rule.activity.packageName, 0)
        assertEquals(0, info.flags and android.content.pm.ApplicationInfo.FLAG_ALLOW_BACKUP)
        assertNotEquals(0, rule.activity.resources.getIdentifier("data_extraction_rules", "xml", rule.activity.packageName))
    }

    @Test
    fun `a count is made on the real screens and the real core`() {
        joseph.enters(PASSCODE)
        joseph.taps("Count people")
        joseph.taps("Bus")
        joseph.taps("Start counting")
        repeat(3) { joseph.tapsTag("cell-T_m_18_59") }
        joseph.tapsTag("cell-T_f_5_11")
        joseph.hears("4 people, 1 child")
        drawn("tally")
        joseph.taps("Undo")
        joseph.hears("3 people, 0 children")
        joseph.tapsTag("leave")
        rule.waitUntil(WAIT_MS) { !app.core.isOpen && rule.activity.isFinishing }
    }

    @Test
    fun `going out of sight locks`() {
        joseph.enters(PASSCODE)
        joseph.seesTag("count")
        assertTrue(app.core.isOpen)
        rule.activityRule.scenario.moveToState(androidx.lifecycle.Lifecycle.State.CREATED)
        rule.waitUntil(WAIT_MS) { !app.core.isOpen }
        assertFalse(app.core.isOpen)
    }

    /** Keeps what Android drew, to be looked at, and fails when it drew one colour only. */
    private fun drawn(name: String) {
        val bitmap = rule.onRoot().captureToImage().asAndroidBitmap()
        val colours = (0 until bitmap.width step 8).flatMap { x -> (0 until bitmap.height step 8).map { y -> bitmap.getPixel(x, y) } }.toSet()
        assertTrue("${colours.size} colours", colours.size > 8)
        val file = File("target/shots/$name.png").apply { parentFile.mkdirs() }
        file.outputStream().use { bitmap.compress(android.graphics.Bitmap.CompressFormat.PNG, 100, it) }
    }

    private companion object {
        const val PASSCODE = "48213905"
        const val WAIT_MS = 30_000L
    }
}
