import Arbiter
import DeviceProtocol
import LinuxIO
import VMMProtocol

/// The device: is it there, does it answer, and who gets a descriptor of it.
extension Daemon {
    // MARK: There or not

    /// Looks whether the device is there, and says so when that has changed.
    func checkDevice(_ now: Instant, isFirst: Bool = false) {
        let before = deviceAccess.presence
        deviceAccess.look()
        presenceChanged(from: before, isFirst: isFirst, now)
    }

    /// A descriptor for one client; `nil` if there is no device now.
    func handOutDevice() -> FileDescriptor? {
        let before = deviceAccess.presence
        let descriptor = deviceAccess.handOut()
        presenceChanged(from: before, isFirst: false, clock.now())
        return descriptor
    }

    private func presenceChanged(from before: DeviceAccess.Presence, isFirst: Bool, _ now: Instant) {
        let after = deviceAccess.presence
        guard isFirst || (before == .present) != (after == .present) else { return }
        let fields = [LogField(.device, deviceAccess.path)]
        switch after {
        case .present: log(.deviceState, .info, "The device \(deviceAccess.path) is open", fields)
        case .absent(let reason):
            log(
                .deviceState, .warning,
                "Degraded: there is no device to hand out, and turns are granted all the same; \(reason)", fields)
        }
        arbiter.devicePresence(isPresent: after == .present, now: now, into: &decisions)
        carryOutDecisions()
    }

    // MARK: State

    var deviceStateMessage: DaemonMessage { .deviceState(Extensible(deviceState), text: deviceState.sentence) }

    func deviceChanged(to state: DeviceState) {
        let before = deviceState
        deviceState = state
        announce(deviceStateMessage)
        tellStatus()
        // Its coming and going was logged with the reason.
        guard state == .stuck || state == .dead || before == .stuck || before == .dead else { return }
        log(
            .deviceState, state == .alive ? .notice : .critical, state.sentence,
            [LogField(.device, deviceAccess.path), LogField(.deviceState, "\(state)")])
    }

    // MARK: Probes

    func probe() {
        let now = clock.now()
        switch deviceLink.probe(now: now) {
        case .underWay(let isNew):
            guard isNew, let number = deviceLink.descriptorNumber else { return }
            do { try poll.add(number, for: .readable, token: Member.deviceLink.token) } catch { probed(.unavailable) }
        case .unavailable(let reason):
            log(.deviceLink, .warning, "The device could not be probed: \(reason)")
            probed(.unavailable)
        }
    }

    func receiveProbe() {
        switch deviceLink.receive(now: clock.now()) {
        case .none: break
        case .probed(let report):
            if report.outcome != .answered {
                log(.probe, .warning, "The probe of the device did not succeed: \(report.text)")
            }
            probed(report.arbiterOutcome)
        case .lost(let reason, let probeWasLost):
            log(.deviceLink, .warning, "The way to spschedd-device is lost: \(reason)")
            if probeWasLost { probed(.unavailable) }
        }
        carryOutDecisions()
    }

    /// Its decisions are carried out by whoever carries out decisions now.
    private func probed(_ outcome: ProbeOutcome) {
        arbiter.probeReturned(outcome, now: clock.now(), into: &decisions)
    }
}
