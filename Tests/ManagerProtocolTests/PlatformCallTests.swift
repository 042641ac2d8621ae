import FoundationEssentials
import Testing

@testable import ManagerProtocol

/// Goal: what an administrator asks of the platform is what is done, and nothing is done unconfirmed. Method: calls as
/// they stand on the wire, and a source that answers later.
@Suite("Platform methods")
struct PlatformCallTests {
    private static let hashstick = String(repeating: "0a", count: 432)

    static let orders: [(String, ManagedPlatformOrder)] = [
        (#"{"method":"io.spschedd.Manager.PlatformStatus"}"#, .status),
        (#"{"method":"io.spschedd.Manager.PlatformCommit","parameters":{"confirm":true}}"#, .commit),
        (
            #"{"method":"io.spschedd.Manager.PlatformConfigure","parameters":{"confirm":true,"#
                + #""reported_tcb":"0xD316000000000004","mask_chip_id":true,"mask_chip_key":false}}"#,
            .configure(reportedTCB: 0xD316_0000_0000_0004, masksChipID: true, masksChipKey: false)
        ),
        (
            #"{"method":"io.spschedd.Manager.PlatformLoadVLEK","parameters":{"confirm":true,"wrapped_version":3,"#
                + #""hashstick":"\#(hashstick)"}}"#,
            .loadVLEK(wrappedVersion: 3, hashstick: .init(repeating: 10, count: 432))
        ),
    ]

    @Test("a call is the command that it names, with what it gives", arguments: orders)
    func ordered(call: String, order: ManagedPlatformOrder) throws {
        var server = Server()
        #expect(try server.exchange(call).isEmpty)
        #expect(server.source.platform.orders == [order])
        // What the client sends is the same call.
        #expect(try VarlinkMessage.decode(VarlinkCall.self, from: Array(call.utf8)).platformOrder() == order)
        #expect(try VarlinkCall(order).platformOrder() == order)
    }

    @Test("a command that changes the platform is refused unless it is confirmed", arguments: orders.dropFirst())
    func unconfirmed(call: String, order: ManagedPlatformOrder) throws {
        var server = Server()
        let replies = try server.exchange(call.replacing(#""confirm":true"#, with: #""confirm":false"#))
        #expect(replies.first?["error"] == .string("io.spschedd.Manager.NotConfirmed"))
        let missing = try server.exchange(
            call.replacing(#""confirm":true,"#, with: "").replacing(#""confirm":true"#, with: ""))
        #expect(missing.first?["parameters"] == .object(["parameter": .string("confirm")]))
        #expect(server.source.platform.orders.isEmpty)
    }

    @Test(
        "a malformed parameter is named, and nothing is done",
        arguments: [
            (#"PlatformStatus","parameters":{"x":1}"#, "x"),
            (#"PlatformCommit","parameters":{"confirm":1}"#, "confirm"),
            (
                #"PlatformConfigure","parameters":{"confirm":true,"reported_tcb":"0x1ffffffffffffffff","#
                    + #""mask_chip_id":true,"mask_chip_key":true}"#, "reported_tcb"
            ),
            (
                #"PlatformConfigure","parameters":{"confirm":true,"reported_tcb":"0x","mask_chip_id":true,"#
                    + #""mask_chip_key":true}"#, "reported_tcb"
            ),
            (
                #"PlatformLoadVLEK","parameters":{"confirm":true,"wrapped_version":256,"hashstick":"00"}"#,
                "wrapped_version"
            ),
            (#"PlatformLoadVLEK","parameters":{"confirm":true,"wrapped_version":0,"hashstick":"00"}"#, "hashstick"),
        ])
    func malformed(call: String, parameter: String) throws {
        var server = Server()
        let reply = try #require(try server.exchange(#"{"method":"io.spschedd.Manager.\#(call)}"#).first)
        #expect(reply["error"] == .string("org.varlink.service.InvalidParameter"))
        #expect(reply["parameters"] == .object(["parameter": .string(parameter)]))
        #expect(server.source.platform.orders.isEmpty)
    }

    @Test("the outcome comes when it is known, and calls behind it after it")
    func later() throws {
        var server = Server()
        #expect(
            try server.exchange(
                #"{"method":"io.spschedd.Manager.PlatformStatus"}"#, #"{"method":"org.varlink.service.GetInfo"}"#
            ).isEmpty)
        #expect(server.dispatcher.platformTicket == 1)
        server.source.platform.outcomes[1] = .done(platform: .sample, nanoseconds: 500)
        let replies = try server.feed([])
        #expect(replies.count == 2 && server.dispatcher.platformTicket == nil)
        guard case .object(let parameters)? = replies[0]["parameters"] else {
            Issue.record("no parameters")
            return
        }
        #expect(Set(parameters.keys) == ["platform", "duration_ns"])
        #expect(
            parameters["platform"]?.object.map { Set($0.keys) } == InterfaceText.fields(after: "type Platform ("))
    }

    @Test("a failure carries the kernel's error and the firmware's apart; a refusal its reason")
    func failures() throws {
        var server = Server()
        let outcomes: [ManagedPlatformOutcome] = [
            .failed(
                ManagedPlatformFailure(
                    outcome: "firmware_refused", errno: 5, firmwareCode: 0x25, firmwareName: "RESTORE_REQUIRED",
                    text: "why")),
            .failed(
                ManagedPlatformFailure(outcome: "dead", errno: 110, firmwareCode: nil, firmwareName: nil, text: "why")),
            .busy(reason: "device_stuck", text: "why"),
        ]
        let expected: [(String, [String: JSONValue])] = [
            (
                "PlatformFailed",
                [
                    "outcome": .string("firmware_refused"), "errno": .integer(5), "firmware_code": .integer(0x25),
                    "firmware_name": .string("RESTORE_REQUIRED"), "text": .string("why"),
                ]
            ),
            ("PlatformFailed", ["outcome": .string("dead"), "errno": .integer(110), "text": .string("why")]),
            ("PlatformBusy", ["reason": .string("device_stuck"), "text": .string("why")]),
        ]
        for (index, outcome) in outcomes.enumerated() {
            _ = try server.exchange(#"{"method":"io.spschedd.Manager.PlatformStatus"}"#)
            server.source.platform.outcomes[UInt64(index + 1)] = outcome
            let reply = try #require(try server.feed([]).first)
            #expect(reply["error"] == .string("io.spschedd.Manager." + expected[index].0))
            #expect(reply["parameters"] == .object(expected[index].1))
        }
    }

    @Test("the device is released and taken up again")
    func release() throws {
        var server = Server(vms: [.sample(slot: 1)])
        let released = try server.exchange(#"{"method":"io.spschedd.Manager.ReleaseDevice"}"#)
        #expect(released == [["parameters": .object(["vms": .integer(1)])]] && server.source.platform.isReleased)
        #expect(
            try server.exchange(#"{"method":"io.spschedd.Manager.RetakeDevice"}"#) == [["parameters": .object([:])]])
        #expect(!server.source.platform.isReleased)
    }
}
