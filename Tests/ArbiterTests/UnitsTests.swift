import Testing

@testable import Arbiter

@Suite("Units")
struct UnitsTests {
    @Test("a rate becomes an interval only through its own conversion")
    func rateInterval() {
        #expect(Rate.perSecond(1).interval == .seconds(1))
        #expect(Rate(millihertz: 25).interval == .seconds(40))
        #expect(Rate.perSecond(4).interval == .milliseconds(250))
    }

    @Test("the load of a rate is rounded up, so that admission never promises more than there is")
    func rateLoad() {
        #expect(Rate.perSecond(1).load(each: .microseconds(7_500)) == .microseconds(7_500))
        #expect(Rate(millihertz: 25).load(each: .microseconds(7_500)) == Nanoseconds(187_500))
        #expect(Rate(millihertz: 1).load(each: Nanoseconds(1)) == Nanoseconds(1))
    }

    @Test("a share and its whole are each other's inverse up to rounding")
    func share() {
        let floor = Share(percent: 10)
        #expect(floor.of(.milliseconds(500)) == .milliseconds(50))
        #expect(floor.whole(of: .milliseconds(50)) == .milliseconds(500))
        #expect(floor.whole(of: Nanoseconds(1)) == Nanoseconds(10))
    }

    @Test("the ends of time leave room for every duration")
    func endsOfTime() {
        #expect(Instant.distantFuture + .seconds(1_000_000_000) > .distantFuture)
        #expect(Instant.distantPast - .seconds(1_000_000_000) < .distantPast)
        #expect(Instant.distantFuture - Instant(sinceBoot: .zero) > .zero)
    }

    @Test("a value is moved into a range only if it lies outside")
    func clamped() {
        let range = Nanoseconds.milliseconds(1)...Nanoseconds.milliseconds(3)
        #expect(Nanoseconds.milliseconds(2).clamped(to: range) == .milliseconds(2))
        #expect(Nanoseconds(-1).clamped(to: range) == .milliseconds(1))
        #expect(Nanoseconds(.max).clamped(to: range) == .milliseconds(3))
    }

    @Test("every kind belongs to the class that its wire value begins with")
    func classes() {
        for kind in CommandKind.allCases {
            #expect(kind.commandClass == [1: .launch, 2: .guest, 3: .platform][kind.rawValue >> 8])
        }
    }

    @Test("the default launch burst is inside the defaults' own limits")
    func defaults() {
        let configuration = Configuration()
        #expect(configuration.launchReservePerSecond < configuration.capacityPerSecond)
        #expect(configuration.hold >= Limits.holdMin && configuration.hold <= Limits.holdMax)
    }
}
