package landfall.app

import landfall.core.GuardException
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** There is no keystore here: what can be seen is that the guard says so, and never answers with a key of its own. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = android.app.Application::class)
class KeystoreGuardTest {
    @Test
    fun `without a keystore there is no hardware key`() {
        assertThrows(GuardException.NoHardware::class.java) { KeystoreGuard().makeAlias() }
        assertThrows(GuardException::class.java) { KeystoreGuard().derive("k-00", 0u, ByteArray(32)) }
    }

    @Test
    fun `a name that it did not give is no key`() {
        assertThrows(GuardException.Gone::class.java) { KeystoreGuard().derive("other", 0u, ByteArray(32)) }
    }
}
