import Arbiter

// The names under which the Arbiter's values appear to operators and programs. They are part of the interface.

extension BusyReason {
    public var managerName: String {
        switch self {
        case .limit: "limit"
        case .guestsAhead: "guests_ahead"
        case .launchAhead: "launch_ahead"
        case .reservationsSuspended: "reservations_suspended"
        case .oneRequestPerVM: "one_request_per_vm"
        case .cancelled: "cancelled"
        case .draining: "draining"
        case .deviceStuck: "device_stuck"
        case .deviceDead: "device_dead"
        case .launchBucketVM: "launch_bucket_vm"
        case .launchBucketAccount: "launch_bucket_account"
        case .maxWait: "max_wait"
        case .platformQueueFull: "platform_queue_full"
        case .unregistered: "unregistered"
        }
    }
}

extension CommandKind {
    public var managerName: String {
        switch self {
        case .launchStart: "launch_start"
        case .launchUpdate: "launch_update"
        case .launchFinish: "launch_finish"
        case .wholeLaunch: "whole_launch"
        case .legacyLaunch: "legacy_launch"
        case .report: "report"
        case .derivedKey: "derived_key"
        case .otherGuestRequest: "other_guest_request"
        case .platformStatus: "platform_status"
        case .platformCommand: "platform_command"
        }
    }
}

extension DeviceState {
    public var managed: ManagedDeviceState {
        switch self {
        case .alive: .alive
        case .stuck: .stuck
        case .dead: .dead
        case .absent: .absent
        }
    }
}

extension RetryPolicy {
    public var managerName: String {
        switch self {
        case .linux: "linux"
        case .once: "once"
        case .never: "never"
        }
    }
}
