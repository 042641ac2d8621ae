import Testing

@testable import ManagerProtocol

/// Goal: what the observer tells arrives as it was told, from who may tell it, and nothing else does. Method: bytes in,
/// bytes out.
@Suite struct ObservationCallTests {
    private static let call =
        #"{"method":"io.spschedd.Manager.NoteRequests","parameters":{"lost":2,"processes":["#
        + #"{"pid":7,"name":"CPU 0/KVM","plain":3,"extended":4},{"pid":2147483647,"name":"","plain":0,"extended":0}]}}"#

    @Test func `A report arrives as it was told`() throws {
        var server = Server()
        #expect(try server.exchange(Self.call) == [["parameters": .object([:])]])
        #expect(
            server.source.platform.reports == [
                ObservedReport(
                    processes: [
                        ObservedProcess(pid: 7, name: "CPU 0/KVM", plain: 3, extended: 4),
                        ObservedProcess(pid: .max, name: "", plain: 0, extended: 0),
                    ], lost: 2)
            ])
    }

    @Test func `A caller who may not tell is refused`() throws {
        var server = Server()
        server.source.takesReports = false
        let replies = try server.exchange(Self.call)
        #expect(replies.first?["error"] == .string("org.varlink.service.PermissionDenied"))
        #expect(server.source.platform.reports.isEmpty)
    }

    @Test func `More processes than fit into a call are refused`() throws {
        var server = Server()
        let one = #"{"pid":7,"name":"x","plain":3,"extended":4}"#
        func call(_ count: Int) -> String {
            #"{"method":"io.spschedd.Manager.NoteRequests","parameters":{"lost":0,"processes":["#
                + Array(repeating: one, count: count).joined(separator: ",") + "]}}"
        }
        #expect(try server.exchange(call(128)).first?["error"] == nil)
        #expect(try server.exchange(call(129)).first?["error"] == .string("org.varlink.service.InvalidParameter"))
    }
}
