import Arbiter

extension DaemonMessage {
    /// Writes the whole message and returns its size. The buffer must have room for it: at most 512 bytes.
    ///
    /// Reserved fields are zero. Durations and rates beyond their wire range are sent as the nearest that fits, text
    /// beyond `ProtocolLimits.textBytes` is cut.
    public func encode(tag: UInt64, into buffer: inout MutableSpan<UInt8>) -> Int {
        switch self {
        case .busy(let busy): return busy.encode(tag: tag, into: &buffer)
        case .error(let error): return error.encode(tag: tag, into: &buffer)
        case .deviceState(let state, let text):
            let size = buffer.begin(.deviceState, tag: tag, text: text, lengthAt: 18)
            buffer[16] = state.rawValue
            return size
        default: return encodeFixed(tag: tag, into: &buffer)
        }
    }

    private func encodeFixed(tag: UInt64, into buffer: inout MutableSpan<UInt8>) -> Int {
        let size = buffer.begin(type, size: type.leastSize, tag: tag)
        switch self {
        case .welcome(let welcome): welcome.encode(into: &buffer)
        case .registered(let registered): registered.encode(into: &buffer)
        case .launchBegun(let session, let chunkPages):
            buffer.put(session.number, at: 16)
            buffer.put(chunkPages, at: 24)
        case .queued(let queued):
            buffer.put(queued.position, at: 16)
            buffer.put(queued.estimate, at: 24)
        case .granted(let granted): granted.encode(into: &buffer)
        case .revoked(let turn, let reason):
            buffer.put(turn.number, at: 16)
            buffer.put(reason.rawValue, at: 24)
        case .draining(let draining): buffer[16] = draining ? 1 : 0
        case .resync(let epoch): buffer.put(epoch, at: 16)
        case .done, .busy, .error, .deviceState: break
        }
        return size
    }
}

extension MutableSpan where Element == UInt8 {
    /// Begins a message that ends with text, and writes the text and its length.
    fileprivate mutating func begin(_ type: MessageType, tag: UInt64, text: String, lengthAt: Int) -> Int {
        let text = text.cut(toUTF8Bytes: ProtocolLimits.textBytes)
        let length = text.utf8.count
        let size = begin(type, size: type.leastSize + length, tag: tag)
        put(UInt16(length), at: lengthAt)
        put(text.utf8, at: type.leastSize)
        return size
    }
}

extension String {
    /// As much of the string from its beginning as fits, in whole characters.
    fileprivate func cut(toUTF8Bytes most: Int) -> Substring {
        guard utf8.count > most else { return self[...] }
        var end = startIndex
        while true {
            let next = index(after: end)
            guard utf8.distance(from: startIndex, to: next) <= most else { return self[..<end] }
            end = next
        }
    }
}

extension Welcome {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(version, at: 16)
        buffer.put(messageBytesMax, at: 20)
        buffer.put(features.rawValue, at: 24)
        buffer.put(epoch, at: 32)
        buffer.put(chunkPages, at: 40)
        buffer[44] = deviceState.rawValue
    }
}

extension Registered {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        token.encode(into: &buffer, at: 16)
        buffer.put(epoch, at: 32)
        buffer.put(reservation, at: 40)
        buffer.put(limit ?? .zero, at: 44)
        buffer.put(UInt32(clamping: weight.value), at: 48)
        buffer.put(UInt32(clamping: burst), at: 52)
        buffer.put(guestWaitMax, at: 56)
        buffer.put(guestWaitReserved, at: 64)
        buffer.put(entitlement, at: 72)
        buffer[76] = retryPolicy.rawValue
        buffer[77] = failureMode.rawValue
        buffer[78] = (carriesDescriptor ? Flags.carriesDescriptor : 0) | (isResumed ? Flags.resumed : 0)
    }
}

extension Granted {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(turn.number, at: 16)
        buffer.put(startWithin, at: 24)
        buffer.put(lease, at: 32)
        buffer.put(units, at: 40)
        buffer.put(kind.rawValue, at: 44)
    }
}

extension BusyReply {
    fileprivate func encode(tag: UInt64, into buffer: inout MutableSpan<UInt8>) -> Int {
        let size = buffer.begin(.busy, tag: tag, text: text, lengthAt: 26)
        buffer.put(retryAfter, at: 16)
        buffer.put(reason.rawValue, at: 24)
        return size
    }
}

extension ErrorReply {
    fileprivate func encode(tag: UInt64, into buffer: inout MutableSpan<UInt8>) -> Int {
        let size = buffer.begin(.error, tag: tag, text: text, lengthAt: 18)
        buffer.put(code.rawValue, at: 16)
        return size
    }
}
