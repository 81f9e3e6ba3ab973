package landfall.contract

import java.io.File

/** The practice process: it holds a real hub and a real desk: one JSON object a line. */
class Practice(
    home: File,
) {
    private val process =
        ProcessBuilder(System.getProperty("landfall.practice"), "--home", home.path)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
    private val input = process.outputStream.bufferedWriter()
    private val output = process.inputStream.bufferedReader()

    val start: String = answer()

    private fun answer(): String {
        val line = output.readLine() ?: throw AssertionError("the practice process has ended")
        if (line.contains("\"error\"")) throw AssertionError(line)
        return line
    }

    fun send(
        what: String,
        vararg fields: Pair<String, String>,
    ): String {
        val rest = fields.joinToString("") { (name, value) -> ",\"$name\":$value" }
        input.write("{\"do\":\"$what\"$rest}\n")
        input.flush()
        return answer()
    }

    fun end() {
        input.close()
        process.waitFor()
    }
}

/** The practice process answers with flat objects of texts, numbers and lists of texts: three patterns read them. */
object Json {
    fun text(value: String): String =
        value.fold(StringBuilder("\"")) { line, c ->
            when (c) {
                '"' -> line.append("\\\"")
                '\\' -> line.append("\\\\")
                '\n' -> line.append("\\n")
                '\r' -> line.append("\\r")
                '\t' -> line.append("\\t")
                else -> line.append(c)
            }
        }.append('"').toString()

    fun texts(values: List<String>): String = values.joinToString(",", "[", "]") { text(it) }

    fun textOf(
        line: String,
        name: String,
    ): String = Regex("\"$name\":\"([^\"\\\\]*)\"").find(line)!!.groupValues[1]

    fun textsOf(
        line: String,
        name: String,
    ): List<String> =
        Regex("\"([^\"\\\\]*)\"").findAll(Regex("\"$name\":\\[([^]]*)]").find(line)!!.groupValues[1]).map { it.groupValues[1] }.toList()

    fun numberOf(
        line: String,
        name: String,
    ): Int = Regex("\"$name\":(\\d+)").find(line)!!.groupValues[1].toInt()
}
