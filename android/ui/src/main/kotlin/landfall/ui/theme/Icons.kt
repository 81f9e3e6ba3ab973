package landfall.ui.theme

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.size
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Path
import androidx.compose.ui.graphics.drawscope.scale
import androidx.compose.ui.graphics.vector.PathParser
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.LayoutDirection
import androidx.compose.ui.unit.dp

/** The drawings of icons.tsv by name. What points along the reading direction is mirrored; ticks, clocks and play never are. */
object Icons {
    private const val FIELD = 256f
    private val mirrored = setOf("arrowBack", "leave", "caret", "skip")
    private val paths: Map<String, Path> by lazy {
        val text = checkNotNull(Icons::class.java.getResourceAsStream("/icons.tsv")) { "icons.tsv" }.reader().use { it.readText() }
        text.lineSequence().filter { it.isNotEmpty() && !it.startsWith("#") }.associate { line ->
            line.substringBefore('\t') to PathParser().parsePathString(line.substringAfter('\t')).toPath()
        }
    }

    fun path(name: String): Path = checkNotNull(paths[name]) { "no icon $name" }
    internal fun isMirrored(name: String) = name in mirrored
    internal const val SIDE = FIELD
}

/** One icon, silent for a screen reader: the word beside it speaks. */
@Composable
fun Icon(name: String, tint: Color, modifier: Modifier = Modifier, size: Dp = 24.dp) {
    val flip = LocalLayoutDirection.current == LayoutDirection.Rtl && Icons.isMirrored(name)
    Canvas(modifier.size(size)) {
        val factor = this.size.width / Icons.SIDE
        scale(if (flip) -1f else 1f, 1f) {
            scale(factor, factor, pivot = androidx.compose.ui.geometry.Offset.Zero) { drawPath(Icons.path(name), tint) }
        }
    }
}
