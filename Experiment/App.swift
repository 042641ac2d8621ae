import ArgumentParser
import FoundationEssentials
import Glibc
import LinuxIO
import Reporting

/// What `make experiment` runs.
@main
struct App: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Play the hosts of the experiment in virtual time, and write docs/experiment.",
        discussion: "The same files come out on every machine, with any number of jobs.")

    @Option(help: "Where the page, its pictures and results.json are written.")
    var output = "docs/experiment"

    @Option(help: "How many hosts are played at a time.")
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Option(
        help: ArgumentHelp(
            "Play these chapters only, print their text and write their pictures, and nothing else. There are: "
                + "\(Experiment.chapters.map(\.name).joined(separator: ", ")).", valueName: "name,..."))
    var only: String?

    func validate() throws {
        guard jobs >= 1 else { throw ValidationError("--jobs takes a number from 1 on.") }
        _ = try chapters()
    }

    func run() async throws {
        StandardStreams.secure()
        let reports: [ChapterReport]
        do {
            reports = try await Experiment.play(try chapters(), jobs: jobs) { cell, done, all in
                Say.progress("[\(done)/\(all)] \(cell.name)")
            }
        } catch let problem as ExperimentProblem {
            Say.progress("no result: \(problem)")
            throw ExitCode(EX_SOFTWARE)
        }
        let page = Page(reports)
        guard only == nil else {
            try Folder(path: output).write(page.pictures, removingOthers: false)
            Say.result(reports.map(\.markdown).joined(separator: "\n\n"))
            return
        }
        try Folder(path: output).write(page.files, removingOthers: true)
        Say.progress("wrote \(page.files.count) files to \(output)")
    }

    private func chapters() throws -> [any Chapter] {
        guard let only else { return Experiment.chapters.map(\.chapter) }
        return try only.split(separator: ",").map { name in
            guard let chapter = Experiment.chapters.first(where: { $0.name == name }) else {
                let names = Experiment.chapters.map(\.name).joined(separator: ", ")
                throw ValidationError("There is no chapter '\(name)'. There are: \(names).")
            }
            return chapter.chapter
        }
    }
}
