import Arbiter
import ConfigurationFiles

/// Reads a fleet file. Every mistake in it is reported, not only the first.
public enum FleetFile {
    /// The fleet in the file at `path`, and the configuration in the file that it names, if it does.
    public static func load(_ path: String) throws(ConfigurationError) -> Fleet {
        try parse(try TOMLDocument.read(path), file: path) { named throws(ConfigurationError) in
            try ConfigurationFile.load(beside(path, named))
        }
    }

    /// `file` is how messages call it; `load` reads a configuration that the fleet names.
    package static func parse(
        _ text: String, file: String, load: (String) throws(ConfigurationError) -> DaemonConfiguration
    ) throws(ConfigurationError) -> Fleet {
        var reader = FleetReader(file: file)
        let fleet = reader.fleet(try TOMLDocument.parse(text, file: file), load)
        try reader.settings.throwProblems()
        return fleet
    }

    /// A path in a file is meant from where that file is.
    private static func beside(_ file: String, _ named: String) -> String {
        guard !named.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return named }
        return file[...slash] + named
    }
}

private struct FleetReader {
    var settings: SettingsReader

    init(file: String) { settings = SettingsReader(file: file) }

    private static let lists = ["group", "unjoined"]
    private static let keys: [SettingKey<Fleet>] = [.choice("sp", \.sp, "Which SP of the model the host has.")]
    private static let top = SettingKeys(keys)

    mutating func fleet(
        _ root: TOMLSection, _ load: (String) throws(ConfigurationError) -> DaemonConfiguration
    ) -> Fleet {
        var fleet = Fleet()
        for entry in root.entries {
            settings.note(entry.name, entry.line)
            switch entry.name {
            case "configuration": fleet.configuration = configuration(entry.value, load)
            case "group": fleet.groups = groups(entry, FleetGroup.keys)
            case "unjoined": fleet.unjoined = groups(entry, UnjoinedGroup.keys)
            case _ where Self.top.paths.contains(entry.name):
                settings.set(TOMLSection(entries: [entry]), of: &fleet, Self.top)
            default: reportUnknown(entry)
            }
        }
        reportContradictions(of: fleet)
        return fleet
    }

    private mutating func reportUnknown(_ entry: TOMLSection.Entry) {
        settings.report(entry.name, "unknown key") {
            let known =
                Self.lists.map { ($0, "[[\($0)]]") } + [("configuration", "[configuration]")]
                + Self.top.paths.map { ($0, $0) }
            let nearest = NearestKey.to(entry.name, among: known.map(\.0))
            let meant = known.first { $0.0 == nearest }.map { "; did you mean \($0.1)?" }
            return meant ?? ". A fleet has [[group]], [[unjoined]], [configuration]"
        }
    }

    // MARK: The configuration

    private mutating func configuration(
        _ value: TOMLValue, _ load: (String) throws(ConfigurationError) -> DaemonConfiguration
    ) -> DaemonConfiguration {
        switch value {
        case .section(let sections):
            settings.place = "configuration."
            defer { settings.place = "" }
            return settings.configuration(sections)
        case .text(let path):
            do {
                return try load(path)
            } catch {
                settings.report("configuration", "the daemon's configuration that is named here has mistakes:")
                settings.report(error.problems)
            }
        default:
            settings.report(
                "configuration",
                "expected sections such as [configuration.arbiter] with the daemon's keys, or the path of a"
                    + " configuration file; found \(value.found)")
        }
        return DaemonConfiguration()
    }

    // MARK: Groups

    private mutating func groups<Group: GuestGroupPlan>(
        _ entry: TOMLSection.Entry, _ keys: [SettingKey<Group>]
    ) -> [Group] {
        let name = entry.name
        guard case .list(let members) = entry.value else {
            settings.report(name, "is a list: write [[\(name)]] above the keys of each; found \(entry.value.found)")
            return []
        }
        guard members.count <= FleetLimits.groups else {
            settings.report(name, "there may be at most \(FleetLimits.groups); found \(members.count)")
            return []
        }
        let known = SettingKeys(keys)
        return members.enumerated().compactMap { index, member in
            guard case .section(let section) = member else {
                settings.report("\(name)[\(index + 1)]", "expected the keys of a \(name); found \(member.found)")
                return nil
            }
            return group(section, name, number: index + 1, known)
        }
    }

    private mutating func group<Group: GuestGroupPlan>(
        _ section: TOMLSection, _ list: String, number: Int, _ keys: SettingKeys<Group>
    ) -> Group {
        var group = Group(name: "\(list)-\(number)")
        settings.place = "\(list)[\(Self.title(of: section) ?? "\(number)")]."
        defer { settings.place = "" }
        settings.note("count", section.line)
        settings.set(section, of: &group, keys)
        if !section.entries.contains(where: { $0.name == "count" }) {
            settings.report("count", "is missing: say how many there are")
        }
        reportContradictions(of: group)
        return group
    }

    /// The name by which messages call a group, if it has one that can be quoted.
    private static func title(of section: TOMLSection) -> String? {
        guard case .text(let name)? = section.entries.first(where: { $0.name == "name" })?.value,
            ConfigurationKind.word(lengthMax: FleetLimits.nameLength).parse(.text(name)) != nil
        else { return nil }
        return name
    }

    // MARK: What cannot be meant together

    private mutating func reportContradictions(of group: some GuestGroupPlan) {
        settings.expect(
            group.guest.atOnce == 1 || group.guest.requests.hasSchedule, "requests_at_once",
            "needs a rate in requests: in a tight loop, or without requests, nothing comes at once")
        guard let group = group as? FleetGroup else { return }
        settings.expect(
            group.launches.spacing == .even || group.launches.perThousandMinutes % 1_000 == 0, "launches_per_minute",
            "must be a whole number where launch_spacing is \"random\"")
        let (wanted, least) = (group.reservation ?? .zero, group.reservationLeast ?? .zero)
        settings.expect(
            least <= wanted, "reservation_least",
            "must not exceed reservation (\(group.reservation.map(RateText.write) ?? "none"))")
        if let limit = group.limit {
            settings.expect(least <= limit, "reservation_least", "must not exceed limit (\(RateText.write(limit)))")
        }
    }

    private mutating func reportContradictions(of fleet: Fleet) {
        if fleet.groups.isEmpty, settings.problems.isEmpty {
            settings.report("group", "is missing: a fleet has at least one [[group]] with a count")
        }
        let counts =
            [("group", fleet.virtualMachines, FleetLimits.virtualMachines)]
            + [("unjoined", fleet.unjoinedGuests, FleetLimits.unjoined)]
        for (list, count, most) in counts where count > most {
            settings.report("\(list).count", "all together there may be at most \(most); found \(count)")
        }
        reportRepeated(fleet.groups.map(\.name), "group")
        reportRepeated(fleet.unjoined.map(\.name), "unjoined")
    }

    private mutating func reportRepeated(_ names: [String], _ list: String) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            settings.report("\(list)[\(name)].name", "another \(list) has the same name")
        }
    }
}
