import Arbiter
import CSpsched
import DeviceProtocol
import LinuxIO
import SPModel

/// spschedd arbitrates: each command waits for its turn, and goes to the device by the descriptor that spschedd handed
/// out.
struct ArbitratedPath: ~Copyable, HostPath {
    private let scheduler: SchedulerClient
    private var device: EmulatorConnection

    init(socket path: String, name: String, _ registration: Registration) throws(VMFailure) {
        let scheduler = try SchedulerClient(socket: path)
        try scheduler.register(name: name, registration)
        device = try EmulatorConnection.adopt(try scheduler.takeDevice(), label: name)
        self.scheduler = scheduler
    }

    mutating func attest() throws(VMFailure) -> Attestation {
        guard let grant = try scheduler.acquire(.report) else { return .busy }
        let result = try device.succeed(.report)
        try scheduler.release(grant, measured: result.service)
        return .report
    }

    mutating func launch(
        _ profile: LaunchProfile, pauses: inout LaunchPauses
    ) throws(VMFailure) -> (began: Instant, ended: Instant) {
        _ = try scheduler.beginLaunch(profile.plan())
        var began: Instant?
        for ioctl in profile.ioctls() {
            if began != nil { pauses.pause() }
            var turn = try launchTurn(scheduler.acquire(ioctl.kind, units: ioctl.units))
            if began == nil { began = BootClock.now() }
            var left = ioctl.units
            while true {
                let result = try issue(ioctl, units: min(turn.units, left))
                left -= min(turn.units, left)
                guard left > 0 else {
                    try scheduler.release(turn, measured: result.service)
                    break
                }
                // The rest of the region: the next turn in the same message, and the next ioctl after the VMM's own
                // work.
                turn = try launchTurn(
                    scheduler.releaseAndAcquire(turn, measured: result.service, ioctl.kind, units: left))
                pauses.pause()
            }
        }
        let ended = BootClock.now()
        try scheduler.endLaunch()
        return (began ?? ended, ended)
    }

    /// So that the daemon does not wait for it to come back.
    mutating func leave() throws(VMFailure) { try scheduler.unregister() }

    private mutating func issue(_ ioctl: CommandSequence, units: UInt32) throws(VMFailure) -> CommandResult {
        guard
            let part = CommandSequence(
                kind: ioctl.kind, units: units, pageKind: ioctl.pageKind, hasIDBlock: ioctl.hasIDBlock)
        else { throw VMFailure("a turn of \(units) units of \(ioctl.kind) is no ioctl") }
        return try device.succeed(part)
    }

    private func launchTurn(_ grant: spsched_grant?) throws(VMFailure) -> spsched_grant {
        guard let grant else { throw VMFailure("a launch command was refused; launches wait for their turn") }
        return grant
    }
}
