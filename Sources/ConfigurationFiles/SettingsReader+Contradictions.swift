import Arbiter

extension SettingsReader {
    /// Values that are each inside their bounds and still cannot be meant together.
    mutating func reportContradictions(of configuration: DaemonConfiguration) {
        let arbiter = configuration.arbiter
        expect(
            arbiter.launchReservePerSecond < arbiter.capacityPerSecond, "arbiter.launch_reserve",
            "must be less than \(place)arbiter.capacity (\(DurationText.write(arbiter.capacityPerSecond)))",
            orAt: "arbiter.capacity")
        expect(
            arbiter.guestWaitMax <= arbiter.guestWaitReserved, "arbiter.guest_wait_max",
            "must not exceed \(place)arbiter.guest_wait_reserved (\(DurationText.write(arbiter.guestWaitReserved)))",
            orAt: "arbiter.guest_wait_reserved")
        // Sums over every VM's launch then stay far inside 64 bits.
        let pagesMax = Nanoseconds.seconds(86_400).count / arbiter.planningCosts.launchPage.count
        expect(
            Int64(arbiter.launchPagesMax) <= pagesMax, "arbiter.launch_pages_max",
            "must be at most \(pagesMax): with \(place)planning_cost.launch_page"
                + " (\(DurationText.write(arbiter.planningCosts.launchPage))) one launch would be reckoned to take more"
                + " than a day", orAt: "planning_cost.launch_page")
        reportContradictions(of: configuration.policies)
        expect(
            configuration.vmm.path != configuration.manager.path, "manager.socket",
            "must differ from \(place)vmm.socket", orAt: "vmm.socket")
    }

    /// - Parameter other: the key that it depends on: the line is that one's where `key` is not written.
    package mutating func expect(_ holds: Bool, _ key: String, _ message: String, orAt other: String? = nil) {
        if !holds { report(key, message, orAt: other) }
    }
}
