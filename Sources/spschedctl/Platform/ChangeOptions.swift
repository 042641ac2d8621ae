import ArgumentParser
import ConfigurationFiles
import Glibc
import LinuxIO
import ManagerProtocol
import Reporting

/// Options of every command that changes the platform.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Do it. Without this, nothing is done.")
    var confirm = false

    @Option(
        help: ArgumentHelp("The daemon's configuration, for device.certificates.", valueName: "path"),
        completion: .file())
    var config: String?

    @Option(
        help: ArgumentHelp("The file of certificates to lock, instead of device.certificates.", valueName: "path"),
        completion: .file())
    var certificates: String?

    @Option(help: ArgumentHelp("How long to wait for that lock.", valueName: "s"))
    var lockWait = PlatformLimits.lockPatienceSeconds

    func validate() throws {
        guard (0...PlatformLimits.lockPatienceSecondsMax).contains(lockWait) else {
            throw ValidationError(
                "--lock-wait takes a whole number from 0 to \(PlatformLimits.lockPatienceSecondsMax).")
        }
    }

    /// Ends the command unless it was confirmed.
    func confirm(_ consequence: String) throws {
        guard !confirm else { return }
        StandardError.print("spschedctl: nothing was done. \(consequence) Add --confirm to do it.")
        throw ExitCode(EX_USAGE)
    }

    /// The lock first, then the turn, and both until the firmware has answered.
    func perform(_ order: ManagedPlatformOrder, _ options: ManagerOptions, _ consequence: String) throws {
        try confirm(consequence)
        let lock = try lockCertificates()
        let reply = try options.perform(order)
        extend(lock)
        let milliseconds = reply.durationNanoseconds / 1_000_000
        StandardOutput.print(options.json ? Format.json(reply) : "Done, in \(milliseconds) ms.")
    }

    private func extend(_ lock: borrowing FileLock?) {}

    private func lockCertificates() throws -> FileLock? {
        let path: String?
        do {
            path = try certificates ?? ConfigurationFile.load(config).device.certificates
        } catch {
            StandardError.print("spschedctl: \(error)")
            throw ExitCode(EX_CONFIG)
        }
        guard let path else {
            StandardError.print(
                "spschedctl: no file of certificates is configured (device.certificates): none is locked")
            return nil
        }
        do {
            return try CertificateLock.take(path: path, patienceSeconds: lockWait)
        } catch {
            let advice =
                error.code == EAGAIN || error.code == EACCES
                ? "A VMM is having a report signed, or hangs in it. Nothing was done."
                : "Nothing was done."
            StandardError.print("spschedctl: \(error). \(advice)")
            throw ExitCode(error.code == EAGAIN ? EX_TEMPFAIL : EX_NOINPUT)
        }
    }
}

extension ManagerOptions {
    func perform(_ order: ManagedPlatformOrder) throws -> PlatformReply {
        try ask(patienceMilliseconds: ManagerLimits.platformPatienceMilliseconds) {
            manager throws(ManagerClientError) in try manager.perform(order)
        }
    }
}

enum Hashstick {
    /// A file of exactly the size of a wrapped VLEK.
    static func read(_ path: String) throws -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.openReadOnly(path).read(atMost: ManagerLimits.hashstickBytes + 1)
        } catch {
            StandardError.print("spschedctl: \(error)")
            throw ExitCode(EX_NOINPUT)
        }
        guard bytes.count == ManagerLimits.hashstickBytes else {
            let size = bytes.count > ManagerLimits.hashstickBytes ? "more" : "\(bytes.count)"
            StandardError.print(
                "spschedctl: '\(path)' is no wrapped VLEK: that has \(ManagerLimits.hashstickBytes) bytes, this \(size)"
            )
            throw ExitCode(EX_DATAERR)
        }
        return bytes
    }
}
