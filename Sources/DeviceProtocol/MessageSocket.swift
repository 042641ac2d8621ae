import LinuxIO

/// A client's connection that carries whole messages, as arrays of bytes.
struct MessageSocket: ~Copyable, Sendable {
    let socket: SeqpacketSocket
    let peer: String
    let messageBytesMax: Int

    init(socket: consuming SeqpacketSocket, peer: String, messageBytesMax: Int = WireLimits.messageBytes) {
        self.socket = socket
        self.peer = peer
        self.messageBytesMax = messageBytesMax
    }

    func send(_ message: [UInt8]) throws(DeviceProtocolError) {
        let outcome: Sent
        do { outcome = try socket.send(message.span.bytes) } catch { throw .system(error) }
        switch outcome {
        case .sent: return
        case .hungUp: throw .hungUp(peer: peer)
        // Our peers read before they answer and we send one request at a time: a full queue is a peer that has stopped.
        case .wouldBlock: throw .unexpected(peer: peer, "nothing: it does not read what it is sent")
        }
    }

    /// The next message; `nil` if there is none now and the socket does not block.
    func receive() throws(DeviceProtocolError) -> [UInt8]? {
        let received: ReceivedRecord
        do { received = try socket.receiveRecord(atMost: messageBytesMax) } catch { throw .system(error) }
        switch received {
        case .record(let bytes): return bytes
        case .tooLong: throw .malformed(peer: peer, WireError("a record longer than \(messageBytesMax) bytes"))
        case .nothing: return nil
        case .hungUp: throw .hungUp(peer: peer)
        }
    }
}

/// What a look for the next record found.
public enum ReceivedRecord: Sendable {
    case record([UInt8])
    /// Longer than any message.
    case tooLong
    case nothing
    case hungUp
}

extension SeqpacketSocket {
    /// The next record of either wire, for clients and servers alike.
    public borrowing func receiveRecord(
        atMost count: Int = WireLimits.messageBytes
    ) throws(SystemError) -> ReceivedRecord {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the buffer is the array's own, for the time of the call.
        let outcome = try bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try receive(into: buffer) }
        }.get()
        switch outcome {
        case .message(_, isTruncated: true): return .tooLong
        case .message(let count, _): return .record(Array(bytes[..<count]))
        case .wouldBlock: return .nothing
        case .hungUp: return .hungUp
        }
    }
}
