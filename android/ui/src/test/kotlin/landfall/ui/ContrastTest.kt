package landfall.ui

import androidx.compose.ui.graphics.Color
import landfall.ui.theme.Colours
import landfall.ui.theme.Dark
import landfall.ui.theme.HighDark
import landfall.ui.theme.HighLight
import landfall.ui.theme.Light
import org.junit.Assert.assertEquals
import org.junit.Test
import kotlin.math.pow

/** The contrast of every pair that is used, computed from the theme itself. */
class ContrastTest {
    private fun part(c: Float) = if (c <= 0.04045f) c / 12.92 else ((c + 0.055) / 1.055).pow(2.4)

    private fun luminance(c: Color) = 0.2126 * part(c.red) + 0.7152 * part(c.green) + 0.0722 * part(c.blue)

    private fun contrast(a: Color, b: Color): Double {
        val (x, y) = listOf(luminance(a), luminance(b)).sortedDescending()
        return (x + 0.05) / (y + 0.05)
    }

    private fun text(c: Colours) = mapOf(
        "ink on paper" to (c.ink to c.paper), "ink on card" to (c.ink to c.card), "ink on sunk" to (c.ink to c.sunk),
        "inkSoft on paper" to (c.inkSoft to c.paper), "inkSoft on card" to (c.inkSoft to c.card), "inkSoft on sunk" to (c.inkSoft to c.sunk),
        "lead on paper" to (c.lead to c.paper), "lead on card" to (c.lead to c.card), "lead on leadSoft" to (c.lead to c.leadSoft), "onLead on lead" to (c.onLead to c.lead),
        "onLeadSoft on leadSoft" to (c.onLeadSoft to c.leadSoft), "ink on leadSoft" to (c.ink to c.leadSoft),
        "urgent on paper" to (c.urgent to c.paper), "urgent on card" to (c.urgent to c.card), "urgent on urgentSoft" to (c.urgent to c.urgentSoft),
        "onUrgent on urgent" to (c.onUrgent to c.urgent), "ink on urgentSoft" to (c.ink to c.urgentSoft),
        "high on card" to (c.high to c.card), "high on highSoft" to (c.high to c.highSoft), "ink on highSoft" to (c.ink to c.highSoft),
        "medium on card" to (c.medium to c.card), "medium on mediumSoft" to (c.medium to c.mediumSoft), "ink on mediumSoft" to (c.ink to c.mediumSoft),
        "ok on card" to (c.ok to c.card), "ok on okSoft" to (c.ok to c.okSoft), "ink on okSoft" to (c.ink to c.okSoft), "paper on ink" to (c.paper to c.ink),
    )

    private fun graphic(c: Colours) = mapOf(
        "edge on paper" to (c.edge to c.paper), "edge on card" to (c.edge to c.card), "edge on sunk" to (c.edge to c.sunk),
        "focus on paper" to (c.focus to c.paper), "focus on card" to (c.focus to c.card), "focus on sunk" to (c.focus to c.sunk),
    )

    @Test
    fun `every pair can be read in every theme`() {
        for ((name, c) in mapOf("light" to Light, "dark" to Dark, "high light" to HighLight, "high dark" to HighDark)) {
            val text = if (c.highContrast) 7.0 else 4.5
            val graphic = if (c.highContrast) 7.0 else 3.0
            val low = text(c).filter { contrast(it.value.first, it.value.second) < text } + graphic(c).filter { contrast(it.value.first, it.value.second) < graphic }
            assertEquals(name, emptySet<String>(), low.keys)
        }
    }

    @Test
    fun `the table of the design is what the theme gives`() {
        fun cut(pair: Pair<Color, Color>) = (contrast(pair.first, pair.second) * 10).toInt() / 10.0
        assertEquals(listOf(14.8, 15.2, 21.0, 21.0), listOf(Light, Dark, HighLight, HighDark).map { cut(it.ink to it.paper) })
        assertEquals(listOf(9.3, 9.1, 14.3, 16.2), listOf(Light, Dark, HighLight, HighDark).map { cut(it.onLead to it.lead) })
        assertEquals(listOf(3.7, 4.8, 17.4, 15.9), listOf(Light, Dark, HighLight, HighDark).map { cut(it.edge to it.paper) })
        assertEquals(listOf(6.2, 7.4, 10.1, 10.3), listOf(Light, Dark, HighLight, HighDark).map { cut(it.ok to it.okSoft) })
    }
}
