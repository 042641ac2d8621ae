import Arbiter

extension ClientMessage {
    /// Reads the body of one whole record, whose header is already read.
    ///
    /// Allocates nothing for ACQUIRE, RELEASE and what else comes with every turn.
    public init(decoding record: borrowing Span<UInt8>, header: Header) throws(WireError) {
        switch try header.type(fromClient: true) {
        case .hello: self = .hello(try Hello(decoding: record))
        case .register: self = .register(try Register(decoding: record))
        case .launchBegin: self = .launchBegin(LaunchPlan(decoding: record))
        case .acquire: self = .acquire(try Acquire(decoding: record, at: 16))
        case .release: self = .release(Release(decoding: record))
        case .releaseAndAcquire:
            self = .releaseAndAcquire(Release(decoding: record), try Acquire(decoding: record, at: 48))
        case .cancel: self = .cancel(tag: record.integer(at: 16))
        case .launchEnd:
            guard let outcome = LaunchOutcome(rawValue: record[24]) else { throw .unknownLaunchOutcome }
            self = .launchEnd(SessionID(number: record.integer(at: 16)), outcome)
        case .unregister: self = .unregister
        case .resyncState: self = .resyncState(try ResyncState(decoding: record, size: header.size))
        default: throw .wrongDirection
        }
    }
}

extension Hello {
    fileprivate init(decoding record: borrowing Span<UInt8>) throws(WireError) {
        versionMin = record.integer(at: 16)
        versionMax = record.integer(at: 18)
        features = Features(rawValue: record.integer(at: 24))
        name = try Name64(decoding: record, at: 32)
    }
}

extension Register {
    fileprivate init(decoding record: borrowing Span<UInt8>) throws(WireError) {
        uuid = UUIDBytes(decoding: record, at: 16)
        name = try Name64(decoding: record, at: 32)
        token = Token(decoding: record, at: 96)
        guard let retryPolicy = RetryPolicy(rawValue: record[132]) else { throw .unknownRetryPolicy }
        registration = Registration(
            reservationWanted: record.rate(at: 112), reservationLeast: record.rate(at: 116),
            limit: record.optionalRate(at: 120), weight: Weight(Int64(record.integer(at: 124, as: UInt32.self))),
            burst: Int64(record.integer(at: 128, as: UInt32.self)), retryPolicy: retryPolicy,
            guestWaitMax: record.optionalDuration(at: 136))
        guard let failureMode = FailureMode(rawValue: record[133]) else { throw .unknownFailureMode }
        self.failureMode = failureMode
        wantsDescriptor = record[134] & Flags.wantsDescriptor != 0
    }
}

extension LaunchPlan {
    fileprivate init(decoding record: borrowing Span<UInt8>) {
        self.init(
            pages: record.integer(at: 16), virtualCPUs: record.integer(at: 20),
            isWhole: record[24] & Flags.whole != 0, isProxy: record[24] & Flags.proxy != 0)
    }
}

extension Acquire {
    fileprivate init(decoding record: borrowing Span<UInt8>, at offset: Int) throws(WireError) {
        guard let kind = CommandKind(rawValue: record.integer(at: offset)) else { throw .unknownCommandKind }
        self.init(kind, units: record.integer(at: offset + 4), maxWait: record.optionalDuration(at: offset + 8))
    }
}

extension Release {
    fileprivate init(decoding record: borrowing Span<UInt8>) {
        self.init(
            TurnID(number: record.integer(at: 16)), errno: Int32(bitPattern: record.integer(at: 24)),
            firmwareCode: record.integer(at: 28), measured: record.optionalDuration(at: 32),
            unitsDone: record.integer(at: 40))
    }
}

extension ResyncState {
    fileprivate init(decoding record: borrowing Span<UInt8>, size: Int) throws(WireError) {
        let count = Int(record.integer(at: 40, as: UInt32.self))
        guard count <= ProtocolLimits.outstandingTags else { throw .tooManyTags }
        guard size >= 48 + 8 * count else { throw .fieldsMissing }
        let turn = record.integer(at: 24, as: UInt64.self)
        let session = record.integer(at: 32, as: UInt64.self)
        epoch = record.integer(at: 16)
        heldTurn = turn == 0 ? nil : TurnID(number: turn)
        self.session = session == 0 ? nil : SessionID(number: session)
        tags = []
        tags.reserveCapacity(count)
        for index in 0..<count { tags.append(record.integer(at: 48 + 8 * index)) }
    }
}
