import Arbiter
import Testing

@testable import spschedctl

/// Goal: host and VM processes understand each other, and neither takes noise for news. Method: there and back as text.
@Suite struct MessageTests {
    private static func at(_ count: Int64) -> Instant { Instant(sinceBoot: Nanoseconds(count)) }

    private static let reports: [spschedctl.VMReport] = [
        .ready, .report(end: at(5)), .busy(at: at(1)), .keyLost(at: at(60_000_000_000)),
        .launched(LaunchTimes(requested: at(1), began: at(2), ended: at(3), running: at(4))),
        .failed("launch-1: the device went away"),
    ]

    @Test(arguments: reports)
    func `A report survives the way`(report: spschedctl.VMReport) {
        #expect(spschedctl.VMReport(text: report.text) == report)
    }

    @Test(arguments: ["", "report", "report x", "report 1 2", "launched 1 2 3", "ready 1", "boo"])
    func `Noise is no report`(text: String) {
        #expect(spschedctl.VMReport(text: text) == nil)
    }

    @Test func `An order survives the way, and noise is none`() {
        #expect(VMOrder(text: VMOrder.start(at: Self.at(7)).text) == .start(at: Self.at(7)))
        #expect(VMOrder(text: "start") == nil)
        #expect(VMOrder(text: "stop 7") == nil)
    }

    @Test func `A trace is read row by row, and a torn last row is left out`() {
        let runs = TraceRun.runs(
            csv: "label,kind,start_ns,end_ns,units\nlaunch-1,launchUpdate,10,20,32\nvm,report,20,30,1\nvm,rep")
        #expect(runs.map(\.holder) == ["launch-1", "vm"])
        #expect(runs.map(\.isLaunch) == [true, false])
    }
}
