import Arbiter
import Testing
import VMMProtocol

/// Names and texts at their limits.
@Suite struct TextTests {
    @Test("a name keeps whole characters only")
    func nameIsCutBetweenCharacters() throws {
        let long = String(repeating: "a", count: 63) + "é"
        #expect("\(try #require(Name64(long)))" == String(repeating: "a", count: 63))
        let flag = String(repeating: "a", count: 60) + "🇦🇹"
        #expect("\(try #require(Name64(flag)))" == String(repeating: "a", count: 60))
        #expect("\(try #require(Name64(String(repeating: "é", count: 32))))".utf8.count == 64)
    }

    @Test("a name with control characters is refused", arguments: ["a\nb", "\u{1B}[2J", "\0", "\u{7F}", "\u{9B}31m"])
    func controlCharacters(_ text: String) {
        #expect(Name64(text) == nil)
    }

    @Test("equal names are equal and hash alike, whatever lies behind them")
    func nameEquality() throws {
        let names = [Name64("web-3"), Name64("web-3"), Name64("web-33"), .empty]
        #expect(names[0] == names[1])
        #expect(Set(names).count == 3)
        #expect(Name64.empty.isEmpty)
    }

    @Test("a text beyond the limit is cut between characters", arguments: [479, 480, 481, 900])
    func textIsCut(_ length: Int) throws {
        let text = String(repeating: "x", count: length - 2) + "é"
        let sent = AnyMessage(
            tag: 1, .busy(BusyReply(retryAfter: .zero, reason: Extensible(.limit), text: text)))
        let received = try AnyMessage(decoding: sent.encoded, direction: .daemonToClient)
        guard case .daemon(.busy(let busy)) = received.body else {
            Issue.record("decoded as \(received)")
            return
        }
        let cut = length <= 480 ? text : String(repeating: "x", count: length == 481 ? 479 : 480)
        #expect(busy.text == cut)
    }

    @Test("values beyond the wire's range are sent as the nearest that fits")
    func outOfRange() throws {
        let sent = AnyMessage(
            tag: 1,
            .granted(
                Granted(
                    turn: TurnID(number: 1), startWithin: .milliseconds(-1), lease: Nanoseconds(.max), units: 1,
                    kind: .report)))
        let received = try AnyMessage(decoding: sent.encoded, direction: .daemonToClient)
        guard case .daemon(.granted(let granted)) = received.body else {
            Issue.record("decoded as \(received)")
            return
        }
        #expect(granted.startWithin == .zero)
        #expect(granted.lease == ProtocolLimits.longestDuration)
    }

    @Test("the longest duration can be added to any time without overflow")
    func longestDurationIsSafe() {
        let bootForever = Instant(sinceBoot: .seconds(100 * 366 * 86_400))
        #expect(bootForever + ProtocolLimits.longestDuration + ProtocolLimits.longestDuration > bootForever)
    }

    @Test("a UUID reads as its bytes do")
    func uuid() {
        let uuid = UUIDBytes(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F)
        #expect("\(uuid)" == "00010203-0405-0607-0809-0a0b0c0d0e0f")
    }

    @Test("the longest message of either side fits the buffer")
    func longestMessages() {
        let tags = [UInt64](repeating: .max, count: ProtocolLimits.outstandingTags)
        var buffer = MessageBuffer()
        buffer.encode(.resyncState(ResyncState(epoch: 1, tags: tags)), tag: 0)
        #expect(buffer.count == 560)
        let text = String(repeating: "x", count: 2_000)
        buffer.encode(.busy(BusyReply(retryAfter: .zero, reason: Extensible(.limit), text: text)), tag: 1)
        #expect(buffer.count == 512)
    }
}
