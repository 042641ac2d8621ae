/// The version of this package, as all its programs tell it.
public enum PackageVersion {
    public static let current = "0.1.0"
}
