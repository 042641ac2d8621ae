import Arbiter
import LinuxIO
import StateFormat

extension StateKeeper {
    /// What a start finds. The service manager is told at once of what is let go: a name may be used again right after.
    struct Opened {
        let keeper: StateKeeper
        /// What the daemon before left behind, if it is sound.
        let restored: RestoredState?
        let problems: [UnusableState]
    }

    /// Takes up the newest state that was kept, or begins one. One that cannot be used is set aside: the latest.
    ///
    /// When this returns, the service manager has the state, or will have it before it hears of our end.
    static func open(
        _ stored: StoredDescriptors, _ layout: StateLayout, _ configuration: Configuration, epoch: UInt64,
        now: Instant, notifier: Notifier
    ) throws(SystemError) -> Opened {
        let boot = BootID.current
        var candidates: [(StoredDescriptors.State, MappedMemory, RestoredState)] = []
        var problems: [UnusableState] = []
        for state in stored.states {
            do {
                let memory = try MappedMemory(
                    adopting: FileDescriptor(adopting: state.number), atMost: DaemonLimits.stateBytes)
                do throws(StateDamage) {
                    let image = try StateImage(
                        reading: Array(memory.words), recordVersion: Self.recordVersion, boot: boot)
                    let restored = try RestoredState(image)
                    // What the Arbiter would not take must be known before anything is adopted.
                    _ = try restored.arbiter(configuration, virtualMachines: layout.virtualMachines, now: now).nextWake
                    candidates.append((state, memory, restored))
                } catch {
                    setAside(memory.descriptor, state, notifier)
                    // There is one place for them.
                    for index in problems.indices { problems[index].isSetAside = false }
                    problems.append(UnusableState(reason: "\(error)", isSetAside: true))
                }
            } catch {
                // No memory of a daemon's at all: there is nothing in it to look at.
                notifier.removeNow(state.name)
                problems.append(UnusableState(reason: "\(error)", isSetAside: false))
            }
        }
        candidates.sort { $0.2.image.header.serial < $1.2.image.header.serial }
        guard let (state, memory, restored) = candidates.popLast() else {
            return Opened(
                keeper: try begin(layout, serial: 1, boot, epoch, notifier), restored: nil, problems: problems)
        }
        for (older, _, _) in candidates { notifier.removeNow(older.name) }
        let image = restored.image
        // A VM keeps its place, also where the settings say that there are fewer.
        let layout = layout.having(virtualMachines: restored.places)
        if image.layout == layout {
            let keeper = StateKeeper(
                memory, layout, serial: image.header.serial, committed: image.committed, failpoint: .fromEnvironment())
            keeper.goOn(epoch: epoch, grants: restored.grants)
            return Opened(keeper: keeper, restored: restored, problems: problems)
        }
        // The settings say another size: the next start finds the new one, which everything is about to be written to.
        let serial = image.header.serial + 1
        let keeper = try begin(layout, serial: serial, boot, epoch, notifier, grants: restored.grants)
        keeper.replaces = state.name
        return Opened(keeper: keeper, restored: restored, problems: problems)
    }

    private static func begin(
        _ layout: StateLayout, serial: UInt64, _ boot: BootID, _ epoch: UInt64, _ notifier: Notifier,
        grants: GrantTags = GrantTags()
    ) throws(SystemError) -> StateKeeper {
        let memory = try MappedMemory(named: "spschedd-state", count: layout.bytes)
        let keeper = StateKeeper(memory, layout, serial: serial, committed: 0, failpoint: .fromEnvironment())
        keeper.begin(
            StateHeader(recordVersion: Self.recordVersion, boot: boot, serial: serial), epoch: epoch, grants: grants)
        return keeper
    }

    /// Keeps one that cannot be used for somebody to look at: the latest. It must be let go of under its old name
    /// first, as the service manager takes a file once only.
    private static func setAside(
        _ descriptor: borrowing FileDescriptor, _ state: StoredDescriptors.State, _ notifier: Notifier
    ) {
        notifier.removeNow(StoredDescriptors.setAsideName)
        notifier.removeNow(state.name)
        notifier.storeNow(descriptor, as: StoredDescriptors.setAsideName)
    }

    /// Everything is written: this state is the one that counts.
    func isComplete(_ notifier: Notifier) {
        notifier.storeNow(memory.descriptor, as: StoredDescriptors.name(ofState: serial))
        if let replaces { notifier.removeNow(replaces) }
        replaces = nil
    }
}

/// A state that the service manager kept and that cannot be used.
struct UnusableState: Equatable {
    /// Why, as the end of a sentence.
    let reason: String
    /// Whether the service manager keeps it on, for somebody to look at.
    var isSetAside: Bool

    var sentence: String {
        "The state that the service manager kept cannot be used: \(reason). "
            + (isSetAside ? "It is set aside as \(StoredDescriptors.setAsideName)" : "It is not kept any longer")
            + ", and clients register anew"
    }
}

extension BootID {
    /// Zero where the kernel does not tell, as in a sandbox without /proc/sys: memory does not outlive a boot anyway.
    static var current: BootID {
        let path = "/proc/sys/kernel/random/boot_id"
        guard let file = try? FileDescriptor.openReadOnly(path), let bytes = try? file.read(atMost: 64) else {
            return BootID(low: 0, high: 0)
        }
        return BootID(String(decoding: bytes, as: UTF8.self)) ?? BootID(low: 0, high: 0)
    }
}
