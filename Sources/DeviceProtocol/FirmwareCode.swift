/// What the firmware answered: its number, its name in `linux/psp-sev.h`, and what it means.
///
/// Never mixed with an errno: the kernel's EBUSY says that the device was given up; the firmware has no code for
/// "busy".
public struct FirmwareCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The kernel failed before it called the firmware.
    public static let notCalled = FirmwareCode(rawValue: .max)
    public static let success = FirmwareCode(rawValue: 0)

    /// The name without its prefix; `nil` for a code that this version does not know.
    public var name: String? { entry?.name }

    /// What it means, as a sentence.
    public var sentence: String {
        entry?.sentence ?? "The firmware answered with a code that this version of spschedd does not know."
    }

    public var description: String {
        let number = "0x" + String(rawValue, radix: 16, uppercase: true)
        return "firmware code \(number)\(name.map { " (\($0))" } ?? ""): \(sentence)"
    }

    private var entry: (name: String, sentence: String)? {
        if self == .notCalled { return ("NO_FW_CALL", "The kernel failed before it called the firmware.") }
        return Int(exactly: rawValue).flatMap { $0 < Self.table.count ? Self.table[$0] : nil }
    }

    /// Indexed by code.
    private static let table: [(name: String, sentence: String)?] = [
        ("SUCCESS", "The command was done."),
        (
            "INVALID_PLATFORM_STATE",
            "The platform is not in a state that allows this command; SNP may not be initialised."
        ),
        ("INVALID_GUEST_STATE", "The guest is not in a state that allows this command."),
        ("INVALID_CONFIG", "The platform's configuration does not allow this command."),
        ("INVALID_LEN", "A buffer is too short; the length needed is returned with the command."),
        ("ALREADY_OWNED", "The platform has an owner already."),
        ("INVALID_CERTIFICATE", "A certificate is not valid."),
        ("POLICY_FAILURE", "The guest's policy does not allow this command."),
        ("INACTIVE", "The guest is not active: it has no address space identifier."),
        ("INVALID_ADDRESS", "An address is not valid or not aligned."),
        ("BAD_SIGNATURE", "A signature does not verify."),
        ("BAD_MEASUREMENT", "The measurement differs from the expected one."),
        ("ASID_OWNED", "The address space identifier belongs to another guest."),
        ("INVALID_ASID", "The address space identifier is out of range or reserved for another kind of guest."),
        ("WBINVD_REQUIRED", "Caches must be written back on every CPU first."),
        ("DFFLUSH_REQUIRED", "The data fabric must be flushed first."),
        ("INVALID_GUEST", "There is no such guest context."),
        ("INVALID_COMMAND", "The firmware does not know this command."),
        ("ACTIVE", "The guest is active; deactivate it first."),
        ("HWSEV_RET_PLATFORM", "A hardware platform error; the platform itself is safe."),
        ("HWSEV_RET_UNSAFE", "A hardware error after which the platform is unsafe; reset the machine."),
        ("UNSUPPORTED", "The firmware does not support this feature."),
        ("INVALID_PARAM", "A parameter is not valid; for a CPUID page, the firmware has put its own values into it."),
        ("RESOURCE_LIMIT", "The firmware has no resources left for this command."),
        ("SECURE_DATA_INVALID", "A part of the firmware's protected data failed its integrity check."),
        ("INVALID_PAGE_SIZE", "A page has another size than the reverse map table says."),
        ("INVALID_PAGE_STATE", "A page is not in the state that this command needs."),
        ("INVALID_MDATA_ENTRY", "A metadata entry is not valid."),
        ("INVALID_PAGE_OWNER", "A page belongs to another guest."),
        ("AEAD_OFLOW", "A message counter would overflow; the guest's key can be used no more."),
        nil,
        ("EXIT_RING_BUFFER", "The firmware left its ring buffer mode."),
        ("RMP_INIT_REQUIRED", "The reverse map table must be initialised first."),
        ("BAD_SVN", "The security version is older than the committed one."),
        ("BAD_VERSION", "The version is older than the committed one."),
        ("SHUTDOWN_REQUIRED", "The platform must be shut down first."),
        ("UPDATE_FAILED", "The firmware update failed."),
        ("RESTORE_REQUIRED", "The committed firmware must be restored first."),
        ("RMP_INITIALIZATION_FAILED", "The reverse map table could not be initialised."),
        ("INVALID_KEY", "The key that was asked for is not valid or not there."),
        ("SHUTDOWN_INCOMPLETE", "The shutdown did not finish."),
    ]
}
