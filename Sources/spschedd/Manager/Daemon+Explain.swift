import Arbiter
import LinuxIO
import ManagerProtocol
import VMMProtocol

/// Why a VM was refused: by which limit, held by whom, until when.
extension Daemon {
    /// - Parameter wanted: a name, a UUID, or slot and generation with a point between them.
    func explain(_ wanted: String) -> ManagedExplanations? {
        let name = Name64(wanted)
        let uuid = UUIDBytes(text: wanted)
        let vm = VMID(text: wanted)
        let isMeant = { (itsName: Name64, itsUUID: UUIDBytes) in
            (!itsName.isEmpty && itsName == name) || itsUUID == uuid
        }
        var found: [VMID] = []
        vms.forEach { if $0.vm == vm || isMeant($0.name, $0.uuid) { found.append($0.vm) } }
        let rejections = rejections.rejections(isMeant)
        guard !found.isEmpty || !rejections.isEmpty else { return nil }
        return ManagedExplanations(
            explanations: found.prefix(ManagerLimits.explained).compactMap(explanation),
            rejections: rejections.prefix(ManagerLimits.explained).map(managed),
            leftOff: max(0, found.count - ManagerLimits.explained))
    }

    private func explanation(of vm: VMID) -> ManagedExplanation? {
        guard let record = vms[vm], let entry = managed(record),
            let standing = arbiter.standing(of: vm, now: clock.now())
        else { return nil }
        return ManagedExplanation(
            vm: entry, standing: ManagedStanding(standing),
            refusals: refusals.refusals(of: vm).map { managed($0, of: vm) })
    }

    private func managed(_ refusal: Refusal, of vm: VMID) -> ManagedRefusal {
        let now = clock.now()
        let busy = Busy(retryAfter: refusal.retryAfter, reason: refusal.reason, holder: refusal.holder)
        return ManagedRefusal(
            reason: refusal.reason.managerName, times: refusal.times,
            sinceNanoseconds: (now - refusal.since).count, agoNanoseconds: (now - refusal.last).count,
            limit: bound(of: refusal.reason, vm), holder: refusal.holder.map(title),
            retryAfterNanoseconds: refusal.retryAfter.count,
            retryInNanoseconds: max(refusal.last + refusal.retryAfter - now, .zero).count,
            text: reply(busy, to: vm).text)
    }

    private func title(ofHolder vm: VMID) -> String { vms[vm]?.title ?? "a VM that is gone" }

    private func managed(_ rejection: Rejection) -> ManagedRejection {
        ManagedRejection(
            uuid: "\(rejection.uuid)", name: "\(rejection.name)", account: rejection.account.text,
            code: "\(rejection.code)", times: rejection.times,
            agoNanoseconds: (clock.now() - rejection.at).count, text: rejection.text)
    }
}

extension ManagedStanding {
    init(_ standing: VMStanding) {
        self.init(
            reservedRequests: standing.reservedRequests,
            reservationOpensNanoseconds: standing.reservationOpensIn.count,
            limitOpensNanoseconds: standing.limitOpensIn.count, skipsLimit: standing.skipsLimit,
            guestWaitMaxNanoseconds: standing.guestWaitMax.count, ageNanoseconds: standing.age.count,
            refusalsInARow: Int64(standing.refusalsInARow), isProtected: standing.isProtected,
            predictedStartNanoseconds: standing.predictedStart?.count,
            launchDebtNanoseconds: standing.launchDebt.count,
            accountLaunchDebtNanoseconds: standing.launchDebtOfAccount.count,
            launchPagesGranted: standing.launch.map { Int64($0.pagesGranted) },
            launchPagesDeclared: standing.launch.map { Int64($0.pagesDeclared) })
    }
}

extension UUIDBytes {
    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in either case; `nil` if it is anything else.
    init?(text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
        guard let high = UInt64(parts[0] + parts[1] + parts[2], radix: 16),
            let low = UInt64(parts[3] + parts[4], radix: 16), !text.utf8.contains(UInt8(ascii: "+"))
        else { return nil }
        self.init(high: high, low: low)
    }
}

extension VMID {
    /// `slot.generation`.
    init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let slot = UInt32(parts[0]), let generation = UInt32(parts[1]) else { return nil }
        self.init(slot: slot, generation: generation)
    }
}
