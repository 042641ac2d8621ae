import Arbiter
import LinuxIO
import StateFormat

/// What the daemon before left behind, read and found sound.
struct RestoredState {
    let image: StateImage
    let records: ArbiterRecords
    let grants: GrantTags
    let accounts: [(AccountID, AccountKey)]
    let virtualMachines: [SavedVM]
    let connections: [SavedConnection]

    init(_ image: StateImage) throws(StateDamage) {
        self.image = image
        guard let host = image.record(.host, 0), host.count > GrantTags.words else {
            throw .meaning("it has no record of the host")
        }
        grants = GrantTags(host[..<GrantTags.words])
        var accounts: [(AccountID, AccountKey)] = []
        var accountWords: [(AccountID, [UInt64])] = []
        for (place, words) in image.records(.accounts) {
            let saved = try SavedAccount(words)
            accounts.append((AccountID(slot: UInt32(place)), saved.key))
            accountWords.append((AccountID(slot: UInt32(place)), saved.arbiterWords))
        }
        var identities: [UInt32: SavedVM] = [:]
        for (_, words) in image.records(.identities) {
            let saved = try SavedVM(words)
            identities[saved.vm.slot] = saved
        }
        var machines: [(slot: UInt32, words: [UInt64])] = []
        var virtualMachines: [SavedVM] = []
        for (place, words) in image.records(.virtualMachines) {
            guard words.count > 1 else { throw .meaning("the place of a VM is damaged") }
            let slot = UInt32(place)
            let isRegistered = words[0] != 0
            if isRegistered, let saved = identities[slot], UInt64(saved.vm.generation) == words[1] {
                virtualMachines.append(saved)
                machines.append((slot, words))
            } else {
                // Registered a moment before the end: its client was never told, and registers again.
                machines.append((slot, [0, words[1]]))
            }
        }
        self.accounts = accounts
        self.virtualMachines = virtualMachines
        var connections: [SavedConnection] = []
        for (place, words) in image.records(.connections) {
            connections.append(try SavedConnection(slot: place, words))
        }
        self.connections = connections
        records = ArbiterRecords(
            host: Array(host[GrantTags.words...]), accounts: accountWords, virtualMachines: machines)
    }

    /// How many places the VMs need.
    var places: Int { virtualMachines.map { Int($0.vm.slot) + 1 }.max() ?? 0 }

    /// The latest tenant of each place for a connection.
    var lastTokens: [EventToken] { connections.map(\.token) }

    /// The Arbiter as it was, with the clients still to be asked.
    func arbiter(_ configuration: Configuration, virtualMachines count: Int, now: Instant) throws(StateDamage)
        -> Arbiter
    {
        var records = records
        // Free places beyond what there is now are no places.
        records.virtualMachines.removeAll { $0.slot >= max(count, places) }
        do {
            return try Arbiter.rebuilt(
                from: records, configuration: configuration, virtualMachines: count, now: now)
        } catch {
            throw .meaning("\(error)")
        }
    }
}
