/// What a command gave.
public enum PlatformAnswer: Equatable, Sendable {
    case nothing
    case status(SNPStatus)
    case legacyStatus(LegacyStatus)
    /// An identifier, or a certificate signing request.
    case bytes([UInt8])
    /// The Diffie-Hellman key's certificate, and the chain above it.
    case certificates(key: [UInt8], chain: [UInt8])
}

/// What SNP_PLATFORM_STATUS answers.
public struct SNPStatus: Equatable, Sendable {
    /// The firmware's API version.
    public var major: UInt8
    public var minor: UInt8
    /// 0 uninitialised, 1 initialised.
    public var state: UInt8
    public var isRMPInitialised: Bool
    public var build: UInt32
    public var flags: Flags
    /// Guest contexts, those of VMs that are being launched included.
    public var guestCount: UInt32
    public var currentTCB: UInt64
    /// The security version that reports name.
    public var reportedTCB: UInt64

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let masksChipID = Flags(rawValue: 1 << 0)
        public static let masksChipKey = Flags(rawValue: 1 << 1)
        public static let hasVLEK = Flags(rawValue: 1 << 2)
        public static let hasFeatureInfo = Flags(rawValue: 1 << 3)
        public static let disablesRAPL = Flags(rawValue: 1 << 4)
        public static let canHideCiphertext = Flags(rawValue: 1 << 5)
        public static let hidesCiphertext = Flags(rawValue: 1 << 6)
    }

    /// The size of the kernel's struct, exactly.
    public static let bytes = 32

    public init(
        major: UInt8, minor: UInt8, state: UInt8 = 1, isRMPInitialised: Bool = true, build: UInt32 = 0,
        flags: Flags = [], guestCount: UInt32, currentTCB: UInt64 = 0, reportedTCB: UInt64 = 0
    ) {
        self.major = major
        self.minor = minor
        self.state = state
        self.isRMPInitialised = isRMPInitialised
        self.build = build
        self.flags = flags
        self.guestCount = guestCount
        self.currentTCB = currentTCB
        self.reportedTCB = reportedTCB
    }

    /// Errors: not as many bytes as the kernel's struct has.
    public init(decoding raw: [UInt8]) throws(WireError) {
        guard raw.count == Self.bytes else {
            throw WireError("an answer of \(raw.count) bytes to SNP_PLATFORM_STATUS, which has \(Self.bytes)")
        }
        major = raw[0]
        minor = raw[1]
        state = raw[2]
        isRMPInitialised = raw[3] & 1 != 0
        build = littleEndian(raw[4..<8])
        flags = Flags(rawValue: littleEndian(raw[8..<12]))
        guestCount = littleEndian(raw[12..<16])
        currentTCB = littleEndian(raw[16..<24])
        reportedTCB = littleEndian(raw[24..<32])
    }

    /// As the kernel lays it out.
    public var encoded: [UInt8] {
        [major, minor, state, isRMPInitialised ? 1 : 0] + littleEndianBytes(build) + littleEndianBytes(flags.rawValue)
            + littleEndianBytes(guestCount) + littleEndianBytes(currentTCB) + littleEndianBytes(reportedTCB)
    }

    /// What a probe keeps of it.
    public var platform: PlatformStatus { PlatformStatus(major: major, minor: minor, guestCount: guestCount) }
}

/// What SEV_PLATFORM_STATUS answers, of SEV before SNP.
public struct LegacyStatus: Equatable, Sendable {
    public var major: UInt8
    public var minor: UInt8
    /// 0 uninitialised, 1 initialised, 2 working.
    public var state: UInt8
    public var flags: UInt32
    public var build: UInt8
    public var guestCount: UInt32

    /// The size of the kernel's struct, exactly.
    public static let bytes = 12

    public init(decoding raw: [UInt8]) throws(WireError) {
        guard raw.count == Self.bytes else {
            throw WireError("an answer of \(raw.count) bytes to SEV_PLATFORM_STATUS, which has \(Self.bytes)")
        }
        major = raw[0]
        minor = raw[1]
        state = raw[2]
        flags = littleEndian(raw[3..<7])
        build = raw[7]
        guestCount = littleEndian(raw[8..<12])
    }

    /// As the kernel lays it out.
    public var encoded: [UInt8] {
        [major, minor, state] + littleEndianBytes(flags) + [build] + littleEndianBytes(guestCount)
    }
}

private func littleEndian<Value: FixedWidthInteger & UnsignedInteger>(_ bytes: ArraySlice<UInt8>) -> Value {
    bytes.reversed().reduce(0) { $0 << 8 | Value($1) }
}

private func littleEndianBytes(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    stride(from: 0, to: value.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
}
