import Arbiter

/// Every metric there is. Dashboards and alert rules name these; a name is never used for anything else later.
public enum ManagerMetrics {
    public static let families: [MetricFamily] =
        daemon + device + promises + queues + work + clients + observed + ofEachVM

    private static let daemon: [MetricFamily] = [
        .each("spschedd_build", .info, by: "version", "The daemon's version.") { [($0.status.version, "1")] },
        .gauge("spschedd_uptime_seconds", unit: "seconds", "Time since the daemon's start.") {
            MetricValue.seconds($0.status.uptimeNanoseconds)
        },
        .counter("spschedd_configuration_reloads", "Reloads that were applied.") { $0.status.configuration.reloads },
        .gauge(
            "spschedd_configuration_failed", "1 if the last reload was not applied: the configuration is the old one."
        ) {
            MetricValue.truth($0.status.configuration.failure != nil)
        },
        .gauge("spschedd_draining", "1 while nothing new is admitted or served, at an administrator's wish.") {
            MetricValue.truth($0.status.isDraining)
        },
    ]

    /// Of requests that pass the daemon by. Absent where spschedd-observer does not report.
    private static let observed: [MetricFamily] = [
        .gauge("spschedd_observer_silent_seconds", unit: "seconds", "Time since spschedd-observer's last report.") {
            $0.status.observation.map { MetricValue.seconds($0.silentNanoseconds) }
        },
        .gauge("spschedd_bypassing_processes", "Processes whose guests' requests passed the daemon by, of late.") {
            $0.status.observation.map { "\($0.bypassing)" }
        },
        .counter("spschedd_observer_lost", "Events that spschedd-observer lost.") { $0.status.observation?.lost },
        .gauge(
            "spschedd_launch_bound_seconds", unit: "seconds",
            "Promise P1 for a launch of common size, with what passes the daemon by."
        ) { $0.status.launchBound?.boundNanoseconds.map(MetricValue.seconds) },
        .ofVM("spschedd_vm_unasked", .counter, "Requests of the VM's guest for which it did not ask.") {
            $0.unasked.map { "\($0)" }
        },
    ]

    private static let device: [MetricFamily] = [
        .each("spschedd_device_state", .stateset, by: "spschedd_device_state", "What is known of the SP.") { figures in
            ManagedDeviceState.allCases.map { ($0.rawValue, MetricValue.truth($0 == figures.status.device)) }
        },
        .gauge("spschedd_turn_held_seconds", unit: "seconds", "How long the turn of now is held; 0 if there is none.") {
            MetricValue.seconds($0.status.turn?.heldNanoseconds ?? 0)
        },
        .gauge("spschedd_report_planned_seconds", unit: "seconds", "What admission reckons a report to take.") {
            MetricValue.seconds($0.status.capacity.reportPlanningNanoseconds)
        },
        .gauge("spschedd_report_measured_seconds", unit: "seconds", "What a report was seen to take, once one was.") {
            $0.status.capacity.reportMeasuredNanoseconds.map(MetricValue.seconds)
        },
    ]

    private static let promises: [MetricFamily] = [
        .gauge("spschedd_capacity_ratio", unit: "ratio", "SP time in each second that may be promised.") {
            MetricValue.seconds($0.status.capacity.capacityNanoseconds)
        },
        .gauge("spschedd_launch_reserve_ratio", unit: "ratio", "The part of it that is kept for launches.") {
            MetricValue.seconds($0.status.capacity.launchReserveNanoseconds)
        },
        .gauge("spschedd_reserved_ratio", unit: "ratio", "SP time in each second that is promised to VMs.") {
            MetricValue.seconds($0.status.capacity.reservedNanoseconds)
        },
        .gauge("spschedd_reservable_hertz", unit: "hertz", "Requests a second that one VM more could reserve.") {
            MetricValue.hertz($0.status.capacity.reservableMillihertz)
        },
        .gauge(
            "spschedd_reservations_suspended", "1 while launches use more than their reserve: reservations do not hold."
        ) { MetricValue.truth($0.status.launchOverload) },
    ]

    private static let queues: [MetricFamily] = [
        .each("spschedd_waiting", .gauge, by: "class", "Requests and launch sessions that wait or are open.") {
            let queues = $0.status.queues
            return [
                ("launch", "\(queues.launchSessions)"), ("guest", "\(queues.guestRequests)"),
                ("platform", "\(queues.platformCommands)"),
            ]
        }
    ]

