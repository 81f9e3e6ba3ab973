package landfall.ui.parts

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.IntrinsicSize
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.selected
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.semantics.stateDescription
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

/** What a mark says: circle = one answer, square = several, none = the tile alone is enough. */
enum class Mark { Circle, Square, None }

/** One answer as a tile or a full row: mark, optional icon, text. Chosen = fill, strong border, tick and bold together. */
@Composable
fun Tile(text: String, chosen: Boolean, mark: Mark, modifier: Modifier = Modifier, icon: String? = null, minHeight: Int = 56, tag: String? = null, onTap: () -> Unit) {
    val colours = Ui.colours
    val chosenWord = Ui.words("common_chosen")
    val notWord = Ui.words("common_not_chosen")
    val on = if (chosen) colours.onLeadSoft else colours.ink
    Edged(
        modifier.then(if (tag != null) Modifier.testTag(tag) else Modifier).heightIn(min = minHeight.dp)
            .tappable(Shapes.choice, if (mark == Mark.Square) Role.Checkbox else Role.RadioButton, onTap = onTap)
            .semantics(mergeDescendants = true) { selected = chosen; stateDescription = if (chosen) chosenWord else notWord },
        Shapes.choice,
        chosen,
    ) {
        Row(Modifier.align(Alignment.CenterStart).fillMaxWidth().padding(horizontal = 12.dp, vertical = 6.dp), verticalAlignment = Alignment.CenterVertically) {
            when {
                icon != null -> { Icon(icon, if (chosen) on else colours.inkSoft); Spacer(Modifier.width(8.dp)) }
                mark != Mark.None -> { MarkBox(mark, chosen); Spacer(Modifier.width(10.dp)) }
            }
            val centred = icon == null && mark == Mark.None
            Words(
                text, if (chosen) Ui.type.labelB else Ui.type.label, Modifier.weight(1f), on,
                if (centred) TextAlign.Center else TextAlign.Start,
            )
            if (chosen && (icon != null || mark == Mark.None)) { Spacer(Modifier.width(4.dp)); Icon("check", on, size = 18.dp) }
        }
    }
}

@Composable
private fun MarkBox(mark: Mark, chosen: Boolean) {
    val shape = if (mark == Mark.Circle) CircleShape else RoundedCornerShape(5.dp)
    Box(
        Modifier.size(20.dp).background(if (chosen) Ui.colours.lead else Ui.colours.card, shape).border(2.dp, if (chosen) Ui.colours.lead else Ui.colours.edge, shape),
        contentAlignment = Alignment.Center,
    ) { if (chosen) Icon("check", Ui.colours.onLead, size = 14.dp) }
}

/** Tiles in two columns, in one when the font is large; both of a row have the height of the taller. */
@Composable
fun <T> Tiles(items: List<T>, columns: Int = if (Ui.scale > 1.3f) 1 else 2, tile: @Composable (T, Modifier) -> Unit) {
    Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
        for (row in items.chunked(columns)) {
            Row(Modifier.height(IntrinsicSize.Max), horizontalArrangement = Arrangement.spacedBy(8.dp)) {
                for (item in row) tile(item, Modifier.weight(1f).fillMaxHeight())
                repeat(columns - row.size) { Spacer(Modifier.weight(1f)) }
            }
        }
    }
}

/** Up to 14 segments and "6 of 8". */
@Composable
fun Steps(at: Int, of: Int, modifier: Modifier = Modifier) {
    val words = Ui.words
    Row(
        modifier.fillMaxWidth().padding(horizontal = 16.dp).semantics(mergeDescendants = true) { stateDescription = words("steps_spoken", "n" to at, "of" to of) },
        verticalAlignment = Alignment.CenterVertically,
        horizontalArrangement = Arrangement.spacedBy(4.dp),
    ) {
        val shape = Shapes.pill
        for (i in 1..of.coerceAtMost(14)) {
            Box(
                Modifier.weight(1f).height(8.dp).then(
                    if (i <= at) Modifier.background(Ui.colours.lead, shape) else Modifier.border(Ui.edgeWidth, Ui.colours.edge, shape),
                ),
            )
        }
        Spacer(Modifier.width(8.dp))
        Words(words("steps", "n" to at, "of" to of), Ui.type.barLabelB, colour = Ui.colours.inkSoft)
    }
}

/** The answers so far in words, and the way to change them. */
@Composable
fun SoFar(text: String, onChange: () -> Unit) {
    Row(
        Modifier.fillMaxWidth().background(Ui.colours.leadSoft, Shapes.choice).padding(start = 14.dp, end = 4.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Icon("check", Ui.colours.onLeadSoft, size = 18.dp)
        Spacer(Modifier.width(10.dp))
        val change: @Composable () -> Unit = {
            Box(
                Modifier.heightIn(min = 48.dp).widthIn(min = 56.dp).tappable(Shapes.chip, onTap = onChange).padding(horizontal = 8.dp),
                contentAlignment = Alignment.Center,
            ) { Words(Ui.words("common_change"), Ui.type.labelB, colour = Ui.colours.lead) }
        }
        if (Ui.scale > 1.3f) {
            Column(Modifier.weight(1f)) {
                Words(text, Ui.type.label, Modifier.padding(top = 8.dp), Ui.colours.onLeadSoft)
                change()
            }
        } else {
            Words(text, Ui.type.label, Modifier.weight(1f).padding(vertical = 8.dp), Ui.colours.onLeadSoft)
            change()
        }
    }
}

/** A word that acts: a link in the lead colour, 48 high. */
@Composable
fun Link(text: String, modifier: Modifier = Modifier, icon: String? = null, onTap: () -> Unit) {
    Row(
        modifier.heightIn(min = 48.dp).widthIn(min = 48.dp).tappable(Shapes.chip, onTap = onTap).semantics(mergeDescendants = true) {},
        verticalAlignment = Alignment.CenterVertically,
    ) {
        if (icon != null) { Icon(icon, Ui.colours.lead, size = 20.dp); Spacer(Modifier.width(8.dp)) }
        Words(text, Ui.type.bodyB, colour = Ui.colours.lead)
    }
}
