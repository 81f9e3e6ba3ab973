package landfall.ui.theme

import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.runtime.remember
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.LayoutDirection
import androidx.compose.ui.unit.dp
import landfall.ui.words.Words

/** The bundled families; the shell loads them, since only it knows how files are read on its platform. */
@Immutable
class Fonts(val latin: FontFamily, val arabic: FontFamily)

/** What a person chose or the phone says about reading. */
@Immutable
data class Reading(val lang: String, val dark: Boolean, val highContrast: Boolean, val reducedMotion: Boolean)

object Shapes {
    val cell = RoundedCornerShape(14.dp)
    val button = RoundedCornerShape(14.dp)
    val card = RoundedCornerShape(16.dp)
    val choice = RoundedCornerShape(12.dp)
    val chip = RoundedCornerShape(8.dp)
    val key = RoundedCornerShape(16.dp)
    val pill = RoundedCornerShape(percent = 50)
}

internal val LocalColours = staticCompositionLocalOf<Colours> { error("outside LandfallTheme") }
internal val LocalType = staticCompositionLocalOf<Type> { error("outside LandfallTheme") }
internal val LocalWords = staticCompositionLocalOf<Words> { error("outside LandfallTheme") }
internal val LocalScale = staticCompositionLocalOf { 1f }
internal val LocalReading = staticCompositionLocalOf<Reading> { error("outside LandfallTheme") }

/** Shorthand for what every part reads. */
object Ui {
    val colours: Colours @Composable @ReadOnlyComposable get() = LocalColours.current
    val type: Type @Composable @ReadOnlyComposable get() = LocalType.current
    val words: Words @Composable @ReadOnlyComposable get() = LocalWords.current

    /** The person's font scale, 1.0 to 2.0; thresholds only, sizes are in [type]. */
    val scale: Float @Composable @ReadOnlyComposable get() = LocalScale.current
    val reading: Reading @Composable @ReadOnlyComposable get() = LocalReading.current

    /** Border of what can be tapped. */
    val edgeWidth: Dp @Composable @ReadOnlyComposable get() = if (colours.highContrast) 2.dp else 1.5.dp
}

@Composable
fun LandfallTheme(reading: Reading, fonts: Fonts, content: @Composable () -> Unit) {
    val density = LocalDensity.current
    val scale = density.fontScale.coerceIn(1f, 2f)
    val words = remember(reading.lang) { Words.of(reading.lang) }
    val type = remember(reading.lang, scale, fonts) {
        Type(if (words.rightToLeft) fonts.arabic else fonts.latin, scale, words.rightToLeft)
    }
    val colours = when {
        reading.highContrast && reading.dark -> HighDark
        reading.highContrast -> HighLight
        reading.dark -> Dark
        else -> Light
    }
    CompositionLocalProvider(
        LocalColours provides colours,
        LocalType provides type,
        LocalWords provides words,
        LocalScale provides scale,
        LocalReading provides reading,
        LocalDensity provides Density(density.density, 1f),
        LocalLayoutDirection provides if (words.rightToLeft) LayoutDirection.Rtl else LayoutDirection.Ltr,
        content = content,
    )
}
