import Arbiter

/// What of a boot the SP has no part in.
public enum BootModel {
    /// Modelled: chosen so that a VM of 64 pages boots in 0.22 s on an idle host, the order of the 220 ± 50 ms that the
    /// kernel patch series reports for a host with 256 CPUs.
    public static let outsideTheSP = Nanoseconds.milliseconds(144)
}
