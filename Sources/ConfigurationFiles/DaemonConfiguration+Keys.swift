import Arbiter

extension DaemonConfiguration {
    /// What the keys of each section are about.
    package static let sections: [(name: String, reason: String)] = [
        ("arbiter", "What may be promised to VMs, and in which order their requests are served."),
        (
            "planning_cost",
            "What commands are reckoned to take on this host's SP, before they have been measured and for what is promised."
        ),
        ("device", "The SP, and who looks after it."),
        ("vmm", "The socket where VMMs connect."),
        ("manager", "The socket where operators connect."),
        ("clients", "VMMs and their connections."),
        ("account", "What one account may have. An account is a user id with a security label."),
        ("loop", "How the daemon waits for its clients."),
        ("trace", "The record of every decision."),
    ]

    private typealias Key = SettingKey<DaemonConfiguration>

    /// Every setting there is.
    package static let keys: [SettingKey<DaemonConfiguration>] =
        capacity + floor + launches + guests + planningCosts + device + sockets + clients + accounts + loop
        + trace

    private static let capacity: [Key] = [
        .duration(
            "arbiter.capacity", \.arbiter.capacityPerSecond, .milliseconds(1)...(.seconds(1)),
            "SP time in each second that may be promised; the rest absorbs what cannot be foreseen."),
        .duration(
            "arbiter.launch_reserve", \.arbiter.launchReservePerSecond, .zero...(.seconds(1)),
            "The part of the capacity kept for launches; reservations share what remains."),
        .duration(
            "arbiter.launch_burst", \.arbiter.launchBurst, .zero...(.seconds(60)),
            "Launch work above the reserve that may come at once without suspending reservations."),
    ]

    private static let floor: [Key] = [
        Key(
            path: "arbiter.floor_share", kind: .share(Share(perMille: 1)...Share(percent: 90)),
            reason: "The share of the SP that guests keep while launches are busy; more VMs take a larger one.",
            read: { .share($0.arbiter.floorShare) },
            write: { if case .share(let value) = $1 { $0.arbiter.floorShare = value } }),
        .duration(
            "arbiter.floor_delay", \.arbiter.floorDelay, .zero...(.seconds(10)),
            "How long launches may keep guests waiting before the floor acts."),
    ]

    private static let launches: [Key] = [
        .duration(
            "arbiter.hold", \.arbiter.hold, Limits.holdMin...Limits.holdMax,
            "How long the SP is at first kept for the next command of the launch in progress."),
        .pages(
            "arbiter.chunk_pages", \.arbiter.chunkPages, 1...512,
            "The most pages in one launch turn: how long a guest may have to wait behind it."
        ).counting("pages"),
        Key(
            path: "arbiter.launch_order", kind: .choice(LaunchOrder.allCases.map(\.configurationName)),
            reason: "Which open launch is served: the one that began first, or the one with the fewest pages left.",
            read: { .choice($0.arbiter.launchOrder.configurationName) },
            write: { configuration, value in
                configuration.arbiter.launchOrder =
                    LaunchOrder.allCases.first { .choice($0.configurationName) == value } ?? .firstComeFirstServed
            }
        ).from(.newLaunches),
        .duration(
            "arbiter.launch_aging", \.arbiter.launchAging, .seconds(1)...(.seconds(600)),
            "Under shortest-first no launch is overtaken for longer than this."
        ).from(.newLaunches),
        .duration(
            "arbiter.launch_bucket_vm_rate", \.arbiter.launchBucketVM.perSecond, .milliseconds(1)...(.seconds(1)),
            "Launch work that one VM may cause in each second."),
        .duration(
            "arbiter.launch_bucket_vm_burst", \.arbiter.launchBucketVM.burst, .milliseconds(1)...(.seconds(600)),
            "Launch work that one VM may cause at once: its own launch and a reset."),
        .duration(
            "arbiter.launch_bucket_account_rate", \.arbiter.launchBucketAccount.perSecond,
            .milliseconds(1)...(.seconds(1)), "Launch work that all VMs of one account may cause in each second."),
        .duration(
            "arbiter.launch_bucket_account_burst", \.arbiter.launchBucketAccount.burst,
            .milliseconds(1)...(.seconds(3_600)), "Launch work that all VMs of one account may cause at once."),
        .pages(
            "arbiter.launch_pages_max", \.arbiter.launchPagesMax, 1...16_777_216,
            "The most pages a launch may declare: firmware and kernel, not the guest's memory."
        ).counting("pages"),
        .duration(
            "arbiter.launch_wall_clock_max", \.arbiter.launchWallClockMax, .seconds(1)...(.seconds(86_400)),
            "How long a launch session may stay open before it is ended."
        ).from(.newLaunches),
    ]

    private static let guests: [Key] = [
        .duration(
            "arbiter.guest_wait_max", \.arbiter.guestWaitMax, Limits.guestWaits,
            "How long a request outside its reservation may wait, with its guest's CPU frozen, before it is refused."
        ).from(.newRegistrations),
        .duration(
            "arbiter.guest_wait_reserved", \.arbiter.guestWaitReserved, Limits.guestWaits,
            "The longest wait inside a reservation that may be promised."),
        .optionalRate(
            "arbiter.account_reservation_max", \.arbiter.accountReservationMax, Limits.leastRate...Limits.mostRate,
            "The most requests a second that all VMs of one account may reserve together."
        ).from(.newRegistrations),
    ]

