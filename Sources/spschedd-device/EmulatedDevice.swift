import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO
import SPModel

/// The emulated device: the same command over its socket.
struct EmulatedDevice {
    let path: String

    private static let deviceToken = EventToken(slot: 0, generation: 1)
    private static let signalsToken = EventToken(slot: 1, generation: 1)

    /// `nil` if a signal came before the answer.
    func probe(until signals: borrowing TerminationSignals) throws(SystemError) -> ProbeReport? {
        do {
            var device = try EmulatorConnection(path: path)
            try device.label("spschedd-device")
            let begin = BootClock.now()
            guard let status = CommandSequence(kind: .platformStatus) else { return nil }
            let tag = try device.submit(status)
            guard try Self.waitForAnswer(device.descriptorNumber, signals) else { return nil }
            guard case .result(tag, let result) = try device.receive() else {
                return ProbeReport(outcome: .failed, errno: EPROTO, text: "\(path): no result to the command")
            }
            return Prober.report(
                errno: result.errno, firmwareCode: result.firmwareCode, duration: BootClock.now() - begin,
                platform: result.platform, path: path)
        } catch let error as DeviceProtocolError {
            return failure(error)
        } catch {
            throw error as? SystemError ?? SystemError(code: EIO, attempt: "probe", subject: path)
        }
    }

    private func failure(_ error: DeviceProtocolError) -> ProbeReport {
        switch error {
        case .system(let error):
            Prober.notAttempted("\(error). Does sp-emulator run?")
        case .hungUp:
            ProbeReport(outcome: .failed, errno: ENODEV, text: "\(path): the emulated device went away: \(error)")
        case .malformed, .unexpected, .refused:
            ProbeReport(outcome: .failed, errno: EPROTO, text: "\(path): \(error)")
        }
    }

    /// Whether the answer, or the end, is there; false if a signal came first.
    private static func waitForAnswer(
        _ number: Int32, _ signals: borrowing TerminationSignals
    ) throws(SystemError) -> Bool {
        let poll = try EventPoll(capacity: 2)
        try poll.add(number, for: .readable, token: deviceToken)
        try poll.add(signals.descriptorNumber, for: .readable, token: signalsToken)
        while true {
            for index in 0..<(try poll.wait()) {
                if poll.event(index).token == deviceToken { return true }
                if try signals.haveCome() { return false }
            }
        }
    }
}
