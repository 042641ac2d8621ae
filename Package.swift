// swift-tools-version: 6.2
import PackageDescription

/// Our own targets treat every warning as an error; dependencies keep their own rules.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Dynamic checks of exclusive access cost the loop a fifth of its instructions; every test and every fuzzer runs with
/// them (docs/decisions/0009). The benchmark of a decision calls the Arbiter as the daemon does.
let loop: [SwiftSetting] = strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// The daemon sees no member whose module its files do not import: one of Foundation's, seen through the parser of
/// TOML, once made it 52 MB larger.
let daemon: [SwiftSetting] = loop + [.enableUpcomingFeature("MemberImportVisibility")]

/// The pure libraries also promise, checked by the compiler, that they use no unsafe memory.
let pure: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
    name: "spschedd",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // The rules: a pure state machine. Depends on nothing, not even the C library.
        .target(name: "Arbiter", swiftSettings: pure),
        // What operators' programs speak: Varlink messages, the daemon's side without sockets, and a small client.
        .target(name: "ManagerProtocol", dependencies: ["Arbiter", "LinuxIO"], swiftSettings: pure),
        .testTarget(name: "ManagerProtocolTests", dependencies: ["ManagerProtocol", "LinuxIO"], swiftSettings: strict),
        // libsystemd and the Linux calls that Swift cannot import, and a thin Swift over the latter.
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd",
            providers: [.apt(["libsystemd-dev"]), .yum(["systemd-devel"])]),
        .target(name: "LinuxIO", dependencies: ["Arbiter", "CSystemd"], swiftSettings: strict),
        .testTarget(name: "LinuxIOTests", dependencies: ["LinuxIO", "CSystemd", "Arbiter"], swiftSettings: strict),

        // The wire between VMMs and the daemon: bytes <-> values, nothing else.
        .target(name: "VMMProtocol", dependencies: ["Arbiter"], swiftSettings: pure),
        .testTarget(name: "VMMProtocolTests", dependencies: ["VMMProtocol", "Arbiter"], swiftSettings: strict),
        // The house rules that a machine can check, and that the documents do not drift from the code.
        .testTarget(name: "TidyTests", dependencies: ["Arbiter"], swiftSettings: strict),
        .testTarget(name: "ArbiterTests", dependencies: ["Arbiter", "Simulation"], swiftSettings: strict),

        // The C client for VMMs, as a plain target for our programs and tests; `make libspsched` builds the library.
        .target(
            name: "CSpsched", dependencies: ["CSEV"], path: "Sources/libspsched",
            exclude: ["LICENSE", "libspsched.map", "spsched.pc.in"], cSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "CSpschedTesting", dependencies: ["CSpsched"], path: "Tests/CSpschedTesting",
            cSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "spsched-seccomp-probe", dependencies: ["CSpsched"], path: "Tests/SeccompProbe",
            cSettings: [.treatAllWarnings(as: .error)]),
        // Ends the daemon again and again under VM processes: Tests/Restart/main.c.
        .executableTarget(
            name: "restart-trial", dependencies: ["CSpsched"], path: "Tests/Restart",
            cSettings: [.treatAllWarnings(as: .error)]),
        .testTarget(
            name: "ClientLibraryTests", dependencies: ["Arbiter", "CSEV", "CSpschedTesting", "VMMProtocol"],
            swiftSettings: strict),

        // libspsched-preload beneath programs that do not know of it; scripts/build-preload-tests builds those.
        .testTarget(
            name: "PreloadTests",
            dependencies: ["Arbiter", "DeviceTestSupport", "ManagerProtocol", "sp-emulator", "spschedd"],
            swiftSettings: strict),

        // Makes mistakes on purpose: scripts/test-sanitized must find them.
        .executableTarget(name: "sanitizer-canary", path: "Tests/SanitizerCanary", swiftSettings: strict),

        // What a trace of KVM tells of guests' requests: bytes to counts.
        .target(name: "KVMTrace", swiftSettings: pure),
        .testTarget(name: "KVMTraceTests", dependencies: ["KVMTrace"], swiftSettings: strict),
        // Counts the requests that pass the daemon by, and tells it.
        .executableTarget(
            name: "spschedd-observer",
            dependencies: [
                "Arbiter", "KVMTrace", "LinuxIO", "ManagerProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ObserverTests",
            dependencies: [
                "Arbiter", "DaemonTestSupport", "DeviceTestSupport", "HostileSupport", "LinuxIO", "ManagerProtocol",
                "VMMProtocol",
                "sp-emulator", "spschedctl", "spschedd", "spschedd-device", "spschedd-observer",
            ], swiftSettings: strict),

        // What commands cost the SP, and the SP itself in virtual time.
        .target(name: "SPModel", dependencies: ["Arbiter"], swiftSettings: pure),
        .testTarget(name: "SPModelTests", dependencies: ["Arbiter", "SPModel"], swiftSettings: strict),
        // A host in virtual time around the production Arbiter, and a checker of its rules and promises.
        .target(name: "Simulation", dependencies: ["Arbiter", "SPModel"], swiftSettings: pure),
        .testTarget(
            name: "SimulationTests", dependencies: ["Arbiter", "Reporting", "SPModel", "Simulation"],
            swiftSettings: strict),
        // What a run came to: statistics, tables, pictures and pages, the same on every machine.
        .target(name: "Reporting", dependencies: ["Arbiter"], swiftSettings: pure),
        .testTarget(name: "ReportingTests", dependencies: ["Arbiter", "Reporting"], swiftSettings: strict),
        // What `make experiment` runs: hosts in virtual time, policy beside policy, written up in docs/experiment.
        .executableTarget(
            name: "experiment",
            dependencies: [
                "Arbiter", "LinuxIO", "Reporting", "SPModel", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Experiment", exclude: ["README.md"], swiftSettings: strict),
        .testTarget(
            name: "ExperimentTests", dependencies: ["Arbiter", "Reporting", "SPModel", "Simulation", "experiment"],
            swiftSettings: strict),
        // Attacks the promises: a million worlds, the worst made worse, every small one, and mutants that must fall.
        .executableTarget(
            name: "promises", dependencies: ["Arbiter", "SPModel", "Simulation"], path: "Tests/Promises",
            swiftSettings: strict),
        // What /dev/sev takes: constants and layouts of the kernel's interface.
        .target(name: "CSEV"),
        // The wires of sp-emulator and spschedd-device, and a client for each.
        .target(
            name: "DeviceProtocol", dependencies: ["Arbiter", "CSEV", "LinuxIO", "SPModel"], swiftSettings: strict),
        .testTarget(
            name: "DeviceProtocolTests", dependencies: ["Arbiter", "CSEV", "DeviceProtocol", "SPModel"],
            swiftSettings: strict),
        // The emulated SP, a process of its own.
        .executableTarget(
            name: "sp-emulator",
            dependencies: [
                "Arbiter", "CSystemd", "DeviceProtocol", "LinuxIO", "SPModel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // What ends the records of the two formats below.
        .target(name: "RecordWords", swiftSettings: pure),
        // The memory in which the daemon's state outlives it: bytes <-> records, two slots each.
        .target(name: "StateFormat", dependencies: ["RecordWords"], swiftSettings: pure),
        .testTarget(name: "StateFormatTests", dependencies: ["StateFormat"], swiftSettings: strict),
        // What `spschedd --trace` writes: bytes <-> values, and how it is run through the Arbiter again.
        .target(name: "TraceFormat", dependencies: ["Arbiter", "RecordWords"], swiftSettings: pure),
        .testTarget(name: "TraceFormatTests", dependencies: ["Arbiter", "TraceFormat"], swiftSettings: strict),
        .target(name: "TraceReplay", dependencies: ["Arbiter", "TraceFormat"], swiftSettings: pure),
        .testTarget(
            name: "TraceReplayTests", dependencies: ["Arbiter", "TraceFormat", "TraceReplay"], swiftSettings: strict),
        // The only process that issues ioctls on the device.
        .executableTarget(
            name: "spschedd-device",
            dependencies: [
                "Arbiter", "CSEV", "CSystemd", "DeviceProtocol", "LinuxIO", "SPModel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DeviceProcessTests",
            dependencies: [
                "Arbiter", "CSEV", "DeviceProtocol", "DeviceTestSupport", "LinuxIO", "SPModel", "sp-emulator",
                "spschedd-device",
            ],
            swiftSettings: strict),
        .target(
            name: "DeviceTestSupport", dependencies: ["DeviceProtocol", "LinuxIO"], path: "Tests/DeviceTestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "EmulatorTests",
            dependencies: ["Arbiter", "DeviceProtocol", "DeviceTestSupport", "LinuxIO", "SPModel", "sp-emulator"],
            swiftSettings: strict),

        // The files that operators write, and what is wrong with them.
        .target(
            name: "ConfigurationFiles",
            dependencies: ["Arbiter", "LinuxIO", .product(name: "TOMLKit", package: "TOMLKit")],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationFilesTests", dependencies: ["Arbiter", "ConfigurationFiles"], swiftSettings: strict),
        // The daemon: wiring only. Its rules are the Arbiter's.
        .executableTarget(
            name: "spschedd",
            dependencies: [
                "Arbiter", "CSystemd", "ConfigurationFiles", "DeviceProtocol", "LinuxIO", "ManagerProtocol",
                "StateFormat", "TraceFormat", "VMMProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: daemon),
        // For its tests: a VMM's connection driven by hand, and one in a process of its own, to be killed.
        .target(
            name: "DaemonTestSupport", dependencies: ["Arbiter", "LinuxIO", "VMMProtocol"],
            path: "Tests/DaemonTestSupport", swiftSettings: strict),
        .executableTarget(
            name: "StormClient", dependencies: ["Arbiter", "DaemonTestSupport"], path: "Tests/StormClient",
            swiftSettings: strict),
        .testTarget(
            name: "spscheddTests",
            dependencies: [
                "Arbiter", "CSystemd", "DaemonTestSupport", "DeviceProtocol", "DeviceTestSupport", "LinuxIO",
                "ManagerProtocol", "RecordWords", "StateFormat", "StormClient", "TraceFormat", "TraceReplay",
                "VMMProtocol",
                "restart-trial",
                "sp-emulator", "spschedctl",
                "spschedd",
                "spschedd-device",
            ], swiftSettings: strict),
        // Hostile clients' judge and the soak's driver; the clients themselves are C, built by scripts/build-hostile.
        .target(
            name: "HostileSupport", dependencies: ["Arbiter", "DeviceTestSupport", "LinuxIO", "ManagerProtocol"],
            path: "Tests/Hostile/Support", swiftSettings: strict),
        .executableTarget(
            name: "hostile-judge",
            dependencies: [
                "Arbiter", "DeviceTestSupport", "HostileSupport", "LinuxIO",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Hostile/Judge", swiftSettings: strict),
        .executableTarget(
            name: "soak",
            dependencies: [
                "Arbiter", "DeviceTestSupport", "HostileSupport", "LinuxIO", "ManagerProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Hostile/Soak", swiftSettings: strict),
        // What a host may promise: a fleet file, admission, bounds, and the fleet in virtual time.
        .target(
            name: "CapacityPlanning",
            dependencies: ["Arbiter", "ConfigurationFiles", "Reporting", "SPModel", "Simulation", "VMMProtocol"],
            swiftSettings: strict),
        .testTarget(
            name: "CapacityPlanningTests",
            dependencies: ["Arbiter", "CapacityPlanning", "ConfigurationFiles", "Reporting", "SPModel"],
            swiftSettings: strict),
        // The operator's command, and the demo with its VMs.
        .executableTarget(
            name: "spschedctl",
            dependencies: [
                "Arbiter", "CSEV", "CSpsched", "CSystemd", "CapacityPlanning", "ConfigurationFiles", "DeviceProtocol",
                "LinuxIO", "ManagerProtocol", "Reporting", "SPModel", "Simulation", "TraceFormat", "TraceReplay",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .testTarget(
            name: "spschedctlTests",
            dependencies: [
                "Arbiter", "CSystemd", "LinuxIO", "ManagerProtocol", "Reporting", "SPModel", "sp-emulator",
                "spschedctl",
                "spschedd", "spschedd-device",
            ],
            swiftSettings: strict),
        // `spschedctl launch`, with a process in QEMU's place that does what a test tells it to.
        .executableTarget(
            name: "fake-monitor", dependencies: ["LinuxIO"], path: "Tests/FakeMonitor", swiftSettings: strict),
        .testTarget(
            name: "LaunchTests",
            dependencies: [
                "Arbiter", "DeviceTestSupport", "HostileSupport", "LinuxIO", "ManagerProtocol", "fake-monitor",
                "sp-emulator",
                "spschedctl",
                "spschedd", "spschedd-device",
            ], swiftSettings: strict),
        // What `make test-qemu` runs: real QEMUs, launched in turns.
        .executableTarget(
            name: "qemu-launches", dependencies: ["Arbiter", "DeviceTestSupport", "HostileSupport", "LinuxIO"],
            path: "Tests/QEMU",
            swiftSettings: strict),
        // What `make bench` runs: the daemon against C programs, in Benchmarks/Floors, that do the same without policy.
        .executableTarget(
            name: "spschedd-bench",
            dependencies: [
                "Arbiter", "LinuxIO", "SPModel", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/Driver", swiftSettings: loop),
        .testTarget(
            name: "BenchmarkTests", dependencies: ["spschedd-bench"], swiftSettings: strict),
    ]
)

// `scripts/fuzz` builds what can be fuzzed, and nothing else: libFuzzer brings the only `main`, and the daemon is a
// library.
if Context.environment["SPSCHEDD_FUZZ"] == "1" {
    let wanted: Set = [
        "Arbiter", "CSEV", "CSpsched", "CSpschedTesting", "CSystemd", "CapacityPlanning", "ConfigurationFiles",
        "DeviceProtocol", "KVMTrace", "LinuxIO", "ManagerProtocol", "RecordWords", "Reporting", "SPModel",
        "Simulation", "StateFormat", "TraceFormat", "TraceReplay", "VMMProtocol",
    ]
    package.targets = package.targets.filter { wanted.contains($0.name) }
    package.targets.append(
        .target(
            name: "spschedd",
            dependencies: [
                "Arbiter", "CSystemd", "ConfigurationFiles", "DeviceProtocol", "LinuxIO", "ManagerProtocol",
                "StateFormat", "TraceFormat", "VMMProtocol",
            ], exclude: ["App.swift"], swiftSettings: strict))
    package.dependencies.removeFirst()

    package.targets.append(.target(name: "FuzzSupport", path: "Fuzz/Support", swiftSettings: strict))

    func fuzz(_ name: String, _ dependencies: [Target.Dependency] = []) {
        package.targets.append(
            .executableTarget(
                name: "fuzz-\(name)", dependencies: dependencies + ["FuzzSupport"], path: "Fuzz/\(name)",
                swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
    }
    fuzz("wire", ["Arbiter", "CSpschedTesting", "VMMProtocol"])
    // What `connection` and `session` have in common: programs, and what a client may expect.
    package.targets.append(
        .target(
            name: "FuzzPlay", dependencies: ["Arbiter", "FuzzSupport", "VMMProtocol"], path: "Fuzz/Play",
            swiftSettings: strict))
    fuzz(
        "connection",
        [
            "Arbiter", "ConfigurationFiles", "DeviceProtocol", "FuzzPlay", "LinuxIO", "ManagerProtocol", "VMMProtocol",
            "spschedd",
        ])
    fuzz("session", ["Arbiter", "ConfigurationFiles", "FuzzPlay", "VMMProtocol", "spschedd"])
    fuzz("manager", ["ManagerProtocol"])
    fuzz("configuration", ["Arbiter", "ConfigurationFiles"])
    fuzz("fleet", ["CapacityPlanning", "ConfigurationFiles"])
    fuzz("observation", ["KVMTrace"])
    fuzz("trace", ["Arbiter", "TraceFormat", "TraceReplay"])
    fuzz("state", ["Arbiter", "StateFormat", "spschedd"])
    fuzz("canary")
}

// `scripts/promises` builds what it plays, and nothing else; beside it the same with mutants in a copy of the Arbiter.
// The tests of these targets can be built so too.
if Context.environment["SPSCHEDD_PROMISES"] == "1" {
    let wanted: Set = [
        "Arbiter", "Reporting", "SPModel", "Simulation", "promises", "ArbiterTests", "SimulationTests", "TidyTests",
    ]
    package.targets = package.targets.filter { wanted.contains($0.name) }
    package.dependencies = []
    if Context.environment["SPSCHEDD_MUTANTS"] == "1" {
        for target in package.targets where target.name == "Arbiter" { target.path = ".build-mutants/Arbiter" }
        for target in package.targets where target.name == "promises" {
            target.swiftSettings = strict + [.define("MUTANTS")]
        }
    }
}
