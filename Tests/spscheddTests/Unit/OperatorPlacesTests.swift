import Testing

@testable import spschedd

/// Goal: whatever others leave open, each user has a place, and root always. Method: users by number, as they come.
@Suite("Places for operators")
struct OperatorPlacesTests {
    /// What becomes of connections of these users, one after another; those that are refused have no place.
    private func come(_ users: [UInt32]) -> [UInt32] {
        users.reduce(into: []) { open, uid in
            if OperatorPlaces(users: open).refusal(of: uid, isOwn: uid == 0) == nil { open.append(uid) }
        }
    }

    @Test("one user has its share, and leaves room for others")
    func oneUser() {
        let open = come(Array(repeating: 7, count: 40))
        #expect(open.count == DaemonLimits.managerConnectionsOfUser)
        let reason = OperatorPlaces(users: open).refusal(of: 7, isOwn: false)
        #expect(reason?.hasPrefix("uid 7 has 8 connections open, the most that one user may have") == true)
        #expect(OperatorPlaces(users: open).refusal(of: 8, isOwn: false) == nil)
    }

    @Test("however many users there are, root gets in, and who comes too late is told who has the places")
    func kept() {
        let open = come((0..<40).map { 100 + $0 / 8 })
        #expect(open.count == DaemonLimits.managerConnections - DaemonLimits.managerConnectionsKept)
        #expect(
            OperatorPlaces(users: open).refusal(of: 7, isOwn: false)?.contains(
                "kept for root: 8 by uid 100, 8 by uid 101, 8 by uid 102, 4 by uid 103.") == true)
        let crowded = come(open + [0, 0, 0, 0])
        #expect(crowded.count == DaemonLimits.managerConnections)
        #expect(
            OperatorPlaces(users: crowded).refusal(of: 0, isOwn: true)?.hasPrefix(
                "all 32 places for operators are taken: 8 by uid 100,") == true)
    }
}
