/// Where the answers come from: the daemon.
public protocol ManagerSource: ~Copyable {
    func status() -> ManagerStatus

    /// The registered VM with the lowest slot above `slot` (`nil`: the lowest of all), or `nil` when there is none.
    ///
    /// A list is made over several steps, between which VMs come and go: a slot is the only cursor that survives that.
    func virtualMachine(afterSlot slot: Int?) -> ManagedVM?

    /// Asks for a turn and issues the command in it. The ticket is for `platformOutcome`.
    func beginPlatform(_ order: ManagedPlatformOrder) -> UInt64

    /// What the command came to, once; `nil` as long as that is not known. The dispatcher is to be asked to `answer`
    /// again when it may be.
    func platformOutcome(of ticket: UInt64) -> ManagedPlatformOutcome?

    /// Lets go of the device, so that its driver can be replaced. How many VMs are registered, each of which may hold
    /// it too.
    func releaseDevice() -> Int

    /// Takes it up again.
    func retakeDevice()

    /// Takes note of what the observer has seen. False: the caller may not say so.
    func noteRequests(_ report: ObservedReport) -> Bool
}
