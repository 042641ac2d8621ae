import Arbiter
import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol

/// Counts the guests' requests that pass spschedd by: it cannot stop them, but say so.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedd-observer",
        abstract: "Count guests' requests to the AMD Secure Processor, asked for or not, and tell spschedd.",
        discussion: """
            Reads the tracepoint kvm_vmgexit_enter, exit codes 0x80000011 and 0x80000012, in an instance of tracefs \
            of its own, and reports to the Manager each second how many each process has sent. 'spschedctl status' and \
            'list' show them. Needs root: for tracefs, and because the Manager takes no other account's reports. \
            Nothing depends on it.

            Exit status: 0 told to stop, 64 wrong options, 69 there is no such tracepoint, 71 tracefs refused.
            """,
        version: PackageVersion.current)

    @Option(help: ArgumentHelp("Where tracefs is mounted.", valueName: "path"))
    var tracefs = "/sys/kernel/tracing"

    @Option(help: ArgumentHelp("The daemon's Manager socket.", valueName: "path"))
    var managerSocket = ManagerClient.defaultPath

    func run() throws {
        do {
            let signals = try SignalDescriptor([SIGINT, SIGTERM])
            let trace = try TraceInstance.begin(tracefs: tracefs)
            Notice.tell(
                trace.namesProcesses
                    ? "counts requests" : "counts requests by thread: this kernel does not record processes")
            let observer = Observer(trace: trace, reporter: Reporter(path: managerSocket))
            guard try observer.run(until: signals) else {
                Notice.tell("the trace has ended")
                throw ExitCode(EX_OSERR)
            }
        } catch let trouble as TraceInstance.Trouble {
            Notice.tell("\(trouble)")
            if case .noEvent = trouble { throw ExitCode(EX_UNAVAILABLE) }
            throw ExitCode(EX_OSERR)
        } catch let error as SystemError {
            Notice.tell("\(error)")
            throw ExitCode(EX_OSERR)
        }
    }
}

/// A line on standard error: the journal, under systemd.
enum Notice {
    static func tell(_ sentence: String) {
        let bytes = Array("spschedd-observer: \(sentence)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
