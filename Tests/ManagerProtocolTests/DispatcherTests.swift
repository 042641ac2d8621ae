import FoundationEssentials
import Testing

@testable import ManagerProtocol

/// Goal: any Varlink client is answered as the wire protocol says, whatever it sends. Method: bytes in, bytes out.
@Suite struct DispatcherTests {
    @Test func `GetInfo names the product and both interfaces`() throws {
        var server = Server()
        let replies = try server.exchange(#"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(replies.count == 1)
        let parameters = try #require(replies[0]["parameters"]?.object)
        #expect(parameters["product"] == .string("spschedd"))
        #expect(parameters["version"] == .string("1.2.3"))
        #expect(parameters["interfaces"] == .array([.string("org.varlink.service"), .string("io.spschedd.Manager")]))
    }

    @Test(arguments: ["org.varlink.service", "io.spschedd.Manager"])
    func `Each interface describes itself under its own name`(name: String) throws {
        var server = Server()
        let call =
            #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"\#(name)"}}"#
        let reply = try #require(try server.exchange(call).first)
        guard case .string(let text)? = reply["parameters"]?.object?["description"] else {
            Issue.record("no description in \(reply)")
            return
        }
        #expect(text.contains("\ninterface \(name)\n"))
    }

    @Test func `Status carries exactly the fields that the interface describes`() throws {
        var server = Server()
        let reply = try #require(try server.exchange(#"{"method":"io.spschedd.Manager.Status"}"#).first)
        #expect(reply["continues"] == nil)
        let parameters = try #require(reply["parameters"]?.object)
        #expect(Set(parameters.keys) == InterfaceText.fields(after: "method Status() -> ("))
        #expect(parameters["turn"]?.object.map { Set($0.keys) } == InterfaceText.fields(after: "type Turn ("))
        #expect(parameters["capacity"]?.object.map { Set($0.keys) } == InterfaceText.fields(after: "type Capacity ("))
        #expect(parameters["queues"]?.object.map { Set($0.keys) } == InterfaceText.fields(after: "type Queues ("))
        #expect(parameters["counters"]?.object.map { Set($0.keys) } == InterfaceText.fields(after: "type Counters ("))
    }

    @Test func `A listed VM carries exactly the fields that the interface describes`() throws {
        var server = Server(vms: [.sample(slot: 4)])
        let reply = try #require(try server.exchange(#"{"method":"io.spschedd.Manager.ListVMs","more":true}"#).first)
        let vm = try #require(reply["parameters"]?.object?["vm"]?.object)
        #expect(Set(vm.keys) == InterfaceText.fields(after: "type VM ("))
    }

    @Test(arguments: [0, 1, 7, 8, 300])
    func `ListVMs streams every VM once, and the last reply carries none`(count: Int) throws {
        var server = Server(vms: (0..<count).map { .sample(slot: $0 * 3) })
        let replies = try server.exchange(#"{"method":"io.spschedd.Manager.ListVMs","more":true}"#)
        let slots = replies.compactMap { $0["parameters"]?.object?["vm"]?.object?["slot"] }
        #expect(slots == (0..<count).map { .integer(Int64($0 * 3)) })
        #expect(replies.count == count + 1)
        #expect(replies.dropLast().allSatisfy { $0["continues"] == .bool(true) })
        #expect(replies.last?["continues"] == nil)
        #expect(replies.last?["parameters"] == .object([:]))
    }

    @Test func `Calls sent together are answered in order, also behind a list`() throws {
        var server = Server(vms: (0..<20).map { .sample(slot: $0) })
        let list = #"{"method":"io.spschedd.Manager.ListVMs","more":true}"#
        let replies = try server.exchange(list, #"{"method":"org.varlink.service.GetInfo"}"#, list)
        #expect(replies.count == 21 + 1 + 21)
        #expect(replies[21]["parameters"]?.object?["product"] == .string("spschedd"))
    }

    @Test func `A call that arrives byte by byte is answered once it is whole`() throws {
        var server = Server()
        for byte in Array(#"{"method":"org.varlink.service.GetInfo"}"#.utf8) {
            #expect(try server.feed([byte]).isEmpty)
        }
        #expect(try server.feed([0]).count == 1)
    }

    @Test func `A oneway call gets no reply, not even an error`() throws {
        var server = Server()
        let replies = try server.exchange(
            #"{"method":"io.spschedd.Manager.Status","oneway":true}"#,
            #"{"method":"io.spschedd.Manager.ListVMs","oneway":true,"more":true}"#,
            #"{"method":"no.such.Method","oneway":true}"#)
        #expect(replies.isEmpty)
    }

    @Test(arguments: [
        (#"{"method":"io.spschedd.Manager.Reboot"}"#, "MethodNotFound", "method", "io.spschedd.Manager.Reboot"),
        (#"{"method":"org.example.Ping"}"#, "InterfaceNotFound", "interface", "org.example"),
        (#"{"method":""}"#, "InterfaceNotFound", "interface", ""),
        (#"{"method":"io.spschedd.Manager.Status","parameters":{"vm":1}}"#, "InvalidParameter", "parameter", "vm"),
        (
            #"{"method":"org.varlink.service.GetInterfaceDescription"}"#, "InvalidParameter", "parameter", "interface"
        ),
        (
            #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}"#,
            "InterfaceNotFound", "interface", "a.b"
        ),
    ])
    func `A call that cannot be served gets the standard error that names why`(
        call: String, error: String, key: String, value: String
    ) throws {
        var server = Server()
        let reply = try #require(try server.exchange(call).first)
        #expect(reply["error"] == .string("org.varlink.service." + error))
        #expect(reply["parameters"] == .object([key: .string(value)]))
    }

    @Test func `ListVMs without more is refused, and the connection lives on`() throws {
        var server = Server()
        let replies = try server.exchange(
            #"{"method":"io.spschedd.Manager.ListVMs"}"#, #"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(replies.map { $0["error"] } == [.string("org.varlink.service.ExpectedMore"), nil])
    }

    @Test(arguments: ["", "nonsense", "[]", "{}", #"{"method":7}"#, #"{"method":"a.b","parameters":[]}"#, "\u{FF}{"])
    func `What is not a call closes the connection with a reason`(message: String) throws {
        var server = Server()
        #expect {
            try server.exchange(message)
        } throws: { error in
            guard case ProtocolFault.malformed(let detail)? = error as? ProtocolFault else { return false }
            return !detail.isEmpty
        }
    }

    @Test func `A call that never ends is cut off at the limit`() throws {
        var server = Server()
        #expect(throws: ProtocolFault.messageTooLong(limit: ManagerLimits.callBytes)) {
            for _ in 0..<64 {
                let piece = min(1024, server.dispatcher.room)
                _ = try server.feed(Array(repeating: UInt8(ascii: " "), count: piece))
            }
        }
    }

    @Test func `A client that never reads makes the daemon keep no more than the limit`() throws {
        var dispatcher = ManagerDispatcher(version: "1")
        let source = Source(vms: (0..<2000).map { .sample(slot: $0) })
        dispatcher.receive(Array(#"{"method":"io.spschedd.Manager.ListVMs","more":true}"#.utf8) + [0])
        for _ in 0..<10_000 {
            let before = dispatcher.output.count
            #expect(try dispatcher.answer(from: source) == .pending)
            if dispatcher.output.count == before { break }
        }
        #expect(dispatcher.room == 0)
        #expect(dispatcher.output.count < ManagerLimits.outputBytes + 2048)
    }
}
