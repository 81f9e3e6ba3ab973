package landfall.app

import android.app.Application
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import landfall.border.FieldGateway
import landfall.core.CoreGateway
import landfall.core.KeyGuard
import landfall.ui.App
import landfall.ui.Shell
import java.io.File
import java.security.SecureRandom
import java.time.OffsetDateTime
import java.util.Locale

/** The process: one core, one set of screens, whatever happens to the Activity. */
open class LandfallApp : Application() {
    /** Takes the visible Activity out of sight; set while there is one. */
    internal var outOfSight: () -> Unit = {}

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

    protected open fun guard(): KeyGuard = KeystoreGuard()

    val core: CoreGateway by lazy {
        // the device's home holds the core's own files and nothing else
        CoreGateway(File(filesDir, "device").apply { mkdirs() }.path, guard(), PhoneClock(contentResolver))
    }

    val screens: App by lazy {
        val shell = object : Shell {
            override fun now(): OffsetDateTime = OffsetDateTime.now()
            override fun exportPath(): String? = getExternalFilesDir(null)?.let { File(it, "file-%06x.landfall".format(Locale.ROOT, SecureRandom().nextInt(FILE_NAMES))).path }
            override fun outOfSight() = this@LandfallApp.outOfSight()
        }
        val lang = resources.configuration.locales.get(0).language
        App(FieldGateway(core), shell, if (landfall.ui.words.Words.shipped.any { it.first == lang }) lang else "en", scope)
    }

    private companion object {
        const val FILE_NAMES = 1 shl 24
    }
}
