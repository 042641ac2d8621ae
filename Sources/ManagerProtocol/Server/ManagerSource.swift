/// Where the answers come from: the daemon.
public protocol ManagerSource: ~Copyable {
    func status() -> ManagerStatus

    /// The registered VM with the lowest slot above `slot` (`nil`: the lowest of all), or `nil` when there is none.
    ///
    /// A list is made over several steps, between which VMs come and go: a slot is the only cursor that survives that.
    func virtualMachine(afterSlot slot: Int?) -> ManagedVM?
}
