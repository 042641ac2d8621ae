import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Admit no further VM, begin no launch and serve no guest, until 'resume'.",
        discussion: """
            For an update of firmware or kernel. A restart keeps it where systemd keeps the daemon's state. Launches \
            that are open go on to their end. Guests are told BUSY: Linux's, which come back for a minute, lose their \
            key after that.
            """)

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let was = try options.ask { manager throws(ManagerClientError) in try manager.drain() }
        DrainText.print(was, json: options.json, first: "The host is being drained.", again: "It was already.")
    }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Admit and serve again, after 'drain'.")

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let was = try options.ask { manager throws(ManagerClientError) in try manager.resume() }
        DrainText.print(was, json: options.json, first: "The host is drained no longer.", again: "It was not drained.")
    }
}

private enum DrainText {
    static func print(_ was: Bool, json: Bool, first: String, again: String) {
        StandardOutput.print(json ? Format.json(DrainReply(was: was)) : was ? again : first)
    }
}
