import Arbiter
import VMMProtocol

/// A registration that was not admitted.
struct Rejection {
    let uuid: UUIDBytes
    let name: Name64
    let account: AccountKey
    var code: ErrorCode
    /// What binds and what to do.
    var text: String
    var times: Int64
    var at: Instant
}

/// The last registrations that were not admitted, for whoever asks why. An account cannot push out the others': it has
/// a few places, and its own oldest goes.
struct RejectionLog {
    private var entries: [Rejection] = []

    mutating func note(_ register: Register, of account: AccountKey, _ code: ErrorCode, _ text: String, at now: Instant)
    {
        let mine = entries.indices.filter { entries[$0].account == account }
        if let index = mine.first(where: { entries[$0].uuid == register.uuid && entries[$0].name == register.name }) {
            entries[index].code = code
            entries[index].text = text
            entries[index].times += 1
            entries[index].at = now
            return
        }
        if mine.count >= DaemonLimits.rejectionsOfAccount, let oldest = mine.min(by: isOlder) {
            entries.remove(at: oldest)
        } else if entries.count >= DaemonLimits.rejectionsRemembered, let oldest = entries.indices.min(by: isOlder) {
            entries.remove(at: oldest)
        }
        entries.append(
            Rejection(
                uuid: register.uuid, name: register.name, account: account, code: code, text: text, times: 1, at: now))
    }

    /// Those that the name or the UUID stands for, the latest first.
    func rejections(_ isMeant: (Name64, UUIDBytes) -> Bool) -> [Rejection] {
        entries.filter { isMeant($0.name, $0.uuid) }.sorted { $0.at > $1.at }
    }

    private func isOlder(_ left: Int, _ right: Int) -> Bool { entries[left].at < entries[right].at }
}
