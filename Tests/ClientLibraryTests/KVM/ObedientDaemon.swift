import Arbiter
import CSpschedTesting
import Foundation
import VMMProtocol

/// A daemon that grants every turn at once, in chunks, unless its test says otherwise; it remembers what it heard.
final class ObedientDaemon: @unchecked Sendable {
    /// What is answered in place of the usual; `nil` for the usual.
    typealias Exception = @Sendable (ClientMessage) -> DaemonMessage?

    // SAFETY: `heard` is read and written under the lock; the rest does not change.
    private let lock = NSCondition()
    private var messages: [ClientMessage] = []
    private let daemon: FakeDaemon
    private let serving: Background<Void>
    let client: Client

    /// - Parameter failureMode: as the VM registers.
    init(
        chunk: UInt32 = 32, failureMode: UInt32 = SPSCHED_FAIL_OPEN.rawValue,
        except exception: @escaping Exception = { _ in nil }
    ) throws {
        let daemon = try FakeDaemon()
        self.daemon = daemon
        let relay = Relay()
        serving = Background {
            let connection = try daemon.accept()
            try connection.welcome()
            try connection.admit()
            try Self.serve(connection, chunk: chunk, exception) { relay.pass($0) }
        }
        client = try Client.open(path: daemon.path)
        let registered = client.register { $0.failure_mode = UInt8(failureMode) }
        guard registered.result == SPSCHED_OK else { throw Failure("could not register: \(registered)") }
        relay.begin { [weak self] in self?.note($0) }
    }

    /// Everything so far; a client's messages come in its own order, and may still be on their way.
    var heard: [ClientMessage] {
        lock.lock()
        defer { lock.unlock() }
        return messages
    }

    /// Waits until so many messages have come, and returns them.
    func heard(_ count: Int) throws -> [ClientMessage] {
        lock.lock()
        defer { lock.unlock() }
        let end = Date(timeIntervalSinceNow: Patience.seconds)
        while messages.count < count {
            guard lock.wait(until: end) else { throw Failure("only this was heard: \(messages)") }
        }
        return messages
    }

    private func note(_ message: ClientMessage) {
        lock.lock()
        messages.append(message)
        lock.broadcast()
        lock.unlock()
    }

    private static func serve(
        _ connection: Connection, chunk: UInt32, _ exception: Exception, _ note: (ClientMessage) -> Void
    ) throws {
        var last: UInt64 = 0
        while let (tag, message) = try connection.receive() {
            note(message)
            if let answer = exception(message) {
                try connection.send(answer, tag: tag)
                continue
            }
            switch message {
            case .acquire(let acquire), .releaseAndAcquire(_, let acquire):
                last += 1
                let isDivisible = acquire.kind == .launchUpdate || acquire.kind == .legacyLaunch
                let units = isDivisible ? min(acquire.units, chunk) : acquire.units
                try connection.grant(tag, turn: last, kind: acquire.kind, units: units)
            case .launchBegin:
                last += 1
                try connection.send(.launchBegun(SessionID(number: last), chunkPages: chunk), tag: tag)
            case .launchEnd: try connection.send(.done, tag: tag)
            case .cancel(let cancelled): try connection.refuse(cancelled, reason: .cancelled)
            default: break
            }
        }
    }
}

/// What the serving thread heard goes to the daemon, once that is made.
private final class Relay: @unchecked Sendable {
    // SAFETY: read and written under the lock.
    private let lock = NSLock()
    private var handler: ((ClientMessage) -> Void)?

    func begin(_ handler: @escaping (ClientMessage) -> Void) { lock.withLock { self.handler = handler } }
    func pass(_ message: ClientMessage) { lock.withLock { handler }?(message) }
}

extension [ClientMessage] {
    /// One word a message: what a test compares.
    var summary: [String] {
        map { message in
            switch message {
            case .launchBegin(let plan): "begin \(plan.pages) pages \(plan.virtualCPUs) vCPUs"
            case .launchEnd(_, let outcome): "end \(outcome)"
            case .acquire(let acquire): "acquire \(acquire.kind) \(acquire.units)"
            case .release(let release): "release \(Self.outcome(release))"
            case .releaseAndAcquire(let release, let acquire):
                "release \(Self.outcome(release)), acquire \(acquire.kind) \(acquire.units)"
            case .cancel: "cancel"
            default: "\(message)"
            }
        }
    }

    private static func outcome(_ release: Release) -> String {
        let code = release.firmwareCode == 0 ? "" : " firmware \(release.firmwareCode)"
        return release.errno == 0 ? "\(release.unitsDone)" : "\(release.unitsDone) errno \(release.errno)\(code)"
    }
}
