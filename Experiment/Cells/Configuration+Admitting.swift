import Arbiter

extension Configuration {
    /// The defaults, with the least floor share in whole tenths that admits so many VMs: each must be reached within 20
    /// s by the floor alone. 10 % admits 259.
    static func admitting(_ virtualMachines: Int) -> Configuration {
        var configuration = Configuration()
        while configuration.patience(of: virtualMachines) > Limits.frozenMax, configuration.floorShare.perMille < 1_000
        {
            configuration.floorShare = Share(perMille: configuration.floorShare.perMille + 100)
        }
        return configuration
    }

    private func patience(of virtualMachines: Int) -> Nanoseconds {
        PromiseBounds(self).patience(virtualMachines: Int64(virtualMachines), turns: 1)
    }
}
