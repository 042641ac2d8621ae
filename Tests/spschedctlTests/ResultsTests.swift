import Arbiter
import Foundation
import FoundationXML
import Reporting
import SPModel
import Testing

@testable import spschedctl

/// Goal: programs get one shape of JSON, people a table and a report that need nothing else. Method: results made by
/// hand.
@Suite struct ResultsTests {
    @Test func `JSON has every key of its shape, null where nothing applies`() throws {
        let data = Data(Format.json(try ShowOutcome.sample().results).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]])
        #expect(Set(object.keys) == ["runs", "budget"])
        let runs = try #require(object["runs"])
        let runKeys: Set = [
            "policy", "antagonists", "boot_ms", "simulated_boot_ms", "launches", "cut", "reports_per_s", "jain",
            "refusals", "lost_vmpck",
        ]
        #expect(runs.allSatisfy { Set($0.keys) == runKeys })
        #expect(runs.allSatisfy { Set(($0["boot_ms"] as? [String: Any] ?? [:]).keys) == ["p50", "p99", "max"] })
        #expect(runs.map { $0["cut"] as? Bool } == [true, false])
        #expect(runs[0]["reports_per_s"] is NSNull)
        let budget = try #require(object["budget"])
        let budgetKeys: Set = ["vm", "limit_per_s", "reservation_per_s", "weight", "expected_per_s", "got_per_s"]
        #expect(!budget.isEmpty && budget.allSatisfy { Set($0.keys) == budgetKeys })
    }

    @Test func `A launch that filled the slot leaves no time between launches`() throws {
        let run = try #require(try ShowOutcome.sample().results.runs.first)
        #expect(run.reportsPerSecond == nil)
        #expect(run.launches == 0)
        #expect(run.boot?.p50 == Latency(.milliseconds(1_500), isCut: true))
        #expect(run.utilisation == 1)
    }

    @Test func `Reports are counted in the slot, and between launches`() throws {
        let run = try #require(try ShowOutcome.sample().results.runs.last)
        // 100 ms of 1 s are the launch's; of the 11 reports one lies before the slot and one inside the launch.
        #expect(abs(try #require(run.reportsPerSecond) - 9 / 0.9) < 1e-9)
        #expect(run.refusals == 1)
        #expect(run.lostKeys == 0)
        #expect(run.boot?.p50 == Latency(.milliseconds(244)))
    }

    @Test func `The text names the cut, the budget, what is modelled and what it holds for`() throws {
        let text = try ShowOutcome.sample().results.text
        #expect(text.contains("> 1.5 s (cut)"))
        #expect(text.contains("The budget at work"))
        #expect(text.contains("Modelled, not measured"))
        #expect(text.contains("Linux ≥ 7.0, for extended reports only"))
    }

    @Test func `The report is well-formed and refers to nothing outside itself`() throws {
        let html = HTMLReport(try .sample()).html
        let parser = XMLParser(data: Data(html.replacing("<!DOCTYPE html>", with: "").utf8))
        #expect(parser.parse(), "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")")
        let outside = html.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            #expect(!outside.contains(reference), "\(reference)")
        }
        #expect(html.split(separator: "<svg").count == 4)
    }
}

extension ShowOutcome {
    /// `mutex`, whose launch was cut, and `spschedd`, with a launch from 200 to 300 ms.
    static func sample() throws -> ShowOutcome {
        let plan = DemoPlan(
            policies: [.mutex, .spschedd], antagonists: [2], profile: .vmm64Pages, slot: .seconds(1),
            hasLaunches: true, seed: 1)
        var cut = SceneRecord.sample(plan.cells[0])
        cut.cutLaunch = SceneRecord.CutLaunch(requested: .milliseconds(0), cut: .milliseconds(1_500))
        cut.trace = [TraceRun(holder: "vm", kind: "report", start: .milliseconds(-50), end: .milliseconds(1_600))]
        var whole = SceneRecord.sample(plan.cells[1])
        let launch = LaunchTimes(
            requested: .milliseconds(200), began: .milliseconds(200), ended: .milliseconds(300),
            running: .milliseconds(444))
        whole.launches = [launch]
        whole.trace = [TraceRun(holder: "l", kind: "launchUpdate", start: launch.began, end: .milliseconds(290))]
        whole.refusals = [.milliseconds(-10), .milliseconds(10)]
        var outcome = ShowOutcome(plan: plan)
        outcome.records = [cut, whole]
        outcome.results.runs = outcome.records.map(RunResult.init)
        outcome.results.budget = Budget.results(of: .sample(try #require(plan.budget)))
        return outcome
    }
}

extension SceneRecord {
    /// The slot is the first second; guest 1 got reports every 100 ms from -50 ms on, the others none.
    fileprivate static func sample(_ scene: Scene) -> SceneRecord {
        var record = SceneRecord(scene: scene)
        record.slotStart = .milliseconds(0)
        record.slotEnd = .milliseconds(1_000)
        record.reports[0] = (0...10).map { .milliseconds(Int64($0 * 100 - 50)) }
        return record
    }
}

extension Instant {
    fileprivate static func milliseconds(_ count: Int64) -> Instant { Instant(sinceBoot: .milliseconds(count)) }
}
