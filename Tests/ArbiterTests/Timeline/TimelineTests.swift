import Testing

@testable import Arbiter

/// Goal: the notation itself says what happens, and a test written in it can fail. Method: play, and read the
/// difference.
@Suite("Timeline notation")
struct TimelineTests {
    @Test("a free SP is granted at once; who comes second gets it on release")
    func handOver() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            asks
            ms 0....5....10...15...20
            a  r
            b  ..r
            expect
            SP aaaaaaabbbbbbb
            a  =======
            b  ..~~~~~=======
            """)
    }

    @Test("a lane that is not as expected is shown above what was got")
    func difference() throws {
        let timeline = try Timeline(
            """
            column 1ms
            a: turn 3
            asks
            a  r
            expect
            SP aaaa
            """)
        let player = try Player(timeline, Host())
        player.play()
        let difference = try #require(player.difference)
        #expect(difference.contains("SP expected  aaaa\nSP got       aaa"))
    }

    @Test("a mark that means nothing is shown as an error")
    func unknownMark() throws {
        try play(
            """
            column 1ms
            a: turn 3
            asks
            a  z
            expect
            a  E
            a: `z` is no mark of a VM
            """)
    }
}
