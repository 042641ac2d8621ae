/// The interface `io.spschedd.Manager`, as introspection shows it. `ManagerStatus` and `ManagedVM` are its types in
/// Swift.
public enum ManagerInterface {
    public static let name = "io.spschedd.Manager"
    public static let statusMethod = "io.spschedd.Manager.Status"
    public static let listVMsMethod = "io.spschedd.Manager.ListVMs"
    public static let explainMethod = "io.spschedd.Manager.Explain"
    public static let watchMethod = "io.spschedd.Manager.Watch"
    public static let metricsMethod = "io.spschedd.Manager.Metrics"
    public static let drainMethod = "io.spschedd.Manager.Drain"
    public static let resumeMethod = "io.spschedd.Manager.Resume"
    public static let platformStatusMethod = "io.spschedd.Manager.PlatformStatus"
    public static let platformCommitMethod = "io.spschedd.Manager.PlatformCommit"
    public static let platformConfigureMethod = "io.spschedd.Manager.PlatformConfigure"
    public static let platformLoadVLEKMethod = "io.spschedd.Manager.PlatformLoadVLEK"
    public static let noteRequestsMethod = "io.spschedd.Manager.NoteRequests"
    public static let releaseDeviceMethod = "io.spschedd.Manager.ReleaseDevice"
    public static let retakeDeviceMethod = "io.spschedd.Manager.RetakeDevice"
    public static let noSuchVMError = "io.spschedd.Manager.NoSuchVM"
    public static let tooManyOperatorsError = "io.spschedd.Manager.TooManyOperators"
    public static let reloadMethod = "io.spschedd.Manager.Reload"
    public static let configurationInvalidError = "io.spschedd.Manager.ConfigurationInvalid"
    public static let reloadRefusedError = "io.spschedd.Manager.ReloadRefused"
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
          protocol_errors: int,
          # connections taken over from the daemon before
          adopted_connections: int,
          # VMs without a connection that came back by their token
          resumed_registrations: int
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

        # What a VM's buckets hold now, and what its guest waits for.
        type Standing (
          # requests that would be inside the reservation at once; until the next is
          reserved_requests: int,
          reservation_opens_ns: int,
          # until the limit permits a request; whether the next one skips it
          limit_opens_ns: int,
          skips_limit: bool,
          # the longest wait outside the reservation
          guest_wait_max_ns: int,
          # of the request that waits or was refused: since its first attempt, its
          # refusals in a row, and whether it must not be refused again
          age_ns: int,
          refusals_in_a_row: int,
          protected: bool,
          # until the request that waits is expected to start
          predicted_start_ns: ?int,
          # launch work that is not paid off yet, of the VM and of its account
          launch_debt_ns: int,
          account_launch_debt_ns: int,
          # of the launch that is open
          launch_pages_granted: ?int,
          launch_pages_declared: ?int
        )

        # Refusals of a VM for one reason, shortly after one another.
        type Refusal (
          reason: string,
          times: int,
          # how long ago the first and the last of them were
          since_ns: int,
          ago_ns: int,
          # the figure that bound, and the VM that stood before this one
          limit: ?string,
          holder: ?string,
          # what the last of them told the client to wait, and what is left of that
          retry_after_ns: int,
          retry_in_ns: int,
          # what the client was told
          text: string
        )

        type Explanation (
          vm: VM,
          standing: Standing,
          # the latest first
          refusals: []Refusal
        )

        # A registration that was not admitted.
        type Rejection (
          uuid: string,
          name: string,
          account: string,
          code: string,
          times: int,
          # how long ago the last time was
          ago_ns: int,
          text: string
        )

        # watching: the first of every watch. refused: a VM is refused for another
        # reason than before, or after a pause of ten seconds.
        type ChangeKind (
          watching,
          vm_registered,
          vm_gone,
          registration_refused,
          refused,
          launch_began,
          launch_ended,
          turn_overdue,
          device,
          draining,
          resumed,
          reservations_suspended,
          reservations_kept
        )

        type Change (
          # counts up; a gap is what this watcher has lost
          sequence: int,
          # microseconds since 1970 by the host's clock
          realtime_us: int,
          kind: ChangeKind,
          # the VM that it is about
          vm: ?string,
          uuid: ?string,
          slot: ?int,
          reason: ?string,
          # what happened, for people
          text: string
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

        # The configuration that the daemon goes by.
        type Configuration (
          # the files that it was read from, the later prevailing
          files: []string,
          # reloads since the start that were applied
          reloads: int,
          # why the last reload was not
          failure: ?string,
          # settings whose value in the files a restart would apply
          restart_needed: []string
        )

        # A setting that has another value since a reload, as it stands in a file.
        type SettingChange (
          key: string,
          was: string,
          now: string,
          # at_once, new_registrations, new_launches, new_connections or restart
          applies: string,
          # file and line; absent where the default holds
          origin: ?string
        )

        type ConfigurationProblem (
          file: string,
          line: ?int,
          key: ?string,
          # the whole as a line for people
          text: string
        )

        # What VMs were promised and would lose, and the settings that are to blame.
        type ReloadObjection (keys: []string, text: string)

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
          configuration: Configuration,
          launch_bound: ?LaunchBound,
          # absent if nobody observes
          observation: ?Observation
        )

        # Every registered VM, one a reply; the last reply carries none. Must be
        # called with 'more'.
        method ListVMs() -> (vm: ?VM)

        # Why a VM was refused: by which limit, held by whom, until when. VMs are found
        # by their name, their UUID, or as slot.generation; neither name nor UUID is
        # unique. Registrations that were not admitted are told too.
        method Explain(vm: string) -> (
          explanations: []Explanation,
          rejections: []Rejection,
          # registered VMs of that name beyond those that are told of
          left_off: int
        )

        # What changes, as it does. Must be called with 'more'. It ends when the client
        # sends its next call. Who reads too slowly is told how much was lost.
        method Watch() -> (change: ?Change, lost: ?int)

        # Everything that is counted, as OpenMetrics text, in pieces to be joined. Must
        # be called with 'more'.
        method Metrics() -> (text: string)

        # No further VM is admitted, no launch begun and no guest served, until Resume;
        # launches that are open go on. Whether it was so already.
        method Drain() -> (was: bool)
        method Resume() -> (was: bool)

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

        # No VM of this name, UUID or slot is registered, or was refused lately.
        error NoSuchVM(vm: string)

        # There is no place for another connection, or for another of this user. text
        # says who has them. It comes before any call, and the connection ends.
        error TooManyOperators(text: string)

        # Reads the configuration again, and says what has changed. A VM that is
        # registered keeps what it was promised; where it could not, or the files have
        # mistakes, the configuration before stays.
        method Reload() -> (files: []string, changes: []SettingChange)

        error ConfigurationInvalid(problems: []ConfigurationProblem, text: string)
        error ReloadRefused(objections: []ReloadObjection, text: string)

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
