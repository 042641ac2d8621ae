import Arbiter
import Testing
import TraceFormat

@testable import TraceReplay

/// Goal: under the recorded configuration the same happens, and under another what that configuration is for.
@Suite("What if")
struct WhatIfTests {
    private func compare(
        _ file: TraceFile, _ configuration: Configuration
    ) throws -> (comparison: WhatIfComparison, results: WhatIfResults) {
        var history = History()
        var calls: [CallRecord] = []
        var first: [UInt64]?
        var replay = Replay()
        replay.run(
            file, began: { first = first ?? $1 },
            see: {
                history.see($0)
                calls.append($0.record)
            })
        #expect(replay.summary.difference == nil)
        var whatIf = try WhatIf(
            state: try #require(first), configuration: configuration, history: history, calls: calls)
        whatIf.run()
        return (WhatIfComparison(history, whatIf.results), whatIf.results)
    }

    @Test("under the same configuration nothing changes", arguments: 1...3 as ClosedRange<UInt64>)
    func unchanged(seed: UInt64) throws {
        var host = TracedHost.busy(seed: seed)
        host.run(for: .seconds(5))
        let compared = try compare(try host.file(), Configuration())
        #expect(compared.comparison.guests.isUnchanged, "\(compared.comparison.guests)")
        #expect(compared.comparison.launches.isUnchanged, "\(compared.comparison.launches)")
        #expect(compared.comparison.guests.granted > 300)
        #expect(compared.comparison.guests.granted == compared.comparison.guests.grantedThen)
        #expect(compared.comparison.guests.waited == compared.comparison.guests.waitedThen)
        #expect(compared.comparison.launches.granted > 10)
    }

    @Test("from the middle of a ring that has wrapped, too")
    func wrapped() throws {
        var host = TracedHost.busy(seed: 9, wordsInSegment: 4_000)
        host.run(for: .seconds(5))
        let compared = try compare(try host.file(), Configuration())
        #expect(compared.comparison.guests.granted > 100)
        #expect(compared.comparison.guests.isUnchanged, "\(compared.comparison.guests)")
        #expect(compared.comparison.launches.isUnchanged, "\(compared.comparison.launches)")
    }

    @Test("without a floor guests wait longer while launches run, and launches do not")
    func floor() throws {
        var host = TracedHost.busy(seed: 2)
        host.run(for: .seconds(5))
        var configuration = Configuration()
        configuration.floorShare = Share(percent: 60)
        configuration.floorDelay = .zero
        let compared = try compare(try host.file(), configuration).comparison
        #expect(compared.launches.later > 0)
        #expect(compared.launches.waitedThen > compared.launches.waited)
        #expect(!compared.guests.isUnchanged)
        #expect(
            compared.rows.reduce(0) { $0 + $1.sums.requests } == compared.guests.requests + compared.launches.requests)
    }

    @Test("with a shorter wait more is refused")
    func wait() throws {
        var host = TracedHost.busy(seed: 2)
        host.run(for: .seconds(5))
        var configuration = Configuration()
        configuration.guestWaitMax = .milliseconds(1)
        let compared = try compare(try host.file(), configuration).comparison
        // What a VM was promised when it registered comes with its registration, which is played anew.
        #expect(compared.guests.nowRefused > 20)
    }

    @Test("with a launch bucket that is empty launches are refused, and what belongs to them is not asked")
    func launchBucket() throws {
        var host = TracedHost.busy(seed: 2)
        host.run(for: .seconds(5))
        var configuration = Configuration()
        configuration.launchBucketVM = LaunchBucket(perSecond: .milliseconds(1), burst: .milliseconds(90))
        let compared = try compare(try host.file(), configuration)
        #expect(compared.results.launchesRefused > 0)
        #expect(compared.comparison.launches.notAsked > 0)
        #expect(compared.comparison.launches.granted > compared.comparison.launches.grantedThen)
    }

    @Test("VMs that would not be admitted ask for nothing")
    func admission() throws {
        var host = TracedHost.busy(seed: 2)
        host.run(for: .seconds(2))
        var configuration = Configuration()
        configuration.floorShare = Share(perMille: 2)
        let compared = try compare(try host.file(), configuration)
        #expect(compared.results.notAdmitted > 0)
        #expect(compared.comparison.guests.notAsked > 0)
    }
}
