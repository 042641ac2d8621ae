import Arbiter
import Glibc
import LinuxIO
import Reporting

/// Why `spschedctl launch` did not come to its end: what happened, where, what became of the turn, and what to do.
enum LaunchProblem: Error, Equatable {
    /// spschedd is not there, or gone. Nothing was launched.
    case absent(String)
    /// spschedd refuses for now. Nothing was launched.
    case refused(String)
    /// The VM is another one, or in another state, than was said. Nothing was launched.
    case unsuitable(String)
    /// The monitor failed before the VM was told to run. Nothing was launched.
    case monitor(MonitorFault)
    /// `virsh` failed before the VM was told to run. Nothing was launched.
    case libvirt(String)
    /// The launch failed, and is over.
    case failed(String)
    /// The VM was told to run, and what became of that is not known: the turn stays until its lease ends.
    case lost(String)
    /// A signal came before the VM was told to run: nothing was launched.
    case interrupted(signal: Int32)
    /// A signal came while the VM launched: the turn stays until its lease ends.
    case abandoned(signal: Int32)
}

extension LaunchProblem {
    /// As `spschedctl launch --help` lists them; the numbers are those of sysexits(3).
    var exitStatus: Int32 {
        switch self {
        case .absent: EX_UNAVAILABLE
        case .refused: EX_TEMPFAIL
        case .unsuitable: EX_DATAERR
        case .monitor, .libvirt: EX_PROTOCOL
        case .failed: EX_SOFTWARE
        case .lost: EX_IOERR
        case .interrupted(let signal), .abandoned(let signal): 128 + signal
        }
    }

    /// Whether the VM may still be launching.
    var launchMayGoOn: Bool {
        switch self {
        case .lost, .abandoned: true
        default: false
        }
    }
}

extension LaunchProblem: CustomStringConvertible {
    var description: String {
        switch self {
        case .absent(let text), .refused(let text), .unsuitable(let text), .libvirt(let text), .lost(let text): text
        case .monitor(let fault): "\(fault). The VM was not told to run"
        case .failed(let text): "the launch failed: \(text)"
        case .interrupted: "interrupted before the VM was told to run: nothing was launched"
        case .abandoned: "interrupted while the VM launches: it goes on"
        }
    }
}

/// What a QMP peer did instead of answering.
enum MonitorFault: Error, Equatable {
    case unreachable(SystemError)
    /// It accepted the connection and said nothing.
    case noGreeting(path: String, after: Nanoseconds)
    /// It hung up instead of `awaited`.
    case closed(awaited: String)
    case silent(awaited: String, after: Nanoseconds)
    /// It said what QMP does not say.
    case garbage(String)
    case messageTooLong(limit: Int)
    /// It answered what it was not asked.
    case unasked(String)
    /// It answered with an error.
    case refused(command: String, text: String)
    case connection(SystemError)
    case interrupted(signal: Int32)
}

extension MonitorFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreachable(let error):
            "no QMP monitor: \(error) (is QEMU running, with -qmp unix:PATH,server=on,wait=off?)"
        case .noGreeting(let path, let time):
            "what listens at \(path) has not greeted for \(Format.duration(time)): it is no QMP monitor, or another client has it"
        case .closed(let awaited): "QEMU closed the monitor before \(awaited)"
        case .silent(let awaited, let time): "QEMU has been silent for \(Format.duration(time)) instead of \(awaited)"
        case .garbage(let detail): "what the monitor says is not QMP: \(detail)"
        case .messageTooLong(let limit):
            "the monitor sent a message of more than \(limit) bytes, which QMP has no use for"
        case .unasked(let detail): "the monitor answered what it was not asked: \(detail)"
        case .refused(let command, let text): "QEMU refused '\(command)': \(text)"
        case .connection(let error): "the monitor's connection failed: \(error)"
        case .interrupted: "interrupted"
        }
    }
}

extension String {
    /// A sentence of another program on one line, without characters that hide or move anything, and not too long.
    static func foreign(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= LaunchLimits.foreignTextBytes else { return String(scalars).inOneLine + "…" }
            scalars.append(scalar)
        }
        return String(scalars).inOneLine
    }
}
