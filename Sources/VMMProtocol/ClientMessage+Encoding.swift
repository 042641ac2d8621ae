import Arbiter

extension ClientMessage {
    /// Writes the whole message and returns its size. The buffer must have room for it: at most 560 bytes.
    ///
    /// Reserved fields are zero. Durations and rates beyond their wire range are sent as the nearest that fits.
    public func encode(tag: UInt64, into buffer: inout MutableSpan<UInt8>) -> Int {
        let size = buffer.begin(type, size: encodedSize, tag: tag)
        switch self {
        case .hello(let hello): hello.encode(into: &buffer)
        case .register(let register): register.encode(into: &buffer)
        case .launchBegin(let plan): plan.encode(into: &buffer)
        case .acquire(let acquire): acquire.encode(into: &buffer, at: 16)
        case .release(let release): release.encode(into: &buffer)
        case .releaseAndAcquire(let release, let acquire):
            release.encode(into: &buffer)
            acquire.encode(into: &buffer, at: 48)
        case .cancel(let cancelled): buffer.put(cancelled, at: 16)
        case .launchEnd(let session, let outcome):
            buffer.put(session.number, at: 16)
            buffer[24] = outcome.rawValue
        case .unregister: break
        case .resyncState(let state): state.encode(into: &buffer)
        }
        return size
    }

    private var encodedSize: Int {
        if case .resyncState(let state) = self { return type.leastSize + 8 * state.tags.count }
        return type.leastSize
    }
}

extension MutableSpan where Element == UInt8 {
    /// Zeroes the message's bytes, writes its header, and returns its size.
    @inline(__always)
    mutating func begin(_ type: MessageType, size: Int, tag: UInt64) -> Int {
        precondition(count >= size)
        for index in 0..<size { self[index] = 0 }
        put(type.rawValue, at: 0)
        put(UInt16(size), at: 2)
        put(tag, at: 8)
        return size
    }
}

extension Hello {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(versionMin, at: 16)
        buffer.put(versionMax, at: 18)
        buffer.put(features.rawValue, at: 24)
        name.encode(into: &buffer, at: 32)
    }
}

extension Register {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        uuid.encode(into: &buffer, at: 16)
        name.encode(into: &buffer, at: 32)
        token.encode(into: &buffer, at: 96)
        buffer.put(registration.reservationWanted, at: 112)
        buffer.put(registration.reservationLeast, at: 116)
        buffer.put(registration.limit ?? .zero, at: 120)
        buffer.put(UInt32(clamping: registration.weight.value), at: 124)
        buffer.put(UInt32(clamping: registration.burst), at: 128)
        buffer[132] = registration.retryPolicy.rawValue
        buffer[133] = failureMode.rawValue
        buffer[134] = wantsDescriptor ? Flags.wantsDescriptor : 0
        buffer.put(registration.guestWaitMax ?? .zero, at: 136)
    }
}

extension LaunchPlan {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(pages, at: 16)
        buffer.put(virtualCPUs, at: 20)
        buffer[24] = (isWhole ? Flags.whole : 0) | (isProxy ? Flags.proxy : 0)
    }
}

extension Acquire {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>, at offset: Int) {
        buffer.put(kind.rawValue, at: offset)
        buffer.put(units, at: offset + 4)
        buffer.put(maxWait ?? .zero, at: offset + 8)
    }
}

extension Release {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(turn.number, at: 16)
        buffer.put(UInt32(bitPattern: errno), at: 24)
        buffer.put(firmwareCode, at: 28)
        buffer.put(measured ?? .zero, at: 32)
        buffer.put(unitsDone, at: 40)
    }
}

extension ResyncState {
    fileprivate func encode(into buffer: inout MutableSpan<UInt8>) {
        buffer.put(epoch, at: 16)
        buffer.put(heldTurn?.number ?? 0, at: 24)
        buffer.put(session?.number ?? 0, at: 32)
        buffer.put(UInt32(tags.count), at: 40)
        for (index, tag) in tags.enumerated() { buffer.put(tag, at: 48 + 8 * index) }
    }
}
