import LinuxIO

/// The open connections, in slots that are used again under a new generation.
struct ConnectionTable {
    private var connections: [Connection?] = []
    /// From 1 on: generation 0 marks the server's own descriptors.
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { connections.count - free.count }

    /// The token that the next `insert` takes; `nil` if the table is full.
    var nextToken: EventToken? {
        guard count < capacity else { return nil }
        guard let slot = free.last else { return EventToken(slot: UInt32(connections.count), generation: 1) }
        return EventToken(slot: slot, generation: generations[Int(slot)])
    }

    /// Keeps a connection that has `nextToken`.
    mutating func insert(_ connection: Connection) {
        precondition(connection.token == nextToken)
        if free.popLast() == nil {
            connections.append(connection)
            generations.append(connection.token.generation)
        } else {
            connections[Int(connection.token.slot)] = connection
        }
    }

    /// `nil` if the connection of that token is gone.
    subscript(token: EventToken) -> Connection? {
        let slot = Int(token.slot)
        return slot < connections.count && generations[slot] == token.generation ? connections[slot] : nil
    }

    mutating func remove(_ token: EventToken) {
        guard self[token] != nil else { return }
        let slot = Int(token.slot)
        connections[slot] = nil
        generations[slot] = generations[slot] == .max ? 1 : generations[slot] + 1
        free.append(token.slot)
    }
}
