extension LogEvent {
    /// The fields that every record of this event has, for programs and for the catalog's texts; others may come with
    /// it. docs/journal.md lists them, and a test compares.
    var promisedFields: [LogField.Name] {
        switch self {
        case .started: [.version, .epoch]
        case .ready: [.path]
        case .restarted, .descriptorsUnknown: [.count]
        case .stateUnusable: [.reason]
        case .draining: [.uid]
        case .configurationInvalid, .configurationReloaded, .configurationNotReloaded: []
        case .startFailed, .stopping, .observer, .reservations: []
        case .deviceState: [.device, .deviceState]
        case .deviceLink, .notNeeded, .probe, .resources: [.reason]
        case .platform: [.command, .uid, .device]
        case .turnOverdue: [.turn]
        case .sessionEnded: [.vmName, .vmUUID, .uid, .session]
        case .vmRegistered: [.vmName, .vmUUID, .uid, .label, .pid, .client, .reservation]
        case .vmGone: [.vmName, .vmUUID, .uid, .label, .reason]
        case .registrationRefused: [.vmName, .vmUUID, .uid, .pid, .client, .code]
        case .accountLimit: [.uid, .label, .reason, .count]
        case .accessDenied: [.uid, .label, .reason, .pid]
        case .protocolError: [.uid, .pid, .client, .code]
        case .flood: [.uid, .pid, .count]
        case .disconnected: [.uid, .pid, .client, .reason]
        case .repeated: [.about, .count]
        case .recordsDropped: [.count]
        case .managerRefused: [.uid, .reason]
        case .trace: [.path]
        }
    }
}
