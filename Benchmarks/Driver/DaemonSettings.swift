/// How the daemon is configured for measuring, and why that differs from the defaults.
enum DaemonSettings {
    /// The defaults admit 259 VMs without a reservation: with more, the floor could not serve each within the patience
    /// of its guest. Reports that are planned at 0.3 ms and a floor of 20 % leave room for 1,000; nothing of it is on
    /// the path of a turn. And a VM of the round before should not be there in the next.
    static let base = """
        [arbiter]
        floor_share = "20%"

        [planning_cost]
        report = "300us"

        [clients]
        linger = "0s"

        [account]
        vms_max = 1024

        """

    static let sentence =
        "The daemon ran with a floor of 20 %, a report planned at 0.3 ms, 1,024 VMs for one account and no linger; "
        + "guests wait up to 20 s. Everything else is the default."

    /// Every decision is recorded in this file.
    static func trace(in path: String) -> String { "[trace]\nfile = \"\(path)\"\n" }

    /// The daemon looks for work this long before it sleeps.
    static let spin = """
        [loop]
        spin = "50us"

        """
    static let spinNanoseconds = 50_000

    /// Whether the daemon that was built knows these settings: `--check-config` says so.
    static func areKnown(_ settings: String, in workshop: borrowing Workshop) throws(BenchmarkProblem) -> Bool {
        let configuration = try workshop.write(settings, to: "check.toml")
        let program = try Program(
            workshop.daemon, ["--check-config", "--config", configuration], errors: workshop.fresh("check.log"))
        do {
            try program.finish()
            return true
        } catch .failed {
            return false
        }
    }
}
