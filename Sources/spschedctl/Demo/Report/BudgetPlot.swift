import Reporting

/// What each VM of the budget should have got, and got.
struct BudgetPlot {
    private let groups: [BudgetGroup]

    /// `nil` if no budget was played.
    init?(_ budget: [BudgetResult]) {
        guard !budget.isEmpty else { return nil }
        groups = BudgetGroup.groups(of: budget)
    }

    var markup: String {
        BarChart(
            "Reports a second expected and got, for each VM",
            rows: groups.map { group in
                BarChart.Row(
                    Self.title(group), [.init(group.expected, .blue, isPale: true), .init(group.meanGot, .blue)],
                    note: "\(group.gotText) of \(Format.fixed(group.expected, 2))")
            }
        ).svg.markup
    }

    private static func title(_ group: BudgetGroup) -> String {
        if let limit = group.first.limitPerSecond { return "limit \(Format.fixed(limit, 0))/s, tight loop" }
        if group.first.reservationPerSecond > 0 {
            return "\(group.members.count) × reserved \(Format.fixed(group.first.reservationPerSecond, 0))/s"
        }
        return "weight \(group.first.weight), tight loop"
    }
}
