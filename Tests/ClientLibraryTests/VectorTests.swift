import CSpschedTesting
import Testing

/// The library's codec against the golden vectors, of which it needs one direction each: it encodes what a client
/// says, and decodes what a daemon says.
@Suite("Golden vectors")
struct VectorTests {
    @Test("each message of a client is encoded to its vector's bytes")
    func encodes() {
        for vector in Vector.valid where vector.isFromClient {
            #expect(encode(clientMessage(vector)) == vector.canonical, "\(vector.name)")
        }
    }

    @Test("each message of a daemon is decoded to its vector's values")
    func decodes() {
        for vector in Vector.valid where !vector.isFromClient {
            var message = wire_message()
            let breach = decode(vector.record, into: &message)
            #expect(breach == nil, "\(vector.name)")
            #expect(message.tag == vector.number("tag"), "\(vector.name)")
            expectDaemonMessage(message, vector)
        }
    }

    @Test("each malformed message of a daemon is refused, in words")
    func refuses() {
        let malformed = Vector.malformed.filter { !$0.isFromClient }
        #expect(!malformed.isEmpty)
        for vector in malformed {
            var message = wire_message()
            let breach = decode(vector.record, into: &message)
            #expect(breach?.isEmpty == false, "\(vector.name)")
        }
    }

    // MARK: What a client says

    private func clientMessage(_ vector: Vector) -> wire_message {
        var message = wire_message()
        message.tag = vector.number("tag")
        switch vector.text("type") {
        case "HELLO":
            message.type = UInt16(WIRE_HELLO.rawValue)
            message.body.hello.version_min = vector.number("version_min")
            message.body.hello.version_max = vector.number("version_max")
            message.body.hello.features = vector.number("features")
            copy(Array(vector.text("name").utf8), into: &message.body.hello.name)
        case "REGISTER":
            message.type = UInt16(WIRE_REGISTER.rawValue)
            message.body.registration = registration(vector)
        case "LAUNCH_BEGIN":
            message.type = UInt16(WIRE_LAUNCH_BEGIN.rawValue)
            message.body.launch_begin = wire_launch_begin(
                pages: vector.number("pages"), vcpus: vector.number("vcpus"), whole: vector.number("whole"),
                proxy: vector.number("proxy"))
        case "ACQUIRE":
            message.type = UInt16(WIRE_ACQUIRE.rawValue)
            message.acquire = acquire(vector)
        case "RELEASE":
            message.type = UInt16(WIRE_RELEASE.rawValue)
            message.release = release(vector)
        case "RELEASE_AND_ACQUIRE":
            message.type = UInt16(WIRE_RELEASE_AND_ACQUIRE.rawValue)
            message.release = release(vector)
            message.acquire = acquire(vector)
        case "CANCEL":
            message.type = UInt16(WIRE_CANCEL.rawValue)
            message.body.cancelled_tag = vector.number("cancelled_tag")
        case "LAUNCH_END":
            message.type = UInt16(WIRE_LAUNCH_END.rawValue)
            message.body.launch_end = wire_launch_end(
                session: vector.number("session"), outcome: vector.number("outcome"))
        case "UNREGISTER": message.type = UInt16(WIRE_UNREGISTER.rawValue)
        case "RESYNC_STATE":
            message.type = UInt16(WIRE_RESYNC_STATE.rawValue)
            message.body.resync_state.epoch = vector.number("epoch")
            message.body.resync_state.held_turn = vector.number("held_turn")
            message.body.resync_state.session = vector.number("session")
            message.body.resync_state.count = UInt32(vector.tags.count)
            withUnsafeMutableBytes(of: &message.body.resync_state.tags) { room in
                room.copyBytes(
                    from: vector.tags.flatMap { tag in (0..<8).map { UInt8(truncatingIfNeeded: tag >> ($0 * 8)) } })
            }
        default: Issue.record("the library has no message \(vector.text("type"))")
        }
        return message
    }

    private func registration(_ vector: Vector) -> wire_register {
        var body = wire_register()
        copy(bytes(hexadecimal: vector.text("uuid").filter { $0 != "-" }), into: &body.uuid)
        copy(Array(vector.text("name").utf8), into: &body.name)
        copy(bytes(hexadecimal: vector.text("token")), into: &body.token)
        body.reservation_wanted_mhz = vector.number("reservation_wanted_mhz")
        body.reservation_least_mhz = vector.number("reservation_least_mhz")
        body.limit_mhz = vector.number("limit_mhz")
        body.weight = vector.number("weight")
        body.burst = vector.number("burst")
        body.retry_policy = vector.number("retry_policy")
        body.failure_mode = vector.number("failure_mode")
        body.want_descriptor = vector.number("want_descriptor")
        body.guest_wait_max_ns = vector.number("guest_wait_max_ns")
        return body
    }

    private func acquire(_ vector: Vector) -> wire_acquire {
        wire_acquire(
            kind: vector.number("kind"), units: vector.number("units"), max_wait_ns: vector.number("max_wait_ns"))
    }

    private func release(_ vector: Vector) -> wire_release {
        wire_release(
            turn: vector.number("turn"), error: vector.number("errno"), firmware_code: vector.number("firmware_code"),
            measured_ns: vector.number("measured_ns"), units_done: vector.number("units_done"))
    }

