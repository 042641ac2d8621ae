import Arbiter
import DeviceProtocol
import LinuxIO

/// The way to `spschedd-device`, which alone commands the device: one probe at a time. It is made when first needed,
/// and again after a pause when lost.
struct DeviceLink: ~Copyable {
    enum Asked: Equatable {
        /// The answer comes by `receive`. `isNew`: the connection was just made and must be watched.
        case underWay(isNew: Bool)
        case unavailable(String)
    }

    enum Answer: Equatable {
        case none
        case probed(ProbeReport)
        /// The connection is gone; `probeWasLost`: and an answer with it.
        case lost(String, probeWasLost: Bool)
    }

    private let path: String?
    private var connection: DeviceProcessConnection?
    private var outstanding: UInt64?
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
            let isNew = connection == nil
            if isNew {
                guard let path else { return .unavailable("no device.probe_socket is configured") }
                guard now >= tryAgainAt else { return .unavailable("spschedd-device was not there a moment ago") }
                let made = try DeviceProcessConnection(path: path, isNonblocking: true)
                descriptorNumber = made.descriptorNumber
                connection = consume made
            }
            outstanding = try connection?.sendProbe()
            pause = DaemonLimits.deviceLinkPauses.lowerBound
            return .underWay(isNew: isNew)
        } catch {
            drop(now)
            return .unavailable("\(error)")
        }
    }

    /// Takes what has come. Call when the descriptor is readable.
    mutating func receive(now: Instant) -> Answer {
        do throws(DeviceProtocolError) {
            guard case .probe(let reply) = try connection?.receive(), reply.tag == outstanding else { return .none }
            outstanding = nil
            return .probed(reply.report)
        } catch {
            let probeWasLost = outstanding != nil
            drop(now)
            return .lost("\(error)", probeWasLost: probeWasLost)
        }
    }

    private mutating func drop(_ now: Instant) {
        connection = nil
        descriptorNumber = nil
        outstanding = nil
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
