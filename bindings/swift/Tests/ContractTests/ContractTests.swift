// The contract of tests/ffi/python/test_contract.py in Swift; the steps build on each other, in the order of their
// names. `cargo xtask test --only swift` generates the binding and runs it.
import FieldKit
import Foundation
import LandfallCore
import XCTest

private let lang = "en"
// 2026-03-09 12:00 UTC, four hours west: the border's own zone.
private let noon: Int64 = 1_773_057_600
private let sentinel = "CANARY-0042"
private let passcode = Data("40271893".utf8)
private let wrong = Data("11111111".utf8)

private struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// A stand-in for the hardware key: any keyed function will do here. It counts, and it can be made to fail.
private final class Guard: KeyGuard, @unchecked Sendable {
    var calls = 0
    var fails: (any Error)?
    private var aliases = 0

    func scope() throws -> GuardScope { .perDevice }

    func derive(alias: String, slot: UInt8, input: Data) throws -> Data {
        calls += 1
        if let fails { throw fails }
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Data("contract\(alias)\(slot)".utf8) + input {
            state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        var key = Data()
        for _ in 0..<4 {
            state = (state ^ (state >> 29)) &* 0xbf58_476d_1ce4_e5b9
            withUnsafeBytes(of: state.bigEndian) { key.append(contentsOf: $0) }
        }
        return key
    }

    func makeAlias() throws -> String {
        aliases += 1
        return "contract-\(aliases)"
    }

    func deleteAlias(alias: String) throws {}
}

/// A clock that the contract sets. While enrolment measures, it passes at each reading: the same costs everywhere.
private final class Clock: DeviceClock, @unchecked Sendable {
    private var wallS = noon
    private var elapsedMs: UInt64 = 60_000
    var stepMs: UInt64 = 0

    func read() -> DeviceTime {
        elapsedMs += stepMs
        return DeviceTime(wallS: wallS, tzMin: -240, elapsedMs: elapsedMs, boot: 7)
    }

    func advance(_ seconds: Int64) {
        wallS += seconds
        elapsedMs += UInt64(seconds) * 1000
    }
}

private final class Pings: Watcher, @unchecked Sendable {
    var count = 0
    func changed() { count += 1 }
}

extension DraftView {
    fileprivate func question(_ code: String) throws -> QuestionView {
        try XCTUnwrap(questions.first { $0.code == code })
    }
}

/// The first possible answer to a required question.
private func answerTo(_ question: QuestionView) throws -> AnswerValue {
    if let first = question.choices.first {
        return question.kind == "select_multiple" ? .codes(codes: [first.code]) : .code(code: first.code)
    }
    if question.kind == "integer" { return .integer(number: 0) }
    throw Failure(description: "no answer to \(question.code) of kind \(question.kind)")
}

final class ContractTests: XCTestCase {
    nonisolated(unsafe) private static var folder = ""
    nonisolated(unsafe) private static var practice: Practice!
    nonisolated(unsafe) private static var invitation = ""
    nonisolated(unsafe) private static var app: FieldApp?
    nonisolated(unsafe) private static var callsEach = 0
    nonisolated(unsafe) private static var draft = ""
    nonisolated(unsafe) private static var saved: SavedView!
    private static let keys = Guard()
    private static let clock = Clock()
    private static let pings = Pings()

    private var home: String { Self.folder + "/phone" }

    override class func setUp() {
        folder = NSTemporaryDirectory() + "/landfall-contract-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            practice = try Practice(home: folder + "/practice")
            invitation = try text(practice.start)
        } catch {
            fatalError("no practice process: \(error)")
        }
    }

    override class func tearDown() {
        practice.end()
        try? FileManager.default.removeItem(atPath: folder)
    }

    override func setUp() {
        continueAfterFailure = false
    }

    private static func text(_ answer: [String: Any]) throws -> String {
        try String(contentsOfFile: XCTUnwrap(answer["invitation"] as? String), encoding: .utf8)
    }

    private func unlock(_ code: Data = passcode) throws -> FieldApp {
        try FieldApp.unlock(home: home, passcode: code, guard: Self.keys, deviceClock: Self.clock)
    }

