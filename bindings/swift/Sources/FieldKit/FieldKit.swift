// The core as SwiftUI asks it: calls that block run on an actor of their own, never on the main thread. It decides
// nothing and keeps nothing but the handle of the open app.
import Foundation
import LandfallCore

/// Is told that something changed; hands it on as a stream of pings. Ask again at each.
final class Pings: Watcher, @unchecked Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        // One waiting ping says as much as ten.
        (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func changed() {
        continuation.yield()
    }
}

/// One device: its home, its hardware key, and the app while it is open.
public actor FieldKit {
    private let home: String
    private let guardian: KeyGuard
    private let clock: DeviceClock?
    private let pings = Pings()
    private var app: FieldApp?

    /// Names the home directory and the hardware key. Without a clock the core reads the system's.
    public init(home: String, guardian: KeyGuard, clock: DeviceClock? = nil) {
        self.home = home
        self.guardian = guardian
        self.clock = clock
    }

    /// Something changed; the value says nothing, ask again.
    public nonisolated var changes: AsyncStream<Void> { pings.stream }

    public func deviceState() throws -> DeviceState {
        try LandfallCore.deviceState(home: home)
    }

    public func enrolBegin(invitation: String, passcode: Data) throws -> EnrolStep {
        try LandfallCore.enrolBegin(
            home: home, invitationText: invitation, passcode: passcode, guard: guardian, deviceClock: clock)
    }

    public func enrolConfirm(passcode: Data, comparison: Comparison) throws {
        try LandfallCore.enrolConfirm(
            home: home, passcode: passcode, guard: guardian, deviceClock: clock, comparison: comparison)
    }

    public func unlock(passcode: Data) throws {
        let opened = try FieldApp.unlock(home: home, passcode: passcode, guard: guardian, deviceClock: clock)
        try opened.setWatcher(who: pings)
        try app?.lock()
        app = opened
    }

    /// Drops the key. Every later call answers `FieldError.Locked`.
    public func lock() throws {
        let open = app
        app = nil
        try open?.lock()
    }

    private func open() throws -> FieldApp {
        guard let app else { throw FieldError.Locked }
        return app
    }

    public func home(lang: String) throws -> HomeView { try open().home(lang: lang) }
    public func startTally(lang: String) throws -> DraftView { try open().startTally(lang: lang) }
    public func startCount(eventId: String, lang: String) throws -> DraftView {
        try open().startCount(eventId: eventId, lang: lang)
    }
    public func startInterview(eventId: String?, lang: String) throws -> DraftView {
        try open().startInterview(eventId: eventId, lang: lang)
    }
    public func draft(id: String, lang: String) throws -> DraftView { try open().draft(id: id, lang: lang) }
    public func answer(id: String, code: String, value: AnswerValue, lang: String) throws -> DraftView {
        try open().answer(id: id, code: code, value: value, lang: lang)
    }
    public func skip(id: String, code: String, lang: String) throws -> DraftView {
        try open().skip(id: id, code: code, lang: lang)
    }
    public func clear(id: String, code: String, lang: String) throws -> DraftView {
        try open().clear(id: id, code: code, lang: lang)
    }
    public func count(id: String, cell: String, by: Int32) throws -> CountView {
        try open().count(id: id, cell: cell, by: by)
    }
    public func discardDraft(id: String) throws { try open().discardDraft(id: id) }
    public func finishDraft(id: String, lang: String) throws -> SavedView {
        try open().finishDraft(id: id, lang: lang)
    }
    public func record(id: String, lang: String) throws -> RecordRow { try open().record(id: id, lang: lang) }
    public func records(lang: String) throws -> [RecordRow] { try open().records(lang: lang) }
}

/// Carries what waits to be sent, also while the app is locked: for BGTask and for the app coming to the front.
public actor CourierKit {
    private let courier: Courier
    private let cancel = CancelToken()

    /// Opens what waits in a home.
    public init(home: String, clock: DeviceClock? = nil) throws {
        courier = try Courier.open(home: home, deviceClock: clock)
    }

    /// Stops the run at its next step; to be called when the system takes the time back.
    public nonisolated func stop() { cancel.cancel() }

    /// Because a person asks, or the network came back.
    public func runOnce(budgetMs: UInt32) throws -> CourierReport {
        try courier.runOnce(budgetMs: budgetMs, cancel: cancel)
    }

    /// For a task of the system: only what is due by the schedule.
    public func runDue(budgetMs: UInt32) throws -> CourierReport {
        try courier.runDue(budgetMs: budgetMs, cancel: cancel)
    }

    public func retryRefused() throws -> UInt32 { try courier.retryRefused() }

    public func counts() throws -> Counts { try courier.counts() }
    public func records() throws -> [CourierRow] { try courier.records() }
    public func exportBundle(path: String) throws -> UInt32 { try courier.exportBundle(path: path) }
    public func importBundle(path: String) throws -> CourierReport { try courier.importBundle(path: path) }
}
