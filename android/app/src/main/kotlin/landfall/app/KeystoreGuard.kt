package landfall.app

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import landfall.core.GuardException
import landfall.core.GuardScope
import landfall.core.KeyGuard
import java.security.GeneralSecurityException
import java.security.InvalidKeyException
import java.security.KeyStore
import java.security.ProviderException
import java.security.SecureRandom
import java.security.UnrecoverableKeyException
import javax.crypto.KeyGenerator
import javax.crypto.Mac
import javax.crypto.SecretKey

/**
 * The phone's hardware key: an HMAC-SHA-256 key that never leaves the keystore, in StrongBox where there is one. It is not bound to
 * the screen lock, because the courier and the unlock screen need no second lock. Holds no key, no passcode, no answer.
 */
class KeystoreGuard : KeyGuard {
    override fun scope(): GuardScope = GuardScope.PER_DEVICE

    override fun makeAlias(): String {
        val alias = PREFIX + ByteArray(ALIAS_BYTES).also { SecureRandom().nextBytes(it) }.joinToString("") { "%02x".format(it) }
        try {
            try {
                make(alias, strongBox = true)
            } catch (_: StrongBoxUnavailableException) {
                make(alias, strongBox = false)
            }
        } catch (_: GeneralSecurityException) {
            throw GuardException.NoHardware()
        } catch (_: ProviderException) {
            throw GuardException.NoHardware()
        }
        return alias
    }

    private fun make(alias: String, strongBox: Boolean) {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_SIGN)
            .setKeySize(KEY_BITS)
            .setDigests(KeyProperties.DIGEST_SHA256)
            .setUserAuthenticationRequired(false)
            .apply { if (strongBox) setIsStrongBoxBacked(true) }
            .build()
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_HMAC_SHA256, STORE).apply { init(spec) }.generateKey()
    }

    override fun derive(alias: String, slot: UByte, input: ByteArray): ByteArray {
        if (!alias.startsWith(PREFIX)) throw GuardException.Gone()
        try {
            val key = store().getKey(alias, null) as? SecretKey ?: throw GuardException.Gone()
            return Mac.getInstance(KeyProperties.KEY_ALGORITHM_HMAC_SHA256).run {
                init(key)
                doFinal(input)
            }
        } catch (_: KeyPermanentlyInvalidatedException) {
            throw GuardException.Gone()
        } catch (_: UnrecoverableKeyException) {
            throw GuardException.Gone()
        } catch (_: InvalidKeyException) {
            throw GuardException.Unavailable()
        } catch (_: GeneralSecurityException) {
            throw GuardException.Unavailable()
        } catch (_: ProviderException) {
            throw GuardException.Unavailable()
        }
    }

    override fun deleteAlias(alias: String) {
        if (!alias.startsWith(PREFIX)) return
        try {
            store().deleteEntry(alias)
        } catch (_: GeneralSecurityException) {
            throw GuardException.Unavailable()
        }
    }

    private fun store() = KeyStore.getInstance(STORE).apply { load(null) }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val PREFIX = "k-"
        const val ALIAS_BYTES = 8
        const val KEY_BITS = 256
    }
}
