/// The interface `io.spschedd.Manager`, as introspection shows it. `ManagerStatus` and `ManagedVM` are its types in
/// Swift.
public enum ManagerInterface {
    public static let name = "io.spschedd.Manager"
    public static let statusMethod = "io.spschedd.Manager.Status"
    public static let listVMsMethod = "io.spschedd.Manager.ListVMs"
    public static let platformStatusMethod = "io.spschedd.Manager.PlatformStatus"
    public static let platformCommitMethod = "io.spschedd.Manager.PlatformCommit"
    public static let platformConfigureMethod = "io.spschedd.Manager.PlatformConfigure"
    public static let platformLoadVLEKMethod = "io.spschedd.Manager.PlatformLoadVLEK"
    public static let noteRequestsMethod = "io.spschedd.Manager.NoteRequests"
    public static let releaseDeviceMethod = "io.spschedd.Manager.ReleaseDevice"
    public static let retakeDeviceMethod = "io.spschedd.Manager.RetakeDevice"
    public static let notConfirmedError = "io.spschedd.Manager.NotConfirmed"
    public static let platformFailedError = "io.spschedd.Manager.PlatformFailed"
    public static let platformBusyError = "io.spschedd.Manager.PlatformBusy"

    public static let description = """
        # The scheduler of the AMD Secure Processor (SP), as an operator sees it.
        #
        # Times are nanoseconds (_ns). Rates are requests in a thousand seconds
        # (_millihertz): 1000 is one a second. A value that does not apply is absent.
        interface io.spschedd.Manager

        # stuck: a status probe did not come back. dead: the kernel driver said so to
        # the daemon's own probe. absent: there is no device; turns are granted anyway.
        type DeviceState (alive, stuck, dead, absent)

        # idle: nothing asked for. waiting: a request is queued. refused: the guest
        # was told BUSY and is expected back. serving: it holds the turn. launching:
        # its launch session is open. detached: registered, but no connection is left.
        type VMState (idle, waiting, refused, serving, launching, detached)

        # SP time in each second that may be promised, and what is promised.
        type Capacity (
          capacity_ns: int,
          launch_reserve_ns: int,
          reserved_ns: int,
          # what one more VM could still reserve
          reservable_millihertz: int,
          # what admission reckons a report to cost, and what one was seen to cost
          report_planning_ns: int,
          report_measured_ns: ?int
        )

        # The right to use the SP now.
        type Turn (
          # the VM that holds it; absent for the daemon's own platform commands
          vm: ?string,
          kind: string,
          held_ns: int,
          # negative once the turn is overdue
          lease_left_ns: int,
          overdue: bool
        )

        # Requests and sessions that wait now.
        type Queues (
          launch_sessions: int,
          guest_requests: int,
          platform_commands: int
        )

        # Counted since the daemon's start.
        type Counters (
          grants: int,
          # refusals by reason
          busies: [string]int,
          # turns whose lease ended before they were released
          overdue_turns: int,
          launches: int,
          # SP time charged, by class
          launch_ns: int,
          guest_ns: int,
          platform_ns: int,
          # connections closed for breaking the protocol
          protocol_errors: int
        )

        # A process whose guests' requests pass the daemon by, as spschedd-observer
        # counts them. vm is a hint, by the peer of a VM's connection, and no proof.
        type Process (
          pid: int,
          name: string,
          vm: ?string,
          # those that never leave KVM, and those for which a VMM may ask
          plain: int,
          extended: int,
          # those of them for which nobody asked; some of them in the last ten seconds
          unasked: int,
          bypassing: bool
        )

        # What was observed; bypassing: by how many processes in the last ten seconds.
        type Observation (
          processes: []Process,
          bypassing: int,
          # events that the trace lost
          lost: int,
          # since the observer's last report
          silent_ns: int
        )

        # How long a launch of so many pages takes at most once it is first in line,
        # its VMM's own pauses not counted; absent if there is no bound. unasked_ns is
        # the part that is due to processes that do not ask.
        type LaunchBound (
          pages: int,
          commands: int,
          bound_ns: ?int,
          unasked_ns: int
        )

        type VM (
          # slot and generation identify a registration; a slot is used again
          slot: int,
          generation: int,
          uuid: string,
          name: string,
          # whom caps apply to: uid and security label
          account: string,
          state: VMState,
          connections: int,
          registered_ns: int,
          reservation_millihertz: int,
          limit_millihertz: ?int,
          weight: int,
          burst: int,
          # linux, once or never; open or closed
          retry_policy: string,
          failure_mode: string,
          # what the VM would get if every VM asked all the time
          entitlement_millihertz: int,
          # all turns granted, and those for guest requests
          grants: int,
          guest_grants: int,
          busies: [string]int,
          sp_time_ns: int,
          launches: int,
          overdue_turns: int,
          # requests for which the VM did not ask; absent if nobody observes
          unasked: ?int
        )

        # What SNP_PLATFORM_STATUS tells.
        type Platform (
          api_version: string,
          build: int,
          state: string,
          rmp_initialised: bool,
          # guest contexts, those of VMs that are being launched included
          guests: int,
          # security versions in hexadecimal
          current_tcb: string,
          reported_tcb: string,
          # of mask_chip_id, mask_chip_key, vlek_en, feature_info, rapl_dis,
          # ciphertext_hiding_cap and ciphertext_hiding_en those that are set
          flags: []string
        )

        # The daemon and the device, now.
        method Status() -> (
          version: string,
          # random for each start of the daemon, in hexadecimal
          epoch: string,
          uptime_ns: int,
          device: DeviceState,
          # path of the device or of the emulator's socket
          device_path: string,
          # why the device is as it is, when there is something to say
          device_detail: ?string,
          draining: bool,
          vms: int,
          vms_max: int,
          capacity: Capacity,
          # launch work is above the launch reserve: reservations are suspended
          launch_overload: bool,
          turn: ?Turn,
          queues: Queues,
          counters: Counters,
          launch_bound: ?LaunchBound,
          # absent if nobody observes
          observation: ?Observation
        )

        # Every registered VM, one a reply; the last reply carries none. Must be
        # called with 'more'.
        method ListVMs() -> (vm: ?VM)

        # The platform's commands, each in a turn of its own: they wait for whoever
        # holds the SP, and for launches for no more than a second. Those that change
        # the platform must be called with 'confirm'. Take the lock of the certificate
        # file first, as the kernel's documentation orders the two.
        method PlatformStatus() -> (platform: Platform, duration_ns: int)

        # SNP_COMMIT: firmware older than the current one is never accepted again.
        method PlatformCommit(confirm: bool) -> (duration_ns: int)

        # SNP_SET_CONFIG. A reported_tcb of 0x0 is the current one.
        method PlatformConfigure(
          confirm: bool,
          reported_tcb: string,
          mask_chip_id: bool,
          mask_chip_key: bool
        ) -> (duration_ns: int)

        # SNP_VLEK_LOAD. The hashstick's 432 bytes are 864 hexadecimal digits.
        method PlatformLoadVLEK(
          confirm: bool,
          wrapped_version: int,
          hashstick: string
        ) -> (duration_ns: int)

        # Lets go of the device, so that its driver or firmware can be replaced, until
        # RetakeDevice or a restart. Says how many VMs may still hold it.
        method ReleaseDevice() -> (vms: int)
        method RetakeDevice() -> ()

        # What spschedd-observer has seen since its start. Only root, and the account that
        # the daemon runs as, may call it.
        method NoteRequests(
          processes: [](pid: int, name: string, plain: int, extended: int),
          lost: int
        ) -> ()

        # The method changes the platform: call it with 'confirm'.
        error NotConfirmed(method: string)

        # outcome: dead, failed, firmware_refused, not_attempted, not_permitted,
        # not_sev_device, vanished or unexpected_answer. errno is the kernel's,
        # firmware_code the firmware's.
        error PlatformFailed(
          outcome: string,
          errno: int,
          firmware_code: ?int,
          firmware_name: ?string,
          text: string
        )

        # No turn was granted, for one of the reasons that BUSY has.
        error PlatformBusy(reason: string, text: string)

        """
}
