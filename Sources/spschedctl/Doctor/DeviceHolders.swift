/// The processes that have `/dev/sev` open, as far as we may see.
struct DeviceHolders {
    struct Holder: Equatable {
        let pid: Int
        /// Its command's name.
        let name: String
        let isWritable: Bool

        var isOurs: Bool { name == "spschedd" || name.hasPrefix("spschedd-devic") }
        var title: String { "\(name) (pid \(pid), \(isWritable ? "read-write" : "read-only"))" }
    }

    let all: [Holder]

    init(_ host: HostView) {
        let pids = host.names(in: "/proc").compactMap { Int($0) }.sorted()
        all = pids.compactMap { Self.holder($0, host) }
    }

    /// `nil` if it has not opened the device. One open for writing makes it a writer.
    private static func holder(_ pid: Int, _ host: HostView) -> Holder? {
        let held = host.names(in: "/proc/\(pid)/fd").filter {
            host.target(ofLink: "/proc/\(pid)/fd/\($0)") == "/dev/sev"
        }
        guard !held.isEmpty else { return nil }
        let name = host.text("/proc/\(pid)/comm") ?? "?"
        return Holder(pid: pid, name: name, isWritable: held.contains { isWritable(pid, $0, host) })
    }

    private static func isWritable(_ pid: Int, _ descriptor: String, _ host: HostView) -> Bool {
        let lines = (host.text("/proc/\(pid)/fdinfo/\(descriptor)") ?? "").split(separator: "\n")
        let flags = lines.first { $0.hasPrefix("flags:") }?.split(whereSeparator: \.isWhitespace).last
        // O_ACCMODE: 0 is read-only.
        return flags.flatMap { Int($0, radix: 8) }.map { $0 & 3 != 0 } ?? false
    }
}
