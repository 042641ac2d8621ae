import CSEV

/// What the firmware answered: its number, its name in `linux/psp-sev.h`, and what it means.
///
/// Never mixed with an errno: the kernel's EBUSY says that the device was given up; the firmware has no code for
/// "busy". The one table of codes is `SEV_FIRMWARE_CODES` of `CSEV`.
public struct FirmwareCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The kernel failed before it called the firmware.
    public static let notCalled = FirmwareCode(rawValue: .max)
    public static let success = FirmwareCode(rawValue: 0)

    /// The name without its prefix; `nil` for a code that this version does not know.
    public var name: String? { csev_firmware_code_name(rawValue).map { String(cString: $0) } }

    /// What it means, as a sentence.
    public var sentence: String {
        csev_firmware_code_meaning(rawValue).map { String(cString: $0) }
            ?? "The firmware answered with a code that this version of spschedd does not know."
    }

    public var description: String {
        let number = "0x" + String(rawValue, radix: 16, uppercase: true)
        return "firmware code \(number)\(name.map { " (\($0))" } ?? ""): \(sentence)"
    }
}
