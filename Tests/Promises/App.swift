import Foundation
import Simulation

/// Attacks the promises: `make promises` says how.
///
/// ```
/// promises run [--seeds a-b] [--out FILE] [--sources HASH] [--no-canaries]
/// promises canaries                  in a build with the mutants: prints one line of JSON
/// promises replay KIND SEED [--changes a.b.c] [--shrink]
/// ```
@main
struct App {
    static func main() {
        do { try run(Array(CommandLine.arguments.dropFirst())) } catch {
            FileHandle.standardError.write(Data("promises: \(error)\n".utf8))
            exit(2)
        }
    }

    private static func run(_ arguments: [String]) throws {
        let options = try Options(arguments)
        switch options.command {
        case .run: exit(try Attacks(options).run() ? 0 : 1)
        case .canaries: try Canaries.run()
        case .replay(let name): try Replay(name, shrinks: options.shrinks).tell()
        }
    }
}

/// What a person mistyped, and what to type instead.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
