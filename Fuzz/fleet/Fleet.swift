import ConfigurationFiles
import FuzzSupport

@testable import CapacityPlanning

/// Goal: a fleet file loads or is explained, whatever is in it, and what loads can be answered without a trap.
/// Method: every input is the text of a file. Fleets that load are made small, since only their shape is new.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    guard let text = String(validating: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self) else {
        return -1
    }
    do throws(ConfigurationError) {
        answer(try FleetFile.parse(text, file: "fuzz.toml") { _ throws(ConfigurationError) in DaemonConfiguration() })
    } catch {
        checkReadable(error)
    }
    return 0
}

/// The bounds and the load are reckoned for the fleet as it stands; admission for a smaller one of its shape.
private func answer(_ fleet: Fleet) {
    expect((1...FleetLimits.virtualMachines).contains(fleet.virtualMachines), "a fleet of \(fleet.virtualMachines)")
    let small = fleet.scaled(to: 16)
    let admission = FleetAdmission(small)
    for group in admission.groups { expect(group.admitted <= group.count, "more are admitted than there are") }
    for use in admission.uses { expect(use.part >= 0, "\(use.key) is used less than not at all") }
    let worst = WorstCase(fleet, admission)
    if case .within(let last)? = worst.storm?.last {
        expect(last > .zero && last.count < Int64.max / 1_000, "a storm of \(last.count) ns")
    }
}

private func checkReadable(_ error: ConfigurationError) {
    expect(!error.problems.isEmpty, "the fleet does not load for no reason")
    for problem in error.problems {
        expect(
            !problem.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F },
            "a problem that writes control characters to the terminal: \(problem.description.debugDescription)")
    }
}
