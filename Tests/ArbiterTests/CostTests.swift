import Testing

@testable import Arbiter

/// Goal: what commands are predicted to cost. Method: observations of several VMs.
@Suite("Costs")
struct CostTests {
    private func model() -> CostModel { CostModel(planning: PlanningCosts(), virtualMachines: 8) }

    @Test("predictions begin with the planning costs")
    func planning() {
        let costs = model()
        #expect(costs.predicted(.report, units: 1) == .microseconds(7_500))
        #expect(costs.predicted(.otherGuestRequest, units: 1) == .microseconds(7_500))
        #expect(costs.predicted(.launchUpdate, units: 32) == .milliseconds(32))
        #expect(costs.predicted(.wholeLaunch, units: 100) == .microseconds(110_300))
    }

    @Test("they follow the median of VMs, one vote each, however often one of them asks")
    func median() {
        var costs = model()
        costs.observe(.milliseconds(8), .report, units: 1, by: 0)
        costs.observe(.milliseconds(9), .report, units: 1, by: 1)
        for _ in 0..<1_000 { costs.observe(.milliseconds(30), .report, units: 1, by: 2) }
        #expect(costs.report == .milliseconds(9))
        costs.forget(2)
        #expect(costs.report <= .milliseconds(9))
        for slot in 0..<2 { costs.forget(slot) }
        #expect(costs.report == .microseconds(7_500))
    }

    @Test("a vote counts within a quarter and four times the planning cost")
    func clamped() {
        var costs = model()
        for _ in 0..<100 { costs.observe(.seconds(10), .report, units: 1, by: 0) }
        #expect(costs.report == .milliseconds(30))
        for _ in 0..<100 { costs.observe(.zero, .report, units: 1, by: 0) }
        #expect(costs.report <= .microseconds(1_990) && costs.report >= .microseconds(1_875))
    }

    @Test("pages are learnt from updates, by page; a launch that did nothing teaches nothing")
    func pages() {
        var costs = model()
        costs.observe(.milliseconds(64), .launchUpdate, units: 32, by: 0)
        costs.observe(.seconds(1), .launchUpdate, units: 0, by: 1)
        #expect(costs.launchPage == .milliseconds(2))
        #expect(costs.predicted(.launchUpdate, units: 8) == .milliseconds(16))
    }

    @Test("a launch turn beside guests that never ask is expected to wait for as many reports as a guest's report does")
    func besideUnjoined() {
        var costs = model()
        func observe(_ report: Nanoseconds) {
            for slot in 0..<3 { costs.observe(report, .report, units: 1, by: slot) }
        }
        observe(.milliseconds(11))
        #expect(costs.besideUnjoined(.launchUpdate, units: 32) == .zero)
        for slot in 0..<3 { costs.forget(slot) }
        observe(.milliseconds(15))
        #expect(costs.besideUnjoined(.launchUpdate, units: 32) == .milliseconds(32) + .microseconds(7_500) * 32)
        #expect(costs.besideUnjoined(.launchStart, units: 1) == .microseconds(5_300) + .microseconds(7_500) * 3)
        for slot in 0..<3 { costs.forget(slot) }
        observe(.seconds(1))
        #expect(costs.besideUnjoined(.launchUpdate, units: 1) == .milliseconds(1) + .microseconds(7_500) * 3)
    }

    @Test("its lease is four times that, once half of the VMs saw it")
    func leaseBesideUnjoined() throws {
        let host = Host()
        let launcher = try host.register()
        for (report, lease) in [
            (Nanoseconds.microseconds(7_500), Nanoseconds.milliseconds(178)),
            (.microseconds(7_500), .milliseconds(178)),
            (.milliseconds(15), .milliseconds(178)), (.milliseconds(15), .milliseconds(1_138)),
        ] {
            let guest = try host.register()
            let request = try host.acquire(.report, of: guest)
            host.run(for: report)
            try host.release(#require(host.grant(of: request)).turn, of: guest)
            let session = try host.begin(LaunchPlan(pages: 32), of: launcher)
            let grant = try #require(host.grant(of: host.acquire(.launchUpdate, 32, of: launcher)))
            #expect(grant.lease == lease)
            host.run(for: .milliseconds(32))
            try host.release(grant.turn, of: launcher, units: 32)
            try host.end(session, of: launcher)
        }
    }

    @Test("admission never uses a measured cost")
    func admission() throws {
        let host = Host(virtualMachines: 120)
        let vm = try host.register(Registration(reservationWanted: .zero))
        for _ in 0..<10 {
            let request = try host.acquire(.report, of: vm)
            host.run(for: .milliseconds(20))
            try host.release(#require(host.grant(of: request)).turn, of: vm)
        }
        #expect(host.overview.predictedReport == .milliseconds(20))
        #expect(host.overview.rateLeft == .perSecond(100))
    }

    @Test("a lease is four times the prediction and 50 ms; its holder must start in half of what is left")
    func lease() throws {
        let host = Host()
        let vm = try host.register()
        let request = try host.acquire(.report, of: vm)
        let grant = try #require(host.grant(of: request))
        #expect(grant.lease == .milliseconds(80))
        #expect(grant.startWithin == .microseconds(36_250))
    }
}
