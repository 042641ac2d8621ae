import Arbiter
import ConfigurationFiles
import DeviceProtocol
import FuzzPlay
import FuzzSupport
import Glibc
import LinuxIO
import VMMProtocol

@testable import spschedd

/// The real daemon, alive through all inputs, and the world around it: clients, the device, `spschedd-device`, and time.
final class World: Stage {
    /// Connections that the input may open at once: more than the daemon takes, so that its caps bind.
    static let clientsMax = 8
    /// Any instant will do that leaves room on both sides.
    private static let begin = Instant(sinceBoot: .seconds(1_000_000))

    let daemon: Daemon
    let hand = DaemonClock.Hand(at: World.begin)
    var clients: [Client?] = Array(repeating: nil, count: World.clientsMax)
    private let directory: String
    private let probes: UnixListener
    private var probing: SeqpacketSocket?
    private var hasProbed = false
    private var isPresent = true

    init() throws {
        var template = Array("/tmp/spschedd-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fail("no directory for the sockets could be made") }
        directory = template.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
        probes = try UnixListener(path: directory + "/probe")
        let configuration = Self.configuration(directory)
        symlink("/dev/null", configuration.device.path)
        daemon = try Daemon(
            configuration: configuration, listeners: try ListeningSockets.open(configuration),
            logger: try Logger(output: .nowhere), notifier: try Notifier(), clock: .manual(hand))
        // The process is ended by libFuzzer, which asks nobody. What is bound stays bound without its path.
        for name in ["vmm", "manager"] { unlink(directory + "/" + name) }
    }

    /// Small caps, so that short inputs reach them.
    private static func configuration(_ directory: String) -> DaemonConfiguration {
        var configuration = DaemonConfiguration()
        configuration.device.path = directory + "/device"
        configuration.device.probeSocket = directory + "/probe"
        configuration.vmm.path = directory + "/vmm"
        configuration.manager.path = directory + "/manager"
        configuration.clients.vmsMax = 6
        configuration.clients.connectionsMax = 7
        configuration.account.connectionsMax = 5
        configuration.account.vmsMax = 4
        configuration.account.launchesMax = 2
        configuration.arbiter.launchWallClockMax = .seconds(30)
        // Some 20 s of SP time: a whole launch's lease is then no longer than a session.
        configuration.arbiter.launchPagesMax = 20_000
        return configuration
    }

    // MARK: One input

    /// Makes everything new that one input can change, so that an input alone plays as it did behind others.
    func reset() {
        hand.now = Self.begin
        daemon.now = hand.now
        daemon.lastAsked = .distantPast
        daemon.background.resumesAt = .distantPast
        do { try daemon.muteBackground(false) } catch { fail("the background cannot be heard: \(error)") }
        daemon.arbiter = RecordedArbiter(
            Arbiter(
                configuration: daemon.configuration.arbiter, virtualMachines: Int(daemon.configuration.clients.vmsMax),
                now: hand.now))
        daemon.accounts = AccountTable()
        daemon.counters = DaemonCounters()
        daemon.deviceState = .alive
        daemon.housekeepingAt = hand.now + DaemonLimits.deviceCheckEvery
        daemon.deviceCheckAt = daemon.housekeepingAt
        daemon.managerReports = (.distantPast, [:])
        if hasProbed {
            daemon.deviceLink = DeviceLink(path: daemon.configuration.device.probeSocket)
            probing = nil
            while let waiting = try? probes.accept() { waiting.close() }
            hasProbed = false
        }
        if !isPresent { togglePresence() }
        daemon.checkDevice(hand.now, isFirst: true)
    }

    /// Turns of the daemon's loop, until it has nothing more to do.
    func turn() {
        for _ in 0..<4_000 {
            // What waits in the background comes after a pause, or when no VM has asked for a moment.
            if daemon.background.isMuted {
                let quietAt = daemon.lastAsked + DaemonLimits.quietAfter
                hand.now = max(hand.now, min(daemon.background.resumesAt, quietAt))
            }
            do {
                if try !daemon.turn(nil, mayWait: false), !daemon.background.isMuted { return }
            } catch {
                fail("the loop has ended: \(error)")
            }
        }
        fail("the loop always has something to do")
    }

    // MARK: Clients

    /// - Parameter isTight: the kernel keeps only a few replies for it.
    func connect(_ slot: Int, uid: UInt32, isTight: Bool) {
        hangUp(slot)
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        var ends: [2 of Int32] = [-1, -1]
        // SAFETY: an array of two Int32 has the layout of int[2].
        let result = withUnsafeMutableBytes(of: &ends) {
            socketpair(AF_UNIX, kind, 0, $0.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        expect(result == 0, "no socket pair could be made")
        if isTight {
            var least: Int32 = 1
            setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &least, socklen_t(MemoryLayout<Int32>.size))
        }
        clients[slot] = Client(
            token: daemon.connections.nextToken ?? EventToken(slot: .max, generation: 0),
            socket: SeqpacketSocket(adopting: FileDescriptor(adopting: ends[1])))
        daemon.admit(FileDescriptor(adopting: ends[0]), from: PeerIdentity(uid: uid, gid: uid, pid: 1))
    }

    func hangUp(_ slot: Int) { clients[slot] = nil }

    func hear(_ slot: Int, atMost count: Int) { clients[slot]?.hear(atMost: count) }

    // MARK: The device

    func togglePresence() {
        isPresent.toggle()
        if isPresent {
            symlink("/dev/null", daemon.configuration.device.path)
        } else {
            unlink(daemon.configuration.device.path)
        }
    }

    /// `spschedd-device` answers what it was asked, or hangs up.
    func answerProbe(_ answer: ProbeAnswer) {
        guard daemon.deviceLink.descriptorNumber != nil || probing != nil else { return }
        hasProbed = true
        if probing == nil, let accepted = try? probes.accept() { probing = SeqpacketSocket(adopting: accepted) }
        guard let outcome = ProbeReport.Outcome(answer) else {
            probing = nil
            return
        }
        while let request = nextProbe() {
            let reply = ProbeReply(tag: request.tag, report: ProbeReport(outcome: outcome))
            _ = try? probing?.send(reply.encoded().span.bytes)
        }
    }

    private func nextProbe() -> ProbeRequest? {
        var record = [UInt8](repeating: 0, count: 64)
        // SAFETY: the pointer does not leave the closure.
        let received = record.withUnsafeMutableBytes { try? probing?.receive(into: $0) }
        guard case .message(let count, _)? = received else { return nil }
        do { return try ProbeRequest(decoding: Array(record[..<count])) } catch {
            fail("the daemon asks spschedd-device for what is no probe: \(error)")
        }
    }

    func lookAtDevice() { daemon.checkDevice(hand.now) }

    func drain() {
        daemon.arbiter.drain(now: hand.now, into: &daemon.decisions)
        daemon.carryOutDecisions()
    }

    func resume() {
        daemon.arbiter.resume(now: hand.now, into: &daemon.decisions)
        daemon.carryOutDecisions()
    }

    // MARK: Time

    var now: Instant {
        get { hand.now }
        set { hand.now = newValue }
    }
    var wake: Instant? { daemon.arbiter.nextWake }
    var housekeepingAt: Instant { daemon.housekeepingAt }

    /// Whether a probe was asked for: then the listener has something to clear away.
    func noteProbe() { if daemon.deviceLink.descriptorNumber != nil { hasProbed = true } }
}

extension ProbeReport.Outcome {
    fileprivate init?(_ answer: ProbeAnswer) {
        switch answer {
        case .answered: self = .answered
        case .dead: self = .dead
        case .failed: self = .failed
        case .firmwareRefused: self = .firmwareRefused
        case .notAttempted: self = .notAttempted
        case .lost: return nil
        }
    }
}
