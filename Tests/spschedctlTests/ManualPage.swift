import Foundation

/// spschedctl(1) in mdoc(7), from the description of the command line that ArgumentParser dumps.
struct ManualPage {
    private let root: CommandDescription
    private var lines: [String] = []

    /// - Parameter dump: what `spschedctl --experimental-dump-help` prints.
    init(dump: Data) throws {
        root = try JSONDecoder().decode(HelpDump.self, from: dump).command
        write()
    }

    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func write() {
        lines += [
            #".\" Made from the program's own help by Tests/spschedctlTests/ManualPage.swift: change it there."#,
            ".Dd November 26, 2026", ".Dt SPSCHEDCTL 1", ".Os spschedd", ".Sh NAME", ".Nm spschedctl",
            ".Nd operator's command of the AMD Secure Processor's scheduler", ".Sh SYNOPSIS", ".Nm", ".Ar command",
            ".Op Ar option ...", ".Nm", ".Fl Fl help | Fl Fl version", ".Sh DESCRIPTION",
        ]
        paragraphs(root.abstract ?? "")
        lines += [
            ".Pp", "Operators are root and the members of the group", ".Sy spschedd-admin .",
            "Every command has", ".Fl Fl help ,", "which prints what stands below.",
            "What a turn, SP time, a reservation and an account are is told in", ".Xr spschedd 8 .", ".Sh COMMANDS",
        ]
        for command in root.visibleSubcommands { describe(command, path: command.commandName) }
        lines += Self.files + [".Sh EXIT STATUS"]
        paragraphs(root.discussion ?? "")
        lines += Self.ending
    }

    private mutating func describe(_ command: CommandDescription, path: String) {
        lines.append(".Ss \(path)")
        lines += [".Nm spschedctl", ".Cm \(path)"]
        for argument in command.visibleArguments { lines.append(argument.synopsis) }
        lines.append(".Pp")
        paragraphs(command.abstract ?? "")
        if let discussion = command.discussion {
            lines.append(".Pp")
            paragraphs(discussion)
        }
        if !command.visibleArguments.isEmpty { list(command.visibleArguments) }
        for subcommand in command.visibleSubcommands {
            describe(subcommand, path: "\(path) \(subcommand.commandName)")
        }
    }

    private mutating func list(_ arguments: [ArgumentDescription]) {
        lines.append(".Bl -tag -width Ds")
        for argument in arguments {
            lines.append(".It \(argument.tag)")
            paragraphs(argument.abstract ?? "")
            if let values = argument.allValues, !values.isEmpty {
                lines.append("One of \(values.joined(separator: ", ")).")
            }
            guard let value = argument.defaultValue, !value.isEmpty else { continue }
            lines += ["Default:", ".Ql \(Self.escaped(value)) ."]
        }
        lines.append(".El")
    }

    /// Text as people wrote it: sentences on lines of their own, and what is indented as it stands.
    private mutating func paragraphs(_ text: String) {
        var isLiteral = false
        var blankLines = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                blankLines += 1
                continue
            }
            let isIndented = line.hasPrefix("  ")
            switch (isLiteral, isIndented) {
            case (false, true): lines.append(".Bd -literal -offset indent")
            case (true, true): lines += Array(repeating: "", count: blankLines)
            case (true, false): lines += [".Ed", ".Pp"]
            case (false, false): if blankLines > 0 { lines.append(".Pp") }
            }
            lines += isIndented ? [Self.escaped(line.dropFirst(2))] : Self.sentences(line)
            blankLines = 0
            isLiteral = isIndented
        }
        if isLiteral { lines.append(".Ed") }
    }

    private static func sentences(_ line: Substring) -> [String] {
        var sentences = [""]
        for word in line.split(separator: " ") {
            let current = sentences[sentences.count - 1]
            let isNewSentence = current.hasSuffix(".") && word.first?.isLowercase == false
            // As mandoc -T lint wants it.
            if isNewSentence || current.count + word.count > 76 { sentences.append("") }
            sentences[sentences.count - 1] += (sentences[sentences.count - 1].isEmpty ? "" : " ") + word
        }
        return sentences.map { escaped($0) }
    }

    /// As text, never as a request or an escape.
    static func escaped(_ text: some StringProtocol) -> String {
        let safe = text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\e")
        return safe.hasPrefix(".") || safe.hasPrefix("'") ? "\\&" + safe : safe
    }

    private static let files = [
        ".Sh FILES", ".Bl -tag -width Ds", ".It Pa /run/spschedd/manager/io.spschedd.Manager",
        "Where the daemon answers operators: Varlink, so that",
        ".Xr varlinkctl 1", "and any Varlink library can ask, too.", ".El",
    ]

    private static let ending = [
        ".Sh SEE ALSO", ".Xr spschedd.toml 5 ,",
        ".Xr spschedd-protocol 7 ,", ".Xr spschedd 8",
    ]
}

private struct HelpDump: Decodable {
    let command: CommandDescription
}

struct CommandDescription: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool
    let arguments: [ArgumentDescription]?
    let subcommands: [CommandDescription]?

    var visibleSubcommands: [CommandDescription] {
        (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    }

    var visibleArguments: [ArgumentDescription] {
        (arguments ?? []).filter { $0.shouldDisplay && !["help", "version"].contains($0.valueName) }
    }
}

struct ArgumentDescription: Decodable {
    struct Name: Decodable {
        let kind: String
        let name: String

        /// As mdoc writes an option.
        var flag: String { kind == "short" ? "Fl \(name)" : "Fl Fl \(name)" }
    }

    let kind: String
    let abstract: String?
    let defaultValue: String?
    let allValues: [String]?
    let valueName: String
    let names: [Name]?
    let isOptional: Bool
    let shouldDisplay: Bool

    var tag: String {
        switch kind {
        case "positional": "Ar \(valueName)"
        case "flag": (names ?? []).map(\.flag).joined(separator: " , ")
        default: (names ?? []).map { "\($0.flag) Ar \(valueName)" }.joined(separator: " , ")
        }
    }

    var synopsis: String { isOptional ? ".Op \(tag)" : ".\(tag)" }
}
