import Arbiter

/// The launch of one kind of VM, as the ioctls its VMM issues.
public struct LaunchProfile: Sendable, Equatable {
    public let name: String
    /// What is measured between LAUNCH_START and LAUNCH_FINISH, in order.
    public let regions: [Region]
    public let basis: Basis
    /// What the page counts rest on.
    public let source: String

    /// A contiguous part of guest memory, all of one page type.
    public struct Region: Sendable, Equatable {
        public let pageKind: PageKind
        public let pages: UInt32
    }

    /// A small VM without firmware, as SEVeriFast's on Firecracker.
    public static let microvm = LaunchProfile(
        name: "microvm", regions: [Region(pageKind: .normal, pages: 21)], basis: .fitted,
        source: "page count chosen to give SEVeriFast's 33.7 ms for each concurrent launch")

    /// A VMM that measures 64 pages itself.
    public static let vmm64Pages = LaunchProfile(
        name: "vmm-64p", regions: [Region(pageKind: .normal, pages: 64)], basis: .assumed,
        source: "a round number between a microVM and firmware")

    /// QEMU with the 1 MiB AmdSev build of OVMF.
    public static let ovmf1MiB = LaunchProfile(
        name: "ovmf-1m", regions: [Region(pageKind: .normal, pages: 256), Region(pageKind: .zero, pages: 320)],
        basis: .fitted, source: "ZERO page count chosen to give SEVeriFast's 556 ms for each concurrent launch")

    /// QEMU with a 4 MiB OVMF.
    public static let ovmf4MiB = LaunchProfile(
        name: "ovmf-4m", regions: [Region(pageKind: .normal, pages: 1_024)], basis: .fitted,
        source: "SEVeriFast: a 4 MiB region takes 1027 ms; other pages left out")

    public static let all: [LaunchProfile] = [.microvm, .vmm64Pages, .ovmf1MiB, .ovmf4MiB]

    public static func named(_ name: String) -> LaunchProfile? { all.first { $0.name == name } }

    /// All pages measured, the vCPUs' save areas not counted.
    public var pages: UInt32 { regions.reduce(0) { $0 + $1.pages } }

    /// What the VMM declares when it begins the launch.
    public func plan(virtualCPUs: UInt32 = 1) -> LaunchPlan { LaunchPlan(pages: pages, virtualCPUs: virtualCPUs) }

    /// The ioctls in order: LAUNCH_START, the updates in pieces of at most `chunkPages` pages (whole regions if `nil`),
    /// LAUNCH_FINISH. `virtualCPUs` and `chunkPages` must be at least 1.
    public func ioctls(virtualCPUs: UInt32 = 1, chunkPages: UInt32? = nil) -> [CommandSequence] {
        let updates = regions.flatMap { region in
            Self.pieces(of: region.pages, atMost: chunkPages ?? region.pages)
                .map { ioctl(.launchUpdate, $0, region.pageKind) }
        }
        return [ioctl(.launchStart, 1)] + updates + [ioctl(.launchFinish, virtualCPUs)]
    }

    private func ioctl(_ kind: CommandKind, _ units: UInt32, _ pageKind: PageKind = .normal) -> CommandSequence {
        guard let sequence = CommandSequence(kind: kind, units: units, pageKind: pageKind) else {
            preconditionFailure("\(name): no ioctl does \(units) units of \(kind)")
        }
        return sequence
    }

    private static func pieces(of pages: UInt32, atMost most: UInt32) -> [UInt32] {
        stride(from: 0, to: pages, by: Int(most)).map { min(most, pages - $0) }
    }
}
