import Arbiter
import SPModel

extension HostPlan {
    /// The scene that `spschedctl demo` plays with real processes for one policy and number of antagonists: one launch
    /// after another beside Linux guests in a tight loop, which begin at the same random instants.
    ///
    /// - Parameter slot: the demonstration's seconds for each policy and number of antagonists.
    public static func demonstration(
        _ policy: HostPolicy, antagonists: Int, slot: Nanoseconds = .seconds(6), seed: UInt64 = 1,
        profile: LaunchProfile = .vmm64Pages
    ) -> HostPlan {
        let warmUp: Nanoseconds = antagonists == 0 ? .milliseconds(200) : min(.seconds(10), slot / 2)
        var plan = HostPlan(
            seed: seed, policy: policy, warmUp: warmUp, duration: slot, grace: max(.seconds(1), slot / 4))
        if antagonists > 0 { plan.guests = [GuestGroup("antagonist", count: antagonists)] }
        plan.launches = [LaunchGroup(profile: profile)]
        return plan
    }
}
