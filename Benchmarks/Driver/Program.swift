import Glibc
import LinuxIO

/// A program that was started, with pipes at its standard input and output. Killed when the last reference goes.
final class Program {
    let name: String
    private var process: ChildProcess?
    private var input: FileDescriptor?
    private let output: FileDescriptor
    private let errors: String
    private var unread: [UInt8] = []

    /// Nothing here waits longer for anything: the longest run takes a few seconds, and strace makes that ten.
    static let patience: Int32 = 120_000

    /// - Parameter errors: the file that takes its standard error, or its standard output's pipe if `nil`.
    init(_ path: String, _ arguments: [String], environment: [String] = [], errors: String?) throws(BenchmarkProblem) {
        name = String(path.split(separator: "/").last ?? "")
        self.errors = errors ?? ""
        guard access(path, X_OK) == 0 else { throw .missing(path: path, remedy: "run 'make bench', which builds it") }
        let inputEnds = try Self.makePipe()
        let childInput = FileDescriptor(adopting: inputEnds[0])
        input = FileDescriptor(adopting: inputEnds[1])
        let outputEnds = try Self.makePipe()
        output = FileDescriptor(adopting: outputEnds[0])
        let childOutput = FileDescriptor(adopting: outputEnds[1])
        let log = errors.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        if let log, log < 0 { throw .system(SystemError(code: errno, attempt: "create", subject: errors ?? "")) }
        defer { if let log { close(log) } }
        do {
            process = try ChildProcess.spawn(
                path, arguments, environment: ChildProcess.currentEnvironment() + environment,
                descriptors: [childInput.number, childOutput.number, log ?? childOutput.number])
        } catch {
            throw .system(error)
        }
    }

    /// Its end to read from and its end to write to.
    private static func makePipe() throws(BenchmarkProblem) -> [Int32] {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system(SystemError(code: errno, attempt: "create a pipe")) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    var pid: Int32 { process?.pid ?? -1 }
    var endDescriptor: Int32 { process?.endDescriptor ?? -1 }
    var isRunning: Bool {
        guard process != nil else { return false }
        var state = pollfd(fd: endDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, 0) == 0
    }

    /// What it wrote to standard error, or its end if that is long.
    var said: String {
        guard !errors.isEmpty, let text = try? SmallFile.read(errors) else { return "" }
        return text.split(separator: "\n").suffix(5).joined(separator: "\n")
    }

    /// The next line of its standard output.
    func line(expecting expected: String) throws(BenchmarkProblem) -> String {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line
            }
            guard output.waitReadable(milliseconds: Self.patience) else {
                throw .silent(program: name, expected: expected, said: said)
            }
            var part = [UInt8](repeating: 0, count: 4_096)
            let count = read(output.number, &part, part.count)
            guard count > 0 else { throw .ended(program: name, said: said) }
            unread += part[..<count]
        }
    }

    /// Reads on until a line holds `text`.
    func wait(for text: String) throws(BenchmarkProblem) {
        while try !line(expecting: text).contains(text) {}
    }

    /// Gives it a line, for which it waits.
    func send() {
        guard let input = input?.number else { return }
        _ = write(input, "\n", 1)
    }

    func closeInput() { input = nil }

    /// Waits for its end, which must be a good one.
    func finish() throws(BenchmarkProblem) { try awaitEnd(asked: nil) }

    /// Asks for its end by a signal. A program that ends by just that has done as it was asked.
    func end(by signal: Int32) throws(BenchmarkProblem) {
        process?.send(signal: signal)
        try awaitEnd(asked: signal)
    }

    private func awaitEnd(asked: Int32?) throws(BenchmarkProblem) {
        guard let process = process.take() else { return }
        switch process.wait(milliseconds: Self.patience) {
        case .exited(code: 0): return
        case .exited(let code): throw .failed(program: name, how: "exited with status \(code)", said: said)
        case .killed(let signal) where signal == asked: return
        case .killed(let signal): throw .failed(program: name, how: "was killed by signal \(signal)", said: said)
        case nil: throw .failed(program: name, how: "did not end", said: said)
        }
    }
}
