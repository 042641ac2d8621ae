import Arbiter
import Foundation
import FoundationXML
import Testing

@testable import Reporting

/// Goal: values stand where they belong, and nothing is drawn over anything. Method: known places; the markup parsed.
@Suite struct PictureTests {
    @Test func `Logarithms are right without the C library`() {
        for exponent in -30...30 {
            for factor in [1, 1.2, 1.4142, 1.5, 1.999] {
                let value = exponent < 0 ? factor / Double(1 << -exponent) : factor * Double(1 << exponent)
                #expect(abs(Logarithm.base2(value) - log2(value)) < 1e-13)
            }
        }
    }

    @Test func `Scales begin at zero, end at one, and keep what lies outside at their ends`() {
        for scale in [Scale.linear(10...20), .logarithmic(10...20)] {
            #expect([10, 20].map(scale.part) == [0, 1])
            #expect([5, 50].map(scale.part) == [0, 1])
        }
        #expect(Scale.linear(0...4).part(of: 1) == 0.25)
        #expect(abs(Scale.logarithmic(1...10_000).part(of: 100) - 0.5) < 1e-12)
        #expect([0, 1, 3, 7].map { Scale.doubling(upTo: 7).part(of: $0) * 3 } == [0, 1, 2, 3])
        #expect(Scale.places([0, 16]).part(of: 16) == 0.75)
    }

    @Test func `An axis has a few round numbers around its values`() {
        #expect(Axis.linear("x", to: 37).ticks.map(\.text) == ["0", "5", "10", "15", "20", "25", "30", "35", "40"])
        let wide = Axis.times("t", holding: [.milliseconds(222), .seconds(180)])
        #expect(wide.ticks.map(\.text) == ["200 ms", "1 s", "10 s", "100 s"])
        #expect(wide.scale.part(of: 222) > 0 && wide.scale.part(of: 180_000) < 1)
        let narrow = Axis.times("t", holding: [.milliseconds(222), .milliseconds(300)])
        #expect(narrow.ticks.map(\.text) == ["200 ms", "300 ms", "400 ms", "500 ms"])
        #expect(Axis.logarithmic("x", holding: [0, 3, 40]).ticks.map(\.text) == ["2", "5", "10", "20", "50"])
        #expect([0.5, 20, 2_000].map(Axis.time) == ["500 µs", "20 ms", "2 s"])
    }

    @Test func `Names are moved apart, and stay inside the picture`() {
        let wanted = [300.0, 299, 298, 100]
        let places = NamePlaces.apart(wanted, heights: [17, 17, 17, 17], within: 36...360)
        #expect(places == [300, 283, 266, 100])
        // At the upper edge there is only downwards.
        #expect(NamePlaces.apart([40, 39, 38], heights: [17, 17, 17], within: 36...360) == [70, 53, 36])
    }

    @Test func `A chart is well-formed, marks what is a least value, and refers to nothing outside itself`() throws {
        let chart = LineChart(
            "Time & <number>", x: .doublings("VMs", of: [0, 1, 64]), y: .linear("y", to: 10),
            series: [
                .init("cut", .orange, points: [.init(0, 1, tail: 3), .init(64, 9, isLeast: true)]),
                .init(
                    "steps", note: "5", .blue, hasMarkers: false, isStepped: true, points: [.init(0, 1), .init(1, 5)]),
            ], marks: [.y(4, "bound"), .x(1, "here")])
        let file = chart.svg.file
        let parser = XMLParser(data: Data(file.utf8))
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        #expect(file.contains("class=\"open orange\"") && file.contains("class=\"arrow orange\""))
        #expect(file.contains("Time &amp; &lt;number&gt;"))
        let outside = file.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
        for reference in ["http:", "https:", "href=", "url(", "@import", "<script"] {
            #expect(!outside.contains(reference), "\(reference)")
        }
    }

    @Test func `A stepped line is level up to each next point`() throws {
        let chart = LineChart(
            "steps", x: .linear("x", to: 10), y: .linear("y", to: 10),
            series: [.init("a", .blue, hasMarkers: false, isStepped: true, points: [.init(0, 0), .init(10, 10)])])
        let start = (x: chart.place(x: 0), y: chart.place(y: 0))
        let end = (x: chart.place(x: 10), y: chart.place(y: 10))
        let path = [start, (x: end.x, y: start.y), end].map { "\(Format.fixed($0.x, 1)),\(Format.fixed($0.y, 1))" }
        #expect(chart.svg.markup.contains("points=\"\(path.joined(separator: " "))\""))
    }

    @Test func `The longest bar fills the room that titles and notes leave`() {
        let chart = BarChart(
            "bars", rows: [.init("a", [.init(5, .blue)], note: "5"), .init("b", [.init(10, .blue)], note: "10")],
            titles: 100, notes: 160)
        #expect(chart.svg.markup.contains("width=\"250.0\""))
        #expect(chart.svg.markup.contains("width=\"500.0\""))
    }
}
