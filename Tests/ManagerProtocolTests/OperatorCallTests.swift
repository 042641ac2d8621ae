import FoundationEssentials
import Testing

@testable import ManagerProtocol

/// Goal: what an operator asks beyond status and list is answered as the interface says. Method: bytes in, bytes out.
@Suite("What operators ask") struct OperatorCallTests {
    @Test("an explanation carries exactly the fields that the interface describes")
    func explanation() throws {
        var server = Server(vms: [.sample(slot: 0)])
        let call = #"{"method":"io.spschedd.Manager.Explain","parameters":{"vm":"web"}}"#
        let parameters = try #require(try server.exchange(call).first?["parameters"]?.object)
        #expect(Set(parameters.keys) == InterfaceText.fields(after: "method Explain(vm: string) -> ("))
        let explanation = try #require(parameters["explanations"]?.list?.first?.object)
        #expect(Set(explanation.keys) == InterfaceText.fields(after: "type Explanation ("))
        let parts = [
            (explanation["standing"], "type Standing ("), (explanation["refusals"]?.list?.first, "type Refusal ("),
            (parameters["rejections"]?.list?.first, "type Rejection ("),
        ]
        for (part, opening) in parts {
            #expect(try Set(#require(part?.object).keys) == InterfaceText.fields(after: opening), "\(opening)")
        }
    }

    @Test("a VM that nobody knows is an error that names it")
    func nobody() throws {
        var server = Server()
        let reply = try #require(
            try server.exchange(#"{"method":"io.spschedd.Manager.Explain","parameters":{"vm":"x"}}"#).first)
        #expect(reply["error"] == .string("io.spschedd.Manager.NoSuchVM"))
        #expect(reply["parameters"] == .object(["vm": .string("x")]))
    }

    @Test("a watch tells what has changed and what was lost, waits, and ends with the next call")
    func watch() throws {
        var server = Server()
        let first = try server.exchange(#"{"method":"io.spschedd.Manager.Watch","more":true}"#)
        #expect(first.count == 1 && first[0]["continues"] == .bool(true))
        #expect(first[0]["parameters"]?.object?["lost"] == .integer(3))
        let change = try #require(first[0]["parameters"]?.object?["change"]?.object)
        #expect(Set(change.keys) == InterfaceText.fields(after: "type Change ("))
        #expect(server.dispatcher.isWatching)
        let then = try server.exchange(#"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(then.count == 2 && then[0]["continues"] == nil)
        #expect(then[1]["parameters"]?.object?["product"] == .string("spschedd"))
        #expect(!server.dispatcher.isWatching)
    }

    @Test("every kind of change is one that the interface describes")
    func kinds() throws {
        let described = InterfaceText.fields(after: "type ChangeKind (").map { $0.filter { $0 != "," } }
        #expect(Set(described) == Set(ManagedChangeKind.allCases.map(\.rawValue)))
    }

    @Test("draining and resuming say whether it was so before")
    func drain() throws {
        var server = Server()
        let calls = ["Drain", "Drain", "Resume", "Resume"].map { #"{"method":"io.spschedd.Manager.\#($0)"}"# }
        let was = try calls.map { try server.exchange($0).first?["parameters"]?.object?["was"] }
        #expect(was == [.bool(false), .bool(true), .bool(false), .bool(true)])
    }

    @Test("what answers in pieces must be asked for them", arguments: ["Watch", "Metrics"])
    func more(method: String) throws {
        var server = Server()
        let reply = try #require(try server.exchange(#"{"method":"io.spschedd.Manager.\#(method)"}"#).first)
        #expect(reply["error"] == .string("org.varlink.service.ExpectedMore"))
    }
}

/// Goal: the text is OpenMetrics, bounded, and cannot be forged by a VM's name. Method: the pieces, joined and read.
@Suite("Metrics") struct MetricsTests {
    private func text(vms: [ManagedVM]) throws -> (text: String, longest: Int, pieces: Int) {
        var server = Server(vms: vms)
        let replies = try server.exchange(#"{"method":"io.spschedd.Manager.Metrics","more":true}"#)
        let pieces = replies.compactMap { reply -> String? in
            guard case .string(let text)? = reply["parameters"]?.object?["text"] else { return nil }
            return text
        }
        #expect(pieces.count == replies.count && replies.last?["continues"] == nil)
        return (pieces.joined(), pieces.map(\.utf8.count).max() ?? 0, pieces.count)
    }

    @Test("the pieces join to every family once, and an end", arguments: [0, 1, 40])
    func whole(count: Int) throws {
        let (text, longest, pieces) = try text(vms: (0..<count).map { .sample(slot: $0) })
        #expect(text.hasSuffix("\n# EOF\n") && text.ranges(of: "# EOF").count == 1)
        for family in ManagerMetrics.families {
            #expect(text.ranges(of: "# TYPE \(family.name) \(family.kind.rawValue)\n").count == 1, "\(family.name)")
        }
        #expect(pieces > 1 && longest < 2 * ManagerLimits.metricsPieceBytes)
        #expect(text.ranges(of: "\nspschedd_vm_grants_total{").count == count)
    }

    @Test("no more VMs than the limit have series, and the rest is told")
    func bounded() throws {
        let many = ManagerLimits.measuredVMs + 44
        let (text, _, _) = try text(vms: (0..<many).map { .sample(slot: $0) })
        #expect(text.ranges(of: "\nspschedd_vm_info{").count == ManagerLimits.measuredVMs)
    }

    @Test("families have names of their own, the unit at their end, and a sentence")
    func names() {
        let families = ManagerMetrics.families
        #expect(Set(families.map(\.name)).count == families.count)
        #expect(Set(families.map(\.sampleName)).count == families.count)
        for family in families {
            #expect(family.name.hasPrefix("spschedd_") && family.help.hasSuffix("."), "\(family.name)")
            if let unit = family.unit { #expect(family.name.hasSuffix("_\(unit)"), "\(family.name)") }
            #expect(!family.name.hasSuffix("_total") && !family.name.hasSuffix("_info"), "\(family.name)")
        }
    }

    @Test("a name that would end its label, or its line, stays inside")
    func escaped() {
        #expect(MetricsPage.escaped("a\"b\\c\nd\u{7}e") == "a\\\"b\\\\c\\nd\u{FFFD}e")
    }

    @Test("numbers are exact", arguments: [(0, "0.000000000"), (1, "0.000000001"), (1_500_000_000, "1.500000000")])
    func seconds(nanoseconds: Int64, text: String) {
        #expect(MetricValue.seconds(nanoseconds) == text)
        #expect(MetricValue.seconds(-nanoseconds) == (nanoseconds == 0 ? "" : "-") + text)
    }
}

extension JSONValue {
    var list: [JSONValue]? {
        if case .array(let members) = self { members } else { nil }
    }
}
