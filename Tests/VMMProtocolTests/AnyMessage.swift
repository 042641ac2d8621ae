import Arbiter
import VMMProtocol

/// A message of either direction with its tag, as the tests see it.
struct AnyMessage: Equatable {
    enum Body: Equatable {
        case client(ClientMessage)
        case daemon(DaemonMessage)
    }

    let tag: UInt64
    let body: Body

    init(tag: UInt64, _ message: DaemonMessage) {
        self.tag = tag
        body = .daemon(message)
    }

    init(decoding record: [UInt8], direction: Direction) throws(WireError) {
        let header = try Header(decoding: record.span)
        tag = header.tag
        body =
            switch direction {
            case .clientToDaemon: .client(try ClientMessage(decoding: record.span, header: header))
            case .daemonToClient: .daemon(try DaemonMessage(decoding: record.span, header: header))
            }
    }

    var type: MessageType {
        switch body {
        case .client(let message): message.type
        case .daemon(let message): message.type
        }
    }

    var encoded: [UInt8] {
        var buffer = MessageBuffer()
        switch body {
        case .client(let message): buffer.encode(message, tag: tag)
        case .daemon(let message): buffer.encode(message, tag: tag)
        }
        return buffer.withRecord { record in record.indices.map { record[$0] } }
    }

    /// The message as the golden vectors write it.
    var fields: [String: JSONValue] {
        var fields =
            switch body {
            case .client(let message): message.fields
            case .daemon(let message): message.fields
            }
        fields["type"] = .text(type.name)
        fields["tag"] = .wide(tag)
        return fields
    }
}

extension ClientMessage {
    fileprivate var fields: [String: JSONValue] {
        switch self {
        case .hello(let hello):
            [
                "version_min": .number(Int64(hello.versionMin)), "version_max": .number(Int64(hello.versionMax)),
                "features": .wide(hello.features.rawValue), "name": .text("\(hello.name)"),
            ]
        case .register(let register): register.fields
        case .launchBegin(let plan):
            [
                "pages": .number(Int64(plan.pages)), "vcpus": .number(Int64(plan.virtualCPUs)),
                "whole": .flag(plan.isWhole), "proxy": .flag(plan.isProxy),
            ]
        case .acquire(let acquire): acquire.fields
        case .release(let release): release.fields
        case .releaseAndAcquire(let release, let acquire): release.fields.merging(acquire.fields) { $1 }
        case .cancel(let tag): ["cancelled_tag": .wide(tag)]
        case .launchEnd(let session, let outcome):
            ["session": .wide(session.number), "outcome": .number(Int64(outcome.rawValue))]
        case .unregister: [:]
        case .resyncState(let state):
            [
                "epoch": .wide(state.epoch), "held_turn": .wide(state.heldTurn?.number ?? 0),
                "session": .wide(state.session?.number ?? 0), "tags": .list(state.tags.map(JSONValue.wide)),
            ]
        }
    }
}

extension Register {
    fileprivate var fields: [String: JSONValue] {
        [
            "uuid": .text("\(uuid)"), "name": .text("\(name)"), "token": .text(digits(token)),
            "reservation_wanted_mhz": .number(registration.reservationWanted.millihertz),
            "reservation_least_mhz": .number(registration.reservationLeast.millihertz),
            "limit_mhz": .number(registration.limit?.millihertz ?? 0), "weight": .number(registration.weight.value),
            "burst": .number(registration.burst), "retry_policy": .number(Int64(registration.retryPolicy.rawValue)),
            "failure_mode": .number(Int64(failureMode.rawValue)), "want_descriptor": .flag(wantsDescriptor),
            "guest_wait_max_ns": wide(registration.guestWaitMax),
        ]
    }
}

extension Acquire {
    fileprivate var fields: [String: JSONValue] {
        ["kind": .number(Int64(kind.rawValue)), "units": .number(Int64(units)), "max_wait_ns": wide(maxWait)]
    }
}

extension Release {
    fileprivate var fields: [String: JSONValue] {
        [
            "turn": .wide(turn.number), "errno": .number(Int64(errno)), "firmware_code": .number(Int64(firmwareCode)),
            "measured_ns": wide(measured), "units_done": .number(Int64(unitsDone)),
        ]
    }
}

extension DaemonMessage {
    fileprivate var fields: [String: JSONValue] {
        switch self {
        case .welcome(let welcome):
            [
                "version": .number(Int64(welcome.version)), "max_message": .number(Int64(welcome.messageBytesMax)),
                "features": .wide(welcome.features.rawValue), "epoch": .wide(welcome.epoch),
                "chunk_pages": .number(Int64(welcome.chunkPages)),
                "device_state": .number(Int64(welcome.deviceState.rawValue)),
            ]
        case .registered(let registered): registered.fields
        case .launchBegun(let session, let chunkPages):
            ["session": .wide(session.number), "chunk_pages": .number(Int64(chunkPages))]
        case .queued(let queued): ["position": .number(Int64(queued.position)), "estimate_ns": wide(queued.estimate)]
        case .granted(let granted):
            [
                "turn": .wide(granted.turn.number), "start_within_ns": wide(granted.startWithin),
                "lease_ns": wide(granted.lease), "units": .number(Int64(granted.units)),
                "kind": .number(Int64(granted.kind.rawValue)),
            ]
        case .busy(let busy):
            [
                "retry_after_ns": wide(busy.retryAfter), "reason": .number(Int64(busy.reason.rawValue)),
                "text": .text(busy.text),
            ]
        case .error(let error): ["code": .number(Int64(error.code.rawValue)), "text": .text(error.text)]
        case .done: [:]
        case .revoked(let turn, let reason): ["turn": .wide(turn.number), "reason": .number(Int64(reason.rawValue))]
        case .deviceState(let state, let text): ["state": .number(Int64(state.rawValue)), "text": .text(text)]
        case .draining(let draining): ["draining": .number(draining ? 1 : 0)]
        case .resync(let epoch): ["epoch": .wide(epoch)]
        }
    }
}

extension Registered {
    fileprivate var fields: [String: JSONValue] {
        [
            "token": .text(digits(token)), "epoch": .wide(epoch), "reservation_mhz": .number(reservation.millihertz),
            "limit_mhz": .number(limit?.millihertz ?? 0), "weight": .number(weight.value), "burst": .number(burst),
            "guest_wait_max_ns": wide(guestWaitMax), "guest_wait_reserved_ns": wide(guestWaitReserved),
            "entitlement_mhz": .number(entitlement.millihertz), "retry_policy": .number(Int64(retryPolicy.rawValue)),
            "failure_mode": .number(Int64(failureMode.rawValue)), "descriptor_attached": .flag(carriesDescriptor),
            "resumed": .flag(isResumed),
        ]
    }
}

private func wide(_ duration: Nanoseconds?) -> JSONValue { .wide(UInt64(duration?.count ?? 0)) }

/// The token's 16 bytes in hexadecimal.
private func digits(_ token: Token) -> String {
    [token.high, token.low].map {
        String(repeating: "0", count: $0.leadingZeroBitCount / 4) + ($0 == 0 ? "" : String($0, radix: 16))
    }
    .joined()
}
