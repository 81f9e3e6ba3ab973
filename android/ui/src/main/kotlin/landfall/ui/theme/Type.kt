package landfall.ui.theme

import androidx.compose.runtime.Immutable
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.LineHeightStyle
import androidx.compose.ui.unit.sp
import kotlin.math.min

/**
 * The type table. Sizes already hold the person's font scale, each up to its own largest factor, because large sizes grow less;
 * so they are laid out under a font scale of 1 and the phone's own curve is never applied a second time.
 */
@Immutable
class Type(family: FontFamily, scale: Float, arabic: Boolean) {
    private val lineFactor = if (arabic) 1.15f else 1f

    private val make = { size: Int, line: Int, weight: FontWeight, cap: Float ->
        val factor = min(scale, cap)
        TextStyle(
            fontFamily = family,
            fontWeight = weight,
            fontSize = (size * factor).sp,
            lineHeight = (line * factor * lineFactor).sp,
            lineHeightStyle = LineHeightStyle(LineHeightStyle.Alignment.Center, LineHeightStyle.Trim.None),
        )
    }
    val total = make(48, 52, FontWeight.Bold, 1.25f)
    val count = make(30, 36, FontWeight.Bold, 1.25f)
    val ask = make(24, 30, FontWeight.Bold, 1.5f)
    val title = make(20, 26, FontWeight.Bold, 1.5f)
    val head = make(17, 23, FontWeight.Bold, 1.7f)
    val body = make(16, 22, FontWeight.Normal, 2f)
    val bodyB = make(16, 22, FontWeight.Bold, 2f)
    val label = make(14, 19, FontWeight.Normal, 2f)
    val labelB = make(14, 19, FontWeight.Bold, 2f)
    val barLabel = make(14, 19, FontWeight.Normal, 1.4f)
    val barLabelB = make(14, 19, FontWeight.Bold, 1.4f)
    val tag = make(12, 16, FontWeight.Bold, 1f)
}

/** Figures of one width, for tables only. */
fun TextStyle.tabular(): TextStyle = copy(fontFeatureSettings = "tnum")
