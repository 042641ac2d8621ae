import Arbiter
import LinuxIO
import StateFormat
import Testing

@testable import spschedd

/// Goal: the journal says of a state that cannot be used what becomes of it. Method: memories and other files as the
/// service manager might pass them, and what a start makes of them.
@Suite("States that cannot be used")
struct UnusableStateTests {
    private enum Kept {
        case spoiltMemory
        /// Of no length.
        case other

        func number() throws -> Int32 {
            switch self {
            case .spoiltMemory: try MappedMemory(named: "spoilt", count: 4_096).descriptor.duplicate().release()
            case .other: try FileDescriptor.openReadOnly("/dev/null").release()
            }
        }
    }

    private func open(_ descriptors: [(name: String, what: Kept)]) throws -> [UnusableState] {
        var stored = StoredDescriptors()
        for (name, what) in descriptors {
            let isOurs = stored.take(try what.number(), named: name)
            #expect(isOurs)
        }
        let opened = try StateKeeper.open(
            stored, StateLayout(virtualMachines: 4, accounts: 8, connections: 8), Configuration(), epoch: 1,
            now: Instant(sinceBoot: .seconds(100)), notifier: try Notifier(isHeard: true))
        #expect(opened.restored == nil)
        return opened.problems
    }

    @Test("a memory that is damaged is kept, and said to be")
    func damaged() throws {
        let problems = try open([("spschedd.state.0", .spoiltMemory)])
        #expect(problems.map(\.isSetAside) == [true])
        #expect(problems.first?.sentence.contains("It is set aside as spschedd.set-aside") == true)
    }

    @Test("what is no memory is not kept, and not said to be")
    func noMemory() throws {
        let problems = try open([("spschedd.state.1", .other)])
        #expect(problems.map(\.isSetAside) == [false])
        #expect(problems.first?.sentence.contains("It is not kept any longer") == true)
        #expect(problems.first?.sentence.contains("aside") == false)
    }

    @Test("of two that are damaged the last is kept")
    func two() throws {
        let problems = try open([("spschedd.state.0", .spoiltMemory), ("spschedd.state.1", .spoiltMemory)])
        #expect(problems.map(\.isSetAside) == [false, true])
    }
}
