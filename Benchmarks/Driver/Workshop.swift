import FoundationEssentials
import Glibc
import LinuxIO

/// Where programs are found, where their sockets and logs lie, and which CPUs they use. Its directory goes with it.
struct Workshop: ~Copyable {
    /// The CPU of all, where one CPU is measured, and of the clients, where two are.
    let clientProcessor: Int
    /// The CPU of the server where two are measured; `nil` if this process may use only one.
    let otherProcessor: Int?
    private let directory: String
    private let inMemory: String?
    private let programs: String
    /// The daemon was built beside this program.
    private let ownDirectory: String
    private let counter = Counter()

    private let repetitions = Counter()

    private final class Counter {
        var value = 0
    }

    init(programs: String, processors: [Int]) throws(BenchmarkProblem) {
        self.programs = programs
        // The first CPU of a machine takes most interrupts.
        clientProcessor = processors.last ?? 0
        otherProcessor = processors.count > 1 ? processors.first : nil
        // A socket's path must stay below 108 bytes, which $TMPDIR may not.
        var template = Array("/tmp/spschedd-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .system(SystemError(code: errno, attempt: "create a directory in", subject: "/tmp"))
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var inMemory = Array("/dev/shm/spschedd-bench.XXXXXX".utf8CString)
        self.inMemory =
            mkdtemp(&inMemory) == nil
            ? nil : String(decoding: inMemory.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        ownDirectory = own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
        if let inMemory { try? FileManager.default.removeItem(atPath: inMemory) }
    }

    var daemon: String { "\(ownDirectory)/spschedd" }
    var load: String { "\(programs)/load" }
    var poller: String { "\(programs)/poll" }
    var allocationCounter: String { "\(programs)/liballocations.so" }
    func floor(_ floor: Floor) -> String { "\(programs)/\(floor.rawValue)" }

    /// A run was made anew because the machine had spoilt it.
    func noteRepetition() { repetitions.value += 1 }
    var repeated: Int { repetitions.value }

    /// A path that nothing has used yet.
    func fresh(_ name: String) -> String {
        counter.value += 1
        return "\(directory)/\(counter.value)-\(name)"
    }

    /// The same in a memory file system, if there is one where everybody may write.
    func freshInMemory(_ name: String) -> String {
        guard let inMemory else { return fresh(name) }
        counter.value += 1
        return "\(inMemory)/\(counter.value)-\(name)"
    }

    func write(_ text: String, to name: String) throws(BenchmarkProblem) -> String {
        let path = fresh(name)
        try SmallFile.write(text, to: path)
        return path
    }

    /// The program and arguments that run `program` on one CPU only. taskset(1) becomes the program: same process.
    func pinned(_ program: String, _ arguments: [String], to processor: Int?) throws(BenchmarkProblem) -> (
        program: String, arguments: [String]
    ) {
        guard let processor else { return (program, arguments) }
        guard access(program, X_OK) == 0 else {
            throw .missing(path: program, remedy: "run 'make bench', which builds it")
        }
        return ("/usr/bin/taskset", ["-c", "\(processor)", program] + arguments)
    }
}
