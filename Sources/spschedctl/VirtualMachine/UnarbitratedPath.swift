import Arbiter
import DeviceProtocol
import LinuxIO
import SPModel

/// Nobody arbitrates: commands go straight to the device, behind the kernel's mutex. With a limit, the guest's requests
/// pass `___ratelimit()` first, as in version 6 of the kernel patch "kvm: sev: Add SEV-SNP guest request throttling"
/// (<https://lore.kernel.org/r/20250605150236.3775954-1-dionnaglaze@google.com>).
struct UnarbitratedPath: ~Copyable, HostPath {
    private var device: EmulatorConnection
    private var limit: LinuxRateLimit?

    init(emulator path: String, name: String, limit: LinuxRateLimit?) throws(VMFailure) {
        device = try EmulatorConnection.open(path, label: name)
        self.limit = limit
    }

    mutating func attest() throws(VMFailure) -> Attestation {
        if limit?.allows(at: BootClock.now()) == false { return .busy }
        _ = try device.succeed(.report)
        return .report
    }

    mutating func launch(
        _ profile: LaunchProfile, pauses: inout LaunchPauses
    ) throws(VMFailure) -> (began: Instant, ended: Instant) {
        let began = BootClock.now()
        for (index, ioctl) in profile.ioctls().enumerated() {
            if index > 0 { pauses.pause() }
            _ = try device.succeed(ioctl)
        }
        return (began, BootClock.now())
    }

    mutating func leave() {}
}

extension EmulatorConnection {
    /// Opens the device by path, under a name for the emulator's trace.
    static func open(_ path: String, label: String) throws(VMFailure) -> EmulatorConnection {
        do {
            let device = try EmulatorConnection(path: path)
            try device.label(label)
            return device
        } catch {
            throw VMFailure("\(error)")
        }
    }

    /// Takes over a descriptor of the device that spschedd handed out.
    static func adopt(_ descriptor: consuming FileDescriptor, label: String) throws(VMFailure) -> EmulatorConnection {
        do {
            let device = try EmulatorConnection(adopting: descriptor)
            try device.label(label)
            return device
        } catch {
            throw VMFailure("\(error)")
        }
    }

    /// Performs an ioctl that has no reason to fail.
    mutating func succeed(_ sequence: CommandSequence) throws(VMFailure) -> CommandResult {
        let result: CommandResult
        do { result = try perform(sequence) } catch { throw VMFailure("\(error)") }
        guard result.errno == 0 else {
            throw VMFailure("\(sequence.kind) failed on the device: \(SystemError.sentence(for: result.errno))")
        }
        return result
    }

    mutating func succeed(_ kind: CommandKind) throws(VMFailure) -> CommandResult {
        guard let sequence = CommandSequence(kind: kind) else { throw VMFailure("\(kind) is not one ioctl") }
        return try succeed(sequence)
    }
}
