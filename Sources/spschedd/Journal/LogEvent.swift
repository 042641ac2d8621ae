/// Everything that the daemon writes down, one identity for each: what `journalctl MESSAGE_ID=…` and the catalog go by.
enum LogEvent: String, CaseIterable, Sendable {
    /// The daemon has begun.
    case started = "bd1b989a13a74909b086d65b921f1160"
    /// There is nothing to schedule on this host; the daemon was not started.
    case notNeeded = "dac438a284f9720cf9da861b2abfaf7b"
    /// It listens and its device is open, or declared degraded.
    case ready = "1acded5841184e429d3bd4f5acd43165"
    /// The configuration has mistakes; the daemon did not start.
    case configurationInvalid = "40d54665c68444a58a55653e9a29adb3"
    /// The daemon could not start for another reason.
    case startFailed = "3075da5d930d4dbdaddbf6628d2e01e2"
    /// The state and the connections of the daemon before were taken up.
    case restarted = "6c1f0b7e4d5a4b0f8e2a9d3c7b61f504"
    /// A state that the service manager kept cannot be used.
    case stateUnusable = "a94e2d7c18b34f6f9b0d5e3c6f7a8120"
    /// The service manager kept descriptors under names that are unknown.
    case descriptorsUnknown = "5d0c7e2b91f44a67b3e86f1d2a9c4075"
    /// It was told to end.
    case stopping = "bf022f5353c341c8b876680adf8aa76a"
    /// A reload was applied; or one setting that has another value since.
    case configurationReloaded = "76561ab4fd0547c7bd44edd19a92cb22"
    /// A reload was not applied; or one reason why.
    case configurationNotReloaded = "eabfb7a50f2c47928b39300e8444dc67"
    /// The device came, went, stuck or recovered.
    case deviceState = "9ecde3a59dc04d28826bafa7a5f28965"
    /// spschedd-device was reached or lost.
    case deviceLink = "d70c1e1f403e48deb6ba4f462cfe3606"
    /// A status probe ended otherwise than it should.
    case probe = "bbc65cb6ad2848c19d541a8289fd2959"
    /// An administrator's platform command changed the platform, or failed.
    case platform = "0b9f2a3e5a7c4d0f9f4c7a1e6d3b82c5"
    /// A lease ended without release.
    case turnOverdue = "b8663c235b384472a5ace2abb18de948"
    /// A launch session was ended for its client.
    case sessionEnded = "c3b3c283f47f4505b444270adc9cf7c7"
    /// An administrator drains the host, or no longer.
    case draining = "930170310f2b4fafb2ce7bc1b15673c1"
    /// Launches use more than their reserve, or no longer.
    case reservations = "c733dc8027842f73b31e4301802073aa"
    /// A VM registered.
    case vmRegistered = "520ab9c247c44f51a2ed3c47236ec3c4"
    /// A VM unregistered or lingered out.
    case vmGone = "e2857fc3ec494cc68e327662c3e184f3"
    /// A VM was not admitted.
    case registrationRefused = "79eebde361ae412d8e1bc8eac2a7cc73"
    /// An account is at one of its caps.
    case accountLimit = "c6f92682f4a1459e9ea937577e5c23a5"
    /// A connection was turned away by a policy.
    case accessDenied = "887ac804891642d68a265ba22f8ea96c"
    /// A client broke the protocol.
    case protocolError = "211057b49a16489f841b376950f41f7b"
    /// A connection sent message after message without earning a turn.
    case flood = "814326c1e9357c08d8a0de7703aa2ee0"
    /// A client was disconnected.
    case disconnected = "8693d747cc484f22b35f7966d4e8b9d3"
    /// Records about an account were withheld.
    case repeated = "2029efa943e542238e60d7f12f5de931"
    /// Records were lost because the journal was too slow.
    case recordsDropped = "ace2c72cd61c4710b6dfffe2619aae7b"
    /// An operator's connection was refused or closed.
    case managerRefused = "add84b303fe047469105280ffb3aabc8"
    /// A trace is written, cannot be written, or has ended early.
    case trace = "d860f3e258e34bc4b7cfa3dd813fa565"
    /// spschedd-observer has begun to report.
    case observer = "a04fd7a836f441bfaa242d6ef36925b4"
    /// The process lacks a resource.
    case resources = "4334b673def44f98b777953b8fa37c78"

    /// Whether it is all in a day's work: many of them must not keep others out of the journal.
    var isRoutine: Bool { self == .vmRegistered || self == .vmGone }

    /// 128 random bits in hexadecimal (sd-id128(3)). Never changed once released.
    var messageID: String { rawValue }
}
