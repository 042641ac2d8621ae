import Arbiter

/// A VM that exists and was not launched yet, driven from outside.
protocol PausedMachine: ~Copyable {
    /// Which VM it is. Makes sure of what can be made sure of before anything is asked of spschedd.
    mutating func identify() throws(LaunchProblem) -> MachineIdentity

    /// Brings the VM to where its launch is all that is left. spschedd knows it by now.
    mutating func prepare() throws(LaunchProblem)

    /// Readable when something happened to the VM while it waits for its turn; `nil` if that cannot be seen.
    var newsDescriptor: Int32? { get }

    /// Reads what `newsDescriptor` announced. An error: it need not wait any longer.
    mutating func readNews() throws(LaunchProblem)

    /// Lets the VM run, and waits until its launch is over.
    ///
    /// - Parameter patience: how long the turn lasts. After that the launch may still go on.
    mutating func resume(patience: Nanoseconds) throws(LaunchProblem)

    /// Makes sure that the VM runs, as `resume` was told. Its turn has been returned already.
    mutating func confirm() throws(LaunchProblem) -> RunningMachine
}

/// What is known of a VM that was launched.
struct RunningMachine: Equatable {
    /// In the words of who said so: "running".
    let state: String
    /// When QEMU began to let it run, by its own clock: nanoseconds since 1970.
    let resumedAt: Int64?
}
