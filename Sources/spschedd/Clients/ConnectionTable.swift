import LinuxIO

/// All connections, in dense slots. A slot's generation counts its tenants, so that nothing late reaches the next one.
struct ConnectionTable {
    private var slots: [Connection?]
    private var generations: [UInt32]
    private var free: [UInt32]
    private(set) var count = 0

    /// - Parameter last: the last tenants of places, from the daemon before.
    init(capacity: Int, _ last: [EventToken] = []) {
        slots = Array(repeating: nil, count: capacity)
        generations = Array(repeating: 0, count: capacity)
        free = (0..<UInt32(capacity)).reversed()
        for token in last where token.slot < capacity { generations[Int(token.slot)] = token.generation }
    }

    var capacity: Int { slots.count }

    subscript(token: EventToken) -> Connection? {
        guard token.slot < slots.count, let connection = slots[Int(token.slot)], connection.token == token
        else { return nil }
        return connection
    }

    /// The token for one more connection; `nil` when every slot is taken. It is taken once `insert` is called.
    var nextToken: EventToken? {
        free.last.map { EventToken(slot: $0, generation: generations[Int($0)] &+ 1) }
    }

    mutating func insert(_ connection: Connection) {
        precondition(connection.token == nextToken, "a connection takes the next token")
        let slot = Int(free.removeLast())
        generations[slot] = connection.token.generation
        slots[slot] = connection
        count += 1
    }

    /// Whether a connection of the daemon before can have its place again.
    func isFree(_ token: EventToken) -> Bool { token.slot < slots.count && slots[Int(token.slot)] == nil }

    /// Puts connections of the daemon before where they were. At start only: it looks through all places.
    mutating func insert(adopted connection: Connection) {
        precondition(isFree(connection.token), "the place is taken")
        slots[Int(connection.token.slot)] = connection
        generations[Int(connection.token.slot)] = connection.token.generation
        count += 1
        free.removeAll { $0 == connection.token.slot }
    }

    mutating func remove(_ connection: Connection) {
        precondition(self[connection.token] === connection, "not in the table")
        slots[Int(connection.token.slot)] = nil
        free.append(connection.token.slot)
        count -= 1
    }

    /// For housekeeping and announcements; not for the hot path.
    func forEach(_ body: (Connection) -> Void) {
        for case let connection? in slots { body(connection) }
    }
}
