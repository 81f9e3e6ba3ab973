package landfall.ui.parts

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.IntrinsicSize
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawing
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.layout.windowInsetsPadding
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.isTraversalGroup
import androidx.compose.ui.semantics.selected
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.semantics.traversalIndex
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import landfall.ui.theme.Icon
import landfall.ui.theme.Shapes
import landfall.ui.theme.Ui

/** What Leave and Back mean is the same on every unlocked screen. */
interface Ways {
    fun back()

    /** Locks at once and goes out of sight. */
    fun leave()
}

/** The frame of a screen: bar, content that fills the rest, pinned lower part. From 600 dp on the content stays 560 wide. */
@Composable
fun Frame(top: @Composable () -> Unit, bottom: (@Composable () -> Unit)?, content: @Composable ColumnScope.() -> Unit) {
    Box(Modifier.fillMaxSize().background(Ui.colours.paper)) {
        Column(
            Modifier.align(Alignment.TopCenter).widthIn(max = 600.dp).fillMaxSize().windowInsetsPadding(WindowInsets.safeDrawing)
                .semantics { isTraversalGroup = true },
        ) {
            top()
            Column(Modifier.weight(1f).fillMaxWidth(), content = content)
            bottom?.invoke()
        }
    }
}

/** Title with one second line, Back at the start, Leave at the end. */
@Composable
fun TopBar(title: String, second: String?, ways: Ways, back: Boolean, extra: (@Composable RowScope.() -> Unit)? = null) {
    val words = Ui.words
    val large = Ui.scale > 1.3f
    Row(
        Modifier.fillMaxWidth().heightIn(min = 56.dp).padding(start = if (back) 4.dp else 16.dp, end = 8.dp, top = 2.dp, bottom = 8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        if (back) {
            Box(
                Modifier.size(48.dp).testTag("back").tappable(Shapes.pill) { ways.back() }.semantics { contentDescription = words("common_back") },
                contentAlignment = Alignment.Center,
            ) { Icon("arrowBack", Ui.colours.ink, size = 24.dp) }
        }
        Column(Modifier.weight(1f).semantics { heading(); traversalIndex = -1f }) {
            Words(title, Ui.type.title)
            // with a large font a bar keeps two lines at most: the title may need both
            if (!second.isNullOrEmpty() && (!back || !large)) Words(second, Ui.type.barLabel, colour = Ui.colours.inkSoft)
        }
        extra?.invoke(this)
        if (extra == null) Spacer(Modifier.width(8.dp))
        LeavePill(ways)
    }
}

@Composable
private fun LeavePill(ways: Ways) {
    val words = Ui.words
    Row(
        Modifier.testTag("leave").heightIn(min = 48.dp).widthIn(min = 56.dp).background(Ui.colours.card, Shapes.pill)
            .border(Ui.edgeWidth, Ui.colours.edge, Shapes.pill).tappable(Shapes.pill) { ways.leave() }
            .semantics(mergeDescendants = true) { contentDescription = words("common_leave"); traversalIndex = -2f }
            .padding(horizontal = 12.dp),
        verticalAlignment = Alignment.CenterVertically,
        horizontalArrangement = Arrangement.Center,
    ) {
        Icon("leave", Ui.colours.ink, size = 20.dp)
        if (Ui.scale <= 1.3f) {
            Spacer(Modifier.width(6.dp))
            Words(words("common_leave"), Ui.type.labelB, Modifier.clearAndSetSemantics {})
        }
    }
}

/** The pinned lower part: a card with a line above, one or two buttons of equal height, what is primary at the end side. */
@Composable
fun BottomBar(content: @Composable ColumnScope.() -> Unit) {
    Column(Modifier.fillMaxWidth().background(Ui.colours.card).semantics { isTraversalGroup = true; traversalIndex = 1f }) {
        Line()
        Column(Modifier.padding(12.dp), content = content)
    }
}

/** Two or three things of equal height side by side; one under the other when a large font would break them. */
@Composable
fun Equal(stack: Boolean, items: List<@Composable (Modifier) -> Unit>, weights: List<Float> = items.map { 1f }) {
    if (stack) {
        Column(verticalArrangement = Arrangement.spacedBy(12.dp)) { for (item in items) item(Modifier.fillMaxWidth()) }
    } else {
        Row(Modifier.height(IntrinsicSize.Max), horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            items.forEachIndexed { i, item -> item(Modifier.weight(weights[i]).fillMaxHeight()) }
        }
    }
}

enum class ButtonLook { Filled, Outlined, Still }

/** A button with a word, an icon before it and at most one small line below. */
@Composable
fun Button(
    text: String,
    look: ButtonLook,
    modifier: Modifier = Modifier,
    icon: String? = null,
    second: String? = null,
    minHeight: Int = 64,
    enabled: Boolean = true,
    tag: String? = null,
    onTap: () -> Unit,
) {
    val colours = Ui.colours
    val fill = when (look) { ButtonLook.Filled -> colours.lead; ButtonLook.Outlined -> colours.card; ButtonLook.Still -> colours.sunk }
    val on = when (look) { ButtonLook.Filled -> colours.onLead; ButtonLook.Outlined -> colours.ink; ButtonLook.Still -> colours.inkSoft }
    Row(
        modifier.then(if (tag != null) Modifier.testTag(tag) else Modifier).heightIn(min = minHeight.dp).background(fill, Shapes.button)
            .then(if (look == ButtonLook.Outlined) Modifier.border(2.dp, colours.edge, Shapes.button) else Modifier)
            .tappable(Shapes.button, enabled = enabled, onTap = onTap).semantics(mergeDescendants = true) {}.padding(horizontal = 10.dp, vertical = 8.dp),
        verticalAlignment = Alignment.CenterVertically,
        horizontalArrangement = Arrangement.Center,
    ) {
        if (icon != null) {
            Icon(icon, on, size = 24.dp)
            Spacer(Modifier.width(10.dp))
        }
        Column(horizontalAlignment = if (second != null && icon != null) Alignment.Start else Alignment.CenterHorizontally) {
            Words(text, Ui.type.head, colour = on, align = TextAlign.Center)
            if (second != null) Words(second, Ui.type.barLabel, colour = on)
        }
    }
}

/** Skip is as large as its neighbour and looks like every other answer. */
@Composable
fun SkipButton(modifier: Modifier = Modifier, onTap: () -> Unit) =
    Button(Ui.words("common_skip"), ButtonLook.Outlined, modifier, icon = "skip", tag = "skip", onTap = onTap)

enum class Tab(val icon: String, val word: String) { Today("house", "home_title"), Sending("send", "sending_title") }

/** Only what exists: Today and Sending. The badge is the figure of records that wait. */
@Composable
fun NavBar(chosen: Tab, waiting: Int, onTab: (Tab) -> Unit) {
    val words = Ui.words
    Row(Modifier.fillMaxWidth().background(Ui.colours.card).padding(bottom = 8.dp, start = 12.dp, end = 12.dp).semantics { isTraversalGroup = true; traversalIndex = 2f }) {
        for (tab in Tab.entries) {
            val on = tab == chosen
            val word = words(tab.word)
            val spoken = if (tab == Tab.Sending && waiting > 0) words.count("nav_sending_spoken", waiting) else word
            Column(
                Modifier.weight(1f).heightIn(min = 56.dp).tappable(Shapes.chip, Role.Tab) { onTab(tab) }
                    .testTag("tab-${tab.name.lowercase()}")
                    .semantics(mergeDescendants = true) { selected = on; contentDescription = spoken },
                horizontalAlignment = Alignment.CenterHorizontally,
            ) {
                Box(contentAlignment = Alignment.Center) {
                    Box(
                        Modifier.size(64.dp, 32.dp).clip(Shapes.pill).background(if (on) Ui.colours.leadSoft else Ui.colours.card),
                        contentAlignment = Alignment.Center,
                    ) { Icon(if (on) tab.icon + "Fill" else tab.icon, if (on) Ui.colours.lead else Ui.colours.inkSoft) }
                    if (tab == Tab.Sending && waiting > 0) {
                        Box(
                            Modifier.offset(16.dp, (-5).dp).heightIn(min = 20.dp).widthIn(min = 20.dp).background(Ui.colours.ink, Shapes.pill).padding(horizontal = 5.dp),
                            contentAlignment = Alignment.Center,
                        ) { Words(words.number(waiting), Ui.type.tag, Modifier.clearAndSetSemantics {}, colour = Ui.colours.paper) }
                    }
                }
                Words(word, if (on) Ui.type.barLabelB else Ui.type.barLabel, Modifier.clearAndSetSemantics {}, colour = if (on) Ui.colours.lead else Ui.colours.inkSoft, align = TextAlign.Center)
            }
        }
    }
}
