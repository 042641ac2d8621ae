import LinuxIO

/// What the daemon before gave the service manager to keep: its state, and its clients' connections.
struct StoredDescriptors {
    /// A state, and the name under which it is kept.
    struct State {
        let name: String
        let number: Int32
    }

    private(set) var states: [State] = []
    /// States that could not be used, for somebody to look at.
    private(set) var setAside: [State] = []
    private(set) var connections: [(token: EventToken, number: Int32)] = []
    /// Of a newer daemon, or under a name that none gives: nobody here knows what they are.
    private(set) var unknown: [State] = []

    /// Takes a descriptor if its name is one of these. Others are the units' sockets.
    mutating func take(_ number: Int32, named name: String) -> Bool {
        if let token = EventToken(storedAs: name) {
            connections.append((token, number))
        } else if name == Self.setAsideName {
            setAside.append(State(name: name, number: number))
        } else if name.hasPrefix(Self.statePrefix) {
            states.append(State(name: name, number: number))
        } else if name.hasPrefix(Self.prefix) {
            unknown.append(State(name: name, number: number))
        } else {
            return false
        }
        return true
    }

    /// One that no unit can have meant: only what listens is a unit's socket.
    mutating func takeUnknown(_ number: Int32, named name: String) {
        unknown.append(State(name: name, number: number))
    }

    /// All names that are ours begin so.
    static let prefix = "spschedd."
    private static let statePrefix = "spschedd.state."
    static let setAsideName = "spschedd.set-aside"

    /// Two names, so that a new state is there before the old one goes.
    static func name(ofState serial: UInt64) -> String { "\(statePrefix)\(serial % 2)" }
}

/// Descriptors that the service manager kept, and that the start has let go of.
struct UnknownDescriptors: Equatable {
    let count: Int
    /// The first of them.
    private let names: ArraySlice<String>

    /// `nil` if there are none.
    init?(names: [String]) {
        guard !names.isEmpty else { return nil }
        count = names.count
        self.names = names.prefix(DaemonLimits.unknownDescriptorsNamed)
    }

    var sentence: String {
        let quoted = names.map { "'\($0)'" }.joined(separator: ", ") + (count > names.count ? ", …" : "")
        let kept = count == 1 ? "a descriptor under a name that is" : "\(count) descriptors under names that are"
        return "The service manager kept \(kept) unknown here: \(quoted). Closed, and not kept any longer"
    }
}

extension EventToken {
    /// The name under which the service manager keeps the connection: short, as thousands of them are one variable.
    var storedName: String { "c\(slot).\(generation)" }

    init?(storedAs name: String) {
        guard name.first == "c" else { return nil }
        let parts = name.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let slot = UInt32(parts[0]), let generation = UInt32(parts[1]) else { return nil }
        self.init(slot: slot, generation: generation)
    }
}
