import DeviceTestSupport
import Foundation

/// What the kernel says of a process.
public struct ProcessFigures: Codable, Equatable, Sendable {
    /// Resident memory, and the part of it that is the process's own.
    public var residentKiB: Int
    public var anonymousKiB: Int
    public var descriptors: Int
    /// Those of the descriptors that are timers.
    public var timers: Int
    public var threads: Int

    public init(of pid: Int32) throws {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        func field(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) } ?? 0
        }
        residentKiB = field("VmRSS")
        anonymousKiB = field("RssAnon")
        threads = field("Threads")
        let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
        descriptors = numbers.count
        // One may be closed between the two looks.
        timers = numbers.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)"))?
                .contains("[timerfd]") ?? false
        }
    }
}

extension ProcessFigures {
    /// What each descriptor of a process is.
    public static func descriptors(of pid: Int32) throws -> [String] {
        let folder = "/proc/\(pid)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
            $0 + " " + ((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) ?? "gone")
        }
    }
}

/// The processors that this process may use.
public enum Processors {
    public static func allowed() throws -> [Int] {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else {
            throw ProcessError("/proc/self/status does not tell the processors")
        }
        return line.split { ":,\t ".contains($0) }.dropFirst().flatMap { range -> [Int] in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last else { return [] }
            return Array(first...last)
        }
    }
}
