import Arbiter
import LinuxIO
import VMMProtocol

/// An administrator empties the host: nothing new is admitted or served; launches that are open go on to their end.
extension Daemon {
    /// Whether it was so already.
    func drain(uid: UInt32) -> Bool {
        guard !arbiter.isDraining else { return true }
        arbiter.drain(now: clock.now(), into: &decisions)
        carryOutDecisions()
        tellDraining("An administrator drains this host: nothing new is admitted or served", uid)
        return false
    }

    func resume(uid: UInt32) -> Bool {
        guard arbiter.isDraining else { return true }
        arbiter.resume(now: clock.now(), into: &decisions)
        carryOutDecisions()
        tellDraining("An administrator drains this host no longer", uid)
        return false
    }

    private func tellDraining(_ message: String, _ uid: UInt32) {
        announce(.draining(arbiter.isDraining))
        note(.draining(arbiter.isDraining))
        log(.draining, .notice, message, [LogField(.uid, uid)])
        tellStatus()
    }
}
