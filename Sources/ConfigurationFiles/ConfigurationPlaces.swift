import LinuxIO

/// Where the files of a system's configuration are, by the Configuration Files Specification (UAPI.6): the vendor's in
/// `/usr/lib`, those of this boot in `/run`, the administrator's in `/etc`.
///
/// Of files of one name the one of the highest place counts. First comes `spschedd.toml`, then what is in
/// `spschedd.toml.d`, sorted by name, wherever it is; what is read later prevails. An empty file, or a symbolic link to
/// `/dev/null`, masks those of its name.
public enum ConfigurationPlaces {
    /// The highest first.
    static let directories = ["/etc/spschedd", "/run/spschedd", "/usr/lib/spschedd"]
    static let name = "spschedd.toml"
    static let dropInDirectory = "spschedd.toml.d"
    static let suffix = ".toml"

    /// One file that is there, whether it is read or not.
    struct File: Equatable {
        let path: String
        /// Lower ones of its name, which do not count.
        let hidden: [String]
    }

    /// - Parameter root: what the system lies in; empty: this host's.
    static func files(in root: String) throws(ConfigurationError) -> [File] {
        var main: [String] = []
        for directory in directories {
            let path = "\(root)\(directory)/\(name)"
            if try isTaken(path) { main.append(path) }
        }
        let first = main.isEmpty ? [] : [File(path: main[0], hidden: Array(main.dropFirst()))]
        return first + (try dropIns(root))
    }

    private static func dropIns(_ root: String) throws(ConfigurationError) -> [File] {
        var paths: [String: [String]] = [:]
        for directory in directories {
            let path = "\(root)\(directory)/\(dropInDirectory)"
            for name in try names(in: path) { paths[name, default: []].append("\(path)/\(name)") }
        }
        // By bytes, as every system sorts them.
        return paths.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { File(path: $0.value[0], hidden: Array($0.value.dropFirst())) }
    }

    /// Of those that end as drop-ins do; hidden ones are editors'.
    private static func names(in directory: String) throws(ConfigurationError) -> [String] {
        guard try isTaken(directory) else { return [] }
        let names: [String]
        do throws(SystemError) {
            names = try Directory.names(in: directory, atMost: ConfigurationLimits.directoryNames + 1)
        } catch {
            throw problem(directory, "could not be listed: \(SystemError.sentence(for: error.code))")
        }
        guard names.count <= ConfigurationLimits.directoryNames else {
            throw problem(directory, "has more than \(ConfigurationLimits.directoryNames) files")
        }
        return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
    }

    private static func isTaken(_ path: String) throws(ConfigurationError) -> Bool {
        do throws(SystemError) { return try FilePath.isTaken(path) } catch {
            throw problem(path, "could not be looked at: \(SystemError.sentence(for: error.code))")
        }
    }

    private static func problem(_ file: String, _ message: String) -> ConfigurationError {
        ConfigurationError(ConfigurationProblem(file: file, message: message))
    }
}
