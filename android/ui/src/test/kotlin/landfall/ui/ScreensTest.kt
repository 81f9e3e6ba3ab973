package landfall.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.requiredSize
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.hasTestTag
import androidx.compose.ui.test.junit4.v2.createComposeRule
import androidx.compose.ui.text.TextLayoutResult
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import landfall.ui.previews.Preview
import landfall.ui.previews.previews
import landfall.ui.theme.LandfallTheme
import landfall.ui.theme.Reading
import landfall.ui.words.Words
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test

/** Every screen in {en, ar} x {font 1.0, 2.0}: what can be tapped is large enough, nothing is cut, Leave is always there. */
class ScreensTest {
    @get:Rule
    val rule = createComposeRule()

    private data class Case(val preview: Preview, val lang: String, val scale: Float) {
        val name get() = "${preview.name} $lang $scale"
    }

    private val cases = previews.flatMap { p -> listOf("en", "ar").flatMap { l -> listOf(1f, 2f).map { Case(p, l, it) } } }
    private var case by mutableStateOf<Case?>(null)

    @Composable
    private fun Stage() {
        val c = case ?: return
        key(c.name) {
            CompositionLocalProvider(LocalDensity provides Density(DENSITY, c.scale)) {
                Box(Modifier.requiredSize(360.dp, 712.dp).testTag("stage")) {
                    LandfallTheme(Reading(c.lang, dark = false, highContrast = false, reducedMotion = true), TestFaces.fonts) { c.preview.content(Words.of(c.lang)) }
                }
            }
        }
    }

    private fun tag(n: SemanticsNode) = n.config.getOrNull(SemanticsProperties.TestTag)

    private fun texts(n: SemanticsNode): List<String> = n.config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text } + n.children.flatMap { texts(it) }

    private fun name(n: SemanticsNode) = tag(n) ?: n.config.getOrNull(SemanticsProperties.ContentDescription)?.firstOrNull() ?: texts(n).firstOrNull() ?: "node ${n.id}"

    @Test
    fun `every screen at every size and in both directions`() {
        val found = mutableListOf<String>()
        rule.setContent { Stage() }
        for (c in cases) {
            case = c
            rule.waitForIdle()
            val stage = rule.onNode(hasTestTag("stage")).fetchSemanticsNode()
            val nodes = rule.onAllNodes(SemanticsMatcher("any") { true }, useUnmergedTree = true).fetchSemanticsNodes()
            found += (small(nodes) + leave(c, stage, nodes) + reach(c, stage, nodes) + text(nodes) + (if (c.preview.name == "tally") grid(c, stage, nodes) else emptyList())).map { "${c.name}: $it" }
        }
        assertTrue("${found.size} findings:\n${found.take(40).joinToString("\n")}", found.isEmpty())
    }

    /** What can be tapped is at least 48 by 48 as it is drawn. */
    private fun small(nodes: List<SemanticsNode>) = nodes
        .filter { it.config.getOrNull(SemanticsActions.OnClick) != null && it.config.getOrNull(SemanticsActions.SetText) == null }
        .filter { it.size.width < 48 * DENSITY - 1 || it.size.height < 48 * DENSITY - 1 }
        .map { "small: ${name(it)} ${it.size.width / DENSITY} x ${it.size.height / DENSITY}" }

    /** One Leave on every unlocked screen, at the end of its top, mirrored right to left. */
    private fun leave(c: Case, stage: SemanticsNode, nodes: List<SemanticsNode>): List<String> {
        val leave = nodes.filter { tag(it) == "leave" }
        if (leave.size != if (c.preview.locked) 0 else 1) return listOf("${leave.size} ways to leave")
        return leave.filter { (it.boundsInRoot.center.x - stage.boundsInRoot.left > stage.size.width / 2) != (c.lang == "en") }.map { "Leave stands on the wrong side" }
    }

    /** What a thumb needs stands lower than 30 % of the height, at font 1.0. */
    private fun reach(c: Case, stage: SemanticsNode, nodes: List<SemanticsNode>): List<String> {
        if (c.scale > 1f) return emptyList()
        return nodes.filter { n -> tag(n)?.let { it in THUMB || it.startsWith("cell-") } == true }
            .map { name(it) to (it.boundsInRoot.center.y - stage.boundsInRoot.top + STATUS * DENSITY) / (HEIGHT * DENSITY) }
            .filter { it.second <= 0.30f }.map { "out of reach: ${it.first} at ${it.second}" }
    }

    /** No text is cut, no word is broken. */
    private fun text(nodes: List<SemanticsNode>): List<String> = nodes.flatMap { n ->
        val layouts = mutableListOf<TextLayoutResult>()
        n.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(layouts)
        layouts.flatMap { l ->
            val text = l.layoutInput.text.text
            // a field of one line scrolls what is typed
            val cut = n.config.getOrNull(SemanticsActions.SetText) == null && l.didOverflowHeight || (0 until l.lineCount).any { l.getLineRight(it) - l.getLineLeft(it) > l.size.width + 2 }
            val broken = if (tag(n) == "reply") emptyList() else (0 until l.lineCount - 1).mapNotNull { line ->
                val end = l.getLineEnd(line)
                text.getOrNull(end - 1)?.takeIf { !it.isWhitespace() && it !in "-–/·" }?.let { "broken: \"${text.substring(l.getLineStart(line), end)}|\" in \"$text\"" }
            }
            broken + if (cut) listOf("cut: \"$text\"") else emptyList()
        }
    }

    /** The grid of the counter is whole, without scrolling, and its columns mirror. */
    private fun grid(c: Case, stage: SemanticsNode, nodes: List<SemanticsNode>): List<String> {
        val cells = nodes.filter { tag(it)?.startsWith("cell-") == true }
        val undo = nodes.first { tag(it) == "undo" }
        val female = cells.first { tag(it) == "cell-T_f_0_4" }.positionInRoot.x
        val male = cells.first { tag(it) == "cell-T_m_0_4" }.positionInRoot.x
        return (if (cells.size == 15) emptyList() else listOf("${cells.size} cells")) +
            cells.filter { it.size.height < 64 * DENSITY - 1 }.map { "${name(it)} is ${it.size.height / DENSITY} high" } +
            cells.filter { it.positionInRoot.y + it.size.height > undo.positionInRoot.y }.map { "${name(it)} ends below the bar" } +
            cells.filter { it.positionInRoot.x < stage.boundsInRoot.left || it.positionInRoot.x + it.size.width > stage.boundsInRoot.right + 1 }.map { "${name(it)} leaves the screen" } +
            (if ((female < male) == (c.lang == "en")) emptyList() else listOf("columns are not mirrored"))
    }

    @Test
    fun `two states never sound alike`() {
        val spoken = landfall.ui.core.RecordState.entries.map { Words.of("en")(mapOf("Saved" to "status_saved", "Mailbox" to "status_mailbox", "Received" to "status_received", "Refused" to "status_refused").getValue(it.name)) }
        assertEquals(spoken.size, spoken.toSet().size)
    }

    private companion object {
        const val DENSITY = 2f
        const val HEIGHT = 740
        const val STATUS = 28
        val THUMB = setOf("count", "interview", "start", "next", "undo", "save", "rapid", "open", "wait", "send-now", "skip", "stop", "W03-yes", "W03-no", "W03-skip", "K03-yes", "K03-no", "primary")
    }
}
