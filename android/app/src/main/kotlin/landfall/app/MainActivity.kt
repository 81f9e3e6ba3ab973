package landfall.app

import android.os.Bundle
import android.provider.Settings
import android.view.WindowManager
import androidx.activity.ComponentActivity
import androidx.activity.OnBackPressedCallback
import androidx.activity.compose.setContent
import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.runtime.remember
import androidx.compose.ui.text.font.Font
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.lifecycle.lifecycleScope
import kotlinx.coroutines.launch
import landfall.ui.AppView
import landfall.ui.theme.Fonts

/**
 * The one window of the app. No picture of it may leave the phone: not as a screenshot, not in the list of recent apps. When it goes
 * out of sight, by Leave, by another app or by the screen going dark, the vault is locked.
 */
class MainActivity : ComponentActivity() {
    private val app get() = application as LandfallApp

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        window.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
        setRecentsScreenshotEnabledWhereKnown()
        app.outOfSight = { finishAndRemoveTask() }
        onBackPressedDispatcher.addCallback(this, object : OnBackPressedCallback(true) {
            override fun handleOnBackPressed() = app.screens.back()
        })
        setContent {
            val fonts = remember { Fonts(family("NotoSans"), family("Vazirmatn")) }
            AppView(app.screens, isSystemInDarkTheme(), highContrast(), reducedMotion(), fonts)
        }
    }

    private fun setRecentsScreenshotEnabledWhereKnown() {
        if (android.os.Build.VERSION.SDK_INT >= android.os.Build.VERSION_CODES.TIRAMISU) setRecentsScreenshotEnabled(false)
    }

    override fun onStop() {
        super.onStop()
        if (!isChangingConfigurations) app.screens.run { lifecycleScope.launch { lock() } }
    }

    override fun onDestroy() {
        app.outOfSight = {}
        super.onDestroy()
    }

    private fun highContrast() = Settings.Secure.getInt(contentResolver, "high_text_contrast_enabled", 0) == 1

    private fun reducedMotion() = Settings.Global.getFloat(contentResolver, Settings.Global.ANIMATOR_DURATION_SCALE, 1f) == 0f

    private fun family(name: String) = FontFamily(
        Font("faces/$name-Regular.ttf", assets, FontWeight.Normal),
        Font("faces/$name-Bold.ttf", assets, FontWeight.Bold),
    )
}
