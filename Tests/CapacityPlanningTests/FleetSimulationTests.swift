import Arbiter
import Reporting
import Testing

@testable import CapacityPlanning

@Suite("A fleet in virtual time")
struct FleetSimulationTests {
    private func play(_ fleet: Fleet, seconds: Int64, seed: UInt64 = 1) throws -> SimulatedFleet {
        let admission = FleetAdmission(fleet)
        try #require(admission.isAdmitted)
        var simulation = try FleetSimulation(fleet, admission, seconds: seconds, seed: seed)
        while !simulation.isDone { simulation.play(to: simulation.elapsed + .seconds(60)) }
        return simulation.outcome
    }

    /// As many VMs as may reserve 1/s, each asking for just that, while two of them are launched each minute.
    private var reserving: Fleet {
        var fleet = Fleet()
        var group = FleetGroup(name: "web")
        group.count = 100
        group.reservationLeast = group.reservation
        group.launches.perThousandMinutes = 6_000
        fleet.groups = [group]
        return fleet
    }

    @Test("a full fleet gets what it reserved, and its launches run and keep their bound")
    func full() throws {
        let result = try play(reserving, seconds: 120)
        let group = try #require(result.groups.first)
        #expect(group.guests == 99)
        #expect(try #require(group.rates).least >= 0.98)
        #expect(group.keysLost == 0 && group.refusals == 0)
        let launches = try #require(group.launches)
        #expect(launches.requested == 12 && launches.failed == 0)
        let worst = WorstCase(reserving, FleetAdmission(reserving)).groups[0]
        guard case .within(let bound)? = worst.launch, case .within(let wait)? = worst.longest.reserved else {
            return #expect(Bool(false), "there are bounds")
        }
        let longest = try #require(launches.longestLaunch)
        #expect(longest > .milliseconds(70) && longest <= bound)
        #expect(group.longestFrozen <= wait)
        #expect(result.utilisation > 0.7 && result.utilisation < 0.9)
    }

    @Test("the same seed is the same fleet, and another is another")
    func seeds() throws {
        let (first, again) = (try play(reserving, seconds: 20, seed: 3), try play(reserving, seconds: 20, seed: 3))
        #expect(first.device == again.device)
        #expect(first.groups[0].latency == again.groups[0].latency)
        #expect(try play(reserving, seconds: 20, seed: 4).device != first.device)
    }

    @Test("a group that asks nothing keeps its reservation and gets no report")
    func silent() throws {
        var fleet = reserving
        fleet.groups[0].launches.perThousandMinutes = 0
        fleet.groups[0].guest.requests = .none
        let result = try play(fleet, seconds: 5)
        #expect(result.groups[0].rates == SimulatedFleet.Rates(least: 0, mean: 0, most: 0))
        #expect(result.groups[0].launches == nil && result.utilisation == 0)
    }

    @Test("reservations that were granted in part are simulated as they were granted")
    func partial() throws {
        var fleet = Fleet()
        for (name, count) in [("first", Int64(90)), ("second", 20)] {
            var group = FleetGroup(name: name)
            group.count = count
            fleet.groups.append(group)
        }
        let result = try play(fleet, seconds: 60)
        #expect(result.groups.map(\.guests) == [90, 20])
        #expect(try #require(result.groups[0].rates).least >= 0.98)
    }

    @Test("guests that ask in bursts get as many on average")
    func bursts() throws {
        var fleet = Fleet()
        var group = FleetGroup(name: "a")
        group.count = 10
        group.guest.requests = .every(.perSecond(1))
        group.guest.atOnce = 3
        fleet.groups = [group]
        let rates = try #require(try play(fleet, seconds: 90).groups[0].rates)
        #expect(rates.least > 0.95 && rates.most < 1.05)
    }

    @Test("unjoined guests are simulated, and launches wait for them")
    func unjoined() throws {
        var fleet = reserving
        fleet.groups[0].count = 10
        let alone = try #require(try play(fleet, seconds: 60).groups[0].launches?.boots.quantile(perMille: 500))
        fleet.unjoined = [UnjoinedGroup(name: "old")]
        fleet.unjoined[0].count = 2
        fleet.unjoined[0].guest.requests = .loop
        let result = try play(fleet, seconds: 60)
        #expect(try #require(result.unjoined.first?.rates).mean > 10)
        let beside = try #require(result.groups[0].launches)
        #expect(try #require(beside.boots.quantile(perMille: 500)).time > alone.time * 3)
        guard case .within(let bound)? = WorstCase(fleet, FleetAdmission(fleet)).groups[0].launch else {
            return #expect(Bool(false), "there is a bound")
        }
        #expect(try #require(beside.longestLaunch) <= bound)
    }
}
