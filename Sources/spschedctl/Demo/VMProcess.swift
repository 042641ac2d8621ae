import Arbiter
import LinuxIO

/// One VM of the demo, from the host's side: its process, and the socket over which it reports.
final class VMProcess {
    let name: String
    private let channel: TextSocket
    private let process: ChildProcess
    private(set) var isReady = false

    /// Starts a guest that attests.
    convenience init(guest: GuestPlan, seed: UInt64, policy: Policy, stage: borrowing Stage) throws(DemoError) {
        var arguments = ["--burst", "\(guest.registration.burst)", "--weight", "\(guest.registration.weight.value)"]
        arguments += ["--reservation-wanted", "\(guest.registration.reservationWanted.millihertz)"]
        arguments += ["--reservation-least", "\(guest.registration.reservationLeast.millihertz)"]
        if let limit = guest.registration.limit { arguments += ["--limit", "\(limit.millihertz)"] }
        if let wait = guest.registration.guestWaitMax { arguments += ["--guest-wait-max", "\(wait.count)"] }
        if let period = guest.period { arguments += ["--period-nanoseconds", "\(period.count)"] }
        try self.init(guest.name, seed, policy, stage, arguments)
    }

    /// Starts a VM that launches once.
    convenience init(
        launching profile: String, name: String, seed: UInt64, policy: Policy, stage: borrowing Stage
    ) throws(DemoError) {
        try self.init(name, seed, policy, stage, ["--launch", profile])
    }

    private init(
        _ name: String, _ seed: UInt64, _ policy: Policy, _ stage: borrowing Stage, _ role: [String]
    ) throws(DemoError) {
        self.name = name
        let arguments =
            [
                "demo-vm", "--name", name, "--policy", policy.rawValue, "--emulator", stage.emulatorSocket,
                "--socket", stage.vmmSocket, "--seed", "\(seed)",
            ] + role
        do {
            let pair = try SeqpacketSocket.pair()
            let nothing = try FileDescriptor.openReadOnly("/dev/null")
            process = try ChildProcess.spawn(
                try Programs.ownPath(), arguments,
                descriptors: [nothing.number, nothing.number, nil, pair.second.descriptor.number])
            channel = TextSocket(socket: try pair.takeFirst())
            try channel.socket.descriptor.setNonblocking(true)
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as DemoError {
            throw error
        } catch {
            throw .failed(what: "\(name) did not start: \(error)", log: "")
        }
    }

    var descriptor: Int32 { channel.socket.descriptor.number }

    func start(at instant: Instant) throws(DemoError) {
        do { _ = try channel.send(VMOrder.start(at: instant).text) } catch { throw .system(error) }
    }

    enum News: Equatable {
        case report(VMReport)
        case nothing
        case hungUp
    }

    /// The next thing that it has said.
    func next() throws(DemoError) -> News {
        let arrival: TextSocket.Arrival
        do { arrival = try channel.receive() } catch { throw .system(error) }
        switch arrival {
        case .nothing: return .nothing
        case .hungUp: return .hungUp
        case .text(let text):
            guard let report = VMReport(text: text) else {
                throw .failed(what: "\(name) said what is no report: \(text)", log: "")
            }
            if case .failed(let reason) = report { throw .failed(what: reason, log: "") }
            if report == .ready { isReady = true }
            return .report(report)
        }
    }
}

extension SocketPair {
    /// The first end; the second is closed.
    fileprivate consuming func takeFirst() throws(SystemError) -> SeqpacketSocket {
        SeqpacketSocket(adopting: try first.descriptor.duplicate())
    }
}
