import FoundationEssentials
import Glibc

/// Where the figures come from: they are worth nothing without it.
struct Machine: Equatable, Sendable {
    struct Facts: Codable, Equatable, Sendable {
        let processor: String
        let processors: Int
        let isVirtual: Bool
        let memoryMiB: Int
        let kernel: String
        let system: String
        /// The load average of the last minute when the run began.
        let load: Double
        /// Seconds since 1970.
        let measuredAt: Int

        enum CodingKeys: String, CodingKey {
            case processor, processors, kernel, system, load
            case isVirtual = "virtual"
            case memoryMiB = "memory_mib"
            case measuredAt = "measured_at"
        }
    }

    let facts: Facts
    /// The CPUs that this process may use.
    let processors: [Int]

    init() throws(BenchmarkProblem) {
        let info = try SmallFile.read("/proc/cpuinfo")
        let status = try SmallFile.read("/proc/self/status")
        let memory = try SmallFile.read("/proc/meminfo")
        processors = CPUList.parse(Self.field("Cpus_allowed_list", of: status) ?? "0")
        facts = Facts(
            processor: Self.field("model name", of: info) ?? "unknown",
            processors: processors.count,
            isVirtual: (Self.field("flags", of: info) ?? "").split(separator: " ").contains("hypervisor"),
            memoryMiB: (Self.field("MemTotal", of: memory)?.leadingNumber ?? 0) / 1_024,
            kernel: try SmallFile.read("/proc/sys/kernel/osrelease").trimmingNewline,
            system: Self.name(of: (try? SmallFile.read("/etc/os-release")) ?? ""),
            load: Double(try SmallFile.read("/proc/loadavg").split(separator: " ").first ?? "0") ?? 0,
            measuredAt: time(nil))
    }

    init(facts: Facts, processors: [Int]) {
        self.facts = facts
        self.processors = processors
    }

    /// `name : value`, as files in /proc have it; the first of that name.
    static func field(_ name: String, of text: String) -> String? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed == name else { continue }
            return parts[1].trimmed
        }
        return nil
    }

    private static func name(of release: String) -> String {
        for line in release.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        }
        return "unknown"
    }

    var sentence: String {
        "Measured on \(facts.processor), \(facts.processors) CPUs\(facts.isVirtual ? " of a virtual machine" : ""), "
            + "\(facts.memoryMiB) MiB, Linux \(facts.kernel), \(facts.system)."
    }

    /// From half a CPU's worth of other work on, times are somebody else's too.
    var warning: String? {
        guard facts.load > 0.5 else { return nil }
        return "this machine is not idle (load average \(facts.load.short)): ratios suffer less than times, both suffer"
    }
}

/// The kernel's way to write a set of CPUs: `0-3,8`.
enum CPUList {
    static func parse(_ text: String) -> [Int] {
        text.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0.trimmed) }
            guard let first = ends.first, let last = ends.last, first <= last else { return [] }
            return Array(first...last)
        }
    }
}

extension StringProtocol {
    var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }

    var trimmingNewline: String { String(last == "\n" ? dropLast() : self[...]) }
    var leadingNumber: Int? { Int(prefix { $0.isNumber }) }
}
