import LinuxIO

/// The client of `spschedd-device`. It blocks, or fits an event loop if made nonblocking.
public struct DeviceProcessConnection: ~Copyable, Sendable {
    private let messages: MessageSocket
    private var lastTag: UInt64 = 0

    /// Connects to the socket of `spschedd-device`. Errors: as `connect`; see `SeqpacketSocket.connect`.
    public init(path: String, isNonblocking: Bool = false) throws(DeviceProtocolError) {
        do {
            let socket = try SeqpacketSocket.connect(to: path, isNonblocking: isNonblocking)
            messages = Self.messages(over: socket)
        } catch {
            throw .system(error)
        }
    }

    /// Takes over an open connection, in whichever mode it is.
    public init(adopting descriptor: consuming FileDescriptor) {
        messages = Self.messages(over: SeqpacketSocket(adopting: descriptor))
    }

    private static func messages(over socket: consuming SeqpacketSocket) -> MessageSocket {
        MessageSocket(socket: socket, peer: peer, messageBytesMax: WireLimits.deviceMessageBytes)
    }

    private static var peer: String { "spschedd-device" }

    /// To watch it in an event loop: readable when a reply, or the end, is there.
    public var descriptorNumber: Int32 { messages.socket.descriptor.number }

    /// Asks for one probe and waits for it. With the SP stuck that may be for ever.
    public mutating func probe() throws(DeviceProtocolError) -> ProbeReport {
        let tag = try sendProbe()
        guard case .probe(let reply) = try receive(), reply.tag == tag else {
            throw .unexpected(peer: Self.peer, "no reply to this probe")
        }
        return reply.report
    }

    /// Gives one platform command and waits for what it came to. With the SP stuck that may be for ever.
    public mutating func perform(_ order: PlatformOrder) throws(DeviceProtocolError) -> PlatformReport {
        let tag = try send(order)
        guard case .platform(let reply) = try receive(), reply.tag == tag else {
            throw .unexpected(peer: Self.peer, "no reply to this command")
        }
        return reply.report
    }

    /// Asks for one probe; its reply comes by `receive` under the tag returned. Several may be asked for: they are
    /// answered in order, one command each.
    public mutating func sendProbe() throws(DeviceProtocolError) -> UInt64 {
        lastTag += 1
        try messages.send(ProbeRequest(tag: lastTag).encoded())
        return lastTag
    }

    /// As `sendProbe`, for a platform command.
    public mutating func send(_ order: PlatformOrder) throws(DeviceProtocolError) -> UInt64 {
        lastTag += 1
        try messages.send(PlatformRequest(tag: lastTag, order: order).encoded())
        return lastTag
    }

    /// The next reply; `nil` if there is none yet and the connection does not block.
    public func receive() throws(DeviceProtocolError) -> DeviceReply? {
        guard let record = try messages.receive() else { return nil }
        do { return try DeviceReply(decoding: record) } catch { throw .malformed(peer: Self.peer, error) }
    }
}
