import Simulation

/// Plays cells, several at a time. What comes out does not depend on how many, nor on which ends first.
struct Runner {
    let cells: [Cell]
    let jobs: Int

    /// - Parameter ended: called for each cell that is done, with how many are.
    func play(ended: (Cell, Int) -> Void) async throws -> Results {
        try await withThrowingTaskGroup(of: (Int, HostRecord).self) { group in
            var waiting = cells.indices.makeIterator()
            func startNext() {
                guard let index = waiting.next() else { return }
                let cell = cells[index]
                group.addTask { (index, try Self.play(cell)) }
            }
            for _ in 0..<max(1, jobs) { startNext() }
            var results = Results()
            for try await (index, record) in group {
                results.add(record, of: cells[index])
                ended(cells[index], results.count)
                startNext()
            }
            return results
        }
    }

    private static func play(_ cell: Cell) throws -> HostRecord {
        do {
            var host = try SimulatedHost(cell.plan)
            let record = host.run()
            if let complaint = record.complaint { throw ExperimentProblem("\(cell.name): \(complaint)") }
            return record
        } catch let error as HostPlanError {
            throw ExperimentProblem("\(cell.name): \(error)")
        }
    }
}

/// Why there are no results, for people.
struct ExperimentProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension HostRecord {
    /// No cell is meant to turn a VM away or to break a launch: figures of one that did would mean something else.
    fileprivate var complaint: String? {
        if let group = guests.first(where: { $0.admission.refused > 0 }) {
            return "\(group.admission.refused) VMs of \(group.name) were not admitted"
        }
        let boots = launches.flatMap(\.boots)
        if let boot = boots.first(where: { $0.outcome != .running && $0.outcome != .cut }) {
            return "a launch ended as \(boot.outcome)"
        }
        return nil
    }
}
