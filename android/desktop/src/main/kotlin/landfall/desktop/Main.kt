package landfall.desktop

import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.DpSize
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Window
import androidx.compose.ui.window.application
import androidx.compose.ui.window.rememberWindowState
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import landfall.border.FieldGateway
import landfall.core.DeviceState
import landfall.practice.Practice
import landfall.ui.App
import landfall.ui.AppView
import landfall.ui.Shell
import java.io.File
import java.security.SecureRandom
import java.time.OffsetDateTime

/** The field app in a window of this computer, on the real core, with a practice organisation of its own. */
object Main {
    private const val DIGITS = 8
    private const val ROUND_MS = 15_000L

    private class Options(val home: File, val lang: String, val scale: Float, val dark: Boolean, val practice: File)

    @JvmStatic
    fun main(args: Array<String>) {
        val options = options(args)
        val practice = Practice(options.practice, options.home)
        val core = practice.gateway()
        runBlocking {
            if (core.deviceState() == DeviceState.FRESH) {
                val passcode = buildString { val random = SecureRandom(); repeat(DIGITS) { append(random.nextInt(10)) } }
                practice.enrol(core, passcode)
                println("A practice organisation was made in ${options.home}. Its records can reach no other desk.")
                println("Passcode: $passcode")
            } else {
                println("The practice organisation of ${options.home} goes on. Its passcode was printed when it was made.")
            }
        }
        open(options, core, practice)
        practice.close()
    }

    private fun open(options: Options, core: landfall.core.CoreGateway, practice: Practice) = application(exitProcessOnExit = false) {
        val state = rememberWindowState(size = DpSize(372.dp, 780.dp))
        Window(::exitApplication, state, title = "Landfall") {
            val scope = rememberCoroutineScope()
            val app = remember {
                val shell = object : Shell {
                    override fun now(): OffsetDateTime = OffsetDateTime.now()
                    override fun exportPath(): String = File(options.home, "file-%06x.landfall".format(SecureRandom().nextInt(1 shl 24))).path
                    override fun outOfSight() { state.isMinimized = true }
                }
                App(FieldGateway(core), shell, options.lang, scope)
            }
            LaunchedEffect(Unit) {
                // the desk of the practice organisation works on its own, as a real one would
                while (true) {
                    delay(ROUND_MS)
                    withContext(Dispatchers.IO) { runCatching { practice.round() } }
                }
            }
            val density = LocalDensity.current
            CompositionLocalProvider(LocalDensity provides Density(density.density, options.scale)) {
                AppView(app, options.dark, highContrast = false, reducedMotion = false, fonts = remember { Faces.load() })
            }
        }
    }

    private fun options(args: Array<String>): Options {
        fun value(name: String) = args.indexOf(name).takeIf { it >= 0 }?.let { args.getOrNull(it + 1) }
        val home = File(value("--home") ?: error("--home DIR"))
        return Options(home, value("--lang") ?: "en", value("--scale")?.toFloat() ?: 1f, "--dark" in args, File(value("--practice") ?: error("--practice PROGRAM")))
    }
}
