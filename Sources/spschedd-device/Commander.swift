import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO

/// Issues one command to whatever the path names, opening it anew each time: nothing here keeps a driver in use.
struct Commander {
    let path: String
    var permitted = PermittedCommands.snp

    /// Why this path can never be a device, if so. One that is merely not there may appear when `ccp` is loaded.
    var misconfiguration: String? {
        guard let kind = try? FileKind.ofPath(path) else { return nil }
        return Self.wrongKind(kind).map { "'\(path)' is \($0). \(Self.whatItMayBe)" }
    }

    /// A status command, to learn whether the device answers. `nil`: see `perform`.
    func probe(until signals: borrowing TerminationSignals) throws(SystemError) -> ProbeReport? {
        try perform(.plain(.status), until: signals).map { performed in
            var report = performed.report
            if case .status(let status) = performed.answer { report.platform = status.platform }
            return report
        }
    }

    /// Waits for the answer, unless SIGTERM comes first and the wait can be ended: then `nil`.
    func perform(
        _ order: PlatformOrder, until signals: borrowing TerminationSignals
    ) throws(SystemError) -> PlatformReport? {
        if let reason = permitted.reasonToRefuse(order.command) {
            return PlatformReport(ProbeReport(outcome: .notPermitted, text: reason))
        }
        switch Result(catching: { () throws(SystemError) in try FileKind.ofPath(path) }) {
        case .success(.characterDevice): return SEVDevice(path: path).perform(order)
        case .success(.socket): return try EmulatedDevice(path: path).perform(order, until: signals)
        case .success(let kind):
            return Self.notAttempted("'\(path)' is \(Self.wrongKind(kind) ?? "no device"). \(Self.whatItMayBe)")
        case .failure(let error):
            return Self.notAttempted("\(error). Is the ccp module loaded, and SEV enabled in the machine's set-up?")
        }
    }

    static func notAttempted(_ text: String) -> PlatformReport {
        PlatformReport(ProbeReport(outcome: .notAttempted, text: text))
    }

    private static func wrongKind(_ kind: FileKind) -> String? {
        switch kind {
        case .characterDevice, .socket: nil
        case .regular: "a regular file"
        case .directory: "a directory"
        case .fifo, .other: "neither a character device nor a socket"
        }
    }

    private static let whatItMayBe = "Give --device the SEV device (/dev/sev) or the socket of sp-emulator."
}
