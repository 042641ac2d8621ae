import Arbiter

extension DaemonConfiguration {
    /// Values that are each inside their bounds and still cannot be meant together.
    /// `path` stands before each key in the file.
    func contradictions(file: String, at path: String) -> [ConfigurationProblem] {
        var found: [ConfigurationProblem] = []
        func expect(_ holds: Bool, _ key: String, _ message: String) {
            if !holds { found.append(ConfigurationProblem(file: file, key: path + key, message: message)) }
        }
        expect(
            arbiter.launchReservePerSecond < arbiter.capacityPerSecond, "arbiter.launch_reserve",
            "must be less than \(path)arbiter.capacity (\(DurationText.write(arbiter.capacityPerSecond)))")
        expect(
            arbiter.guestWaitMax <= arbiter.guestWaitReserved, "arbiter.guest_wait_max",
            "must not exceed \(path)arbiter.guest_wait_reserved (\(DurationText.write(arbiter.guestWaitReserved)))")
        // Sums over every VM's launch then stay far inside 64 bits.
        let pagesMax = Nanoseconds.seconds(86_400).count / arbiter.planningCosts.launchPage.count
        expect(
            Int64(arbiter.launchPagesMax) <= pagesMax, "arbiter.launch_pages_max",
            "must be at most \(pagesMax): with \(path)planning_cost.launch_page"
                + " (\(DurationText.write(arbiter.planningCosts.launchPage))) one launch would be reckoned to take more"
                + " than a day")
        expect(vmm.path != manager.path, "manager.socket", "must differ from \(path)vmm.socket")
        return found
    }
}
