package landfall.ui.words

import java.time.OffsetDateTime
import java.time.format.DateTimeFormatter
import java.util.Locale

/**
 * The words of the app in one language, read from `strings/<lang>.csv`. Words of questions and choices are not here: they come
 * with the form. Numbers enter only through placeholders, in the digits of the language.
 */
class Words private constructor(val lang: String, private val table: Map<String, Map<String, String>>) {
    val rightToLeft: Boolean = lang in RIGHT_TO_LEFT
    private val locale: Locale = Locale.forLanguageTag(lang)

    /** A text without a number that decides its form. */
    operator fun invoke(key: String, vararg args: Pair<String, Any>): String = fill(text(key, ""), args)

    /** A text whose form follows [n], which also fills `{n}`. */
    fun count(key: String, n: Int, vararg args: Pair<String, Any>): String {
        val forms = checkNotNull(table[key]) { "no words for $key in $lang" }
        val text = forms[category(lang, n)] ?: checkNotNull(forms["other"]) { "no plural of $key in $lang" }
        return fill(text, arrayOf("n" to n, *args))
    }

    fun has(key: String): Boolean = key in table

    private fun text(key: String, plural: String): String = checkNotNull(table[key]?.get(plural)) { "no words for $key in $lang" }

    private fun fill(text: String, args: Array<out Pair<String, Any>>): String {
        var out = text
        for ((name, value) in args) out = out.replace("{$name}", if (value is Number) number(value.toLong()) else value.toString())
        return out
    }

    /** A whole number in the digits of the language. */
    fun number(value: Long): String = digits(value.toString())

    fun number(value: Int): String = number(value.toLong())

    /** The same text with the digits of the language. */
    fun digits(text: String): String {
        val zero = ZEROES[lang] ?: return text
        return buildString(text.length) { for (c in text) append(if (c in '0'..'9') zero + (c - '0') else c) }
    }

    /** Digits back to 0–9, for what a person typed. */
    fun plainDigits(text: String): String = buildString(text.length) { for (c in text) append(if (c.isDigit()) '0' + Character.digit(c, 10) else c) }

    /** `14:20`, never mirrored. */
    fun time(at: OffsetDateTime): String = isolate(digits("%02d:%02d".format(Locale.ROOT, at.hour, at.minute)))

    /** `Sun 22 Nov` in the way of the language. */
    fun day(at: OffsetDateTime): String = digits(DateTimeFormatter.ofPattern(invoke("format_day"), locale).format(at))

    /** Times, signed numbers and codes keep their order inside right-to-left text. */
    fun isolate(text: String): String = if (rightToLeft) "\u2066$text\u2069" else text

    companion object {
        private val RIGHT_TO_LEFT = setOf("ar", "prs", "ps", "ur", "fa")
        private val ZEROES = mapOf("ar" to '٠', "prs" to '۰', "ps" to '۰')

        /** The languages of which this build has the words, each by its own name. */
        val shipped: List<Pair<String, String>> = listOf("en" to "English", "ar" to "العربية")
        private val loaded = mutableMapOf<String, Words>()

        @Synchronized
        fun of(lang: String): Words = loaded.getOrPut(lang) { read(lang) }

        private fun read(lang: String): Words {
            val stream = checkNotNull(Words::class.java.getResourceAsStream("/strings/$lang.csv")) { "no strings for $lang" }
            val table = mutableMapOf<String, MutableMap<String, String>>()
            for (row in Csv.read(stream.reader(Charsets.UTF_8).use { it.readText() }).drop(1)) {
                table.getOrPut(row[0]) { mutableMapOf() }[row[1]] = row[2]
            }
            return Words(lang, table)
        }

        /** The plural category of the Unicode rules for the languages that are shipped. */
        fun category(lang: String, n: Int): String = when (lang) {
            "ar" -> when {
                n == 0 -> "zero"
                n == 1 -> "one"
                n == 2 -> "two"
                n % 100 in 3..10 -> "few"
                n % 100 in 11..99 -> "many"
                else -> "other"
            }
            else -> if (n == 1) "one" else "other"
        }
    }
}

/** RFC 4180, no more: quotes, doubled quotes, commas and line ends inside quotes. */
object Csv {
    fun read(text: String): List<List<String>> {
        val rows = mutableListOf<List<String>>()
        var row = mutableListOf<String>()
        val field = StringBuilder()
        var quoted = false
        var i = 0
        while (i < text.length) {
            val c = text[i]
            when {
                quoted && c == '"' && text.getOrNull(i + 1) == '"' -> { field.append('"'); i++ }
                c == '"' -> quoted = !quoted
                !quoted && c == ',' -> { row.add(field.toString()); field.clear() }
                !quoted && c == '\n' -> { row.add(field.toString()); field.clear(); rows.add(row); row = mutableListOf() }
                !quoted && c == '\r' -> Unit
                else -> field.append(c)
            }
            i++
        }
        if (field.isNotEmpty() || row.isNotEmpty()) { row.add(field.toString()); rows.add(row) }
        return rows.filter { it.size > 1 }
    }
}