    private func open() throws -> FieldApp {
        if let app = Self.app, !app.isLocked() { return app }
        let app = try unlock()
        try app.setWatcher(who: Self.pings)
        Self.app = app
        return app
    }

    private func begin(_ home: String, _ text: String, _ code: Data = passcode) throws -> EnrolStep {
        Self.clock.stepMs = 600
        defer { Self.clock.stepMs = 0 }
        return try enrolBegin(
            home: home, invitationText: text, passcode: code, guard: Self.keys, deviceClock: Self.clock)
    }

    /// Runs a call that must throw, and answers what it threw.
    private func thrown(_ call: () throws -> Void) throws -> FieldError {
        do {
            try call()
        } catch let error as FieldError {
            return error
        }
        throw Failure(description: "nothing was thrown")
    }

    private func assertInvalid(_ question: String, _ rule: String, _ call: () throws -> Void) throws {
        XCTAssertEqual(try thrown(call), .Invalid(question: question, rule: rule))
    }

    func test01Enrol() throws {
        XCTAssertEqual(try deviceState(home: home), .fresh)
        try assertInvalid("invitation", "format") { _ = try begin(home, "no invitation") }
        try assertInvalid("passcode", "too_short") { _ = try begin(home, Self.invitation, Data("123".utf8)) }
        let step = try begin(home, Self.invitation)
        XCTAssertEqual(try deviceState(home: home), .wordsPending)
        XCTAssertEqual(try thrown { _ = try unlock() }, .NotFound)
        XCTAssertEqual(try thrown { _ = try Courier.open(home: home, deviceClock: Self.clock) }, .NotFound)
        let answer = try Self.practice.send("enrol_answer", ["reply": step.replyText])
        let words = try XCTUnwrap(answer["words"] as? [String])
        XCTAssertEqual(step.words.count, 6)
        XCTAssertEqual(step.words, words)
        XCTAssertFalse(step.organisation.isEmpty)
        _ = try Self.practice.send("enrol_confirm", ["words": words])
        try enrolConfirm(
            home: home, passcode: passcode, guard: Self.keys, deviceClock: Self.clock, comparison: .same)
        XCTAssertEqual(try deviceState(home: home), .enrolled)
        try assertInvalid("device", "already_enrolled") { _ = try begin(home, Self.invitation) }
    }

    func test02DifferentWordsErase() throws {
        let other = home + "-other"
        _ = try begin(other, Self.text(Self.practice.send("invite")))
        try enrolConfirm(
            home: other, passcode: Data(), guard: Self.keys, deviceClock: Self.clock, comparison: .different)
        XCTAssertEqual(try deviceState(home: other), .fresh)
    }

    func test03UnlockAsksTheHardwareKey() throws {
        let before = Self.keys.calls
        try unlock().lock()
        Self.callsEach = Self.keys.calls - before
        XCTAssertGreaterThanOrEqual(Self.callsEach, 4)
        try unlock().lock()
        XCTAssertEqual(Self.keys.calls - before, 2 * Self.callsEach)
    }

    func test04WrongPasscode() throws {
        for attempt in UInt32(1)...5 {
            let before = Self.keys.calls
            XCTAssertEqual(
                try thrown { _ = try unlock(wrong) },
                .WrongPasscode(attempts: attempt, waitSeconds: attempt == 5 ? 30 : 0, triesLeft: nil))
            XCTAssertEqual(Self.keys.calls - before, Self.callsEach)
        }
        let before = Self.keys.calls
        XCTAssertEqual(
            try thrown { _ = try unlock() }, .WrongPasscode(attempts: 5, waitSeconds: 30, triesLeft: nil))
        XCTAssertEqual(Self.keys.calls, before, "while the wait runs nothing is tried")
        Self.clock.advance(31)
        try unlock().lock()
    }

    func test05Draft() throws {
        let app = try open()
        let view = try app.startTally(lang: lang)
        Self.draft = view.id
        XCTAssertEqual(view.form.id, "arrival_tally")
        guard case .code = try view.question("A01").value else { return XCTFail("the point is filled in") }
        XCTAssertTrue(view.missing.contains("A05"))
        XCTAssertEqual(try app.home(lang: lang).drafts.map(\.id), [view.id])
    }