    private static let work: [MetricFamily] = [
        .counter("spschedd_grants", "Turns granted to VMs.") { $0.status.counters.grants },
        .counter("spschedd_launches", "Launch sessions begun.") { $0.status.counters.launches },
        .each("spschedd_sp_time_seconds", .counter, unit: "seconds", by: "class", "SP time charged.") {
            let counters = $0.status.counters
            return [
                ("launch", MetricValue.seconds(counters.launchNanoseconds)),
                ("guest", MetricValue.seconds(counters.guestNanoseconds)),
                ("platform", MetricValue.seconds(counters.platformNanoseconds)),
            ]
        },
        .each("spschedd_refusals", .counter, by: "reason", "Requests answered with BUSY.") { figures in
            BusyReason.allCases.map(\.managerName).map { ($0, "\(figures.status.counters.busies[$0] ?? 0)") }
        },
        .counter("spschedd_overdue_turns", "Turns whose lease ended before their release.") {
            $0.status.counters.overdueTurns
        },
    ]

    private static let clients: [MetricFamily] = [
        .gauge("spschedd_vms", "VMs that are registered.") { "\($0.status.registeredVMs)" },
        .gauge("spschedd_vms_max", "The most there may be.") { "\($0.status.registeredVMsMax)" },
        .gauge("spschedd_connections", "Connections of VMMs.") { "\($0.connections)" },
        .gauge("spschedd_connections_max", "The most there may be.") { "\($0.connectionsMax)" },
        .gauge("spschedd_accounts", "Accounts that have a connection or a VM, or owe launch work.") {
            "\($0.accounts)"
        },
        .gauge("spschedd_operators", "Operators' connections.") { "\($0.operators)" },
        .gauge("spschedd_watchers", "Those of them that watch.") { "\($0.watchers)" },
        .counter("spschedd_registrations", "VMs that registered anew.") { $0.registrations },
        .counter("spschedd_registrations_resumed", "VMs that came back by their token after a lost connection.") {
            $0.status.counters.resumedRegistrations
        },
        .counter("spschedd_connections_adopted", "Connections taken over from the daemon before.") {
            $0.status.counters.adoptedConnections
        },
        .each("spschedd_rejections", .counter, by: "code", "Registrations that were not admitted.") { figures in
            figures.rejections.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        },
        .counter("spschedd_connections_refused", "Connections that were turned away at a cap, or by a policy.") {
            $0.connectionsRefused
        },
        .counter("spschedd_protocol_errors", "Connections closed for breaking the protocol.") {
            $0.status.counters.protocolErrors
        },
        .counter("spschedd_journal_dropped", "Journal records dropped because the journal was too slow.") {
            $0.journalDropped
        },
    ]

    /// Labels are bounded: by the slots there are, and `ManagerLimits.measuredVMs`. UUID and account, which change with
    /// each VM, stand in one family alone.
    private static let ofEachVM: [MetricFamily] = [
        .gauge("spschedd_vms_unmeasured", "Registered VMs without series of their own, beyond the most there are.") {
            "\(max(0, $0.status.registeredVMs - ManagerLimits.measuredVMs))"
        },
        .ofVM(
            "spschedd_vm", .info, "Who is who.", labels: { [("uuid", $0.uuid), ("account", $0.account)] },
            { _ in "1" }),
        .ofVM("spschedd_vm_reservation_hertz", .gauge, unit: "hertz", "Requests a second that the VM is promised.") {
            MetricValue.hertz($0.reservationMillihertz)
        },
        .ofVM("spschedd_vm_grants", .counter, "Turns granted to the VM.") { "\($0.grants)" },
        .ofVM("spschedd_vm_guest_grants", .counter, "Those of them for guest requests.") { "\($0.guestGrants)" },
        .ofVM("spschedd_vm_refusals", .counter, "The VM's requests answered with BUSY.") { "\($0.refusals)" },
        .ofVM("spschedd_vm_sp_time_seconds", .counter, unit: "seconds", "SP time charged to the VM.") {
            MetricValue.seconds($0.spTimeNanoseconds)
        },
        .ofVM("spschedd_vm_launches", .counter, "Launch sessions of the VM.") { "\($0.launches)" },
        .ofVM("spschedd_vm_overdue_turns", .counter, "The VM's turns whose lease ended before their release.") {
            "\($0.overdueTurns)"
        },
    ]
}
