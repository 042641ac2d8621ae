import Arbiter
import Testing
import TraceFormat

@testable import TraceReplay

@Suite("Timelines of traces")
struct TextTimelineTests {
    private func history(_ host: borrowing TracedHost) throws -> (History, [VMID: String]) {
        var history = History()
        var replay = Replay()
        replay.run(try host.file(), see: { history.see($0) })
        return (history, replay.names)
    }

    @Test("who has the SP, who waits, what a hold is, and why somebody was refused")
    func lanes() throws {
        var host = TracedHost(seed: 1)
        let account = host.openAccount()
        host.add(Registration(reservationWanted: .zero, guestWaitMax: .milliseconds(10)), account: account)
        host.add(launches: true, account: account)
        host.run(for: .milliseconds(160))
        let (history, names) = try history(host)
        let start = try #require(history.from)
        let timeline = TextTimeline(history, names: names, from: start, column: .milliseconds(2), columns: 80)
        #expect(
            timeline.text == """
                ms 0.........20........40........60........80........100.......120.......140.......
                SP .aaaaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA...........................................
                A  .~~~=================================...........................................
                a  .====~..........................................................................
                A is VM 1.1
                a is VM 0.1
                a: launchAhead +11.1 ms
                """)
    }

    @Test("a hold, finer columns, and a part that begins later")
    func hold() throws {
        var host = TracedHost(seed: 1)
        let account = host.openAccount()
        for _ in 0..<2 { host.add(pause: .milliseconds(1), account: account) }
        host.add(launches: true, account: account)
        host.run(for: .milliseconds(100))
        let (history, names) = try history(host)
        #expect(!history.holds.isEmpty)
        let hold = try #require(history.holds.first)
        let timeline = TextTimeline(
            history, names: names, from: hold.from, column: .microseconds(50), columns: 10)
        let lines = timeline.text.split(separator: "\n")
        #expect(lines[0] == "us 0.........")
        #expect(lines[1].hasPrefix("SP --"))
        #expect(lines[1].contains("A"))
    }

    @Test("an empty history has a ruler and an idle SP")
    func empty() {
        let timeline = TextTimeline(
            History(), names: [:], from: Instant(sinceBoot: .zero), column: .milliseconds(1), columns: 12)
        #expect(timeline.text == "ms 0.........10\nSP ............")
    }
}
