import Arbiter
import DaemonTestSupport
import Foundation
import VMMProtocol

/// A VM that asks for one report after the other while something bad happens beside it. Nothing but grants
/// may come; where launches are about, BUSY too, after which it asks again.
final class Neighbour: @unchecked Sendable {
    private let client: TestClient
    private let acceptsBusy: Bool
    private let condition = NSCondition()
    private var grants = 0
    private var problem: String?
    private var isEnding = false

    init(_ daemon: RunningDaemon, amongLaunches: Bool = false) throws {
        acceptsBusy = amongLaunches
        client = try daemon.enter("neighbour")
        let thread = Thread { [self] in run() }
        thread.start()
    }

    /// Waits until it was granted `count` more turns.
    func expectGrants(_ count: Int = 20) throws {
        condition.lock()
        defer { condition.unlock() }
        let wanted = grants + count
        let deadline = Date(timeIntervalSinceNow: Double(TestClient.patience) / 1_000)
        while grants < wanted && problem == nil {
            guard condition.wait(until: deadline) else { throw TestFailure("the neighbour gets no turns any more") }
        }
        if let problem { throw TestFailure("the neighbour suffered: \(problem)") }
    }

    func end() {
        condition.lock()
        isEnding = true
        condition.unlock()
    }

    private func turn() throws -> TurnID {
        while true {
            switch try client.ask(.acquire(Acquire(.report))) {
            case .granted(let granted): return granted.turn
            // A guest's pace before it asks again.
            case .busy where acceptsBusy: poll(nil, 0, 5)
            case let other: throw TestFailure("no turn: \(other)")
            }
        }
    }

    private func run() {
        while true {
            condition.lock()
            let ends = isEnding
            condition.unlock()
            if ends { return }
            var failure: String?
            do {
                try client.release(turn())
            } catch {
                failure = "\(error)"
            }
            condition.lock()
            grants += 1
            problem = problem ?? failure
            condition.broadcast()
            condition.unlock()
            if failure != nil { return }
        }
    }
}
