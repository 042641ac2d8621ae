import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print everything that is counted, as OpenMetrics text.",
        discussion: """
            With --textfile it is written where the textfile collector of node_exporter finds it, for example from a \
            timer: the file is complete at every moment, and everybody may read it.
            """)

    @Option(help: ArgumentHelp("Write this file, whose name must end in .prom.", valueName: "path"))
    var textfile: String?

    @OptionGroup var manager: ManagerSocketOption

    func validate() throws {
        if let textfile, !textfile.hasSuffix(".prom") {
            throw ValidationError(
                "--textfile: node_exporter reads only names that end in .prom; '\(textfile)' does not")
        }
    }

    func run() throws {
        let text = try manager.ask { manager throws(ManagerClientError) in try manager.metrics() }
        guard let textfile else { return StandardOutput.print(String(text.dropLast())) }
        do {
            // The collector reads the older format, which has no end and calls what it does not know untyped.
            // Whatever this process's mask is: node_exporter runs as somebody else.
            try OutputFile.replace(textfile, with: TextfileFormat.text(from: text), mode: 0o644)
        } catch {
            StandardError.print("spschedctl: \(error)")
            throw ExitCode(EX_CANTCREAT)
        }
    }
}

/// The text format that node_exporter's textfile collector reads: Prometheus's own of before OpenMetrics.
enum TextfileFormat {
    static func text(from openMetrics: String) -> String {
        var lines: [String] = []
        for line in openMetrics.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.first == "#" else {
                lines.append(String(line))
                continue
            }
            guard words.count == 4, words[1] != "UNIT" else { continue }
            // There a family is called as its samples are, and what is neither counter nor gauge is a gauge.
            lines.append(
                "# \(words[1]) \(sampleName(String(words[2]))) \(words[1] == "TYPE" ? type(words[3]) : words[3])")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func sampleName(_ family: String) -> String {
        ManagerMetrics.families.first { $0.name == family }?.sampleName ?? family
    }

    private static func type(_ type: Substring) -> Substring { type == "counter" ? type : "gauge" }
}
