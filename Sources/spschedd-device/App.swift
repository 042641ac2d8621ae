import Arbiter
import ArgumentParser
import Glibc
import LinuxIO

/// The only process that issues ioctls on the device: it may sleep in the kernel for as long as the SP hangs, out of
/// the reach of any signal, and nobody else has to.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedd-device",
        abstract: "Issue platform commands to the AMD Secure Processor on behalf of spschedd.",
        discussion: """
            Answers probes and platform commands on a SOCK_SEQPACKET socket, inherited from the service manager or \
            given with --socket, one at a time. Only root, the process's own user and the owner of the socket may ask.
            """,
        version: PackageVersion.current)

    @Option(help: ArgumentHelp("The device, or the socket of sp-emulator.", valueName: "path"))
    var device = "/dev/sev"

    @Option(help: ArgumentHelp("Where to listen, unless the service manager passes a socket.", valueName: "path"))
    var socket: String?

    @Option(
        help: """
            Which commands to issue at all: status (what changes nothing), snp (and SNP_COMMIT, SNP_SET_CONFIG and \
            SNP_VLEK_LOAD) or all (and those that change keys and owner of SEV before SNP).
            """)
    var permit = PermittedCommands.snp

    func run() throws {
        let commander = Commander(path: device, permitted: permit)
        if let reason = commander.misconfiguration {
            Notice.toPerson(reason)
            throw ExitCode(EX_CONFIG)
        }
        do {
            guard let listener = try InheritedSocket.take() ?? socket.map(Self.listen) else {
                Notice.toPerson("no socket was passed by the service manager: say where to listen with --socket PATH")
                throw ExitCode(EX_USAGE)
            }
            var server = try DeviceServer(listener: listener, commander: commander)
            Notice.toManager("READY=1\nSTATUS=Ready to ask \(device)")
            try server.run()
            Notice.toManager("STOPPING=1")
        } catch let error as SystemError {
            Notice.toPerson("\(error)")
            throw ExitCode(EX_OSERR)
        }
    }

    /// A socket of our own is for our own user alone.
    private static func listen(on path: String) throws(SystemError) -> UnixListener {
        umask(0o177)
        return try UnixListener(path: path)
    }
}
