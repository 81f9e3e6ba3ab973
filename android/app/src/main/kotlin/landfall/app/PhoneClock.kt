package landfall.app

import android.content.ContentResolver
import android.os.SystemClock
import android.provider.Settings
import landfall.core.DeviceClock
import landfall.core.DeviceTime
import java.util.TimeZone

/** The phone's clocks: Android hides the files about start and uptime from apps, so the shell tells them to the core. */
class PhoneClock(private val resolver: ContentResolver) : DeviceClock {
    override fun read(): DeviceTime {
        val now = System.currentTimeMillis()
        val zone = TimeZone.getDefault().getOffset(now) / MINUTE_MS
        val boot = Settings.Global.getInt(resolver, Settings.Global.BOOT_COUNT, 0)
        return DeviceTime(Math.floorDiv(now, SECOND_MS), zone.toShort(), SystemClock.elapsedRealtime().toULong(), boot.toULong())
    }

    private companion object {
        const val SECOND_MS = 1000L
        const val MINUTE_MS = 60_000
    }
}
