import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO

/// A daemon on an emulated SP, and VMs that attest in a loop.
final class Scene {
    let emulator: String
    let host: ServedHost
    let directory: TemporaryDirectory
    private var antagonists: [Antagonist] = []

    init(emulator: String, antagonists count: Int) throws {
        self.emulator = emulator
        host = try ServedHost(configuration: "")
        directory = try TemporaryDirectory()
        try Machine.writeFirmware(in: directory)
        antagonists = try (0..<count).map { try Antagonist(number: $0, host) }
        for antagonist in antagonists { try antagonist.begin() }
    }

    func machine(_ name: String, isPaused: Bool = true, extra: [String] = []) throws -> Machine {
        try Machine(emulator, in: directory, name, isPaused: isPaused, extra: extra)
    }

    func launch(_ monitorPath: String, _ arguments: [String] = []) throws -> BuiltProcess {
        try BuiltProcess(
            "spschedctl",
            ["launch", "--qmp", monitorPath, "--pages", "40", "--socket", host.socketPath, "--json"] + arguments)
    }

    /// Ends them; how many reports they got.
    func endAntagonists() throws -> Int {
        let reports = antagonists.map(\.reports).reduce(0, +)
        antagonists = []
        return reports
    }
}

/// A VM of the demonstration's, which asks for reports in a tight loop.
private final class Antagonist {
    private let process: ChildProcess
    private let socket: SeqpacketSocket
    private let count = Count()

    private final class Count: Sendable {
        let value = Guarded<Int>(0)
    }

    init(number: Int, _ host: ServedHost) throws {
        let pair = try SeqpacketSocket.pair()
        process = try ChildProcess.spawn(
            BuiltProcess.path(of: "spschedctl"),
            [
                "demo-vm", "--name", "antagonist-\(number)", "--policy", "spschedd", "--emulator", host.emulatorPath,
                "--socket", host.socketPath, "--seed", "\(number)",
            ], descriptors: [nil, nil, nil, pair.second.descriptor.number])
        socket = SeqpacketSocket(adopting: try pair.first.descriptor.duplicate())
    }

    deinit { socket.shutDown() }

    var reports: Int { count.value.withLock { $0 } }

    /// Lets it ask as soon as it is registered, and counts what it gets.
    func begin() throws {
        let first = try Self.text(socket)
        try expect(first == "ready", "an antagonist said \(first ?? "nothing")")
        _ = try socket.send(Array("start 0".utf8).span.bytes)
        let number = try socket.descriptor.duplicate().release()
        let count = count
        try DetachedThread.start(named: "count-reports") {
            let socket = SeqpacketSocket(adopting: FileDescriptor(adopting: number))
            while let text = try? Self.text(socket) {
                if text.hasPrefix("report") { count.value.withLock { $0 += 1 } }
            }
        }
    }

    private static func text(_ socket: borrowing SeqpacketSocket) throws -> String? {
        var bytes = [UInt8](repeating: 0, count: 2_048)
        // SAFETY: the buffer is the array's own, for the time of the call.
        let received = try bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try socket.receive(into: buffer) }
        }.get()
        guard case .message(let count, _) = received else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
