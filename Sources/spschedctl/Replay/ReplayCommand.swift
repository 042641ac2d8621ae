import Arbiter
import ArgumentParser
import ConfigurationFiles
import Glibc
import LinuxIO
import Reporting
import TraceFormat
import TraceReplay

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run a trace of spschedd through its scheduler again: the same decisions must come out.",
        discussion: """
            The trace is what 'spschedd --trace FILE' (or trace.file) wrote. It may be read while the daemon writes it \
            and after that was killed. The first call that comes out otherwise than it was recorded is shown, \
            and the exit status is 1.

            --with tells what another configuration would have done with the same clients, open-loop: requests come \
            when they came, turns take as long as they took, and a launch's commands follow one another after the \
            pauses that were recorded. How clients would have reacted to other answers no trace can know: a guest \
            that is refused would have come back, and one that is served would not. Policies are not applied, and the \
            answer says so where there are some: a trace does not know the users and groups whom they concern.

            Examples:
              spschedctl replay /run/spschedd-trace/trace
              spschedctl replay trace --timeline --column 2ms --from 12500ms
              spschedctl replay trace --with spschedd.toml --report changed.html
            """)

    /// Optional, and missed by `run`: the parser would name it as missing where an option is wrong.
    @Argument(help: ArgumentHelp("The trace.", valueName: "file"), completion: .file())
    var traceFile: String?

    private var file: String { traceFile ?? "" }

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp("Tell what would have changed under this configuration (TOML).", valueName: "config"),
        completion: .file())
    var other: String?

    @Flag(help: "Draw who had the SP and who waited, as lanes of text.")
    var timeline = false

    @Option(help: ArgumentHelp("How much time one column of the timeline is.", valueName: "duration"))
    var column = "5ms"

    @Option(help: ArgumentHelp("How many columns it has.", valueName: "number"))
    var columns = 100

    @Option(
        help: ArgumentHelp(
            "Where the timeline begins, from the beginning of the trace on. Without it: so that it ends with the trace.",
            valueName: "duration"))
    var from: String?

    @Option(help: ArgumentHelp("Write a report with pictures: one HTML file.", valueName: "file"), completion: .file())
    var report: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    func validate() throws { _ = try window() }

    func run() throws {
        guard traceFile != nil else {
            throw ValidationError(
                "Which trace? Give the path of its file, as in: spschedctl replay /run/spschedd-trace/trace")
        }
        do throws(ReplayProblem) {
            let story = try Story.read(file, scope)
            let comparison = try other.map { (path) throws(ReplayProblem) in try story.compared(with: path) }
            let window = story.clamped(try checkedWindow())
            if json {
                StandardOutput.print(ReplayJSON(story, comparison, timeline ? window : nil).text)
            } else {
                StandardOutput.print(ReplayText(story, comparison, timeline ? window : nil).text)
            }
            if let report { try write(ReplayPage(story, comparison, window).html, to: report) }
            if story.summary.difference != nil { throw ReplayProblem.different }
            if !story.summary.isWhole { throw ReplayProblem.damaged }
        } catch {
            if let message = error.message { StandardError.print("spschedctl: \(message)") }
            throw ExitCode(error.exitCode)
        }
    }

    private var scope: Story.Scope {
        Story.Scope(hasHistory: timeline || report != nil || other != nil, hasCalls: other != nil)
    }

    private func write(_ page: String, to path: String) throws(ReplayProblem) {
        do throws(SystemError) { try ReportFile.write(page, to: path) } catch { throw .unwritable("\(error)") }
    }

    // MARK: The window

    private func checkedWindow() throws(ReplayProblem) -> ReplayWindow {
        do { return try window() } catch { throw .unwritable("\(error)") }
    }

    private func window() throws -> ReplayWindow {
        guard let column = DurationText.parse(column), (ReplayLimits.columns).contains(column) else {
            throw ValidationError(
                "--column takes a duration from 1us to 60s, a whole number with its unit: 500us, 5ms.")
        }
        guard (10...ReplayLimits.columnsMax).contains(columns) else {
            throw ValidationError("--columns takes a whole number from 10 to \(ReplayLimits.columnsMax).")
        }
        let start = try from.map { text in
            guard let start = DurationText.parse(text) else {
                throw ValidationError("--from takes a duration such as 12500ms, not '\(text)'.")
            }
            return start
        }
        return ReplayWindow(start: start, column: column, columns: columns)
    }
}

/// What part of a trace is drawn.
struct ReplayWindow {
    /// Since the beginning of the trace; `nil`: it ends where the trace does.
    var start: Nanoseconds?
    var column: Nanoseconds
    var columns: Int

    var length: Nanoseconds { column * Int64(columns) }
}

enum ReplayLimits {
    /// Shorter ones than any command; longer ones show nothing but a full SP.
    static let columns = Nanoseconds.microseconds(1)...Nanoseconds.seconds(60)
    /// More than any screen has.
    static let columnsMax = 2_000
    /// Longer than a trace can be: `trace.size_mib` is at most 256.
    static let fileBytes = 257 << 20
    /// Rows of VMs that are told without being asked for all of them by `--json`.
    static let rowsTold = 40
}

/// Why there is no replay, or not the one that was hoped for.
enum ReplayProblem: Error {
    case unreadable(String)
    case notATrace(String)
    case configuration(ConfigurationError)
    case unwritable(String)
    /// Told on standard output.
    case different
    case damaged

    var message: String? {
        switch self {
        case .unreadable(let text), .notATrace(let text), .unwritable(let text): text
        case .configuration(let error): "\(error)"
        case .different, .damaged: nil
        }
    }

    /// 1: a decision came out otherwise; else as sysexits(3) has it.
    var exitCode: Int32 {
        switch self {
        case .different: 1
        case .unreadable: EX_NOINPUT
        case .notATrace, .damaged: EX_DATAERR
        case .configuration: EX_CONFIG
        case .unwritable: EX_CANTCREAT
        }
    }
}
