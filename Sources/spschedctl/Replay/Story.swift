import Arbiter
import ConfigurationFiles
import LinuxIO
import Reporting
import TraceFormat
import TraceReplay

/// A trace that was replayed, and what there is to tell of it.
struct Story {
    let path: String
    private let origin: TraceOrigin
    let firstSegment: TraceFile.Segment
    let summary: ReplaySummary
    let history: History
    /// Made fit for a terminal: what stands in a file may have been written by anybody.
    let names: [VMID: String]
    private let firstState: [UInt64]
    private let calls: [CallRecord]

    /// What of a trace is kept to be told. Without any it is read a segment at a time, whatever its size.
    struct Scope {
        /// Turns and waits, to be drawn.
        var hasHistory = false
        /// The calls themselves, to be played otherwise.
        var hasCalls = false
    }

    static func read(_ path: String, _ scope: Scope) throws(ReplayProblem) -> Story {
        let source: TraceOnDisk
        do throws(SystemError) { source = try TraceOnDisk(path) } catch {
            throw .unreadable("\(path) could not be read: \(SystemError.sentence(for: error.code))")
        }
        do throws(TraceProblem) {
            return Story(path, try TraceFile(source, beginning: source.beginning), scope)
        } catch {
            throw .notATrace("\(path), \(error)")
        }
    }

    private init(_ path: String, _ file: TraceFile, _ scope: Scope) {
        var history = History()
        var calls: [CallRecord] = []
        var firstState: [UInt64] = []
        var replay = Replay()
        replay.run(
            file, began: { if firstState.isEmpty { firstState = $1 } },
            see: { step in
                if scope.hasHistory { history.see(step) }
                if scope.hasCalls { calls.append(step.record) }
            })
        self.path = path
        origin = file.origin
        firstSegment = file.segments[0]
        summary = replay.summary
        names = replay.names.mapValues(Format.printable)
        self.history = history
        self.calls = calls
        self.firstState = firstState
    }

    var epoch: String { String(origin.epoch, radix: 16) }
    var version: String { Format.printable(origin.programVersion) }

    // MARK: Under another configuration

    struct Comparison {
        let configurationPath: String
        let results: WhatIfResults
        let comparison: WhatIfComparison
        /// Of the configuration: a trace knows accounts by number, not who they are.
        let policiesIgnored: Int

        /// The keys and sections that make no difference here, though they would to a daemon.
        var notFelt: [String] {
            (results.chunkPagesRecorded == nil ? [] : ["arbiter.chunk_pages"])
                + (policiesIgnored == 0 ? [] : [PolicySettings.section])
        }
    }

    func compared(with path: String) throws(ReplayProblem) -> Comparison {
        let configuration: DaemonConfiguration
        do throws(ConfigurationError) { configuration = try ConfigurationFile.load(path) } catch {
            throw .configuration(error)
        }
        guard summary.isWhole, summary.difference == nil else {
            throw .notATrace(
                "\(self.path) does not replay as it was recorded: what another configuration would have done cannot be told"
            )
        }
        do throws(StateProblem) {
            var whatIf = try WhatIf(
                state: firstState, configuration: configuration.arbiter, history: history, calls: calls)
            whatIf.run()
            return Comparison(
                configurationPath: path, results: whatIf.results,
                comparison: WhatIfComparison(history, whatIf.results),
                policiesIgnored: configuration.policies.count)
        } catch { throw .notATrace("\(self.path): \(error)") }
    }

    // MARK: Time

    var length: Nanoseconds {
        guard let from = summary.from, let to = summary.to else { return .zero }
        return to - from
    }

    /// The window as an instant and the columns that are inside the trace.
    func clamped(_ window: ReplayWindow) -> ReplayWindow {
        var clamped = window
        clamped.start = window.start ?? max(length - window.length, .zero)
        return clamped
    }

    func beginning(of window: ReplayWindow) -> Instant {
        (summary.from ?? Instant(sinceBoot: .zero)) + (window.start ?? .zero)
    }
}

extension ReplaySummary {
    var isWhole: Bool { damages.isEmpty && unusableStates.isEmpty }
}
