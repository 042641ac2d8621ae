import FoundationEssentials
import FuzzSupport

@testable import ManagerProtocol

/// Goal: no bytes of an operator's program can harm the Varlink side, however they are cut into pieces, and every reply
/// is a message.
/// Method: the first byte says how the rest is cut; the pieces go to a dispatcher whose source lists three VMs, and what
/// it writes is taken in pieces too, and read again.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let bytes, count > 0 else { return -1 }
    // SAFETY: libFuzzer lends `count` bytes for the call.
    let input = UnsafeBufferPointer(start: bytes, count: count)
    var session = Session(piece: Int(input[0]))
    session.feed(input.dropFirst())
    return 0
}

private struct Session {
    private var dispatcher = ManagerDispatcher(version: "1.2.3")
    private let source = Source()
    /// How many bytes are read, and written, at once.
    private let piece: Int
    private var written: [UInt8] = []

    init(piece: Int) { self.piece = piece == 0 ? ManagerLimits.callBytes : piece }

    mutating func feed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        var rest = bytes
        do throws(ProtocolFault) {
            while !rest.isEmpty {
                let room = dispatcher.room
                expect(room > 0, "nothing can be read, and nothing is to be written")
                let next = rest.prefix(min(room, piece))
                rest = rest.dropFirst(next.count)
                dispatcher.receive(next)
                try answer()
            }
        } catch {
            expect(!error.description.isEmpty, "a fault without words")
            take()
        }
        checkReplies()
    }

    /// Until all is answered and written. At most one reply comes for each byte and VM, and one to end each list.
    private mutating func answer() throws(ProtocolFault) {
        for _ in 0...(ManagerLimits.callBytes * (Source.vms + 1)) {
            let progress = try dispatcher.answer(from: source)
            expect(dispatcher.output.count < ManagerLimits.outputBytes + 8 * 4096, "the output has no bound")
            take()
            if progress == .idle { return }
        }
        fail("the answers do not end")
    }

    private mutating func take() {
        while !dispatcher.output.isEmpty {
            let count = min(piece, dispatcher.output.count)
            written += dispatcher.output.prefix(count)
            dispatcher.sent(count)
        }
    }

    private func checkReplies() {
        expect(written.isEmpty || written.last == 0, "a reply without an end")
        for reply in written.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            guard let message = try? JSONDecoder().decode([String: JSONValue].self, from: Data(reply)) else {
                fail("a reply is no JSON object: \(String(decoding: reply, as: UTF8.self))")
            }
            expect(
                message.keys.allSatisfy { ["parameters", "continues", "error"].contains($0) },
                "a reply holds what no reply holds")
        }
    }
}

/// Three VMs, whose names need care in JSON.
private struct Source: ManagerSource {
    static let vms = 3

    func beginPlatform(_ order: ManagedPlatformOrder) -> UInt64 { 1 }
    func platformOutcome(of ticket: UInt64) -> ManagedPlatformOutcome? { .done(platform: nil, nanoseconds: 1) }
    func releaseDevice() -> Int { Self.vms }
    func retakeDevice() {}
    func drain() -> Bool { false }
    func resume() -> Bool { false }

    func explain(_ vm: String) -> ManagedExplanations? {
        guard vm.count < 9 else { return nil }
        return ManagedExplanations(
            explanations: virtualMachine(afterSlot: nil).map { [.sample(of: $0)] } ?? [], rejections: [.sample])
    }
    func beginWatch() -> UInt64 { 1 }
    func nextChange(_ cursor: inout UInt64) -> WatchedChange? {
        defer { cursor += 1 }
        return cursor == 1 ? WatchedChange(change: .sample, lost: 3) : nil
    }
    func hostFigures() -> HostFigures {
        HostFigures(
            status: status(), connections: 3, connectionsMax: 4_096, accounts: 2, operators: 1, watchers: 0,
            registrations: 9, rejections: ["tooManyVMs": 2], connectionsRefused: 1, journalDropped: 0)
    }
    func figures(afterSlot slot: Int?) -> VMFigures? {
        virtualMachine(afterSlot: slot).map {
            VMFigures(
                slot: $0.slot, uuid: $0.uuid, name: $0.name, account: $0.account,
                reservationMillihertz: $0.reservationMillihertz, grants: $0.grants, guestGrants: $0.guestGrants,
                refusals: 4, spTimeNanoseconds: $0.spTimeNanoseconds, launches: $0.launches, overdueTurns: 0)
        }
    }