    func test06AnswerIsDurable() throws {
        var app = try open()
        let first = try XCTUnwrap(app.draft(id: Self.draft, lang: lang).question("A05").choices.first)
        let car = AnswerValue.code(code: first.code)
        let view = try app.answer(id: Self.draft, code: "A05", value: car, lang: lang)
        XCTAssertEqual(try view.question("A05").value, car)
        _ = try app.answer(id: Self.draft, code: "A06", value: .text(text: sentinel), lang: lang)
        let cell = try XCTUnwrap(
            view.questions.first { $0.relevant && ($0.code.hasPrefix("N_m_") || $0.code.hasPrefix("T_m_")) })
        let count = try app.count(id: Self.draft, cell: cell.code, by: 2)
        XCTAssertEqual([count.value, count.total], [2, 2])
        XCTAssertEqual(try app.count(id: Self.draft, cell: cell.code, by: -1).value, 1)
        try app.lock()
        app = try open()
        let again = try app.draft(id: Self.draft, lang: lang)
        XCTAssertEqual(try again.question("A05").value, car)
        XCTAssertEqual(again.totals?.people, 1)
    }

    func test07ViolationChangesNothing() throws {
        let app = try open()
        let before = try app.draft(id: Self.draft, lang: lang)
        for (code, value, rule) in [
            ("A06", AnswerValue.text(text: "a name!"), "constraint"),
            ("A05", AnswerValue.code(code: "rocket"), "unknown_choice"),
            ("X99", AnswerValue.integer(number: 1), "unknown_question"),
        ] {
            try assertInvalid(code, rule) {
                _ = try app.answer(id: Self.draft, code: code, value: value, lang: lang)
            }
        }
        guard case .Invalid = try thrown({ _ = try app.finishDraft(id: Self.draft, lang: lang) }) else {
            return XCTFail("an unfinished draft was saved")
        }
        XCTAssertEqual(try app.draft(id: Self.draft, lang: lang), before)
    }

    func test08Finish() throws {
        let app = try open()
        var view = try app.draft(id: Self.draft, lang: lang)
        while let code = view.missing.first {
            view = try app.answer(id: Self.draft, code: code, value: answerTo(view.question(code)), lang: lang)
        }
        let saved = try app.finishDraft(id: Self.draft, lang: lang)
        XCTAssertEqual(saved.outcome, .saved)
        XCTAssertEqual(saved.state, .saved)
        XCTAssertNotNil(saved.receiptCode.range(of: "^[0-9A-Z]{4}-[0-9A-Z]{4}$", options: .regularExpression))
        XCTAssertEqual(saved.entries.count, 1)
        let home = try app.home(lang: lang)
        XCTAssertTrue(home.drafts.isEmpty)
        XCTAssertEqual(home.counts.saved, 1)
        XCTAssertEqual(home.done.map(\.receiptCode), [saved.receiptCode])
        XCTAssertEqual(try thrown { _ = try app.draft(id: Self.draft, lang: lang) }, .NotFound)
        Self.saved = saved
    }

    func test09Locked() throws {
        let app = try open()
        try app.lock()
        XCTAssertTrue(app.isLocked())
        let calls: [() throws -> Void] = [
            { _ = try app.home(lang: lang) },
            { _ = try app.startTally(lang: lang) },
            { _ = try app.startInterview(eventId: nil, lang: lang) },
            { _ = try app.draft(id: Self.draft, lang: lang) },
            { _ = try app.count(id: Self.draft, cell: "N_m_adult", by: 1) },
            { _ = try app.finishDraft(id: Self.draft, lang: lang) },
            { _ = try app.record(id: Self.saved.recordId, lang: lang) },
            { _ = try app.records(lang: lang) },
        ]
        for call in calls { XCTAssertEqual(try thrown(call), .Locked) }
        for name in try FileManager.default.subpathsOfDirectory(atPath: home) {
            let bytes = FileManager.default.contents(atPath: home + "/" + name) ?? Data()
            XCTAssertNil(bytes.range(of: Data(sentinel.utf8)), name)
        }
    }

