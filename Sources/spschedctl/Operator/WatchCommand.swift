import ArgumentParser
import FoundationEssentials
import Glibc
import LinuxIO
import ManagerProtocol
import Reporting

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Tell what changes, one line each, until interrupted.",
        discussion: """
            VMs that come and go, launches, refusals, the device, draining. With --json each line is a document of its \
            own. A line that begins with 'lost' says that this watcher was too slow.
            """)

    @Option(help: ArgumentHelp("End after so many changes.", valueName: "n"))
    var count: Int?

    @OptionGroup var options: ManagerOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() throws {
        try options.ask(patienceMilliseconds: -1) { manager throws(ManagerClientError) in
            var left = count ?? .max
            try manager.watch { watched in
                StandardOutput.print(options.json ? Format.jsonLine(watched) : WatchText.lines(of: watched))
                // The first line says how things stand.
                if watched.change?.kind != .watching { left -= 1 }
                return left > 0 && StandardOutput.isOpen
            }
        }
    }
}

/// `watch` for people.
enum WatchText {
    static func lines(of watched: WatchedChange) -> String {
        var lines: [String] = []
        if let lost = watched.lost { lines.append("lost \(lost) changes: this watcher reads too slowly") }
        if let change = watched.change { lines.append(line(of: change)) }
        return lines.joined(separator: "\n")
    }

    private static func line(of change: ManagedChange) -> String {
        "\(clock(change.realtimeMicroseconds))  \(change.kind.rawValue.paddedRight(to: 22))  \(Format.printable(change.text))"
    }

    /// Hours, minutes, seconds and milliseconds in this place's time.
    private static func clock(_ microseconds: Int64) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        // SAFETY: localtime_r(3) reads the one and writes the other, during the call.
        localtime_r(&seconds, &parts)
        let fields = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { ($0 < 10 ? "0" : "") + "\($0)" }
        let fraction = "\(microseconds / 1_000 % 1_000)"
        return fields.joined(separator: ":") + "." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
