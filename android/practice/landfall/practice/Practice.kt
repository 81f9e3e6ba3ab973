package landfall.practice

import landfall.core.Comparison
import landfall.core.CoreGateway
import landfall.core.GuardScope
import landfall.core.KeyGuard
import java.io.BufferedReader
import java.io.BufferedWriter
import java.io.Closeable
import java.io.File
import java.security.SecureRandom
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec

/**
 * A stand-in for the phone's keystore on a computer: the keys lie in files beside the device's home, so they protect nothing here.
 * For practice and tests only.
 */
class FileGuard(private val dir: File) : KeyGuard {
    override fun scope(): GuardScope = GuardScope.PER_DEVICE

    override fun makeAlias(): String {
        dir.mkdirs()
        val alias = hex(bytes(ALIAS))
        File(dir, alias).writeBytes(bytes(KEY))
        return alias
    }

    override fun derive(alias: String, slot: UByte, input: ByteArray): ByteArray {
        val file = File(dir, alias)
        if (!alias.all { it in '0'..'9' || it in 'a'..'f' } || !file.isFile) throw landfall.core.GuardException.Gone()
        val mac = Mac.getInstance("HmacSHA256")
        mac.init(SecretKeySpec(file.readBytes(), "HmacSHA256"))
        mac.update(slot.toByte())
        return mac.doFinal(input)
    }

    override fun deleteAlias(alias: String) {
        if (alias.all { it in '0'..'9' || it in 'a'..'f' }) File(dir, alias).delete()
    }

    private fun bytes(n: Int) = ByteArray(n).also { SecureRandom().nextBytes(it) }

    private fun hex(bytes: ByteArray) = bytes.joinToString("") { "%02x".format(it) }

    private companion object {
        const val ALIAS = 8
        const val KEY = 32
    }
}

/**
 * A practice organisation: a process with a hub on loopback and a desk of its own. What is recorded here can reach no other desk.
 * `root` holds the device's home, the stand-in keys and the organisation, each in a folder of its own.
 */
class Practice(program: File, private val root: File) : Closeable {
    private val process: Process
    private val out: BufferedReader
    private val input: BufferedWriter
    private val invitation: File

    init {
        val home = File(root, "organisation").apply { mkdirs() }
        process = ProcessBuilder(program.path, "--home", home.path).redirectError(ProcessBuilder.Redirect.appendTo(File(root, "organisation.log"))).start()
        out = process.inputStream.bufferedReader()
        input = process.outputStream.bufferedWriter()
        val first = checkNotNull(out.readLine()) { "the practice organisation did not start; see ${File(root, "organisation.log")}" }
        invitation = File(Line.text(first, "invitation") ?: error(first))
    }

    val device: File get() = File(root, "device").apply { mkdirs() }

    fun gateway(): CoreGateway = CoreGateway(device.path, FileGuard(File(root, "keys")), null)

    fun invitationText(): String = invitation.readText()

    /** What the desk's side does with the reply: answers with the six words that it reads. */
    fun answer(reply: String): List<String> = Line.list(ask("""{"do":"enrol_answer","reply":${Line.quote(reply)}}"""), "words")

    fun confirm(words: List<String>): String = ask("""{"do":"enrol_confirm","words":[${words.joinToString(",") { Line.quote(it) }}]}""")

    /** The desk pulls, reads, makes a copy, and answers with receipts. */
    fun round(): String = ask("""{"do":"round"}""")

    /** Enrols this home without screens. */
    suspend fun enrol(core: CoreGateway, passcode: String) {
        val step = core.enrolBegin(invitationText(), passcode.encodeToByteArray())
        val words = answer(step.replyText)
        check(words == step.words) { "the six words differ" }
        confirm(words)
        core.enrolConfirm(passcode.encodeToByteArray(), Comparison.SAME)
    }

    @Synchronized
    private fun ask(line: String): String {
        input.write(line + "\n")
        input.flush()
        val answer = checkNotNull(out.readLine()) { "the practice organisation ended" }
        Line.text(answer, "error")?.let { error("practice: $it") }
        return answer
    }

    override fun close() {
        input.close()
        process.waitFor()
    }
}

/** The little JSON that the practice process speaks, one flat object a line. */
internal object Line {
    fun quote(text: String): String = buildString {
        append('"')
        for (c in text) when (c) {
            '"' -> append("\\\"")
            '\\' -> append("\\\\")
            '\n' -> append("\\n")
            '\r' -> append("\\r")
            '\t' -> append("\\t")
            else -> append(c)
        }
        append('"')
    }

    fun text(line: String, key: String): String? = Regex("\"$key\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"").find(line)?.groupValues?.get(1)?.replace("\\\"", "\"")?.replace("\\/", "/")?.replace("\\\\", "\\")

    fun list(line: String, key: String): List<String> =
        Regex("\"$key\"\\s*:\\s*\\[([^\\]]*)]").find(line)?.groupValues?.get(1).orEmpty().split(',').map { it.trim().trim('"') }.filter { it.isNotEmpty() }
}
