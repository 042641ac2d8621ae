import Arbiter
import Reporting
import SPModel
import Simulation

/// How near do launches come to the bound that promise P1 gives them?
struct Bound: Chapter {
    var cells: [Cell] { (Self.alone + Self.beside).flatMap(\.self) }

    private static let alone = BootLatency.numbers.map { BootLatency.cells(.spschedd, $0) }
    private static let beside = Unjoined.numbers.map { [Unjoined.cell(.spschedd, $0)] }

    func report(_ results: Results) -> ChapterReport {
        let rows =
            zip(BootLatency.numbers, Self.alone).map { (name: "N = \(Format.grouped($0))", cells: $1, unjoined: 0) }
            + zip(Unjoined.numbers, Self.beside).map { (name: "N = 64, k = \($0)", cells: $1, unjoined: $0) }
        let margins = rows.map { row in
            (name: row.name, margin: Margin(results[row.cells], row.cells[0].plan, unjoined: row.unjoined))
        }
        let worst = margins.map(\.margin.worst).max() ?? 0
        return ChapterReport(
            title: "Measured against the bound", text: text(margins), key: "bound",
            json: .list(
                margins.map { name, margin in
                    .object([
                        ("cell", .text(name)), ("launches", .integer(Int64(margin.launches))),
                        ("worst_ratio", .fixed(margin.worst, decimals: 4)), ("longest_us", margin.longest.microseconds),
                        ("its_bound_us", margin.bound.microseconds),
                    ])
                }),
            findings: [
                """
                The launch that came nearest to the bound of promise P1 took \(Format.fixed(worst, 3)) × it.
                """
            ])
    }

    private func text(_ margins: [(name: String, margin: Margin)]) -> String {
        var table = Table(
            [.left("cell"), .right("launches"), .right("longest"), .right("its bound"), .right("worst ratio")])
        for (name, margin) in margins {
            table.append([
                name, Format.grouped(margin.launches), margin.longest.cell, margin.bound.cell,
                Format.fixed(margin.worst, 3),
            ])
        }
        return Markdown.joined([
            Markdown.paragraph(
                """
                [Promise P1](../architecture.md#6-the-promises) bounds a launch from its first command to its last, \
                whatever the number of VMs: its own work and pauses, what is left of the command in service when it \
                begins, and what the floor may give to guests meanwhile. The bound is that of `PromiseBounds`, which \
                admission and the tests use too, for each launch with its own work and with the longest turns that the \
                model can draw; k guests that never ask add commands × k × the longest report. *Longest* is the launch \
                that came nearest to its bound. This is what ordinary load leaves of the margin; the tests attack it.
                """),
            table.markdown,
        ])
    }
}

/// The launch of a cell that came nearest to its bound.
struct Margin {
    private(set) var launches = 0
    /// From its first command to its last.
    private(set) var longest = Nanoseconds.zero
    private(set) var bound = Nanoseconds.zero

    var worst: Double { bound > .zero ? longest.seconds / bound.seconds : 0 }

    /// Nobody knows the floor's bucket at the start of each launch: it is taken to be full. No gap of these launches
    /// outlasts its hold, and there is no platform work.
    init(_ pool: Pool, _ plan: HostPlan, unjoined: Int) {
        let ioctls = LaunchProfile.vmm64Pages.ioctls(chunkPages: plan.configuration.chunkPages)
        let report = plan.profile.timing(of: .guestRequestReport).longest
        let chunk = ioctls.map { plan.profile.longest($0) }.max() ?? .zero
        let bounds = PromiseBounds(
            plan.configuration, turns: LargestTurns(guest: report, launch: chunk, platform: .zero))
        let foreign = report * Int64(ioctls.reduce(0) { $0 + $1.count } * unjoined)
        for boot in pool.records.flatMap(\.launches).flatMap(\.boots) {
            guard let ended = boot.ended else { continue }
            let demand = LaunchDemand(
                work: boot.service + foreign, think: plan.profile.gaps.longest(between: ioctls), gapsNotHeld: 0)
            guard let bound = bounds.launch(demand, residual: plan.guests.isEmpty ? .zero : report) else { continue }
            add(ended - boot.requested, bound)
        }
    }

    private mutating func add(_ took: Nanoseconds, _ bound: Nanoseconds) {
        launches += 1
        guard Double(took.count) * Double(max(self.bound.count, 1)) > Double(longest.count) * Double(bound.count) else {
            return
        }
        (longest, self.bound) = (took, bound)
    }
}

extension Gaps {
    /// What the VMM and KVM do between the commands of a launch, at most.
    fileprivate func longest(between ioctls: [CommandSequence]) -> Nanoseconds {
        let pages = ioctls.reduce(0) { $0 + $1.count - 1 }
        return longestBetweenIoctls * Int64(ioctls.count - 1) + betweenPages * Int64(pages)
    }
}
