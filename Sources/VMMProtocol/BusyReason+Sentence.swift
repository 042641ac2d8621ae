import Arbiter

extension BusyReason {
    /// What happened and what to do.
    ///
    /// - Parameters:
    ///   - limit: the limit, setting or figure that binds, for example `1 request/s`.
    ///   - holder: who has the SP or stands before this VM, for example `VM "web-3"`.
    public func sentence(limit: String? = nil, holder: String? = nil) -> String {
        let ofLimit = limit.map { " of \($0)" } ?? ""
        let bound = limit.map { " (\($0))" } ?? ""
        let byHolder = holder.map { " (\($0))" } ?? ""
        return switch self {
        case .limit: "This VM is over its own limit\(ofLimit). Ask again after the time given."
        case .guestsAhead:
            "Other guests\(byHolder) are first, and the wait would exceed guest_wait_max\(bound). Ask again after the"
                + " time given."
        case .launchAhead:
            "A launch\(byHolder) has the SP, and the wait would exceed guest_wait_max\(bound). Ask again after the time"
                + " given."
        case .reservationsSuspended:
            "Reservations are suspended by launch overload: launches\(byHolder) use more than the launch"
                + " reserve\(bound). Ask again after the time given."
        case .oneRequestPerVM:
            "This VM already has a guest request queued or in service, and may have one at a time. Ask again when that"
                + " one is answered."
        case .cancelled: "The client cancelled this request."
        case .draining: "The administrator is draining this host: no new turns are granted. Ask again later."
        case .deviceStuck:
            "The SP does not answer: a status command has not come back. Ask again later; the administrator sees the"
                + " state in spschedctl status."
        case .deviceDead:
            "The ccp driver reports that the SP is dead. Requests fail until ccp is reloaded or the host rebooted; the"
                + " administrator sees the state in spschedctl status."
        case .launchBucketVM:
            "This VM has used up its launch bucket\(bound). Begin the launch again after the time given."
        case .launchBucketAccount:
            "This VM's account has used up its launch bucket\(bound). Begin the launch again after the time given."
        case .maxWait:
            "The wait that the client allowed\(bound) has passed\(holder.map { "; \($0) has the SP" } ?? "")."
        case .platformQueueFull: "Too many platform commands\(bound) are waiting. Ask again after the time given."
        case .unregistered: "The VM was unregistered while this request waited."
        }
    }
}

extension DeviceState {
    /// What the state means for a client, as DEVICE_STATE says it.
    public var sentence: String {
        switch self {
        case .alive: "The SP answers; turns are granted."
        case .stuck: "The SP does not answer: a status command has not come back. No turns are granted until it does."
        case .dead: "The ccp driver reports that the SP is dead. No turns are granted until a probe succeeds."
        case .absent: "There is no SP to arbitrate on this host. Turns are granted all the same."
        }
    }
}