    func beginReload() -> UInt64 { 1 }
    func reloadOutcome(of ticket: UInt64) -> ManagedReloadOutcome? {
        .refused([ManagedReloadObjection(keys: ["a"], text: "b")])
    }
    func noteRequests(_ report: ObservedReport) -> Bool { report.lost % 2 == 0 }

    func status() -> ManagerStatus {
        ManagerStatus(
            version: "1.2.3", epoch: "0123456789abcdef", uptimeNanoseconds: .max, device: .alive,
            devicePath: "/dev/sev", deviceDetail: "\u{0}\"\\", isDraining: false, registeredVMs: Self.vms,
            registeredVMsMax: 1024,
            capacity: ManagedCapacity(
                capacityNanoseconds: 950_000_000, launchReserveNanoseconds: 200_000_000, reservedNanoseconds: 0,
                reservableMillihertz: 36_000, reportPlanningNanoseconds: 7_500_000, reportMeasuredNanoseconds: nil),
            launchOverload: false, turn: nil,
            queues: ManagedQueues(launchSessions: 1, guestRequests: 3, platformCommands: 0),
            counters: ManagedCounters(grants: .max, busies: ["limit": .min]),
            launchBound: ManagedLaunchBound(pages: 64, commands: 69, boundNanoseconds: nil, unaskedNanoseconds: 0),
            observation: ManagedObservation(processes: [], bypassing: 0, lost: .max, silentNanoseconds: 1))
    }

    func virtualMachine(afterSlot slot: Int?) -> ManagedVM? {
        let next = (slot ?? -1) + 1
        guard next < Self.vms else { return nil }
        return ManagedVM(
            slot: next, generation: 1, uuid: "00000000-0000-4000-8000-000000000001",
            name: "vm \"\u{0}\u{1F680}\" \(next)",
            account: "uid 64055", state: .refused, connections: 1, registeredNanoseconds: .max,
            reservationMillihertz: 1000, limitMillihertz: 2000, weight: 100, burst: 3, retryPolicy: "linux",
            failureMode: "open", entitlementMillihertz: 1950, grants: 12, guestGrants: 10,
            busies: ["guests_ahead": 4], spTimeNanoseconds: 75_000_000, launches: 1, overdueTurns: 0)
    }
}

extension ManagedExplanation {
    fileprivate static func sample(of vm: ManagedVM) -> ManagedExplanation {
        ManagedExplanation(
            vm: vm,
            standing: ManagedStanding(
                reservedRequests: 2, reservationOpensNanoseconds: 0, limitOpensNanoseconds: 1, skipsLimit: false,
                guestWaitMaxNanoseconds: 500_000_000, ageNanoseconds: 2_000_000_000, refusalsInARow: 1,
                isProtected: false, predictedStartNanoseconds: 4, launchDebtNanoseconds: 5,
                accountLaunchDebtNanoseconds: 6, launchPagesGranted: 7, launchPagesDeclared: 8),
            refusals: [
                ManagedRefusal(
                    reason: "guests_ahead", times: 2, sinceNanoseconds: 3, agoNanoseconds: 2, limit: "500ms",
                    holder: "VM \"b\"", retryAfterNanoseconds: 5, retryInNanoseconds: 3, text: "Other guests.")
            ])
    }
}

extension ManagedRejection {
    fileprivate static let sample = ManagedRejection(
        uuid: "00000000-0000-4000-8000-000000000001", name: "web", account: "uid 1", code: "capacity", times: 1,
        agoNanoseconds: 1, text: "Nothing is left.")
}

extension ManagedChange {
    fileprivate static let sample = ManagedChange(
        sequence: 5, realtimeMicroseconds: 1_700_000_000_000_000, kind: .refused, vm: "web",
        uuid: "00000000-0000-4000-8000-000000000001", slot: 0, reason: "limit", text: "VM \"web\" is refused.")
}
