import Foundation
import Testing

@testable import spschedd_bench

/// Goal: what is written can be read by programs, and what the table says follows from the samples.
@Suite struct ResultsTests {
    private let machine = Machine(
        facts: Machine.Facts(
            processor: "An \"A\"", processors: 2, isVirtual: true, memoryMiB: 1_024, kernel: "6.18", system: "Debian",
            load: 0.1, measuredAt: 7),
        processors: [0, 1])

    private func results(_ samples: [Double]) -> Results {
        var results = Results(machine: machine, plan: .quick)
        results.add(.turnP50, samples)
        results.note("Once.")
        results.note("Once.")
        return results
    }

    @Test func `The JSON has the machine, and median and samples of each key`() throws {
        struct Figure: Decodable, Equatable {
            let median: Double
            let samples: [Double]
        }
        struct Shape: Decodable {
            let machine: Machine.Facts
            let plan: String
            let notes: [String]
            let ratio: Figure

            enum CodingKeys: String, CodingKey {
                case machine, plan, notes
                case ratio = "turn_p50_ratio"
            }
        }
        let text = results([1.4, 1.2, 1.3]).json.text
        let shape = try JSONDecoder().decode(Shape.self, from: Data(text.utf8))
        #expect(shape.machine == machine.facts)
        #expect(shape.plan == "quick")
        #expect(shape.notes == ["Once."])
        #expect(shape.ratio == Figure(median: 1.3, samples: [1.4, 1.2, 1.3]))
    }

    @Test(arguments: [([1.2, 1.2, 9], []), ([1.6, 1.6, 1], ["turn_p50_ratio"])] as [([Double], [String])])
    func `A mark is missed by the median`(samples: [Double], missed: [String]) {
        #expect(results(samples).missedMarks == missed)
    }

    @Test(arguments: [(1.2, "aim"), (1.4, "mark"), (1.6, "MISSED")])
    func `The table says which goal is met`(value: Double, verdict: String) throws {
        let lines = results([value]).table.split(separator: "\n")
        let row = try #require(lines.first { $0.hasPrefix("turn_p50_ratio") })
        #expect(row.contains("  \(verdict)  "))
    }

    @Test func `No key stands for two figures`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Benchmarks/Driver/Metric.swift")
        let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
        let keys = text.matches(of: /Metric\(\s*"([a-z0-9_]+)"/).map { String($0.1) }
        #expect(keys.count > 20)
        #expect(Set(keys).count == keys.count)
    }

    @Test func `The kernel's list of CPUs is read`() {
        #expect(CPUList.parse("0-2,8") == [0, 1, 2, 8])
        #expect(CPUList.parse("3") == [3])
        #expect(CPUList.parse("") == [])
    }

    @Test func `A line of /proc is found by its whole name`() {
        let text = "VmRSSX:\t 1 kB\nVmRSS:\t  2048 kB\nmodel name\t: A: B\n"
        #expect(Machine.field("VmRSS", of: text) == "2048 kB")
        #expect(Machine.field("model name", of: text) == "A: B")
        #expect(Machine.field("Vm", of: text) == nil)
    }
}
