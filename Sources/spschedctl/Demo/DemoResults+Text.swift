import Reporting

/// The results for people.
extension DemoResults {
    var text: String {
        var parts = [runTable.text]
        if !budget.isEmpty {
            parts.append(
                "The budget at work (spschedd; reports/s of each VM, all of them at once):\n\(budgetTable.text)")
        }
        return (parts + [Conclusion(self).text.wrapped(at: 110)]).joined(separator: "\n\n")
    }

    private var runTable: Table {
        var table = Table([
            .left("POLICY"), .right("ANTAGONISTS"), .right("BOOT p50"), .right("p99"), .right("max"),
            .right("SIMULATED p50"),
            .right("LAUNCHES"), .right("REPORTS/s BETWEEN"), .right("FAIRNESS"), .right("REFUSALS"),
            .right("LOST VMPCK"), .right("SP BUSY"),
        ])
        for run in runs {
            table.append([
                run.policy.rawValue, "\(run.antagonists)", run.boot?.p50.text ?? "-", run.boot?.p99.text ?? "-",
                run.boot?.max.text ?? "-", run.simulatedBoot?.p50.text ?? "-", "\(run.launches)",
                run.reportsPerSecond.map { Format.fixed($0, 1) } ?? "-", run.jain.map { Format.fixed($0, 3) } ?? "-",
                "\(run.refusals)", "\(run.lostKeys)", "\(Format.fixed(run.utilisation * 100, 0)) %",
            ])
        }
        return table
    }

    private var budgetTable: Table {
        var table = Table([
            .left("VM"), .right("LIMIT"), .right("RESERVED"), .right("WEIGHT"), .right("EXPECTED"), .right("GOT"),
        ])
        for group in BudgetGroup.groups(of: budget) { table.append(group.cells) }
        return table
    }
}

/// VMs of the budget that asked for the same thing: one line for people where there are many.
struct BudgetGroup: Equatable {
    let name: String
    let members: [BudgetResult]

    /// Groups larger than this are one line: least, mean and most.
    private static let shownSingly = 4

    static func groups(of results: [BudgetResult]) -> [BudgetGroup] {
        var groups: [(kind: String, members: [BudgetResult])] = []
        for result in results {
            let kind = String(result.vm.prefix { $0 != "-" }) + "/\(result.weight)/\(result.limitPerSecond ?? 0)"
            if groups.last?.kind == kind {
                groups[groups.count - 1].members.append(result)
            } else {
                groups.append((kind, [result]))
            }
        }
        return groups.flatMap { group in
            group.members.count > shownSingly
                ? [
                    BudgetGroup(
                        name: "\(group.members.count) VMs \(group.kind.prefix { $0 != "/" })", members: group.members)
                ]
                : group.members.map { BudgetGroup(name: $0.vm, members: [$0]) }
        }
    }

    var first: BudgetResult { members[0] }
    var expected: Double { members.reduce(0) { $0 + $1.expectedPerSecond } / Double(members.count) }
    var got: [Double] { members.map { $0.gotPerSecond ?? 0 } }
    var meanGot: Double { got.reduce(0, +) / Double(got.count) }

    var cells: [String] {
        [
            name, first.limitPerSecond.map { "\(Format.fixed($0, 0))/s" } ?? "-",
            first.reservationPerSecond > 0 ? "\(Format.fixed(first.reservationPerSecond, 0))/s" : "-",
            "\(first.weight)", Format.fixed(expected, 2), gotText,
        ]
    }

    var gotText: String {
        guard members.count > 1, let least = got.min(), let most = got.max() else { return Format.fixed(meanGot, 2) }
        let texts = (Format.fixed(least, 2), Format.fixed(most, 2))
        return texts.0 == texts.1 ? texts.0 : "\(texts.0) to \(texts.1)"
    }
}
