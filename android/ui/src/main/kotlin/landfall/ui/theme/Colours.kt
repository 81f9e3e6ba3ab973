package landfall.ui.theme

import androidx.compose.runtime.Immutable
import androidx.compose.ui.graphics.Color

/** The colour roles: a screen names a role, never a colour. Contrast is recomputed by a test. */
@Immutable
data class Colours(
    val paper: Color,
    val card: Color,
    val sunk: Color,
    val ink: Color,
    val inkSoft: Color,
    val line: Color,
    val edge: Color,
    val lead: Color,
    val onLead: Color,
    val leadSoft: Color,
    val onLeadSoft: Color,
    val urgent: Color,
    val onUrgent: Color,
    val urgentSoft: Color,
    val high: Color,
    val highSoft: Color,
    val medium: Color,
    val mediumSoft: Color,
    val ok: Color,
    val okSoft: Color,
    val focus: Color,
    val highContrast: Boolean,
    val dark: Boolean,
)

val Light = Colours(
    paper = Color(0xFFF4F3EE), card = Color(0xFFFFFFFF), sunk = Color(0xFFE7E5DC), ink = Color(0xFF17211F), inkSoft = Color(0xFF48544F),
    line = Color(0xFFD3D0C4), edge = Color(0xFF767F7A), lead = Color(0xFF0E4F4C), onLead = Color(0xFFFFFFFF), leadSoft = Color(0xFFCFE3DE),
    onLeadSoft = Color(0xFF0A3A38), urgent = Color(0xFF9C1F17), onUrgent = Color(0xFFFFFFFF), urgentSoft = Color(0xFFF9E0DB),
    high = Color(0xFF7A4300), highSoft = Color(0xFFF8E6C8), medium = Color(0xFF2B4C7E), mediumSoft = Color(0xFFDEE7F3), ok = Color(0xFF1C5E37),
    okSoft = Color(0xFFD8ECDE), focus = Color(0xFFB25E00), highContrast = false, dark = false,
)

val Dark = Colours(
    paper = Color(0xFF0D1413), card = Color(0xFF172120), sunk = Color(0xFF080D0C), ink = Color(0xFFE4EAE6), inkSoft = Color(0xFFA9B5B0),
    line = Color(0xFF2C3937), edge = Color(0xFF758581), lead = Color(0xFF8CCBC1), onLead = Color(0xFF06211F), leadSoft = Color(0xFF17423E),
    onLeadSoft = Color(0xFFD3EFE9), urgent = Color(0xFFFF9C8F), onUrgent = Color(0xFF3A0603), urgentSoft = Color(0xFF47180F),
    high = Color(0xFFF2BE6A), highSoft = Color(0xFF40290A), medium = Color(0xFFA7C4F0), mediumSoft = Color(0xFF1B2E4A), ok = Color(0xFF8FD0A4),
    okSoft = Color(0xFF15361F), focus = Color(0xFFFFB454), highContrast = false, dark = true,
)

val HighLight = Colours(
    paper = Color(0xFFFFFFFF), card = Color(0xFFFFFFFF), sunk = Color(0xFFF0F0EC), ink = Color(0xFF000000), inkSoft = Color(0xFF2B2B2B),
    line = Color(0xFF5A5A5A), edge = Color(0xFF1A1A1A), lead = Color(0xFF00302D), onLead = Color(0xFFFFFFFF), leadSoft = Color(0xFFD6F0EA),
    onLeadSoft = Color(0xFF001F1D), urgent = Color(0xFF7A0A04), onUrgent = Color(0xFFFFFFFF), urgentSoft = Color(0xFFFFE9E5),
    high = Color(0xFF542C00), highSoft = Color(0xFFFFF0D6), medium = Color(0xFF122F5C), mediumSoft = Color(0xFFE6EFFC), ok = Color(0xFF0A4220),
    okSoft = Color(0xFFE0F5E6), focus = Color(0xFF7A0A6A), highContrast = true, dark = false,
)

val HighDark = Colours(
    paper = Color(0xFF000000), card = Color(0xFF000000), sunk = Color(0xFF141414), ink = Color(0xFFFFFFFF), inkSoft = Color(0xFFDADADA),
    line = Color(0xFFA0A0A0), edge = Color(0xFFE0E0E0), lead = Color(0xFFA8F0E4), onLead = Color(0xFF000000), leadSoft = Color(0xFF0A3B36),
    onLeadSoft = Color(0xFFFFFFFF), urgent = Color(0xFFFFB9AF), onUrgent = Color(0xFF000000), urgentSoft = Color(0xFF4A100A),
    high = Color(0xFFFFD48A), highSoft = Color(0xFF3B2600), medium = Color(0xFFC2D9FF), mediumSoft = Color(0xFF10264A), ok = Color(0xFFA9EDBD),
    okSoft = Color(0xFF0B3318), focus = Color(0xFFFFE24D), highContrast = true, dark = true,
)
