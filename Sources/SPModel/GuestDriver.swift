import Arbiter

/// What Linux's `sev-guest` driver does when the host answers BUSY.
public enum GuestDriver {
    /// From BUSY to the same message again: `schedule_timeout_killable(2 * HZ)`, 2.046 s as observed from a guest
    /// (five sleeps in 10.23 s; tacra-est).
    public static let busyRetry = Limits.retryQuantum
    /// From the first attempt; past it the driver gives up (`SNP_REQ_MAX_RETRY_DURATION`) and wipes its key.
    public static let giveUpAfter = Nanoseconds.seconds(60)

    public enum AfterBusy: Equatable, Sendable {
        /// Sleep, then send the same message again.
        case retry(after: Nanoseconds)
        /// The driver gives up: no attestation until the guest reboots.
        case keyLost
    }

    /// What the driver does about a BUSY at `now` to a message first sent at `firstAttempt`.
    public static func afterBusy(firstAttempt: Instant, now: Instant) -> AfterBusy {
        now - firstAttempt > giveUpAfter ? .keyLost : .retry(after: busyRetry)
    }
}
