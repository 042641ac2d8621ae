import Arbiter
import ArgumentParser
import Glibc
import LinuxIO
import SPModel

/// The emulated Secure Processor: a device that processes open by connecting to a socket.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sp-emulator",
        abstract: "Emulate an AMD Secure Processor behind the kernel's mutex, in real time.",
        discussion: """
            One connection to the socket is one open of the device. Commands are served one at a time, first come, \
            first served, page by page; service times are those of a timing profile (modelled, not measured here). \
            Prints "ready: PATH" when it listens, and on SIGTERM how late it was and how busy.
            """,
        version: PackageVersion.current)

    @Option(help: ArgumentHelp("Where to listen (SOCK_SEQPACKET).", valueName: "path"))
    var socket: String

    @Option(
        help: ArgumentHelp("The timing profile: \(Profile.all.map(\.name).joined(separator: ", ")).", valueName: "name")
    )
    var profile = Profile.milan2024.name

    @Option(help: ArgumentHelp("Seed of the service times.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Write who held the SP and when: CSV, boot-clock nanoseconds.", valueName: "file"))
    var trace: String?

    @Option(help: ArgumentHelp("Make one firmware command in so many ten times slower.", valueName: "number"))
    var slowOneIn: UInt64?

    func validate() throws {
        guard Profile.named(profile) != nil else {
            throw ValidationError(
                "There is no profile '\(profile)'. Profiles: \(Profile.all.map(\.name).joined(separator: ", ")).")
        }
        guard slowOneIn != 0 else { throw ValidationError("--slow-one-in takes a number of at least 1.") }
    }

    func run() throws {
        guard let profile = Profile.named(profile) else { throw ExitCode(EX_SOFTWARE) }
        do {
            let processor = SecureProcessor(
                profile: profile, seed: seed, recordsRuns: trace != nil, slowOneIn: slowOneIn)
            var server = try EmulatorServer(
                listeningOn: socket, processor: processor, trace: try trace.map(TraceFile.init(path:)))
            Announcement.ready(socket: socket)
            try server.run()
            server.printSummary()
        } catch {
            Announcement.failure(error)
            throw ExitCode(EX_OSERR)
        }
    }
}
