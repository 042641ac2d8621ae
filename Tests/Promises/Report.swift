import Foundation
import Simulation

/// What was found, over all runs of one state of the sources: `.build/promises.json`.
struct Report {
    var exhaustive = 0
    var canaries: [String: Canary] = [:]
    private var rows: [String: Row] = [:]
    private var worlds: [String: Int] = [:]
    private var ranges: [[UInt64]] = []
    private var violations = 0
    private let sources: String

    private struct Row: Codable {
        var worlds = 0
        var worst_ratio = 0.0
        var seed: UInt64 = 0
        var world = ""
        var changes: [UInt64] = []
    }

    private struct Small: Codable {
        var worlds: Int
        var virtual_machines: Int
        var complete: Bool
    }

    /// As it stands in the file. The seven rows are members of the object itself.
    private struct Rest: Codable {
        var canaries: [String: Bool]
        var canary_catches: [String: String]
        var exhaustive: Small
        var worlds: [String: Int]
        var seeds: [[UInt64]]
        var violations: Int
        var sources: String
    }

    /// Goes on from what the file has, if more seeds are to be added up and the sources are the same.
    init(_ options: Options) throws {
        sources = options.sources
        guard options.addsUp, let data = FileManager.default.contents(atPath: options.output) else { return }
        let rest = try JSONDecoder().decode(Rest.self, from: data)
        guard rest.sources == sources else {
            FileHandle.standardError.write(Data("The sources have changed: counting begins anew.\n".utf8))
            return
        }
        rows = try JSONDecoder().decode([String: LenientRow].self, from: data).compactMapValues(\.row)
        worlds = rest.worlds
        ranges = rest.seeds
        violations = rest.violations
        exhaustive = rest.exhaustive.worlds
        for (name, isCaught) in rest.canaries {
            canaries[name] = Canary(isCaught: isCaught, how: rest.canary_catches[name] ?? "")
        }
        if let twice = ranges.first(where: { options.seeds.overlaps($0[0]...$0[1]) }) {
            throw UsageError("seeds \(twice[0]) to \(twice[1]) have been counted already; the next is SEEDS=\(next)-…")
        }
    }

    /// Of all members of the file only the rows.
    private struct LenientRow: Codable {
        let row: Row?
        init(from decoder: any Decoder) throws { row = try? Row(from: decoder) }
        func encode(to encoder: any Encoder) throws { try row?.encode(to: encoder) }
    }

    private var next: UInt64 { (ranges.map { $0[1] }.max() ?? 0) + 1 }

    mutating func add(_ tally: Tally, seeds: ClosedRange<UInt64>) {
        ranges = (ranges + [[seeds.lowerBound, seeds.upperBound]]).sorted { $0[0] < $1[0] }
        worlds.merge(tally.worlds, uniquingKeysWith: +)
        violations += tally.violations
        for promise in Promise.allCases {
            let found = tally.worst[promise.rawValue]
            var row = rows[promise.name] ?? Row()
            row.worlds += found.worlds
            let ratio = Double(found.perMillion) / 1_000_000
            if let name = found.name, ratio > row.worst_ratio || row.world.isEmpty {
                (row.worst_ratio, row.seed, row.world, row.changes) = (ratio, name.seed, name.kind, name.changes)
            }
            rows[promise.name] = row
        }
    }

    // MARK: The file

    func write(to path: String) throws {
        let small = Small(
            worlds: exhaustive, virtual_machines: 3,
            complete: exhaustive == Int(SmallWorlds.count(virtualMachines: 3)))
        let rest = Rest(
            canaries: canaries.mapValues(\.isCaught), canary_catches: canaries.mapValues(\.how), exhaustive: small,
            worlds: worlds, seeds: ranges, violations: violations, sources: sources)
        let encoder = JSONEncoder()
        let object = try JSONSerialization.jsonObject(with: encoder.encode(rows)) as? [String: Any] ?? [:]
        let others = try JSONSerialization.jsonObject(with: encoder.encode(rest)) as? [String: Any] ?? [:]
        let all = object.merging(others) { row, _ in row }
        let data = try JSONSerialization.data(withJSONObject: all, options: [.prettyPrinted, .sortedKeys])
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try (data + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
    }

    // MARK: The table

    var table: String {
        var lines = ["promise    worlds  worst ratio  where"]
        for promise in Promise.allCases {
            guard let row = rows[promise.name] else { continue }
            let name = WorldName(kind: row.world, seed: row.seed, changes: row.changes)
            let ratio = Self.padded(String(format: "%.6f", row.worst_ratio), 11)
            lines.append(
                "\(promise.name)      \(Self.padded("\(row.worlds)", 9))  \(ratio)  \(row.world == "" ? "" : "\(name)")"
            )
        }
        lines.append("")
        let kinds = worlds.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        lines.append("worlds: \(kinds)")
        lines.append("small worlds: \(exhaustive) of \(SmallWorlds.count(virtualMachines: 3)), up to 3 VMs")
        for (name, canary) in canaries.sorted(by: { $0.key < $1.key }) {
            lines.append("canary \(name): \(canary.how)")
        }
        lines.append(violations == 0 ? "no rule was broken" : "\(violations) worlds broke a rule")
        return lines.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}
