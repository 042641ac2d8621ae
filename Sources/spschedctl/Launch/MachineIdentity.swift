/// Which VM is launched, as it is called in spschedd.
struct MachineIdentity: Equatable {
    let uuid: MachineUUID
    /// For people; at most 63 bytes.
    let name: String

    init(uuid: MachineUUID, name: String) {
        self.uuid = uuid
        // The protocol's names take 64 bytes, the library's 63 and a NUL.
        var short = String.foreign(name)
        while short.utf8.count > 63 { short.removeLast() }
        self.name = short.isEmpty ? uuid.text : short
    }
}

/// A VM's UUID: sixteen bytes in the order of its text form (RFC 9562).
struct MachineUUID: Equatable {
    let bytes: [UInt8]

    /// QEMU's, of a VM that was given none.
    static let none = MachineUUID(bytes: [UInt8](repeating: 0, count: 16))

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in either case; `nil` for anything else.
    init?(_ text: some StringProtocol) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
        let digits = groups.joined().utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 32 else { return nil }
        bytes = stride(from: 0, to: 32, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    var text: String {
        var digits = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { digits += "-" }
            digits += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return digits
    }
}
