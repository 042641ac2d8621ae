/// Every bound of the two wires, each with its reason.
public enum WireLimits {
    /// The longest message of the emulator's wire: a header, an error's fields and the longest text.
    public static let messageBytes = 640
    /// The longest message of the device wire: two certificates beside that.
    public static let deviceMessageBytes = messageBytes + 2 * blobBytes
    /// The longest certificate that the kernel takes or gives (SEV_FW_BLOB_MAX_SIZE).
    static let blobBytes = 16_384
    /// A sentence or two; longer ones are cut at a character.
    static let textBytes = 512
    /// As many as a VM's name has in the VMM protocol.
    static let labelBytes = 64
}

/// A record that is not a message of its wire. Whoever sent it is no peer to go on with.
public struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, as a sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
