import Arbiter
import CSpschedTesting
import Testing
import VMMProtocol

@Suite("Launches through the client library")
struct LaunchTests {
    @Test("a launch is begun with its plan and ended with its outcome")
    func launch() throws {
        let pair = try Pair()
        let beginning = Background { [client = pair.client] in client.beginLaunch(pages: 300, isProxy: true).launch }
        let (tag, plan) = try pair.connection.expect(.launchBegin)
        #expect(plan == .launchBegin(LaunchPlan(pages: 300, virtualCPUs: 1, isProxy: true)))
        try pair.connection.send(.launchBegun(SessionID(number: 5), chunkPages: 32), tag: tag)
        let launch = try beginning.value()
        #expect(launch.session == 5)
        #expect(launch.chunk_pages == 32)
        #expect(pair.client.beginLaunch().result == SPSCHED_INVALID)

        let ending = Background { [client = pair.client] in client.endLaunch() }
        let end = try pair.connection.expect(.launchEnd)
        #expect(end.message == .launchEnd(SessionID(number: 5), .running))
        try pair.connection.send(.done, tag: end.tag)
        #expect(try ending.value() == SPSCHED_OK)
        #expect(pair.client.endLaunch() == SPSCHED_INVALID)
    }

    @Test("a launch that an empty bucket refuses may be begun again")
    func busy() throws {
        let pair = try Pair()
        let beginning = Background { [client = pair.client] in client.beginLaunch().reply }
        let (tag, _) = try pair.connection.expect(.launchBegin)
        try pair.connection.refuse(tag, reason: .launchBucketVM, text: "this VM launched 3 times in a minute")
        let reply = try beginning.value()
        #expect(reply.result == SPSCHED_BUSY)
        #expect(reply.reason == 10)
        #expect(reply.text == "this VM launched 3 times in a minute")

        let again = Background { [client = pair.client] in client.beginLaunch().result }
        let next = try pair.connection.expect(.launchBegin)
        try pair.connection.send(.launchBegun(SessionID(number: 6), chunkPages: 32), tag: next.tag)
        #expect(try again.value() == SPSCHED_OK)
    }
}
