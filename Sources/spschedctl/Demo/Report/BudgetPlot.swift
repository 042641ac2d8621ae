/// What each VM of the budget should have got, and got: bars on one linear scale.
struct BudgetPlot {
    private let groups: [BudgetGroup]

    private static let width = 760.0
    private static let left = 200.0
    private static let right = 110.0
    private static let rowHeight = 34.0
    private static let top = 10.0

    /// `nil` if no budget was played.
    init?(_ budget: [BudgetResult]) {
        guard !budget.isEmpty else { return nil }
        groups = BudgetGroup.groups(of: budget)
    }

    var markup: String {
        let height = Self.top + Double(groups.count) * Self.rowHeight + 10
        var svg = SVG(width: Self.width, height: height, label: "Reports a second expected and got, for each VM")
        for (index, group) in groups.enumerated() {
            draw(group, y: Self.top + Double(index) * Self.rowHeight, &svg)
        }
        return svg.markup
    }

    private var most: Double { groups.map { max($0.expected, $0.got.max() ?? 0) }.max() ?? 1 }

    private func length(_ perSecond: Double) -> Double {
        perSecond / max(most, 1e-9) * (Self.width - Self.left - Self.right)
    }

    private func draw(_ group: BudgetGroup, y: Double, _ svg: inout SVG) {
        svg.text(Self.title(group), Self.left - 12, y + 18, anchor: .end, "label")
        svg.rectangle(Self.left, y + 4, length(group.expected), 8, "expected")
        svg.rectangle(Self.left, y + 14, length(group.meanGot), 8, "got")
        let end = Self.left + max(length(group.expected), length(group.meanGot)) + 8
        svg.text("\(group.gotText) of \(Format.fixed(group.expected, 2))", end, y + 18, "tick")
    }

    private static func title(_ group: BudgetGroup) -> String {
        if let limit = group.first.limitPerSecond { return "limit \(Format.fixed(limit, 0))/s, tight loop" }
        if group.first.reservationPerSecond > 0 {
            return "\(group.members.count) × reserved \(Format.fixed(group.first.reservationPerSecond, 0))/s"
        }
        return "weight \(group.first.weight), tight loop"
    }
}
