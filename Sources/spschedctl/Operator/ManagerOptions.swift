import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol

/// Options of every command that asks the daemon and has an answer of two forms.
struct ManagerOptions: ParsableArguments {
    @OptionGroup var manager: ManagerSocketOption

    @Flag(help: "Print JSON, for programs.")
    var json = false

    func ask<Answer>(
        patienceMilliseconds: Int32 = 5_000,
        _ question: (inout ManagerClient) throws(ManagerClientError) -> Answer
    ) throws -> Answer {
        try manager.ask(patienceMilliseconds: patienceMilliseconds, question)
    }
}

/// Where the daemon is asked.
struct ManagerSocketOption: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's Manager socket.", valueName: "path"))
    var managerSocket = ManagerClient.defaultPath

    /// Connects and asks. A failure is told on standard error, with what to do about it, and ends the command.
    func ask<Answer>(
        patienceMilliseconds: Int32 = 5_000,
        _ question: (inout ManagerClient) throws(ManagerClientError) -> Answer
    ) throws -> Answer {
        do throws(ManagerClientError) {
            var client = try ManagerClient.connect(to: managerSocket, patienceMilliseconds: patienceMilliseconds)
            return try question(&client)
        } catch {
            if case .refused(_, let parameters) = error, case .string(let text)? = parameters["text"] {
                // An error with a text of its own says what happened, where and what to do.
                StandardError.print("spschedctl: \(text)")
            } else {
                StandardError.print("spschedctl: \(error)\n\(Self.advice(for: error, socket: managerSocket))")
            }
            throw ExitCode(Self.exitCode(for: error))
        }
    }

    private static func advice(for error: ManagerClientError, socket: String) -> String {
        guard case .unreachable(_, let cause) = error else {
            return "The daemon's journal may say more: journalctl -u spschedd"
        }
        switch cause.code {
        case EACCES, EPERM: return "Only root and the group that owns \(socket) may ask the daemon: try sudo."
        case ENOENT, ECONNREFUSED:
            return """
                spschedd does not listen there. Is it running (systemctl status spschedd)? If it was started with \
                another --manager-socket, pass the same here.
                """
        default: return "Check --manager-socket."
        }
    }

    /// sysexits(3).
    private static func exitCode(for error: ManagerClientError) -> Int32 {
        switch error {
        case .unreachable(_, let cause) where cause.code == EACCES || cause.code == EPERM: EX_NOPERM
        case .unreachable, .closed, .timedOut, .connection: EX_UNAVAILABLE
        case .refused(ManagerInterface.configurationInvalidError, _), .refused(ManagerInterface.reloadRefusedError, _):
            EX_CONFIG
        case .refused(ManagerInterface.platformBusyError, _), .refused(ManagerInterface.tooManyOperatorsError, _):
            EX_TEMPFAIL
        case .refused(ManagerInterface.platformFailedError, _): EX_IOERR
        case .notVarlink, .refused: EX_PROTOCOL
        }
    }
}
