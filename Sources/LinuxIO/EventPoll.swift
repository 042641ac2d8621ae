import CSystemd.Socket

/// Names a member of an `EventPoll`. Slots are used again; the generation tells a late event for a former tenant apart.
public struct EventToken: Hashable, Sendable {
    public let slot: UInt32
    public let generation: UInt32

    @inlinable public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    @inlinable public init(packed: UInt64) {
        slot = UInt32(truncatingIfNeeded: packed)
        generation = UInt32(truncatingIfNeeded: packed >> 32)
    }

    @inlinable public var packed: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// What a descriptor is ready for, or waited for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: LINUX_READABLE.rawValue)
    public static let writable = Readiness(rawValue: LINUX_WRITABLE.rawValue)
    /// Both halves are closed. Always reported.
    public static let hangUp = Readiness(rawValue: LINUX_HANGUP.rawValue)
    /// The peer closed or shut down its writing half.
    public static let peerShutdown = Readiness(rawValue: LINUX_PEER_SHUTDOWN.rawValue)
    /// Always reported.
    public static let error = Readiness(rawValue: LINUX_ERROR.rawValue)
}

/// One level-triggered epoll instance. A wait allocates nothing: events land in a buffer made once.
public struct EventPoll: ~Copyable {
    public struct Event: Sendable {
        public let token: EventToken
        public let readiness: Readiness
    }

    public let descriptor: FileDescriptor
    // SAFETY: allocated once for `capacity` events in `init`, freed in `deinit`, and never handed out.
    private let events: UnsafeMutablePointer<linux_epoll_event>
    public let capacity: Int

    /// `capacity`: the most events that one wait reports; the rest come with the next.
    public init(capacity: Int) throws(SystemError) {
        descriptor = FileDescriptor(adopting: try check(linux_epoll_create(), "create an epoll instance"))
        self.capacity = capacity
        events = .allocate(capacity: capacity)
        // SAFETY: freshly allocated for `capacity` elements of a trivial C type.
        events.initialize(repeating: linux_epoll_event(), count: capacity)
    }

    deinit {
        // SAFETY: allocated by `init`, never handed out.
        events.deallocate()
    }

    public borrowing func add(_ number: Int32, for interest: Readiness, token: EventToken) throws(SystemError) {
        try control(LINUX_EPOLL_ADD, number, interest, token)
    }

    public borrowing func modify(_ number: Int32, for interest: Readiness, token: EventToken) throws(SystemError) {
        try control(LINUX_EPOLL_MODIFY, number, interest, token)
    }

    public borrowing func remove(_ number: Int32) throws(SystemError) {
        try control(LINUX_EPOLL_REMOVE, number, [], EventToken(packed: 0))
    }

    /// Waits at most `milliseconds` (for ever if `nil`) and returns how many events there are; a signal ends it with
    /// none.
    public borrowing func wait(milliseconds: Int32? = nil) throws(SystemError) -> Int {
        // SAFETY: the buffer has `capacity` elements and the kernel writes no more than that.
        Int(
            try check(
                linux_epoll_wait(descriptor.number, events, Int32(capacity), milliseconds ?? -1), "wait for events"))
    }

    /// Event `index` of the last wait.
    public borrowing func event(_ index: Int) -> Event {
        precondition(index >= 0 && index < capacity)
        // SAFETY: inside the buffer, which is initialised in full.
        let event = events + index
        return Event(
            token: EventToken(packed: linux_epoll_token(event)),
            readiness: Readiness(rawValue: linux_epoll_readiness(event)))
    }

    private borrowing func control(
        _ operation: linux_epoll_operation, _ number: Int32, _ interest: Readiness, _ token: EventToken
    ) throws(SystemError) {
        let result = linux_epoll_control(
            descriptor.number, Int32(operation.rawValue), number, interest.rawValue, token.packed)
        _ = try check(result, "watch descriptor", "\(number)")
    }
}
