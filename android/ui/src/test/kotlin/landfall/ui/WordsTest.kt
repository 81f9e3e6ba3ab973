package landfall.ui

import landfall.ui.words.Csv
import landfall.ui.words.Words
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** The string tables: nothing missing, nothing too long, nothing that says more than is true. */
class WordsTest {
    private data class Row(val key: String, val plural: String, val text: String, val budget: Int, val status: String)

    private fun table(lang: String) = Csv.read(File("../../strings/$lang.csv").readText()).drop(1).map { Row(it[0], it[1], it[2], it[3].toInt(), it[4]) }

    private val languages = Words.shipped.map { it.first }
    private val en = table("en")

    @Test
    fun `every key stands in every language with the plural forms of that language`() {
        for (lang in languages) {
            val rows = table(lang)
            assertEquals(lang, en.map { it.key }.toSet(), rows.map { it.key }.toSet())
            for ((key, forms) in rows.groupBy { it.key }) {
                val plain = en.first { it.key == key }.plural.isEmpty()
                val wanted = if (plain) setOf("") else (0..200).map { Words.category(lang, it) }.toSet()
                assertEquals("$lang $key", wanted, forms.map { it.plural }.toSet())
                assertEquals("$lang $key twice", forms.size, forms.distinctBy { it.plural }.size)
            }
        }
    }

    @Test
    fun `no text is longer than its budget`() {
        for (lang in languages) assertEquals(lang, emptyList<String>(), table(lang).filter { it.text.length > it.budget || it.text.isBlank() }.map { "${it.key} ${it.text.length} > ${it.budget}" })
    }

    @Test
    fun `placeholders are the same in every language`() {
        fun holes(text: String) = Regex("\\{[a-z]+}").findAll(text).map { it.value }.toSet()
        for (lang in languages) for ((key, forms) in table(lang).groupBy { it.key }) {
            val wanted = en.filter { it.key == key }.flatMap { holes(it.text) }.toSet()
            for (form in forms) {
                val optional = if (form.plural in setOf("zero", "one", "two")) setOf("{n}") else emptySet()
                assertTrue("$lang $key ${form.plural}", wanted - holes(form.text) - optional == emptySet<String>() && (holes(form.text) - wanted).isEmpty())
            }
        }
    }

    @Test
    fun `no word promises more than is true`() {
        val forbidden = Regex("\\b(sent|safe|secure|anonymous|guaranteed|successful|submit|sync|upload|encrypt|server|vault|please|sorry|oops|illegal|victim)\\b|100 ?%|!", RegexOption.IGNORE_CASE)
        assertEquals(emptyList<String>(), en.filter { forbidden.containsMatchIn(it.text) }.map { it.key })
        val ar = Regex("آمن|مضمون|مجهول الهوية|!")
        assertEquals(emptyList<String>(), table("ar").filter { ar.containsMatchIn(it.text) }.map { it.key })
    }

    @Test
    fun `titles tell nothing to somebody who looks over a shoulder`() {
        val forbidden = Regex("return|deport|expel|migrant|asylum|refugee|border|monitor|human right|police|incident|complaint|desk", RegexOption.IGNORE_CASE)
        val titles = en.filter { it.key.endsWith("_title") && !it.key.startsWith("error_") && !it.key.startsWith("enrol_") }
        assertTrue(titles.size > 8)
        assertEquals(emptyList<String>(), titles.filter { forbidden.containsMatchIn(it.text) }.map { it.key })
    }

    @Test
    fun `a language that nobody has reviewed says so`() {
        assertTrue(table("ar").all { it.status == "draft" })
    }

    @Test
    fun `every key that the screens name exists, and no key is left over`() {
        val code = File("src/main/kotlin").walk().filter { it.extension == "kt" }.joinToString("\n") { it.readText() }
        val named = Regex("\"([a-z]+(?:_[a-z0-9]+)*)\"").findAll(code).map { it.groupValues[1] }.toSet()
        val built = Regex("\"([a-z_]*)\\$\\{?[a-z.]+}?([a-z_]*)\"").findAll(code).map { Regex(Regex.escape(it.groupValues[1]) + "[a-z0-9_]+" + Regex.escape(it.groupValues[2])) }.toList()
        val keys = en.map { it.key }.toSet()
        assertEquals(emptySet<String>(), keys.filter { key -> key !in named && built.none { it.matches(key) } }.toSet())
        val called = Regex("words(?:\\.count)?\\(\"([a-z_0-9]+)\"").findAll(code).map { it.groupValues[1] }.toSet()
        assertEquals(emptySet<String>(), called - keys)
    }

    @Test
    fun `figures follow the language`() {
        assertEquals("١١٥", Words.of("ar").number(115))
        assertEquals("115", Words.of("ar").plainDigits("١١٥"))
        assertEquals("شخصان", Words.of("ar").count("people", 2))
        assertEquals("1 person", Words.of("en").count("people", 1))
        assertEquals("2 people", Words.of("en").count("people", 2))
    }
}
