package landfall.ui.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import landfall.ui.core.CoreError
import landfall.ui.core.CoreGateway
import landfall.ui.core.SavedView
import landfall.ui.words.Words
import java.time.OffsetDateTime

/** Where a person can be. Ids only: what is shown is asked from the core again, so that nothing outlives a lock. */
sealed class Place {
    data object Enrol : Place()
    data object Unlock : Place()
    data object Home : Place()
    data class TallyHeader(val draft: String?) : Place()
    data class Tally(val draft: String) : Place()
    data class Seen(val draft: String) : Place()
    data class Summary(val draft: String) : Place()
    data class InterviewStart(val eventId: String?) : Place()
    data class Rapid(val draft: String) : Place()
    data class Refused(val eventId: String?) : Place()
    data class Saved(val saved: SavedView, val interview: Boolean, val eventId: String?) : Place()
    data object Sending : Place()
    data class Error(val error: CoreError, val back: Place) : Place()
}

/** What a screen's model may ask of the app around it. */
interface Nav {
    val core: CoreGateway
    val lang: String
    val words: Words
    fun now(): OffsetDateTime
    fun go(place: Place)
    fun choose(lang: String)

    /** Where exported files go, or null where this shell has no place for them. */
    fun exportPath(): String?
}

/**
 * The life of one screen. What a person did is told to the core in the order in which it was done, and all of it, also when another
 * screen has taken this one's place meanwhile; only what listens ends with the screen.
 */
abstract class ScreenModel(nav: Nav, private val app: CoroutineScope, private val place: Place) {
    private val job = Job(app.coroutineContext[Job])
    private val turn = Mutex()
    private var closed = false

    /** For what only listens or waits. */
    protected val scope = CoroutineScope(app.coroutineContext + job)

    /** A screen that was left leads nowhere any more. */
    protected val nav: Nav = object : Nav by nav {
        override fun go(place: Place) {
            if (!closed) nav.go(place)
        }
    }

    open fun back() = nav.go(Place.Home)

    fun close() {
        closed = true
        job.cancel()
    }

    /** Returns when everything that was asked so far has been answered. */
    suspend fun settle() = turn.withLock {}

    /** Asks the core; what it refuses is shown where [onError] says, else as a screen with a way on. */
    protected fun ask(onError: (CoreError) -> Boolean = { false }, block: suspend () -> Unit) {
        app.launch {
            turn.withLock {
                try {
                    block()
                } catch (e: CoreError) {
                    if (!closed && !onError(e)) nav.go(if (e is CoreError.Locked) Place.Unlock else Place.Error(e, place))
                }
            }
        }
    }
}
