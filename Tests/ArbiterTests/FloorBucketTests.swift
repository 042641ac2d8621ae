import Testing

@testable import Arbiter

/// Goal: the floor keeps its share when turns are longer than planned. Method: the bucket alone.
@Suite("Floor bucket")
struct FloorBucketTests {
    private func bucket(_ percent: Int64) -> FloorBucket {
        FloorBucket(
            share: Share(percent: percent), delay: .zero, largestGuestTurn: .milliseconds(7),
            largestLaunchTurn: .milliseconds(6))
    }

    @Test("a launch turn longer than planned lets it grow all the while")
    func longLaunchTurn() {
        var bucket = bucket(10)
        bucket.pass(.milliseconds(60))
        #expect(bucket.balance == .milliseconds(6))
        bucket.pass(.milliseconds(100), launchTurn: .milliseconds(100))
        #expect(bucket.balance == .milliseconds(16))
        bucket.pass(.milliseconds(100))
        #expect(bucket.balance == .milliseconds(16), "what has grown stays, and no more is added")
    }

    @Test("it pays for a guest turn as that goes on, so that it does not overflow meanwhile")
    func paysAsItGoes() {
        var bucket = bucket(90)
        bucket.pass(.milliseconds(10))
        #expect(bucket.balance == .milliseconds(9))
        bucket.pass(.milliseconds(10), isServing: true)
        #expect(bucket.balance == .milliseconds(8))
    }

    @Test("a turn that the floor granted is owed in full; of others, what is below the bottom is forgiven")
    func owedInFull() {
        var bucket = bucket(10)
        bucket.pass(.milliseconds(50))
        #expect(bucket.balance == .milliseconds(5))
        bucket.isOwedInFull = true
        bucket.pass(.milliseconds(10), isServing: true)
        #expect(bucket.balance == .milliseconds(-4))
        bucket.pass(.milliseconds(10))
        #expect(bucket.balance == .milliseconds(-3), "what is owed is paid back at the floor's share")
        bucket.isOwedInFull = false
        bucket.pass(.milliseconds(10), isServing: true)
        #expect(bucket.balance == .milliseconds(-3))
        bucket.pass(.milliseconds(30))
        bucket.pass(.milliseconds(10), isServing: true)
        #expect(bucket.balance == .zero)
    }

    @Test("a jump of the clock by a year does no harm")
    func clockJump() {
        var bucket = bucket(10)
        bucket.pass(.seconds(31_536_000), isServing: true)
        #expect(bucket.balance == .zero)
    }
}
