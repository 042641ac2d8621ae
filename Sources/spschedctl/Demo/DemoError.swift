import Glibc
import LinuxIO

/// Why the demo ended early.
enum DemoError: Error, CustomStringConvertible {
    /// A program is not where it should be.
    case missing(program: String, directory: String)
    case system(SystemError)
    /// A server or VM ended or refused; `log` is what it said last.
    case failed(what: String, log: String)
    case interrupted(signal: Int32)
    /// The results stand on standard output all the same.
    case unwritable(SystemError)

    var description: String {
        switch self {
        case .missing(let program, let directory):
            "'\(program)' is not in \(directory), beside spschedctl. Build all of them: make build"
        case .system(let error), .unwritable(let error): "\(error)"
        case .failed(let what, let log): log.isEmpty ? what : "\(what)\n\(log)"
        case .interrupted: "interrupted; every process was ended and every file removed"
        }
    }

    /// sysexits(3), and what a shell reports of a program that a signal ended.
    var exitCode: Int32 {
        switch self {
        case .missing: EX_UNAVAILABLE
        case .system: EX_OSERR
        case .failed: EX_SOFTWARE
        case .interrupted(let signal): 128 + signal
        case .unwritable: EX_CANTCREAT
        }
    }
}
