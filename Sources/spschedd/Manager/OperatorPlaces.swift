/// Who has the places for operators, and whether there is one for another connection.
struct OperatorPlaces {
    /// The user of each connection that is open.
    let users: [UInt32]

    /// Why there is no place, and who has them; `nil` if there is one.
    ///
    /// - Parameter isOwn: the user is root or the daemon's own.
    func refusal(of uid: UInt32, isOwn: Bool) -> String? {
        let all = DaemonLimits.managerConnections
        if isOwn { return users.count < all ? nil : "all \(all) places for operators are taken\(holders)" }
        let own = users.count { $0 == uid }
        guard own < DaemonLimits.managerConnectionsOfUser else {
            return "uid \(uid) has \(own) connections open, the most that one user may have"
                + ". End one of its programs, or ask as root"
        }
        let common = all - DaemonLimits.managerConnectionsKept
        guard users.count >= common else { return nil }
        return "the \(common) places for operators are taken, and the others are kept for root\(holders)"
    }

    /// `: 8 by uid 1000, 2 by uid 0. Have ...`: the greatest first.
    private var holders: String {
        let counts = Dictionary(users.map { ($0, 1) }, uniquingKeysWith: +)
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let list = sorted.map { "\($0.value) by uid \($0.key)" }.joined(separator: ", ")
        return ": \(list). Have some of their programs ended, or try again later"
    }
}
