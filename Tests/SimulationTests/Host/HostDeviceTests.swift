import Arbiter
import SPModel
import Simulation
import Testing

/// Goal: what a broken SP does to its host, that the books balance, and that a plan always gives the same record.
/// Method: faults at known times; sums; the same plan twice; plans of everything at once, drawn at random.
@Suite("Simulated host: device and books")
struct HostDeviceTests {
    private static func busy(_ policy: HostPolicy) -> HostPlan {
        .make(policy, guests: [GuestGroup("loop", count: 8)], launches: [LaunchGroup()])
    }

    private static let policies: [HostPolicy] = [.mutex, .rateLimit, .priority(hold: true, floor: true), .spschedd]

    @Test("a plan gives the same record however it is stepped, another seed another", arguments: policies)
    func deterministic(policy: HostPolicy) throws {
        let plan = Self.busy(policy)
        var coarse = try SimulatedHost(plan)
        var fine = try SimulatedHost(plan)
        let first = coarse.run(step: .seconds(60)).digest
        #expect(first == fine.run(step: .milliseconds(7)).digest)
        var other = plan
        other.seed = 2
        #expect(try record(of: other).digest != first)
    }

    @Test(
        "SP time is what was served: busy and idle are the whole, launches and guests the busy part",
        arguments: policies)
    func sums(policy: HostPolicy) throws {
        let record = try record(of: Self.busy(policy))
        let device = record.device
        #expect(device.busy + device.idle == .seconds(20) && device.idle >= .zero)
        #expect(device.launchService + device.guestService == device.busy)
        let reports = record.guests[0].reports
        #expect(record.guests[0].latency.count == UInt64(reports))
        let windows = record.guests[0].windows
        let counted = (0..<8).reduce(0) { sum, guest in
            sum + (0..<windows.windows).reduce(0) { $0 + windows.reports(of: guest, inWindow: $1) }
        }
        #expect(windows.windows == 20 && counted == reports)
        // Within a report's length at either end.
        let mean = device.guestService / Int64(max(reports, 1))
        #expect(mean > .microseconds(7_300) && mean < .microseconds(7_700), "\(mean)")
    }

    @Test("a stuck SP: guests are refused until a probe returns, then all goes on")
    func stuck() throws {
        var plan = Self.busy(.spschedd)
        plan.faults = [PlannedFault(at: .seconds(5), .stall(.seconds(8)))]
        let record = try record(of: plan)
        #expect(record.device.probes == 1 && record.device.revoked <= 1)
        #expect(record.guests[0].refusals >= 8 && record.guests[0].keysLost == 0)
        let windows = record.guests[0].windows
        let during = (0..<8).reduce(0) { $0 + windows.reports(of: $1, inWindow: 9) }
        let after = (0..<8).reduce(0) { $0 + windows.reports(of: $1, inWindow: 18) }
        #expect(during == 0 && after > 50)
    }

    @Test("a dead SP fails what is under way; revived, it serves again", arguments: policies)
    func dead(policy: HostPolicy) throws {
        var plan = Self.busy(policy)
        plan.faults = [
            PlannedFault(at: .seconds(3), .die(hang: .seconds(1))), PlannedFault(at: .seconds(6), .revive),
        ]
        let record = try record(of: plan)
        // spschedd refuses them before they reach it.
        let failures = record.guests[0].guests.reduce(0) { $0 + $1.failures }
        #expect(policy == .spschedd ? record.guests[0].refusals > 0 : failures > 0)
        #expect(record.launches[0].boots.contains { $0.outcome == .failed })
        let windows = record.guests[0].windows
        #expect(
            (0..<8).allSatisfy { windows.reports(of: $0, inWindow: 18) + windows.reports(of: $0, inWindow: 17) > 0 })
        #expect(record.device.probes > 0 || policy != .spschedd)
    }

    @Test("slow commands and teardowns take their time of the SP")
    func slowness() throws {
        var plan = HostPlan.make(guests: [GuestGroup("polite", count: 4, model: .polite(.perSecond(1)))])
        let quick = try record(of: plan)
        plan.teardowns = [TeardownBursts(virtualMachines: 20, every: .seconds(1))]
        let torn = try record(of: plan)
        let other = torn.device.busy - torn.device.guestService
        // Twenty times 20 × 1.23 ms and 5 ms.
        #expect(other > .milliseconds(550) && other < .milliseconds(650))
        #expect(torn.guests[0].latency.longest > .milliseconds(15))
        plan.teardowns = []
        plan.slowOneIn = 4
        let slow = try record(of: plan)
        #expect(slow.device.busy > quick.device.busy * 2)
    }

    @Test(
        "plans of everything at once are played, balanced, and never leave the SP idle against rule 4", arguments: 0..<4
    )
    func anything(block: UInt64) throws {
        for seed in block * 5..<block * 5 + 5 {
            let record = try record(of: .random(seed: seed))
            #expect(record.device.busy + record.device.idle == record.length, "seed \(seed)")
            #expect(record.device.launchService + record.device.guestService <= record.device.busy, "seed \(seed)")
            #expect(record.device.idleWhileEligible == .zero, "seed \(seed)")
        }
    }

    @Test("an impossible plan is refused with a sentence that names what is wrong")
    func impossible() {
        func problem(_ change: (inout HostPlan) -> Void) -> String? {
            var plan = Self.busy(.spschedd)
            change(&plan)
            do {
                _ = try SimulatedHost(plan)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.duration = .zero }?.contains("duration") == true)
        #expect(problem { $0.warmUp = -.seconds(1) }?.contains("warm-up") == true)
        #expect(problem { $0.guests[0].count = 20_000 }?.contains("20000 VMs") == true)
        #expect(problem { $0.guests[0].model.kind = .launchStart }?.contains("'loop'") == true)
        #expect(problem { $0.guests[0].model.pace = .schedule(every: .zero) }?.contains("'loop'") == true)
        #expect(problem { $0.launches[0].pattern = .random(perMinute: 0) }?.contains("'launch'") == true)
        #expect(problem { $0.launches[0].misconduct.declaredPages = 0 }?.contains("0 pages") == true)
        #expect(problem { $0.configuration.chunkPages = 0 }?.contains("chunk") == true)
        #expect(problem { $0.configuration.floorShare = Share(perMille: 0) }?.contains("floor") == true)
        #expect(problem { $0.configuration.launchPagesMax = 63 }?.contains("'launch'") == true)
        #expect(problem { $0.recording.window = .microseconds(1) }?.contains("windows") == true)
    }
}
