import Arbiter
import Testing

@testable import ConfigurationFiles

@Suite("Values as people write them")
struct UnitTextTests {
    @Test(
        "a duration is one whole number and one unit",
        arguments: [
            ("500ms", Nanoseconds.milliseconds(500)), ("5s", .seconds(5)), ("2min", .seconds(120)), ("0s", .zero),
            ("7500us", .microseconds(7_500)), ("1h", .seconds(3_600)), ("42ns", Nanoseconds(42)),
        ])
    func durations(_ text: String, _ duration: Nanoseconds) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.parse(DurationText.write(duration)) == duration)
    }

    @Test(
        "what only resembles a duration is none",
        arguments: [
            "", "5", "ms", "5 ms", "-5ms", "1.5s", "5sec", "5MS", "1s500ms", "99999999999999999999ns", "9999999999h",
        ])
    func noDurations(_ text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test("rates and shares keep their decimals exactly")
    func decimals() {
        #expect(RateText.parse("0.025/s") == Rate(millihertz: 25))
        #expect(RateText.parse("100/s") == .perSecond(100))
        #expect(RateText.write(Rate(millihertz: 1_500)) == "1.5/s")
        #expect(ShareText.parse("12.5%") == Share(perMille: 125))
        #expect(ShareText.write(Share(percent: 10)) == "10%")
        for wrong in ["1", "1/min", "/s", ".5/s", "1.2345/s", "-1/s"] { #expect(RateText.parse(wrong) == nil) }
        for wrong in ["10", "12.55%", "%", "ten%"] { #expect(ShareText.parse(wrong) == nil) }
    }
}
