import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol
import Reporting

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the daemon read its configuration again, and say what has changed.",
        discussion: """
            Waits until the daemon has read the files, and names every setting that has another value, and from when \
            on it counts. 'systemctl reload spschedd' does the same.

            Exit status: 0 the configuration holds; \(EX_CONFIG) it has mistakes, or would take from running VMs what \
            they were promised: the one before stays, and standard error says why.
            """)

    @OptionGroup var options: ManagerOptions

    func run() throws {
        // Files may be on a slow disk: as long as the unit waits, or nearly.
        let reply = try options.ask(patienceMilliseconds: 25_000) { manager throws(ManagerClientError) in
            try manager.reload()
        }
        StandardOutput.print(options.json ? Format.json(reply) : Self.text(reply))
    }

    private static func text(_ reply: ReloadReply) -> String {
        let read = "Read: " + (reply.files.isEmpty ? "no file; the defaults hold" : reply.files.joined(separator: ", "))
        guard !reply.changes.isEmpty else { return read + "\nNothing has changed." }
        var table = Table([.left("SETTING"), .left("WAS"), .left("IS"), .left("FROM WHEN ON"), .left("WRITTEN IN")])
        for change in reply.changes {
            table.append([change.key, change.was, change.now, change.since, change.origin ?? "the default"])
        }
        return read + "\n" + table.text
    }
}
