package landfall.ui.flows

import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.SemanticsNodeInteraction
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasScrollAction
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.hasTestTag
import androidx.compose.ui.test.junit4.ComposeTestRule
import androidx.compose.ui.test.longClick
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performTextInput
import androidx.compose.ui.test.performTouchInput

/** Drives the screens as a person does: by what can be read and what can be tapped. Counts the taps. */
class Person(private val rule: ComposeTestRule) {
    var taps = 0
        private set

    /** Waits until a text can be read somewhere; the core works on another thread. */
    fun sees(text: String, substring: Boolean = false) = waits("\"$text\"") { rule.onAllNodes(hasText(text, substring)).fetchSemanticsNodes().isNotEmpty() }

    /** Waits until one of two texts can be read: where the core goes on by itself, the first may already be past. */
    fun seesEither(first: String, second: String) = waits("\"$first\" or \"$second\"") {
        listOf(first, second).any { rule.onAllNodes(hasText(it)).fetchSemanticsNodes().isNotEmpty() }
    }

    fun seesTag(tag: String) = waits("[$tag]") { rule.onAllNodes(hasTestTag(tag)).fetchSemanticsNodes().isNotEmpty() }

    fun hears(description: String) = waits("\"$description\" (spoken)") { rule.onAllNodes(hasContentDescription(description)).fetchSemanticsNodes().isNotEmpty() }

    fun doesNotSee(text: String) = waits("no \"$text\"") { rule.onAllNodes(hasText(text)).fetchSemanticsNodes().isEmpty() }

    /** Taps what carries this word, scrolling to it if need be. */
    fun taps(text: String) = tap(hasClickAction() and hasText(text), "\"$text\"")

    fun tapsSpoken(description: String) = tap(hasClickAction() and hasContentDescription(description), "\"$description\"")

    fun tapsTag(tag: String) = tap(hasTestTag(tag), "[$tag]")

    fun holds(tag: String) {
        reach(hasTestTag(tag), "[$tag]").performTouchInput { longClick() }
        taps++
        rule.waitForIdle()
    }

    fun types(tag: String, text: String) {
        seesTag(tag)
        rule.onNode(hasTestTag(tag) and hasSetTextAction()).performTextInput(text)
        rule.waitForIdle()
    }

    fun enters(passcode: String) {
        seesTag("key-1")
        for (c in passcode) rule.onNode(hasTestTag("key-$c")).performClick()
        rule.onNode(hasTestTag("open")).performClick()
        rule.waitForIdle()
    }

    private fun tap(matcher: SemanticsMatcher, what: String) {
        reach(matcher, what).performClick()
        taps++
        rule.waitForIdle()
    }

    private fun reach(matcher: SemanticsMatcher, what: String): SemanticsNodeInteraction {
        waits(what) { rule.onAllNodes(matcher).fetchSemanticsNodes().isNotEmpty() }
        val node = rule.onAllNodes(matcher).onFirst()
        if (inScroller(node)) node.performScrollTo()
        return node
    }

    private fun inScroller(node: SemanticsNodeInteraction): Boolean {
        var parent = node.fetchSemanticsNode().parent
        while (parent != null) {
            if (hasScrollAction().matches(parent)) return true
            parent = parent.parent
        }
        return false
    }

    private fun waits(what: String, until: () -> Boolean) {
        try {
            rule.waitUntil(PATIENCE_MS) { until() }
        } catch (_: androidx.compose.ui.test.ComposeTimeoutException) {
            val nodes = rule.onAllNodes(SemanticsMatcher("any") { true }).fetchSemanticsNodes()
            val seen = nodes.flatMap { n ->
                n.config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text } + n.config.getOrNull(SemanticsProperties.ContentDescription).orEmpty()
            }
            throw AssertionError("waited for $what; on the screen: ${seen.distinct()}")
        }
    }

    private companion object {
        const val PATIENCE_MS = 20_000L
    }
}
