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

    @Test("the default launch burst is inside the defaults' own limits")
    func defaults() {
        let configuration = Configuration()
        #expect(configuration.launchReservePerSecond < configuration.capacityPerSecond)
        #expect(configuration.hold >= Limits.holdMin && configuration.hold <= Limits.holdMax)
    }
}
