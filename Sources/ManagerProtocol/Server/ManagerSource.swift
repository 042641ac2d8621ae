/// Where the answers come from: the daemon.
public protocol ManagerSource: ~Copyable {
    func status() -> ManagerStatus

    /// The registered VM with the lowest slot above `slot` (`nil`: the lowest of all), or `nil` when there is none.
    ///
    /// A list is made over several steps, between which VMs come and go: a slot is the only cursor that survives that.
    func virtualMachine(afterSlot slot: Int?) -> ManagedVM?

    /// What is known of the VMs of this name, UUID or slot; `nil` if nothing is.
    func explain(_ vm: String) -> ManagedExplanations?

    /// From now on changes are kept, and the first of them is how things stand. The cursor is for `nextChange`.
    func beginWatch() -> UInt64

    /// The next change after the cursor, which is moved; `nil` if there is none yet. The dispatcher is to be asked to
    /// `answer` again when there is.
    func nextChange(_ cursor: inout UInt64) -> WatchedChange?

    /// Figures of the host for `Metrics`.
    func hostFigures() -> HostFigures

    /// Figures of the VM with the lowest slot above `slot`, as `virtualMachine(afterSlot:)`.
    func figures(afterSlot slot: Int?) -> VMFigures?

    /// Admits and serves nothing new, or does so again. Whether it was so before.
    func drain() -> Bool
    func resume() -> Bool

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

    /// Whether somebody waits who goes before operators: the step is then over.
    var isAskedElsewhere: Bool { get }

    /// Reads the configuration again. The ticket is for `reloadOutcome`.
    func beginReload() -> UInt64

    /// What the reload came to, once; `nil` as long as that is not known, as with `platformOutcome`.
    func reloadOutcome(of ticket: UInt64) -> ManagedReloadOutcome?

    /// Takes note of what the observer has seen. False: the caller may not say so.
    func noteRequests(_ report: ObservedReport) -> Bool
}

extension ManagerSource where Self: ~Copyable {
    public var isAskedElsewhere: Bool { false }
}
