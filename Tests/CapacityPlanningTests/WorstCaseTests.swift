import Arbiter
import SPModel
import Testing

@testable import CapacityPlanning

@Suite("The worst case by formula")
struct WorstCaseTests {
    private func fleet(unjoined: Int64 = 0, change: (inout FleetGroup) -> Void = { _ in }) -> Fleet {
        var fleet = Fleet()
        var group = FleetGroup(name: "a")
        group.count = 40
        group.launches.perThousandMinutes = 1_000
        change(&group)
        fleet.groups = [group]
        if unjoined > 0 {
            fleet.unjoined = [UnjoinedGroup(name: "u")]
            fleet.unjoined[0].count = unjoined
            fleet.unjoined[0].guest.requests = .loop
        }
        return fleet
    }

    private func worst(_ fleet: Fleet) -> WorstCase { WorstCase(fleet, FleetAdmission(fleet)) }

    @Test("a launch's bound does not depend on the number of VMs")
    func independence() {
        var large = fleet()
        large.groups[0].count = 200
        let (few, many) = (worst(fleet()).groups[0].launch, worst(large).groups[0].launch)
        #expect(few == many)
        guard case .within(let bound)? = few else { return #expect(Bool(false), "there is a bound") }
        // 64 pages and the fixed commands take 77 ms in the middle; the bound is for the slowest, with the floor.
        #expect(bound > .milliseconds(77) && bound < .milliseconds(250))
    }

    @Test("an unjoined guest with a schedule adds the reports that come meanwhile, not one to every command")
    func pacedUnjoined() {
        var paced = fleet(unjoined: 1)
        paced.unjoined[0].guest.requests = .every(Rate(millihertz: 100))
        guard case .within(let alone)? = worst(fleet()).groups[0].launch,
            case .within(let beside)? = worst(paced).groups[0].launch
        else { return #expect(Bool(false), "there is a bound") }
        // Two reports, of which one waits already, beside the floor's share.
        let report = worst(fleet()).turns.guest
        #expect(beside > alone + report * 2 && beside < alone + report * 3)
    }

    @Test("each unjoined guest in a tight loop adds a report to every command")
    func unjoined() {
        guard case .within(let alone)? = worst(fleet()).groups[0].launch,
            case .within(let beside)? = worst(fleet(unjoined: 1)).groups[0].launch
        else { return #expect(Bool(false), "there is a bound") }
        // START is 3 commands, and 64 pages, a save area and FINISH follow: 69 reports at least.
        #expect(beside - alone >= Configuration().planningCosts.report * 69)
    }

    @Test("unjoined guests that leave less than what is reserved leave no bound of the reserved wait")
    func nothingPromised() {
        let one = worst(fleet(unjoined: 1)).groups[0].longest.reserved
        #expect(one != nil && one != WorstCase.Bound.none)
        #expect(worst(fleet(unjoined: 2)).groups[0].longest.reserved == WorstCase.Bound.none)
    }

    @Test("all launches at once take their sum, and half of it on average")
    func storm() throws {
        let storm = try #require(worst(fleet()).storm)
        #expect(storm.launches == 40)
        guard case .within(let last) = storm.last, case .within(let mean) = storm.mean,
            case .within(let one)? = worst(fleet()).groups[0].launch
        else { return #expect(Bool(false), "there are bounds") }
        #expect(last > one * 20 && last < one * 40)
        #expect(mean > last / 2 && mean < last * 6 / 10)
    }

    @Test("a storm beyond a day has no bound")
    func endless() throws {
        var fleet = fleet(unjoined: 1_024) { $0.launches.profile = .ovmf4MiB }
        fleet.groups[0].count = 4_096
        #expect(try #require(worst(fleet).storm).last == WorstCase.Bound.none)
    }

    @Test("the turns are the longest that the model ever draws, or the planning costs where those are longer")
    func turns() {
        let modelled = worst(fleet()).turns
        #expect(modelled.guest == Profile.milan2024.timing(of: .guestRequestReport).longest)
        var slow = fleet()
        slow.configuration.arbiter.planningCosts.report = .milliseconds(20)
        #expect(worst(slow).turns.guest == .milliseconds(20))
    }

    @Test("an attempt may freeze its guest for as long as the floor needs, and 8 s more where it must not be refused")
    func frozen() {
        guard case .within(let linux) = worst(fleet { $0.reservation = nil }).groups[0].longest.frozen,
            case .within(let once) = worst(
                fleet {
                    $0.reservation = nil
                    $0.guest.kind = .once
                }
            ).groups[0].longest.frozen
        else { return #expect(Bool(false), "there are bounds") }
        // 500 ms, and 40 reports at a tenth of the time.
        #expect(linux > .milliseconds(3_500) && linux < .milliseconds(5_000))
        #expect(once == linux + Limits.protectedAgedAfter)
    }

    @Test("a fleet without VMs that may be refused for long waits no longer than its configuration says")
    func shortWait() {
        var alone = fleet { $0.reservation = nil }
        alone.groups[0].count = 1
        alone.configuration.arbiter.guestWaitMax = .seconds(2)
        alone.configuration.arbiter.floorDelay = .zero
        let worst = worst(alone)
        #expect(worst.groups[0].longest.frozen == .within(.seconds(2) + worst.turns.guest))
    }
}