    /// No command took longer on any SP that was measured; a hundred times the default is a mistake of units.
    private static let cost = Nanoseconds.microseconds(10)...Nanoseconds.seconds(1)

    private static let planningCosts: [Key] = [
        .duration(
            "planning_cost.report", \.arbiter.planningCosts.report, cost,
            "What admission reckons one attestation report to cost."),
        .duration(
            "planning_cost.derived_key", \.arbiter.planningCosts.derivedKey, cost,
            "What is reckoned for one derived key."),
        .duration(
            "planning_cost.launch_page", \.arbiter.planningCosts.launchPage, cost,
            "What is reckoned for one page of a launch."),
        .duration(
            "planning_cost.launch_start", \.arbiter.planningCosts.launchStart, cost,
            "What is reckoned for the start of a launch."),
        .duration(
            "planning_cost.launch_finish", \.arbiter.planningCosts.launchFinish, cost,
            "What is reckoned for the end of a launch."),
        .duration(
            "planning_cost.platform_status", \.arbiter.planningCosts.platformStatus, cost,
            "What is reckoned for a status command."),
        .duration(
            "planning_cost.platform_command", \.arbiter.planningCosts.platformCommand, cost,
            "What is reckoned for any other platform command."),
    ]

    private static let device: [Key] = [
        .path("device.path", \.device.path, "The SP's device, or the socket of an emulated one.").from(.restart),
        .text(
            "device.probe_socket", .optionalPath, \.device.probeSocket,
            "Where spschedd-device listens; with none, overdue turns are never probed."
        ).from(.restart),
        .text(
            "device.certificates", .optionalPath, \.device.certificates,
            "The certificates that VMMs give to guests; spschedctl locks the file around commands that outdate them."),
    ]

    private static let sockets: [Key] = [
        .path("vmm.socket", \.vmm.path, "Where VMMs connect, unless the service manager passes a socket.").from(
            .restart),
        .mode("vmm.socket_mode", \.vmm.mode, "Who may connect a VMM: the mode of that socket.").from(.restart),
        .text("vmm.socket_group", .optionalGroup, \.vmm.group, "The group of that socket.").from(.restart),
        .path("manager.socket", \.manager.path, "Where operators connect, unless the service manager passes a socket.")
            .from(.restart),
        .mode("manager.socket_mode", \.manager.mode, "The mode of that socket.").from(.restart),
        .text(
            "manager.socket_group", .optionalGroup, \.manager.group,
            "The group of that socket; its members, root and the daemon's own user are answered."
        ).from(.restart),
    ]

    private static let clients: [Key] = [
        .integer(
            "clients.vms_max", \.clients.vmsMax, 1...4_096,
            "The most VMs registered at once: hosts offer at most 1006 address space identifiers to SNP guests."
        ).counting("VMs").from(.restart),
        .integer(
            "clients.connections_max", \.clients.connectionsMax, 1...65_536,
            "The most connections at once; each costs a descriptor and, if its client does not read, 16 KiB."
        ).counting("connections").from(.restart),
        .duration(
            "clients.hello_timeout", \.clients.helloTimeout, .milliseconds(100)...(.seconds(60)),
            "A connection that has not said HELLO by then is closed."
        ).from(.newConnections),
        .duration(
            "clients.linger", \.clients.linger, .zero...(.seconds(600)),
            "How long a VM without a connection stays registered, so that it may resume by its token."),
    ]

    private static let accounts: [Key] = [
        .integer(
            "account.connections_max", \.account.connectionsMax, 1...65_536,
            "The most connections of one account; three quarters of all, so that another always finds room."
        ).counting("connections"),
        .integer(
            "account.vms_max", \.account.vmsMax, 1...4_096,
            "The most VMs of one account. All VMs of a libvirt host are one account."
        ).counting("VMs"),
        .integer(
            "account.launches_max", \.account.launchesMax, 1...4_096,
            "The most launch sessions that one account may have open at once."
        ).counting("launch sessions"),
    ]

    private static let loop: [Key] = [
        .duration(
            "loop.spin", \.loop.spin, .zero...(.milliseconds(1)),
            "How long the daemon looks for the next question before it sleeps: saves a wake-up where one is slow, and"
                + " costs a CPU meanwhile. Only where one is idle.")
    ]

    private static let trace: [Key] = [
        .text(
            "trace.file", .optionalPath, \.trace.file,
            "Where every decision and what led to it is recorded, for spschedctl replay; best on a tmpfs such as /run."
        ).from(.restart),
        .integer(
            "trace.size_mib", \.trace.sizeMebibytes, 1...256,
            "The size of that file, in MiB: a ring of four segments, of which the oldest is written over."
        ).counting("MiB").from(.restart),
    ]
}

extension LaunchOrder {
    /// The name used in the configuration.
    var configurationName: String {
        switch self {
        case .firstComeFirstServed: "first-come-first-served"
        case .shortestFirst: "shortest-first"
        }
    }
}
