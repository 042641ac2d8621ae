import Arbiter
import SPModel
import Testing

@testable import CapacityPlanning

/// Goal: no simulated fleet does worse than the formulas say. Method: random fleets, of which the largest of their
/// shape that is admitted is played. P1 is of launches that are first in line: where they come faster than one ends, by
/// its bound, they are not.
@Suite("Bounds against simulation")
struct BoundsHoldTests {
    @Test("what is simulated stays within the worst case", arguments: 1...20)
    func hold(seed: UInt64) throws {
        let fleet = Self.randomFleet(seed)
        let answers = FleetAnswers(fleet)
        try #require(answers.played.virtualMachines > 0)
        var simulation = try FleetSimulation(
            answers.played, answers.playedAdmission, seconds: 40, seed: seed)
        while !simulation.isDone { simulation.play(to: simulation.elapsed + .seconds(30)) }
        for (index, group) in simulation.outcome.groups.enumerated() {
            let (plan, worst) = (answers.played.groups[index], answers.worst.groups[index])
            if plan.launches.areApart(by: worst.launch), let launches = group.launches,
                let longest = launches.longestLaunch
            {
                #expect(worst.launch.map { longest <= $0 } == true, "\(seed) \(group.name) launched in \(longest)")
            }
            let frozen = worst.longest.frozen
            #expect(group.longestFrozen <= frozen, "\(seed) \(group.name) was frozen for \(group.longestFrozen)")
            #expect(group.keysLost == 0 || frozen == .none, "\(seed) \(group.name)")
        }
    }

    private static func randomFleet(_ seed: UInt64) -> Fleet {
        var random = SplitMix64(seed: seed)
        func draw(_ range: ClosedRange<Int64>) -> Int64 {
            range.lowerBound + Int64(random.next() % UInt64(range.upperBound - range.lowerBound + 1))
        }
        var fleet = Fleet()
        fleet.configuration.arbiter.floorShare = Share(percent: draw(1...40))
        fleet.configuration.arbiter.chunkPages = UInt32(draw(1...64))
        fleet.configuration.arbiter.hold = .microseconds(draw(200...10_000))
        for index in 0..<draw(1...3) {
            var group = FleetGroup(name: "group-\(index + 1)")
            group.count = draw(1...200)
            group.reservation = draw(0...1) == 0 ? nil : Rate(millihertz: draw(25...2_000))
            group.burst = draw(1...5)
            group.guest.kind = GuestKind.allCases[Int(draw(0...2))]
            group.guest.requests = draw(0...1) == 0 ? .loop : .every(Rate(millihertz: draw(50...2_000)))
            group.guest.starts = draw(0...1) == 0 ? .random : .aligned
            fleet.groups.append(group)
        }
        fleet.groups[0].launches.perThousandMinutes = 4_000
        fleet.groups[0].launches.profile = LaunchProfileName.allCases[Int(draw(0...3))]
        fleet.groups[0].launches.turns = draw(0...2) == 0 ? .whole : .chunked
        fleet.groups[0].launches.virtualCPUs = draw(1...64)
        guard draw(0...2) == 0 else { return fleet }
        var unjoined = UnjoinedGroup(name: "unjoined")
        unjoined.count = draw(1...3)
        unjoined.guest.requests = draw(0...2) == 0 ? .loop : .every(Rate(millihertz: draw(50...2_000)))
        fleet.unjoined = [unjoined]
        return fleet
    }
}

/// Where there is no bound everything keeps to it.
private func <= (time: Nanoseconds, bound: WorstCase.Bound) -> Bool {
    if case .within(let most) = bound { time <= most } else { true }
}

extension LaunchBehaviour {
    fileprivate func areApart(by bound: WorstCase.Bound?) -> Bool {
        guard case .within(let most)? = bound else { return false }
        return areExpected && most < Nanoseconds(60_000_000_000_000 / perThousandMinutes)
    }
}
