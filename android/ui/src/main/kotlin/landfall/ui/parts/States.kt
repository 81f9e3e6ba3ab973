package landfall.ui.parts

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.paneTitle
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import landfall.ui.core.RecordState
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

/** Where a record stands: icon, word and dots say the same, colour only repeats it. */
@Composable
fun StatusChip(state: RecordState, modifier: Modifier = Modifier) {
    val colours = Ui.colours
    data class Look(val icon: String, val word: String, val on: Color, val fill: Color, val dots: Int)
    val look = when (state) {
        RecordState.Saved -> Look("phone", "status_saved", colours.ink, colours.sunk, 1)
        RecordState.Mailbox -> Look("tray", "status_mailbox", colours.medium, colours.mediumSoft, 2)
        RecordState.Received -> Look("sealFill", "status_received", colours.ok, colours.okSoft, 3)
        RecordState.Refused -> Look("diamondFill", "status_refused", colours.high, colours.highSoft, 0)
    }
    Row(
        modifier.background(look.fill, Shapes.chip).padding(horizontal = 9.dp, vertical = 5.dp).semantics(mergeDescendants = true) {},
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Icon(look.icon, look.on, size = 17.dp)
        Spacer(Modifier.width(6.dp))
        Words(Ui.words(look.word), Ui.type.labelB, Modifier.weight(1f, fill = false), colour = look.on)
        if (look.dots > 0) {
            Spacer(Modifier.width(6.dp))
            Row(horizontalArrangement = Arrangement.spacedBy(3.dp)) {
                for (i in 1..3) Box(Modifier.size(7.dp).then(if (i <= look.dots) Modifier.background(look.on, CircleShape) else Modifier.border(1.5.dp, look.on, CircleShape)))
            }
        }
    }
}

/** One sentence that stays; at most one per screen. */
@Composable
fun Banner(text: String, modifier: Modifier = Modifier, icon: String = "info") {
    Row(modifier.fillMaxWidth().background(Ui.colours.sunk, Shapes.choice).padding(12.dp), verticalAlignment = Alignment.CenterVertically) {
        Icon(icon, Ui.colours.inkSoft, size = 20.dp)
        Spacer(Modifier.width(10.dp))
        Words(text, Ui.type.label, Modifier.weight(1f))
    }
}

/** What went wrong, without blame, and what is kept. */
@Composable
fun ErrorState(title: String, body: String, details: String?) {
    Column(Modifier.fillMaxSize().verticalScroll(rememberScrollState()).padding(24.dp), verticalArrangement = Arrangement.Center, horizontalAlignment = Alignment.CenterHorizontally) {
        Icon("diamondFill", Ui.colours.high, size = 72.dp)
        Words(title, Ui.type.ask, Modifier.padding(top = 16.dp), align = TextAlign.Center)
        Words(body, Ui.type.body, Modifier.padding(top = 12.dp), align = TextAlign.Center)
        if (details != null) Words(details, Ui.type.label, Modifier.padding(top = 24.dp), colour = Ui.colours.inkSoft, align = TextAlign.Center)
    }
}

/** A sheet from the bottom over the dimmed screen; a tap outside closes it. */
@Composable
fun Sheet(title: String, onClose: () -> Unit, content: @Composable ColumnScope.() -> Unit) {
    val closeWord = Ui.words("common_close")
    Box(Modifier.fillMaxSize()) {
        Box(
            Modifier.fillMaxSize().background(Color(0x99000000)).tappable(RoundedCornerShape(0.dp), onTap = onClose).semantics { contentDescription = closeWord },
        )
        Column(
            Modifier.align(Alignment.BottomCenter).fillMaxWidth().padding(top = 64.dp)
                .background(Ui.colours.card, RoundedCornerShape(topStart = 16.dp, topEnd = 16.dp))
                .pointerInput(Unit) {}
                .semantics { paneTitle = title }
                .padding(16.dp),
        ) {
            Words(title, Ui.type.title, Modifier.padding(bottom = 12.dp))
            Column(Modifier.heightIn(max = 520.dp).verticalScroll(rememberScrollState()), content = content)
        }
    }
}

/** A question with a figure beside a heading, as in the groups of Sending. */
@Composable
fun LabelledFigure(figure: String, content: @Composable ColumnScope.() -> Unit) {
    Row(Modifier.fillMaxWidth().padding(16.dp)) {
        Words(figure, Ui.type.count, Modifier.width(if (Ui.scale > 1.3f) 76.dp else 68.dp))
        Column(Modifier.weight(1f), content = content)
    }
}
