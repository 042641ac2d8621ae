import ManagerProtocol
import Reporting

/// `platform status` for people.
struct PlatformText {
    let reply: PlatformReply

    init(_ reply: PlatformReply) { self.reply = reply }

    var text: String {
        lines.map { "\($0.0.paddedRight(to: 14))\($0.1)" }.joined(separator: "\n")
    }

    private var lines: [(String, String)] {
        let took = ("command took", Format.duration(nanoseconds: reply.durationNanoseconds))
        guard let platform = reply.platform else { return [took] }
        return [
            ("firmware", "API \(platform.apiVersion), build \(platform.build)"),
            ("SNP", platform.state + (platform.isRMPInitialised ? ", RMP initialised" : ", RMP not initialised")),
            ("guests", "\(platform.guestCount)"), ("current TCB", platform.currentTCB),
            ("reported TCB", platform.reportedTCB),
            ("set", platform.flags.isEmpty ? "nothing" : platform.flags.joined(separator: ", ")), took,
        ]
    }
}
