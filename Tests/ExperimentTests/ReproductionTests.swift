import Arbiter
import Foundation
import Reporting
import Simulation
import Testing

@testable import experiment

/// Goal: the committed page is what the program writes, on this machine too. Method: a small part of it made again.
@Suite struct ReproductionTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/experiment")

    private func committed(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    @Test func `The figures of the fleet that can be guaranteed come out as committed`() async throws {
        let results = try await Runner(cells: [GuestService.promised], jobs: 1).play { _, _ in }
        let promise = Promise(results[GuestService.promised], GuestService.promised.plan)
        #expect(try committed("results.json").contains(promise.json.text))
        let page = try committed("README.md")
        #expect(page.contains(Markdown.paragraph(promise.text)))
    }

    @Test func `What comes out does not depend on how many cells are played at a time`() async throws {
        let cells = [1, 5, 2].map { Storms.smallest(size: $0) }
        let one = try await Runner(cells: cells, jobs: 1).play { _, _ in }
        let many = try await Runner(cells: cells, jobs: 3).play { _, _ in }
        for cell in cells {
            #expect(one[cell].launches.map(\.boots) == many[cell].launches.map(\.boots))
            #expect(!one[cell].launches.flatMap(\.boots).isEmpty)
        }
    }

    @Test func `The page shows every picture there is, and no other`() throws {
        let page = try committed("README.md")
        let shown = page.matches(of: /\]\(([a-z0-9-]+\.svg)\)/).map { String($0.1) }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".svg")
        }
        #expect(shown.sorted() == files.sorted())
        #expect(!shown.isEmpty)
    }
}

/// Goal: a mistake in a table of cells is found before hours are played. Method: every plan is made into a host.
@Suite struct CellTests {
    private let cells = Experiment.chapters.flatMap { $0.chapter.cells }

    @Test func `Every plan makes sense`() throws {
        for cell in cells { _ = try SimulatedHost(cell.plan) }
    }

    @Test func `A name belongs to one plan`() {
        let plans = Dictionary(grouping: cells, by: \.name)
        #expect(plans.count == Experiment.cells(of: Experiment.chapters.map(\.chapter)).count)
        for (name, same) in plans where same.count > 1 { #expect(Set(same.map(description)).count == 1, "\(name)") }
    }

    private func description(_ cell: Cell) -> String {
        let plan = cell.plan
        return "\(plan.policy) \(plan.configuration) \(plan.guests) \(plan.launches) \(plan.profile.name)"
            + " \(plan.warmUp) \(plan.duration) \(plan.grace) \(plan.recording)"
    }

    @Test func `Every cell has a seed of its own`() {
        let seeds = Experiment.cells(of: Experiment.chapters.map(\.chapter)).map(\.plan.seed)
        #expect(Set(seeds).count == seeds.count)
    }

    @Test func `The floor share is what admission demands, and no more`() {
        let shares = [0, 64, 259, 260, 512, 1_024].map { Configuration.admitting($0).floorShare.perMille / 10 }
        #expect(shares == [10, 10, 10, 20, 20, 40])
    }
}
