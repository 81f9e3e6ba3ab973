package landfall.ui

import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.platform.Font
import landfall.ui.theme.Fonts

/** The bundled families, so that tests measure what a person sees. */
object TestFaces {
    val fonts: Fonts by lazy { Fonts(family("NotoSans"), family("Vazirmatn")) }

    private fun family(name: String) = FontFamily(
        Font("$name-400", bytes("$name-Regular"), FontWeight.Normal),
        Font("$name-700", bytes("$name-Bold"), FontWeight.Bold),
    )

    private fun bytes(file: String) = checkNotNull(TestFaces::class.java.getResourceAsStream("/faces/$file.ttf")).use { it.readBytes() }
}
