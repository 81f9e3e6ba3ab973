import Foundation

/// The practice process: it holds a real hub and a real desk: one JSON object a line.
final class Practice {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var waiting = Data()
    private(set) var start: [String: Any] = [:]

    init(home: String) throws {
        let path = ProcessInfo.processInfo.environment["LANDFALL_PRACTICE"] ?? "landfall-practice"
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["--home", home]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        start = try answer()
    }

    private func answer() throws -> [String: Any] {
        while true {
            if let end = waiting.firstIndex(of: 10) {
                let line = waiting[waiting.startIndex..<end]
                waiting.removeSubrange(waiting.startIndex...end)
                let fields = try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
                if let error = fields["error"] { throw Refused(text: "\(error)") }
                return fields
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Refused(text: "the practice process has ended") }
            waiting.append(more)
        }
    }

    func send(_ what: String, _ fields: [String: Any] = [:]) throws -> [String: Any] {
        var line = try JSONSerialization.data(withJSONObject: fields.merging(["do": what]) { $1 })
        line.append(10)
        input.fileHandleForWriting.write(line)
        return try answer()
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    struct Refused: Error { let text: String }
}
