import LinuxIO

/// Why there is no result: what happened, where, and what to do.
enum BenchmarkProblem: Error, CustomStringConvertible {
    case system(SystemError)
    case missing(path: String, remedy: String)
    case silent(program: String, expected: String, said: String)
    case ended(program: String, said: String)
    case failed(program: String, how: String, said: String)
    case unreadable(program: String, line: String)
    case refused(count: Int, mode: String, first: String)
    case unexpected(String)

    var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .missing(let path, let remedy): "\(path) is missing: \(remedy)"
        case .silent(let program, let expected, let said):
            "\(program) did not say '\(expected)' in time\(Self.quoted(said))"
        case .ended(let program, let said): "\(program) ended while it was measured\(Self.quoted(said))"
        case .failed(let program, let how, let said): "\(program) \(how)\(Self.quoted(said))"
        case .unreadable(let program, let line): "\(program) printed what is no result: \(line)"
        case .refused(let count, let mode, let first):
            "\(count) requests were refused in mode \(mode), so its times mean nothing. The first: \(first)"
        case .unexpected(let sentence): sentence
        }
    }

    static func cannotWrite(path: String, _ code: Int32) -> Self {
        .system(SystemError(code: code, attempt: "write", subject: path))
    }

    private static func quoted(_ said: String) -> String { said.isEmpty ? "" : "; it said:\n\(said)" }
}
