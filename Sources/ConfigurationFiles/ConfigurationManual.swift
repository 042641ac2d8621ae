extension ConfigurationDocuments {
    /// spschedd.toml(5), in mdoc(7).
    package static var manual: String {
        head + DaemonConfiguration.sections.map(manual).joined() + policies + tail
    }

    private static func manual(_ section: (name: String, reason: String)) -> String {
        let entries = keys(of: section.name).map(manual)
        return ".Ss Section \(section.name)\n" + prose(section.reason) + ".Bl -tag -width Ds\n" + entries.joined()
            + ".El\n"
    }

    private static func manual(_ key: SettingKey<DaemonConfiguration>) -> String {
        manual(key, named: name(key), defaultText: defaultText(key))
    }

    private static func manual<Root>(_ key: SettingKey<Root>, named name: Substring, defaultText: String) -> String {
        ".It Ic \(name)\n" + prose(key.reason)
            + prose("Takes \(takes(key)); the default is \(defaultText).") + prose(key.effect.sentence)
    }

    private static var policies: String {
        let entries = PolicySettings.keys.map { key in
            manual(key, named: key.path[...], defaultText: key.read(PolicySettings(name: "")).toml)
        }
        return ".Ss Sections policy.NAME\n" + prose(PolicySettings.reason) + ".Bl -tag -width Ds\n" + entries.joined()
            + ".El\n"
    }

    /// Each sentence on a line of its own, as mdoc wants it, and lines of at most 78 characters.
    private static func prose(_ text: String) -> String {
        var sentences: [String] = []
        for part in text.split(separator: ". ") {
            sentences.append(part.hasSuffix(".") ? String(part) : part + ".")
        }
        return sentences.flatMap { wrapped(escaped($0), to: 78) }.map { "\($0)\n" }.joined()
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "'" where escaped.isEmpty, "." where escaped.isEmpty: escaped += "\\&\(character)"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static let head = #"""
        .\" Written by 'make documents' from the table of keys: change that, not this.
        .Dd November 26, 2026
        .Dt SPSCHEDD.TOML 5
        .Os
        .Sh NAME
        .Nm spschedd.toml
        .Nd configuration of the scheduler of the AMD Secure Processor
        .Sh SYNOPSIS
        .Bl -item -compact
        .It
        .Pa /etc/spschedd/spschedd.toml
        .It
        .Pa /etc/spschedd/spschedd.toml.d/*.toml
        .It
        .Pa /run/spschedd/spschedd.toml
        .It
        .Pa /run/spschedd/spschedd.toml.d/*.toml
        .It
        .Pa /usr/lib/spschedd/spschedd.toml
        .It
        .Pa /usr/lib/spschedd/spschedd.toml.d/*.toml
        .El
        .Sh DESCRIPTION
        .Xr spschedd 8
        works without a configuration: every setting has a default, and files name
        what differs from it.
        They are written in TOML: a section in brackets, and its keys below.
        .Pp
        First
        .Pa spschedd.toml
        is read, then every file in
        .Pa spschedd.toml.d
        whose name ends in
        .Pa .toml ,
        sorted by name, whichever of the three places it is in.
        Of files of the same name the one in
        .Pa /etc
        counts, else the one in
        .Pa /run ,
        else the one in
        .Pa /usr/lib ,
        which belongs to the vendor.
        What is read later prevails, key by key.
        An empty file, or a symbolic link to
        .Pa /dev/null ,
        masks the files of its name in lower places.
        .Pp
        With
        .Nm spschedd Fl -config Ar file
        that file is read, and no other.
        .Ss Values
        A
        .Em duration
        is a text of a whole number and its unit, nothing between:
        ns, us, ms, s, min or h, as in
        .Li \(dq500ms\(dq .
        A
        .Em rate
        is a text of requests per second with at most three decimals, as in
        .Li \(dq0.5/s\(dq .
        A
        .Em share
        is a text in percent with at most one decimal, as in
        .Li \(dq12.5%\(dq .
        A
        .Em mode
        is a text of octal digits, as in
        .Li \(dq0660\(dq .
        .Pp
        .Em SP time
        is time for which the Secure Processor works.
        A duration that is a part of each second is written as a duration: 200ms of
        each second is a fifth of what the SP can do.
        The other words (turn, reservation, surplus, floor, account) are explained in
        .Xr spschedd 8 .
        .Sh MISTAKES
        Nothing is applied of a configuration with a mistake in it.
        Every mistake is told at once, with its file and line: a daemon that starts
        ends with status 78 and is not started again, and one that runs keeps the
        configuration that it has.
        .Sh RELOADING
        .Ic systemctl reload spschedd ,
        .Ic spschedctl reload
        and
        .Dv SIGHUP
        read the files again.
        The answer names every setting that has changed, and from when on the new
        value counts, as told below for each.
        .Pp
        A reload takes nothing away from a VM that runs: its weight, limit, burst and
        longest wait are those that it registered with, and what it was promised
        stays promised.
        A reload under which a reservation that was granted could not be kept any
        more, or not as well, is refused as a whole.
        The refusal names the setting and what it lacks.
        .Sh SETTINGS

        """#

    private static let tail = #"""
        .Sh FILES
        .Bl -tag -width Ds
        .It Pa /usr/share/doc/spschedd/spschedd.toml
        every setting with its default, to begin with
        .El
        .Sh EXIT STATUS
        .Ic spschedctl config check
        ends with 0, or with 78 if there is a mistake.
        .Sh EXAMPLES
        An administrator's own file,
        .Pa /etc/spschedd/spschedd.toml.d/50-site.toml ,
        for an SP whose reports take 9 ms, and on which no account may reserve more
        than 40 reports a second:
        .Bd -literal -offset indent
        [planning_cost]
        report = "9ms"

        [arbiter]
        account_reservation_max = "40/s"
        .Ed
        .Pp
        What is read, what it comes to, and what of it is no default:
        .Bd -literal -offset indent
        spschedctl config cat
        spschedctl config check
        spschedctl config diff
        .Ed
        .Sh SEE ALSO
        .Xr spschedctl 1 ,
        .Xr spschedd 8
        .Rs
        .%T Configuration Files Specification
        .%R UAPI.6
        .%U https://uapi-group.org/specifications/specs/configuration_files_specification
        .Re

        """#
}
