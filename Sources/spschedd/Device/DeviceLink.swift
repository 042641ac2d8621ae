import Arbiter
import DeviceProtocol
import LinuxIO

/// The way to `spschedd-device`, which alone commands the device: one probe at a time, and the platform commands that
/// have turns. It is made when first needed, and again after a pause when lost.
struct DeviceLink: ~Copyable {
    enum Asked: Equatable {
        /// The answer comes by `receive`. `isNew`: the connection was just made and must be watched.
        case underWay(isNew: Bool)
        case unavailable(String)
    }

    enum Answer: Equatable {
        case none
        case probed(ProbeReport)
        /// The platform command of this ticket has come back.
        case performed(ticket: UInt64, PlatformReport)
        /// The connection is gone, and with it the answers of a probe and of these tickets.
        case lost(String, probeWasLost: Bool, tickets: [UInt64])
    }

    private let path: String?
    private var connection: DeviceProcessConnection?
    private var probeTag: UInt64?
    /// Tickets of the commands that are under way, by their tags. As many as there are turns: one, and those that were
    /// passed on before their command came back.
    private var tickets: [UInt64: UInt64] = [:]
    private var pause = DaemonLimits.deviceLinkPauses.lowerBound
    private var tryAgainAt = Instant.distantPast

    init(path: String?) {
        self.path = path
    }

    /// To be watched while there is a connection.
    private(set) var descriptorNumber: Int32?

    /// Asks for one probe.
    mutating func probe(now: Instant) -> Asked {
        do throws(DeviceProtocolError) {
            let asked = try connect(now)
            probeTag = try connection?.sendProbe()
            return asked
        } catch {
            dropIfIdle(now)
            return .unavailable("\(error)")
        }
    }

    /// Issues a platform command.
    mutating func perform(_ order: PlatformOrder, ticket: UInt64, now: Instant) -> Asked {
        do throws(DeviceProtocolError) {
            let asked = try connect(now)
            if let tag = try connection?.send(order) { tickets[tag] = ticket }
            return asked
        } catch {
            dropIfIdle(now)
            return .unavailable("\(error)")
        }
    }

    /// Takes what has come. Call when the descriptor is readable.
    mutating func receive(now: Instant) -> Answer {
        do throws(DeviceProtocolError) {
            switch try connection?.receive() {
            case .probe(let reply) where reply.tag == probeTag:
                probeTag = nil
                return .probed(reply.report)
            case .platform(let reply):
                guard let ticket = tickets.removeValue(forKey: reply.tag) else { return .none }
                return .performed(ticket: ticket, reply.report)
            case .probe, nil: return .none
            }
        } catch {
            let (probeWasLost, lost) = (probeTag != nil, tickets.values.sorted())
            drop(now)
            return .lost("\(error)", probeWasLost: probeWasLost, tickets: lost)
        }
    }

    private mutating func connect(_ now: Instant) throws(DeviceProtocolError) -> Asked {
        guard connection == nil else { return .underWay(isNew: false) }
        guard let path else { return .unavailable("no device.probe_socket is configured") }
        guard now >= tryAgainAt else { return .unavailable("spschedd-device was not there a moment ago") }
        let made = try DeviceProcessConnection(path: path, isNonblocking: true)
        descriptorNumber = made.descriptorNumber
        connection = consume made
        pause = DaemonLimits.deviceLinkPauses.lowerBound
        return .underWay(isNew: true)
    }

    /// Where answers are under way the connection stays: `receive`, which hears of its end, tells that they are lost.
    private mutating func dropIfIdle(_ now: Instant) {
        if probeTag == nil && tickets.isEmpty { drop(now) }
    }

    private mutating func drop(_ now: Instant) {
        connection = nil
        descriptorNumber = nil
        probeTag = nil
        tickets = [:]
        tryAgainAt = now + pause
        pause = min(pause * 2, DaemonLimits.deviceLinkPauses.upperBound)
    }
}

extension ProbeReport {
    /// What it means to the Arbiter. Whatever came back at all shows that the device answers, but for ccp's own
    /// verdict.
    var arbiterOutcome: ProbeOutcome {
        switch outcome {
        case .answered, .firmwareRefused, .failed, .unexpectedAnswer: .returned
        case .dead: .dead
        case .notAttempted, .notPermitted, .notSEVDevice, .vanished: .unavailable
        }
    }
}
