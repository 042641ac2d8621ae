import LinuxIO

extension SeqpacketSocket {
    /// Sends an array as one record.
    func send(_ bytes: [UInt8]) throws -> Sent { try send(bytes.span.bytes) }

    func send(_ bytes: [UInt8], passing descriptor: borrowing FileDescriptor) throws -> Sent {
        try send(bytes.span.bytes, passing: descriptor)
    }

    /// Receives into a fresh buffer; what came, and its bytes.
    func receive(capacity: Int = 64) throws -> (Received, [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: capacity)
        let received = try buffer.withUnsafeMutableBytes { try receive(into: $0) }
        guard case .message(let count, _) = received else { return (received, []) }
        return (received, Array(buffer[..<count]))
    }

    func receiveDescriptor() throws -> FileDescriptor? {
        var buffer = [UInt8](repeating: 0, count: 64)
        var passed: FileDescriptor?
        _ = try buffer.withUnsafeMutableBytes { try receive(into: $0, descriptor: &passed) }
        return passed
    }
}
