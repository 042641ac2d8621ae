import VMMProtocol

/// Room for one message. It goes with the daemon, also with one that fails as it starts.
struct Inbox: ~Copyable {
    // SAFETY: allocated and initialised here, freed once, at the end of the only owner.
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init() {
        bytes = .allocate(capacity: ProtocolLimits.messageBytes)
        bytes.initialize(repeating: 0)
    }

    deinit { bytes.deallocate() }
}
