import Arbiter
import LinuxIO
import SPModel

/// One open of the emulated device: the blocking client of `sp-emulator`.
///
/// Made by path, as a process opens `/dev/sev`, or from a descriptor that another process handed over. Not for two
/// threads at once.
public struct EmulatorConnection: ~Copyable, Sendable {
    private let messages: MessageSocket
    private var lastTag: UInt64 = 0

    /// Connects to the emulator's socket. Errors: as `connect`; see `SeqpacketSocket.connect`.
    public init(path: String) throws(DeviceProtocolError) {
        do {
            messages = MessageSocket(socket: try SeqpacketSocket.connect(to: path), peer: Self.peer)
        } catch {
            throw .system(error)
        }
    }

    /// Takes over an open connection, and makes it block.
    public init(adopting descriptor: consuming FileDescriptor) throws(DeviceProtocolError) {
        do { try descriptor.setNonblocking(false) } catch { throw .system(error) }
        messages = MessageSocket(socket: SeqpacketSocket(adopting: descriptor), peer: Self.peer)
    }

    private static var peer: String { "sp-emulator" }

    /// To poll it, or to pass it on.
    public var descriptorNumber: Int32 { messages.socket.descriptor.number }

    /// Names this connection in the emulator's trace.
    public func label(_ name: String) throws(DeviceProtocolError) {
        try messages.send(EmulatorRequest.label(name).encoded())
    }

    /// Issues one ioctl or guest request and waits for it, as `ioctl` and `KVM_RUN` do.
    ///
    /// Errors of the device are in the result. `impossibleCommand` is thrown if no single ioctl does this.
    public mutating func perform(_ sequence: CommandSequence) throws(DeviceProtocolError) -> CommandResult {
        let tag = nextTag()
        try messages.send(EmulatorRequest.command(tag: tag, sequence).encoded())
        guard case .result(tag, let result) = try reply() else { throw unexpected("no result") }
        return result
    }

    /// As `perform(_:)` for what `CommandSequence` is made of.
    public mutating func perform(
        _ kind: CommandKind, units: UInt32 = 1, pageKind: PageKind = .normal, hasIDBlock: Bool = false
    ) throws(DeviceProtocolError) -> CommandResult {
        guard let sequence = CommandSequence(kind: kind, units: units, pageKind: pageKind, hasIDBlock: hasIDBlock)
        else { throw .refused(.impossibleCommand, "no single ioctl is \(kind) with \(units) units") }
        return try perform(sequence)
    }

    /// Brings about a fault, or ends all of them; back once it is in force.
    public mutating func control(_ fault: SecureProcessor.Fault) throws(DeviceProtocolError) {
        let tag = nextTag()
        try messages.send(EmulatorRequest.control(tag: tag, fault).encoded())
        guard case .done(tag) = try reply() else { throw unexpected("no acknowledgement") }
    }

    public mutating func statistics() throws(DeviceProtocolError) -> EmulatorStatistics {
        let tag = nextTag()
        try messages.send(EmulatorRequest.statistics(tag: tag).encoded())
        guard case .statistics(tag, let statistics) = try reply() else { throw unexpected("no statistics") }
        return statistics
    }

    // MARK: In two steps, for those who do something else meanwhile

    /// Issues an ioctl; its result comes by `receive` under the tag returned.
    public mutating func submit(_ sequence: CommandSequence) throws(DeviceProtocolError) -> UInt64 {
        let tag = nextTag()
        try messages.send(EmulatorRequest.command(tag: tag, sequence).encoded())
        return tag
    }

    /// Waits for the next reply, whatever it is.
    public func receive() throws(DeviceProtocolError) -> EmulatorReply {
        guard let record = try messages.receive() else {
            throw unexpected("nothing, and the connection does not block")
        }
        do { return try EmulatorReply(decoding: record) } catch { throw .malformed(peer: Self.peer, error) }
    }

    private mutating func nextTag() -> UInt64 {
        lastTag += 1
        return lastTag
    }

    private func reply() throws(DeviceProtocolError) -> EmulatorReply {
        let reply = try receive()
        if case .error(_, let code, let text) = reply { throw .refused(code, text) }
        return reply
    }

    private func unexpected(_ what: String) -> DeviceProtocolError { .unexpected(peer: Self.peer, what) }
}
