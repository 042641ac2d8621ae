import DeviceTestSupport
import Glibc
import Testing

/// Goal: who asks for something and cannot get it is told so. Method: the programs themselves, with standard output
/// on a full device, closed, and into a pipe whose reader has gone.
@Suite(.timeLimit(.minutes(10)))
struct LostOutputTests {
    private static let calls = [
        ("spschedd", "--check-config --config /dev/null"), ("spschedd", "--capabilities --config /dev/null"),
        ("spschedd", "--help"), ("spschedctl", "--version"), ("spschedctl", "plan --help"),
        ("spschedctl", "doctor --json"),
    ]

    /// Through a shell, which alone can start a program without a descriptor.
    private func run(_ program: String, _ arguments: String, _ redirection: String) throws -> BuiltProcess {
        let shell = "exec \(BuiltProcess.path(of: program)) \(arguments) \(redirection)"
        return try BuiltProcess("/bin/sh", ["-c", shell])
    }

    @Test(arguments: calls)
    func `A full device is told, with EX_IOERR`(program: String, arguments: String) throws {
        let run = try run(program, arguments, "> /dev/full")
        #expect(run.waitForEnd() == EX_IOERR)
        let sentence = "\(program): could not write to standard output: "
        #expect(run.standardError.contains(sentence), "\(run.standardError)")
    }

    @Test(arguments: calls)
    func `Output that was closed is told too`(program: String, arguments: String) throws {
        let run = try run(program, arguments, ">&-")
        #expect(run.waitForEnd() == EX_IOERR)
        #expect(run.standardError.contains("could not write to standard output: Bad file descriptor"))
    }

    @Test func `A reader that has gone is no error`() throws {
        let run = try BuiltProcess(
            "/bin/sh",
            [
                "-c",
                "trap '' PIPE; { \(BuiltProcess.path(of: "spschedd")) --check-config --config /dev/null; echo $? >&2; }"
                    + " | true",
            ])
        #expect(run.waitForEnd() == 0)
        #expect(run.standardError == "0\n")
    }
}