    // MARK: What a daemon says

    private func expectDaemonMessage(_ message: wire_message, _ vector: Vector) {
        let body = message.body
        switch vector.text("type") {
        case "WELCOME":
            #expect(message.type == UInt16(WIRE_WELCOME.rawValue))
            #expect(body.welcome.version == vector.number("version"))
            #expect(body.welcome.max_message == vector.number("max_message"))
            #expect(body.welcome.features == vector.number("features"))
            #expect(body.welcome.epoch == vector.number("epoch"))
            #expect(body.welcome.chunk_pages == vector.number("chunk_pages"))
            #expect(body.welcome.device_state == vector.number("device_state"))
        case "REGISTERED": expectRegistered(message, vector)
        case "LAUNCH_BEGUN":
            #expect(message.type == UInt16(WIRE_LAUNCH_BEGUN.rawValue))
            #expect(body.launch_begun.session == vector.number("session"))
            #expect(body.launch_begun.chunk_pages == vector.number("chunk_pages"))
        case "QUEUED":
            #expect(message.type == UInt16(WIRE_QUEUED.rawValue))
            #expect(body.queued.position == vector.number("position"))
            #expect(body.queued.estimate_ns == vector.number("estimate_ns"))
        case "GRANTED":
            #expect(message.type == UInt16(WIRE_GRANTED.rawValue))
            #expect(body.granted.turn == vector.number("turn"))
            #expect(body.granted.start_within_ns == vector.number("start_within_ns"))
            #expect(body.granted.lease_ns == vector.number("lease_ns"))
            #expect(body.granted.units == vector.number("units"))
            #expect(body.granted.kind == vector.number("kind"))
        case "BUSY":
            #expect(message.type == UInt16(WIRE_BUSY.rawValue))
            #expect(body.busy.retry_after_ns == vector.number("retry_after_ns"))
            #expect(body.busy.reason == vector.number("reason"))
            #expect(body.busy.text.length == UInt16(vector.text("text").utf8.count))
        case "ERROR":
            #expect(message.type == UInt16(WIRE_ERROR.rawValue))
            #expect(body.error.code == vector.number("code"))
            #expect(body.error.text.length == UInt16(vector.text("text").utf8.count))
        case "DONE": #expect(message.type == UInt16(WIRE_DONE.rawValue))
        case "REVOKED":
            #expect(message.type == UInt16(WIRE_REVOKED.rawValue))
            #expect(body.revoked.turn == vector.number("turn"))
            #expect(body.revoked.reason == vector.number("reason"))
        case "DEVICE_STATE":
            #expect(message.type == UInt16(WIRE_DEVICE_STATE.rawValue))
            #expect(body.device_state.state == vector.number("state"))
            #expect(body.device_state.text.length == UInt16(vector.text("text").utf8.count))
        case "DRAINING":
            #expect(message.type == UInt16(WIRE_DRAINING.rawValue))
            #expect(body.draining == vector.number("draining"))
        case "RESYNC":
            #expect(message.type == UInt16(WIRE_RESYNC.rawValue))
            #expect(body.resync_epoch == vector.number("epoch"))
        default: Issue.record("the library has no message \(vector.text("type"))")
        }
    }

    private func expectRegistered(_ message: wire_message, _ vector: Vector) {
        let body = message.body.registered
        #expect(message.type == UInt16(WIRE_REGISTERED.rawValue))
        #expect(withUnsafeBytes(of: body.token) { Array($0) } == bytes(hexadecimal: vector.text("token")))
        #expect(body.epoch == vector.number("epoch"))
        #expect(body.reservation_mhz == vector.number("reservation_mhz"))
        #expect(body.limit_mhz == vector.number("limit_mhz"))
        #expect(body.weight == vector.number("weight"))
        #expect(body.burst == vector.number("burst"))
        #expect(body.guest_wait_max_ns == vector.number("guest_wait_max_ns"))
        #expect(body.guest_wait_reserved_ns == vector.number("guest_wait_reserved_ns"))
        #expect(body.entitlement_mhz == vector.number("entitlement_mhz"))
        #expect(body.retry_policy == vector.number("retry_policy"))
        #expect(body.failure_mode == vector.number("failure_mode"))
        #expect(body.descriptor_attached == vector.number("descriptor_attached"))
        #expect(body.resumed == vector.number("resumed"))
    }
}

/// The bytes that the library writes for a message.
func encode(_ message: wire_message) -> [UInt8] {
    var message = message
    var record = [UInt8](repeating: 0xEE, count: Int(WIRE_MESSAGE_MAX))
    let length = spsched_wire_encode(&message, &record)
    return Array(record[..<length])
}

/// What the library finds wrong with a record; `nil` if nothing.
func decode(_ record: [UInt8], into message: inout wire_message) -> String? {
    spsched_wire_decode(record, record.count, &message).map { String(cString: $0) }
}

/// Fills a fixed-size field of the wire, padded with zeros.
func copy<Field>(_ bytes: [UInt8], into field: inout Field) {
    withUnsafeMutableBytes(of: &field) { $0.copyBytes(from: bytes) }
}
