import Arbiter
import DeviceProtocol
import Glibc
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

    /// Lets go of the device until an operator, or a restart, takes it up again.
    func releaseDevice() -> Int {
        let before = deviceAccess.presence
        deviceAccess.release()
        presenceChanged(from: before, isFirst: false, clock.now())
        return vms.count
    }

    func retakeDevice() {
        let before = deviceAccess.presence
        deviceAccess.retake()
        presenceChanged(from: before, isFirst: false, clock.now())
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
        let state = after == .present ? DeviceState.alive : .absent
        let fields = [LogField(.device, deviceAccess.path), LogField(.deviceState, "\(state)")]
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
        note(.device(state))
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
        case .underWay(let isNew): if isNew { watchDeviceLink() }
        case .unavailable(let reason):
            log(.deviceLink, .warning, "The device could not be probed: \(reason)", [LogField(.reason, reason)])
            isUnprobed = true
        }
    }

    /// What cannot be watched is as good as lost: the next look at it tells.
    func watchDeviceLink() {
        guard let number = deviceLink.descriptorNumber else { return }
        do {
            try poll.add(number, for: .readable, token: Member.deviceLink.token)
        } catch {
            log(
                .deviceLink, .warning, "The way to spschedd-device cannot be watched: \(error)",
                [LogField(.reason, "\(error)")])
            probed(.unavailable)
        }
    }

    func receiveFromDevice() {
        switch deviceLink.receive(now: clock.now()) {
        case .none: break
        case .probed(let report):
            if report.outcome != .answered {
                log(
                    .probe, .warning, "The probe of the device did not succeed: \(report.text)",
                    [LogField(.reason, report.text)])
            }
            probed(report.arbiterOutcome)
        case .performed(let ticket, let report): performed(ticket, report)
        case .lost(let reason, let probeWasLost, let tickets):
            log(
                .deviceLink, .warning, "The way to spschedd-device is lost: \(reason)", [LogField(.reason, reason)])
            if probeWasLost { probed(.unavailable) }
            let text =
                "spschedd-device went away before the command came back: \(reason). Whether it was done is unknown"
            for ticket in tickets {
                performed(ticket, PlatformReport(ProbeReport(outcome: .failed, errno: EPIPE, text: text)))
            }
        }
        carryOutDecisions()
    }

    /// Overdue turns pass on without an answer of the device; but only once everything was heard that had come by then:
    /// where the daemon was not run for long, the release may lie behind what made it look at the lease.
    func giveUpProbe() {
        isUnprobed = false
        probed(.unavailable)
        carryOutDecisions()
    }

    /// Its decisions are carried out by whoever carries out decisions now.
    private func probed(_ outcome: ProbeOutcome) {
        arbiter.probeReturned(outcome, now: clock.now(), into: &decisions)
    }
}
