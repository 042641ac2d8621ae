import Arbiter

extension DaemonMessage {
    /// Reads the body of one whole record, whose header is already read.
    ///
    /// Allocates nothing, except for the text of BUSY, ERROR and DEVICE_STATE.
    public init(decoding record: borrowing Span<UInt8>, header: Header) throws(WireError) {
        switch try header.type(fromClient: false) {
        case .welcome: self = .welcome(Welcome(decoding: record))
        case .registered: self = .registered(try Registered(decoding: record))
        case .launchBegun:
            self = .launchBegun(SessionID(number: record.integer(at: 16)), chunkPages: record.integer(at: 24))
        case .queued:
            self = .queued(Queued(position: record.integer(at: 16), estimate: record.duration(at: 24)))
        case .granted: self = .granted(try Granted(decoding: record))
        case .busy: self = .busy(try BusyReply(decoding: record, size: header.size))
        case .error: self = .error(try ErrorReply(decoding: record, size: header.size))
        case .done: self = .done
        case .revoked:
            self = .revoked(TurnID(number: record.integer(at: 16)), Extensible(rawValue: record.integer(at: 24)))
        case .deviceState:
            let text = try record.text(at: 24, length: record.integer(at: 18), size: header.size)
            self = .deviceState(Extensible(rawValue: record[16]), text: text)
        case .draining: self = .draining(record[16] != 0)
        case .resync: self = .resync(epoch: record.integer(at: 16))
        default: throw .wrongDirection
        }
    }
}

extension Span where Element == UInt8 {
    /// A text whose length a field of the message gives.
    fileprivate func text(at offset: Int, length: UInt16, size: Int) throws(WireError) -> String {
        let length = Int(length)
        guard length <= ProtocolLimits.textBytes else { throw .textTooLong }
        guard offset + length <= size else { throw .fieldsMissing }
        guard let text = try? UTF8Span(validating: extracting(offset..<offset + length)) else { throw .textNotUTF8 }
        return String(copying: text)
    }
}

extension Welcome {
    fileprivate init(decoding record: borrowing Span<UInt8>) {
        self.init(
            version: record.integer(at: 16), messageBytesMax: record.integer(at: 20),
            features: Features(rawValue: record.integer(at: 24)), epoch: record.integer(at: 32),
            chunkPages: record.integer(at: 40), deviceState: Extensible(rawValue: record[44]))
    }
}

extension Registered {
    fileprivate init(decoding record: borrowing Span<UInt8>) throws(WireError) {
        guard let retryPolicy = RetryPolicy(rawValue: record[76]) else { throw .unknownRetryPolicy }
        guard let failureMode = FailureMode(rawValue: record[77]) else { throw .unknownFailureMode }
        self.init(
            token: Token(decoding: record, at: 16), epoch: record.integer(at: 32), reservation: record.rate(at: 40),
            limit: record.optionalRate(at: 44), weight: Weight(Int64(record.integer(at: 48, as: UInt32.self))),
            burst: Int64(record.integer(at: 52, as: UInt32.self)), guestWaitMax: record.duration(at: 56),
            guestWaitReserved: record.duration(at: 64), entitlement: record.rate(at: 72), retryPolicy: retryPolicy,
            failureMode: failureMode, carriesDescriptor: record[78] & Flags.carriesDescriptor != 0,
            isResumed: record[78] & Flags.resumed != 0)
    }
}

extension Granted {
    fileprivate init(decoding record: borrowing Span<UInt8>) throws(WireError) {
        guard let kind = CommandKind(rawValue: record.integer(at: 44)) else { throw .unknownCommandKind }
        self.init(
            turn: TurnID(number: record.integer(at: 16)), startWithin: record.duration(at: 24),
            lease: record.duration(at: 32), units: record.integer(at: 40), kind: kind)
    }
}

extension BusyReply {
    fileprivate init(decoding record: borrowing Span<UInt8>, size: Int) throws(WireError) {
        self.init(
            retryAfter: record.duration(at: 16), reason: Extensible(rawValue: record.integer(at: 24)),
            text: try record.text(at: 32, length: record.integer(at: 26), size: size))
    }
}

extension ErrorReply {
    fileprivate init(decoding record: borrowing Span<UInt8>, size: Int) throws(WireError) {
        self.init(
            code: Extensible(rawValue: record.integer(at: 16)),
            text: try record.text(at: 24, length: record.integer(at: 18), size: size))
    }
}
