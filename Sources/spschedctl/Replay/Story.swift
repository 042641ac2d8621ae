import Arbiter
import ConfigurationFiles
import LinuxIO
import TraceFormat
import TraceReplay

/// A trace that was replayed, and what there is to tell of it.
struct Story {
    let path: String
    let origin: TraceOrigin
    let firstSegment: TraceFile.Segment
    let summary: ReplaySummary
    let history: History
    let names: [VMID: String]
    private let firstState: [UInt64]
    private let calls: [CallRecord]

    static func read(_ path: String) throws(ReplayProblem) -> Story {
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try FileDescriptor.openReadOnly(path)
            bytes = try file.read(atMost: min(file.length(), ReplayLimits.fileBytes))
        } catch {
            throw .unreadable("\(path) could not be read: \(SystemError.sentence(for: error.code))")
        }
        do throws(TraceProblem) {
            return Story(
                path, try TraceFile(words: words(of: bytes), beginning: Array(bytes.prefix(TraceFile.magicBytes))))
        } catch {
            throw .notATrace("\(path), \(error)")
        }
    }

    /// The whole words among these bytes.
    private static func words(of bytes: [UInt8]) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            // SAFETY: each word lies inside the bytes, at whatever alignment.
            (0..<bytes.count / 8).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
            }
        }
    }

    private init(_ path: String, _ file: TraceFile) {
        var history = History()
        var calls: [CallRecord] = []
        var states: [[UInt64]] = []
        var replay = Replay()
        replay.run(
            file, began: { states.append($1) },
            see: { step in
                history.see(step)
                calls.append(step.record)
            })
        self.path = path
        origin = file.origin
        firstSegment = file.segments[0]
        summary = replay.summary
        names = replay.names
        self.history = history
        self.calls = calls
        firstState = states.first ?? []
    }

    // MARK: Under another configuration

    struct Comparison {
        let configurationPath: String
        let results: WhatIfResults
        let comparison: WhatIfComparison
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
                comparison: WhatIfComparison(history, whatIf.results))
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
