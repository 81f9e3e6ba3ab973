package landfall.desktop

import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.platform.Font
import landfall.ui.theme.Fonts

/** The bundled families, read from the class path. */
object Faces {
    fun load(): Fonts = Fonts(family("NotoSans"), family("Vazirmatn"))

    private fun family(name: String): FontFamily = FontFamily(
        Font("$name-400", bytes("$name-Regular"), FontWeight.Normal),
        Font("$name-700", bytes("$name-Bold"), FontWeight.Bold),
    )

    private fun bytes(file: String): ByteArray =
        checkNotNull(Faces::class.java.getResourceAsStream("/faces/$file.ttf")) { "no font $file" }.use { it.readBytes() }
}
