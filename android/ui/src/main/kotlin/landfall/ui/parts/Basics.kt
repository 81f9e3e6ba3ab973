package landfall.ui.parts

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.combinedClickable
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.interaction.collectIsFocusedAsState
import androidx.compose.foundation.interaction.collectIsPressedAsState
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxScope
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.text.BasicText
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.draw.drawWithContent
import androidx.compose.ui.geometry.CornerRadius
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

/** Text in a style and a colour role; it wraps, it is never cut. */
@Composable
fun Words(text: String, style: TextStyle, modifier: Modifier = Modifier, colour: Color = Ui.colours.ink, align: TextAlign = TextAlign.Start) {
    BasicText(text, modifier, style.copy(color = colour, textAlign = align))
}

/** What can be tapped: says its role, shows press and focus, never smaller than it is drawn. */
@Composable
fun Modifier.tappable(
    shape: Shape,
    role: Role? = Role.Button,
    enabled: Boolean = true,
    longLabel: String? = null,
    onLong: (() -> Unit)? = null,
    onTap: () -> Unit,
): Modifier {
    val source = remember { MutableInteractionSource() }
    val pressed by source.collectIsPressedAsState()
    val focused by source.collectIsFocusedAsState()
    val focus = Ui.colours.focus
    val tint = Ui.colours.ink
    return this
        .drawWithContent {
            drawContent()
            if (focused) {
                val out = 3.5.dp.toPx()
                val radius = CornerRadius(16.dp.toPx())
                drawRoundRect(focus, Offset(-out, -out), Size(size.width + 2 * out, size.height + 2 * out), radius, Stroke(3.dp.toPx()))
            }
        }
        .clip(shape)
        .drawWithContent {
            drawContent()
            if (pressed) drawRect(tint, alpha = 0.08f)
        }
        .combinedClickable(source, null, enabled, role = role, onLongClickLabel = longLabel, onLongClick = onLong, onClick = onTap)
}

/** A card with a thin line and no shadow. */
@Composable
fun Card(modifier: Modifier = Modifier, padding: PaddingValues = PaddingValues(16.dp), edge: Color = Ui.colours.line, content: @Composable ColumnScope.() -> Unit) {
    Column(
        modifier.fillMaxWidth().clip(Shapes.card).background(Ui.colours.card).border(if (Ui.colours.highContrast) 2.dp else 1.dp, edge, Shapes.card).padding(padding),
        content = content,
    )
}

/** A separator: it carries no meaning. */
@Composable
fun Line(modifier: Modifier = Modifier) {
    Box(modifier.fillMaxWidth().height(1.dp).background(Ui.colours.line))
}

/** A box with the border of what can be tapped, or the strong one of what is chosen. */
@Composable
fun Edged(modifier: Modifier, shape: Shape, chosen: Boolean, outline: Dp = Ui.edgeWidth, content: @Composable BoxScope.() -> Unit) {
    val colours = Ui.colours
    Box(
        modifier.background(if (chosen) colours.leadSoft else colours.card, shape)
            .border(if (chosen) 3.dp else outline, if (chosen) colours.lead else colours.edge, shape),
        content = content,
    )
}
