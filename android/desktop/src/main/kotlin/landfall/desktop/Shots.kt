package landfall.desktop

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import landfall.ui.previews.Preview
import landfall.ui.previews.previews
import landfall.ui.theme.Fonts
import landfall.ui.theme.Icon
import landfall.ui.theme.LandfallTheme
import landfall.ui.theme.Reading
import landfall.ui.theme.Ui
import landfall.ui.words.Words
import org.jetbrains.skia.EncodedImageFormat
import java.io.File

/** Every screen as a picture of 360 x 740 dp at 2x, in {en, ar} x {light, dark} x {font 1.0, 2.0}. */
object Shots {
    private const val WIDTH = 360
    private const val HEIGHT = 740
    private const val ZOOM = 2
    private const val SETTLED_NS = 1_000_000_000L

    fun draw(out: File, only: Set<String>, fonts: Fonts): List<File> {
        val chosen = previews.filter { only.isEmpty() || it.name in only }
        require(chosen.isNotEmpty()) { "no such screen; there are: ${previews.joinToString { it.name }}" }
        out.mkdirs()
        val files = mutableListOf<File>()
        for (preview in chosen) {
            for (lang in listOf("en", "ar")) for (dark in listOf(false, true)) for (scale in listOf(1f, 2f)) {
                val file = File(out, "${preview.name}-$lang-${if (dark) "dark" else "light"}-$scale.png")
                file.writeBytes(one(preview, Reading(lang, dark, highContrast = false, reducedMotion = true), scale, fonts))
                files += file
            }
        }
        return files
    }

    private fun one(preview: Preview, reading: Reading, scale: Float, fonts: Fonts): ByteArray {
        val scene = ImageComposeScene(WIDTH * ZOOM, HEIGHT * ZOOM, Density(ZOOM.toFloat(), scale)) { LandfallTheme(reading, fonts) { Framed(preview) } }
        return try {
            scene.render(0)
            checkNotNull(scene.render(SETTLED_NS).encodeToData(EncodedImageFormat.PNG)) { "no picture of ${preview.name}" }.bytes
        } finally {
            scene.close()
        }
    }

    /** The screen below a phone's own status line, as a person sees it. */
    @Composable
    private fun Framed(preview: Preview) {
        val words = Words.of(Ui.reading.lang)
        Column(Modifier.fillMaxSize().background(Ui.colours.paper)) {
            Row(Modifier.fillMaxWidth().height(28.dp).padding(horizontal = 16.dp), Arrangement.SpaceBetween, Alignment.CenterVertically) {
                landfall.ui.parts.Words(words.digits("14:52"), Ui.type.tag.copy(fontWeight = Ui.type.body.fontWeight), colour = Ui.colours.inkSoft)
                Icon("cloudOff", Ui.colours.inkSoft, size = 16.dp)
            }
            Box(Modifier.weight(1f)) { preview.content(words) }
        }
    }
}

/** `shots OUT [SCREEN,…]`: prints each file. */
object ShotsMain {
    @JvmStatic
    fun main(args: Array<String>) {
        val only = args.getOrNull(1)?.split(',')?.filter { it.isNotEmpty() }?.toSet().orEmpty()
        try {
            for (file in Shots.draw(File(args.first()), only, Faces.load())) println(file.path)
        } catch (e: IllegalArgumentException) {
            System.err.println(e.message)
            kotlin.system.exitProcess(1)
        }
    }
}