    func test10TheLockedPhoneSendsAndTakesItsReceipt() throws {
        XCTAssertEqual(Self.app?.isLocked(), true)
        let courier = try Courier.open(home: home, deviceClock: Self.clock)
        try courier.setWatcher(who: Self.pings)
        let pulled = CancelToken()
        pulled.cancel()
        XCTAssertEqual(try thrown { _ = try courier.runOnce(budgetMs: 20_000, cancel: pulled) }, .Cancelled)
        XCTAssertEqual(try courier.exportBundle(path: Self.folder + "/a.landfall"), 1)
        let before = Self.pings.count
        var report = try courier.runOnce(budgetMs: 20_000, cancel: CancelToken())
        XCTAssertEqual([report.handed, report.received, report.refused], [1, 0, 0])
        XCTAssertGreaterThan(Self.pings.count, before)
        XCTAssertEqual(try courier.counts().mailbox, 1)
        let row = try XCTUnwrap(courier.records().first)
        XCTAssertEqual(row.receiptCode, Self.saved.receiptCode)
        XCTAssertEqual(row.state, .mailbox)
        let desk = try Self.practice.send("round")
        XCTAssertEqual(desk["ingested"] as? Int, 1)
        XCTAssertEqual(desk["quarantined"] as? Int, 0)
        Self.clock.advance(3600)
        report = try courier.runOnce(budgetMs: 20_000, cancel: CancelToken())
        XCTAssertEqual(try courier.counts().received, 1)
        XCTAssertEqual(report.waiting, 0)
        let record = try open().record(id: Self.saved.recordId, lang: lang)
        XCTAssertTrue(record.state == .received || record.state == .backedUp)
    }

    func test11ErrorsAreToldApart() throws {
        let app = try open()
        XCTAssertEqual(try thrown { _ = try app.draft(id: String(repeating: "00", count: 16), lang: lang) }, .NotFound)
        XCTAssertEqual(try thrown { _ = try app.record(id: "no id", lang: lang) }, .NotFound)
        XCTAssertEqual(
            try thrown {
                _ = try FieldApp.unlock(
                    home: home + "-none", passcode: passcode, guard: Self.keys, deviceClock: Self.clock)
            }, .NotFound)
        try app.lock()
        defer { Self.keys.fails = nil }
        Self.keys.fails = GuardError.Gone
        guard case .Damaged = try thrown({ _ = try unlock() }) else { return XCTFail("a lost key") }
        Self.keys.fails = GuardError.Unavailable
        XCTAssertEqual(try thrown { _ = try unlock() }, .Busy)
        Self.keys.fails = GuardError.NoHardware
        guard case .Internal = try thrown({ _ = try unlock() }) else { return XCTFail("no hardware") }
        Self.keys.fails = Failure(description: sentinel)
        let error = try thrown { _ = try unlock() }
        XCTAssertEqual(error, .Busy)
        XCTAssertFalse("\(error)".contains(sentinel))
        Self.keys.fails = nil
        try unlock().lock()
    }

    func test12WatcherAndStream() async throws {
        let app = try open()
        let before = Self.pings.count
        let view = try app.startTally(lang: lang)
        XCTAssertEqual(Self.pings.count, before + 1)
        try app.lock()
        let kit = FieldKit(home: home, guardian: Self.keys, clock: Self.clock)
        do {
            _ = try await kit.home(lang: lang)
            XCTFail("a locked kit answered")
        } catch let error as FieldError {
            XCTAssertEqual(error, .Locked)
        }
        try await kit.unlock(passcode: passcode)
        try await kit.discardDraft(id: view.id)
        var changes = kit.changes.makeAsyncIterator()
        let ping: Void? = await changes.next()
        XCTAssertNotNil(ping)
        try await kit.lock()
        let courier = try CourierKit(home: home, clock: Self.clock)
        let counts = try await courier.counts()
        XCTAssertEqual(counts.received, 1)
    }

    func test13APanicStaysInside() throws {
        let error = try thrown { try contractPanic(word: sentinel) }
        XCTAssertEqual(error, .Internal(code: 900))
        XCTAssertFalse("\(error)".contains(sentinel))
        _ = try open().home(lang: lang)
    }
}
