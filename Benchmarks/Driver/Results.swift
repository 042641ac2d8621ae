import FoundationEssentials

/// What was measured, in the order in which it was.
struct Results {
    struct Entry: Equatable {
        let metric: Metric
        let samples: [Double]

        var median: Double { Statistics.median(samples) }
        var isMarkMet: Bool { metric.goal.map { $0.isMet(by: median) } ?? true }
    }

    let machine: Machine
    let plan: Plan
    private(set) var entries: [Entry] = []
    /// Sentences for whoever reads the table: conditions of a measurement, and what was left out and why.
    private(set) var notes: [String] = []

    init(machine: Machine, plan: Plan) {
        self.machine = machine
        self.plan = plan
    }

    mutating func add(_ metric: Metric, _ samples: [Double]) {
        entries.append(Entry(metric: metric, samples: samples))
    }

    mutating func note(_ sentence: String) {
        if !notes.contains(sentence) { notes.append(sentence) }
    }

    var missedMarks: [String] { entries.filter { !$0.isMarkMet }.map(\.metric.key) }
}

// MARK: - JSON

extension Results {
    /// `{"machine": …, "plan": …, "notes": […], "<key>": {"median": …, "samples": […]}, …}`
    var json: ResultsDocument {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Nothing here is a number that JSON has no word for: samples are finite, see `Measured`.
        guard let bytes = try? encoder.encode(Document(results: self)) else {
            preconditionFailure("results that cannot be written")
        }
        return ResultsDocument(text: String(decoding: bytes, as: UTF8.self))
    }

    private struct Document: Encodable {
        let results: Results

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(results.machine.facts, forKey: Key("machine"))
            try container.encode(results.plan.name, forKey: Key("plan"))
            try container.encode(results.notes, forKey: Key("notes"))
            for entry in results.entries {
                var figure = container.nestedContainer(keyedBy: Key.self, forKey: Key(entry.metric.key))
                try figure.encode(entry.median, forKey: Key("median"))
                try figure.encode(entry.samples, forKey: Key("samples"))
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

struct ResultsDocument {
    let text: String

    func write(to path: String) throws(BenchmarkProblem) { try SmallFile.write(text + "\n", to: path) }
}
