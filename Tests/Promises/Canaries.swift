import Arbiter
import Foundation
import Simulation

/// One mutant, and what became of it.
struct Canary: Codable {
    let isCaught: Bool
    /// The rule that spoke, and in which world.
    let how: String
}

/// The mutants of Tests/Mutants: each must be caught by the rule that is meant for it.
enum Canaries {
    /// Asks the program that was built with the mutants.
    static func ask(_ program: String) throws -> [String: Canary] {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["canaries"]
        process.standardOutput = pipe
        try process.run()
        let said = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode([String: Canary].self, from: said)
    }

    /// In the program with the mutants: prints what became of each.
    static func run() throws {
        #if MUTANTS
            var found: [String: Canary] = [:]
            for mutant in Mutants.all {
                found[mutant.name] = play(mutant)
                say("\(mutant.name): \(found[mutant.name]?.how ?? "")")
            }
            Mutants.choose(0)
            found["none"] = control()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            print(String(decoding: try encoder.encode(found), as: UTF8.self))
        #else
            throw UsageError("this program was built without mutants: scripts/promises canaries")
        #endif
    }

    #if MUTANTS
        private static func play(_ mutant: Mutants.Mutant) -> Canary {
            Mutants.choose(mutant.number)
            let kinds = mutant.worlds.split(separator: " ").map(String.init)
            var others: Set<String> = []
            for seed in 1...Limits.worldsForCanary {
                for kind in kinds {
                    guard let rule = violation(of: WorldName(kind: kind, seed: seed))?.rule.rawValue else { continue }
                    if rule == mutant.caughtBy {
                        return Canary(isCaught: true, how: "caught by \(rule), WORLD=\(kind) SEED=\(seed)")
                    }
                    others.insert(rule)
                }
            }
            return Canary(isCaught: false, how: "not caught by \(mutant.caughtBy); others said: \(others.sorted())")
        }

        /// Without a mutant the copy breaks nothing.
        private static func control() -> Canary {
            let kinds = Set(Mutants.all.flatMap { $0.worlds.split(separator: " ").map(String.init) })
            for kind in kinds.sorted() {
                for seed in UInt64(1)...10 {
                    let name = WorldName(kind: kind, seed: seed)
                    if let violation = violation(of: name) {
                        return Canary(isCaught: false, how: "\(name): \(violation)")
                    }
                }
            }
            return Canary(isCaught: true, how: "breaks nothing, as it should")
        }

        private static func violation(of name: WorldName) -> Violation? {
            guard var scenario = name.scenario else { return nil }
            // The checker of holds would speak before those of what holds are for; the Arbiter's own, before all.
            scenario.judgesHolds = false
            scenario.checksInvariantsEvery = .max
            var world = World(scenario)
            do throws(Violation) { try world.run() } catch { return error }
            return nil
        }

        private static func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
    #endif
}
