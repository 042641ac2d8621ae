import Arbiter

extension Profile {
    /// An EPYC 7003 ("Milan") host, as far as public measurements up to 2026 tell.
    ///
    /// Sources:
    /// - SEVeriFast (ASPLOS 2024, doi 10.1145/3620665.3640424), artifact github.com/SEVeriFast/severifast:
    ///   `pre-encrypt.pdf` (time of one LAUNCH_UPDATE ioctl against its size, 100 runs each), `concurrent-boot.pdf`
    ///   (33.7 and 556 ms more for each concurrent launch).
    /// - tacra-est, github.com/nikolaichuk7/tacra-est: report ioctls in a guest, n2d Milan, firmware 1.58, n = 180.
    /// - enarx-keepldr, github.com/enarx-archive/enarx-keepldr pull requests 246 and 248: `strace -T` of a legacy SEV
    ///   launch.
    ///
    /// The boot times that rows were fitted to do not validate the model.
    public static let milan2024 = Profile(
        name: "milan-2024",
        firmware: (major: 1, minor: 58),
        gaps: Gaps(
            betweenPages: .microseconds(30),  // assumed: RMPUPDATE and two mutex operations
            betweenIoctls: .microseconds(300),  // assumed
            betweenIoctlsTail: .milliseconds(2),  // assumed
            tailOneIn: 50,  // assumed
            guestThink: .microseconds(400)  // assumed: VMGEXIT and the guest's cryptography
        ),
        [
            .guestContextCreate: Timing(
                .microseconds(300), .hundredths10, .assumed, "the order of the legacy status command"),
            .launchStart: Timing(
                .microseconds(4_000), .hundredths5, .assumed,
                "enarx-keepldr: legacy LAUNCH_START with ACTIVATE 3.97 and 4.04 ms"),
            .activate: Timing(.microseconds(1_000), .hundredths10, .assumed, "no public figure"),
            .launchUpdateNormal: Timing(
                .microseconds(972), .hundredths5, .fitted,
                "SEVeriFast: 1.003 ms a page inside one ioctl, less the assumed 30 µs between pages"),
            .launchUpdateZero: Timing(
                .microseconds(900), .hundredths5, .assumed, "the path of a NORMAL page"),
            .launchUpdateUnmeasured: Timing(
                .microseconds(900), .hundredths5, .assumed, "the path of a NORMAL page without hashing its content"),
            .launchUpdateSecrets: Timing(
                .microseconds(1_000), .hundredths10, .assumed, "the path of a NORMAL page"),
            .launchUpdateCPUID: Timing(
                .microseconds(1_000), .hundredths10, .assumed, "the path of a NORMAL page"),
            .launchUpdateVMSA: Timing(
                .microseconds(1_000), .hundredths10, .assumed, "the path of a NORMAL page"),
            .launchFinish: Timing(
                .microseconds(5_000), .hundredths10, .assumed,
                "SEVeriFast: the fixed part of a launch lies between 10 and 25 ms; how it divides is unknown"),
            .launchFinishIDBlock: Timing(
                .microseconds(20_000), .hundredths10, .assumed, "as without, and two ECDSA P-384 signatures to verify"),
            .guestRequestReport: Timing(
                .microseconds(7_500), .hundredths6, .fitted,
                "tacra-est: ioctl in the guest 7.91 ms, log-sd 0.059, less the assumed 0.4 ms outside the SP"),
            .guestRequestDerivedKey: Timing(
                .microseconds(1_000), .hundredths10, .assumed, "a key derivation, no signature"),
            .decommission: Timing(.microseconds(1_000), .hundredths10, .assumed, "no public figure"),
            .dataFabricFlush: Timing(.microseconds(5_000), .hundredths20, .assumed, "no public figure"),
            .platformStatus: Timing(
                .microseconds(230), .hundredths10, .assumed, "enarx-keepldr: legacy status ioctl 0.226 ms"),
            .pageReclaim: Timing(
                .microseconds(230), .hundredths10, .assumed, "the order of the legacy status command"),
            .platformCommand: Timing(
                .microseconds(5_000), .hundredths20, .assumed, "no public figure; the order of LAUNCH_FINISH"),
            .legacyLaunchUpdatePage: Timing(
                .nanoseconds(482_420), .hundredths1, .measured,
                "enarx-keepldr: 123.5 ms per MiB, 4720 ± 12 ms over ten runs"),
        ])
}

extension Nanoseconds {
    fileprivate static func nanoseconds(_ count: Int64) -> Self { Self(count) }
}
