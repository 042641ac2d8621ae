import Arbiter
import SPModel

/// The way that a VM's commands take to the SP: what the host's policy makes of it.
protocol HostPath: ~Copyable {
    /// One attestation request of the guest, from the exit to the answer.
    mutating func attest() throws(VMFailure) -> Attestation

    /// The VM's launch, from LAUNCH_START to LAUNCH_FINISH, with the VMM's pauses between the ioctls.
    mutating func launch(
        _ profile: LaunchProfile, pauses: inout LaunchPauses
    ) throws(VMFailure) -> (began: Instant, ended: Instant)

    /// The VM is gone for good.
    mutating func leave() throws(VMFailure)
}

enum Attestation: Equatable, Sendable {
    case report
    /// `SNP_GUEST_VMM_ERR_BUSY`: refused before the firmware was called.
    case busy
}

/// Why a VM process of the demo cannot go on.
struct VMFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The VMM's own work between two launch ioctls.
struct LaunchPauses {
    let gaps: Gaps
    var random: SplitMix64

    mutating func pause() { Sleep.for(gaps.nextIoctl(using: &random)) }
}
