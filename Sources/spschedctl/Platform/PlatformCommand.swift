import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct PlatformCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platform", abstract: "Look at the platform, or change it: each command in a turn of its own.",
        discussion: """
            Commands that change the platform need --confirm, and the lock of the file of certificates (device.\
            certificates in the daemon's configuration), which VMMs hold while a report is signed.
            """,
        subcommands: [
            PlatformStatusCommand.self, PlatformConfigCommand.self, PlatformCommitCommand.self,
            PlatformVLEKLoadCommand.self,
        ])
}

struct PlatformStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what SNP_PLATFORM_STATUS tells: two commands of the SP.")

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let reply = try options.perform(.status)
        StandardOutput.print(options.json ? Format.json(reply) : PlatformText(reply).text)
    }
}

struct PlatformCommitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "SNP_COMMIT: never accept firmware older than the current one again.")

    @OptionGroup var options: ManagerOptions
    @OptionGroup var change: ChangeOptions

    func run() throws { try change.perform(.commit, options, "SNP_COMMIT cannot be undone.") }
}

struct PlatformConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "SNP_SET_CONFIG: what attestation reports say of this host.",
        discussion: "All three are set at once: what is not given is set to its default.")

    @OptionGroup var options: ManagerOptions
    @OptionGroup var change: ChangeOptions

    @Option(
        help: ArgumentHelp(
            "The security version that reports name, in hexadecimal; 0x0: the current one.", valueName: "tcb"))
    var reportedTCB = "0x0"

    @Flag(help: "Reports do not name the chip.")
    var maskChipID = false

    @Flag(help: "Reports are not signed with the chip's key.")
    var maskChipKey = false

    func validate() throws {
        guard version != nil else {
            throw ValidationError(
                "'\(reportedTCB)' is no security version: give up to 16 hexadecimal digits, as 0xd316")
        }
    }

    private var version: UInt64? {
        UInt64(reportedTCB.hasPrefix("0x") ? reportedTCB.dropFirst(2) : reportedTCB[...], radix: 16)
    }

    func run() throws {
        let order = ManagedPlatformOrder.configure(
            reportedTCB: version ?? 0, masksChipID: maskChipID, masksChipKey: maskChipKey)
        try change.perform(order, options, "Verifiers see other reports from every guest of this host at once.")
    }
}

struct PlatformVLEKLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vlek-load", abstract: "SNP_VLEK_LOAD: sign reports with a versioned loaded endorsement key.")

    @OptionGroup var options: ManagerOptions
    @OptionGroup var change: ChangeOptions

    /// Optional, and missed by `run`: the parser would name it as missing where an option is wrong.
    @Argument(
        help: ArgumentHelp("The wrapped key as AMD's key server gave it, 432 bytes.", valueName: "file"),
        completion: .file())
    var keyFile: String?

    private var file: String { keyFile ?? "" }

    @Option(help: "The version of its wrapping.")
    var wrappedVersion: UInt8 = 0

    func run() throws {
        guard keyFile != nil else {
            throw ValidationError("Which key? Give the path of its file, as in: spschedctl platform vlek-load vlek.bin")
        }
        try change.confirm("The key in '\(file)' signs every guest's reports from then on.")
        let hashstick = try Hashstick.read(file)
        try change.perform(.loadVLEK(wrappedVersion: wrappedVersion, hashstick: hashstick), options, "")
    }
}
