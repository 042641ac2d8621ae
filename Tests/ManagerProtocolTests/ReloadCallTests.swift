import Testing

@testable import ManagerProtocol

/// Goal: whoever asks for a reload is told what it came to, once it is known. Method: calls as they stand on the wire,
/// and a source that answers later.
@Suite("Reload")
struct ReloadCallTests {
    private static let call = #"{"method":"io.spschedd.Manager.Reload"}"#

    @Test("the answer comes when the files have been read, and calls behind it wait for that")
    func later() throws {
        var server = Server()
        #expect(try server.exchange(Self.call, #"{"method":"org.varlink.service.GetInfo"}"#).isEmpty)
        #expect(server.source.reloads.tickets == 1 && server.dispatcher.reloadTicket == 1)
        let change = ManagedSettingChange(key: "a.b", was: "1", now: "2", applies: "at_once", origin: nil)
        server.source.reloads.outcomes[1] = .done(ReloadReply(files: ["f"], changes: [change]))
        let replies = try server.feed([])
        #expect(replies.count == 2 && server.dispatcher.reloadTicket == nil)
        #expect(
            replies[0]["parameters"]
                == .object([
                    "files": .array([.string("f")]),
                    "changes": .array([
                        .object([
                            "key": .string("a.b"), "was": .string("1"), "now": .string("2"),
                            "applies": .string("at_once"),
                        ])
                    ]),
                ]))
    }

    @Test("mistakes and objections are errors of their own, with a text for people")
    func errors() throws {
        var server = Server()
        server.source.reloads.outcomes[1] = .invalid([
            ManagedConfigurationProblem(file: "f", line: 3, key: "a.b", text: "f:3: a.b: unknown key"),
            ManagedConfigurationProblem(file: "g", line: nil, key: nil, text: "g: gone"),
        ])
        var reply = try #require(try server.exchange(Self.call).first)
        #expect(reply["error"] == .string("io.spschedd.Manager.ConfigurationInvalid"))
        guard case .object(let parameters)? = reply["parameters"], case .array(let problems)? = parameters["problems"]
        else { return #expect(Bool(false), "\(reply)") }
        #expect(parameters["text"] == .string("f:3: a.b: unknown key\ng: gone"))
        #expect(problems[1] == .object(["file": .string("g"), "text": .string("g: gone")]))
        server.source.reloads.outcomes[2] = .refused([ManagedReloadObjection(keys: ["a.b"], text: "a.b = 1: too much")])
        reply = try #require(try server.exchange(Self.call).first)
        #expect(reply["error"] == .string("io.spschedd.Manager.ReloadRefused"))
    }

    @Test("a caller that wants no reply gets none, and the reload is made")
    func oneway() throws {
        var server = Server()
        server.source.reloads.outcomes[1] = .invalid([])
        #expect(try server.exchange(#"{"method":"io.spschedd.Manager.Reload","oneway":true}"#).isEmpty)
        #expect(server.source.reloads.tickets == 1 && server.source.reloads.outcomes.isEmpty)
    }

    @Test("a parameter is refused")
    func parameter() throws {
        var server = Server()
        let replies = try server.exchange(#"{"method":"io.spschedd.Manager.Reload","parameters":{"x":1}}"#)
        #expect(replies.first?["error"] == .string("org.varlink.service.InvalidParameter"))
        #expect(server.source.reloads.tickets == 0)
    }
}
