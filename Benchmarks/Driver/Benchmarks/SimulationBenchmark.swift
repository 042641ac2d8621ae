import Arbiter
import SPModel
import Simulation

/// How fast a simulated host is played: whoever plans a fleet waits for it.
///
/// Launches one after another beside guests in a tight loop, under the production Arbiter: launches are many commands a
/// decision, guests one or two decisions a command, and refused ones decisions without any.
enum SimulationBenchmark {
    private static let guests = [64, 1_024]

    static func run(_ plan: Plan, _ results: inout Results) throws(BenchmarkProblem) {
        var samples: [Int: [Double]] = [:]
        for _ in 0..<plan.shortRounds {
            for count in guests { samples[count, default: []].append(try commandsPerSecond(beside: count)) }
        }
        results.add(.simulatedCommands, samples[64, default: []])
        results.add(.simulatedCommands1024, samples[1_024, default: []])
        results.note("simulated_commands_per_s: 5 minutes of host life, a floor of 40 %, which 1,024 VMs need.")
    }

    private static func commandsPerSecond(beside guests: Int) throws(BenchmarkProblem) -> Double {
        let surplus = Registration(reservationWanted: .zero)
        var plan = HostPlan(duration: .seconds(300))
        plan.configuration.floorShare = Share(percent: 40)
        plan.guests = [GuestGroup("loop", count: guests, registration: surplus)]
        plan.launches = [LaunchGroup(registration: surplus)]
        do {
            var host = try SimulatedHost(plan)
            let began = Clock.thread()
            let record = host.run()
            let taken = Clock.thread() - began
            guard record.launches[0].boots.allSatisfy({ $0.outcome == .running }) else {
                throw BenchmarkProblem.unexpected("a simulated launch did not come to its end")
            }
            return Double(host.commands) * 1e9 / Double(max(taken, 1))
        } catch {
            throw .unexpected("the simulated host was not played: \(error)")
        }
    }
}
