import Arbiter
import ArgumentParser
import Glibc
import LinuxIO
import SPModel

/// One VM of the demo: a process of its own. It waits for the host's order and says what happens to it.
struct VirtualMachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-vm", abstract: "One VM of 'spschedctl demo', which starts it.", shouldDisplay: false)

    @Option var name: String
    @Option var policy: Policy
    @Option var emulator: String
    @Option var socket: String
    @Option var seed: UInt64
    /// Launches this profile instead of attesting.
    @Option var launch: String?
    @Option var periodNanoseconds: Int64?
    @Option var reservationWanted: Int64 = 1_000
    @Option var reservationLeast: Int64 = 0
    @Option var limit: Int64?
    @Option var weight: Int64 = 100
    @Option var burst: Int64 = 3
    @Option var guestWaitMax: Int64?

    func run() throws {
        let host = TextSocket(socket: SeqpacketSocket(adopting: FileDescriptor(adopting: TextSocket.inherited)))
        do throws(VMFailure) {
            try live(host)
        } catch {
            _ = try host.send(VMReport.failed("\(name): \(error)").text)
            throw ExitCode(EX_SOFTWARE)
        }
    }

    private func live(_ host: borrowing TextSocket) throws(VMFailure) {
        switch policy {
        case .mutex:
            var path = try UnarbitratedPath(emulator: emulator, name: name, limit: nil)
            try live(by: &path, host)
        case .ratelimit:
            let limit = LinuxRateLimit(interval: .seconds(1), burst: 1)
            var path = try UnarbitratedPath(emulator: emulator, name: name, limit: limit)
            try live(by: &path, host)
        case .spschedd:
            var path = try ArbitratedPath(socket: socket, name: name, registration)
            try live(by: &path, host)
        }
    }

    private var registration: Registration {
        Registration(
            reservationWanted: Rate(millihertz: reservationWanted),
            reservationLeast: Rate(millihertz: reservationLeast),
            limit: limit.map(Rate.init(millihertz:)), weight: Weight(weight), burst: burst,
            guestWaitMax: guestWaitMax.map { Nanoseconds($0) })
    }

    private func live<Path: HostPath & ~Copyable>(
        by path: inout Path, _ host: borrowing TextSocket
    ) throws(VMFailure) {
        let gaps = Profile.milan2024.gaps
        try tell(host, .ready)
        guard case .start(let start) = try order(from: host) else { return }
        guard let launch else {
            let guest = Guest(period: periodNanoseconds.map { Nanoseconds($0) }, think: gaps.guestThink)
            try guest.attestForever(by: &path, from: start) { report throws(VMFailure) in try tell(host, report) }
            // Without its key the VM runs on, and asks no more.
            _ = try order(from: host)
            return
        }
        try boot(named: launch, by: &path, host, at: start)
    }

    private func boot<Path: HostPath & ~Copyable>(
        named name: String, by path: inout Path, _ host: borrowing TextSocket, at start: Instant
    ) throws(VMFailure) {
        guard let profile = LaunchProfile.named(name) else { throw VMFailure("there is no launch profile '\(name)'") }
        var pauses = LaunchPauses(gaps: Profile.milan2024.gaps, random: SplitMix64(seed: seed))
        Sleep.until(start)
        let requested = BootClock.now()
        let (began, ended) = try path.launch(profile, pauses: &pauses)
        Sleep.for(BootModel.outsideTheSP)
        try tell(
            host,
            .launched(LaunchTimes(requested: requested, began: began, ended: ended, running: BootClock.now())))
        try path.leave()
    }

    private func tell(_ host: borrowing TextSocket, _ report: VMReport) throws(VMFailure) {
        do { _ = try host.send(report.text) } catch { throw VMFailure("\(error)") }
    }

    /// Waits for the host's next order; `nil` when the host is gone.
    private func order(from host: borrowing TextSocket) throws(VMFailure) -> VMOrder? {
        do {
            guard case .text(let text) = try host.receive() else { return nil }
            return VMOrder(text: text)
        } catch {
            throw VMFailure("\(error)")
        }
    }
}
