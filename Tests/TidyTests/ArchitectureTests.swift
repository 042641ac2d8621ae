import Arbiter
import Testing

/// `docs/architecture.md` is the authority on what and why: it must not drift from the code.
@Suite("Architecture document")
struct ArchitectureTests {
    private let document: SourceFile

    init() throws { document = try #require(Repository.read("docs/architecture.md")) }

    @Test("it names every folder in Sources, and no other")
    func folders() {
        #expect(Self.foldersNamed(in: document.text) == Repository.folders(in: "Sources").sorted())
    }

    @Test("a folder that the document forgets, or invents, is noticed")
    func foldersCanary() {
        let text = "| folder in `Sources/` | x |\n|---|---|\n| `A` | a |\n| `B` | `C` |\n\n| `D` | other table |\n"
        #expect(Self.foldersNamed(in: text) == ["A", "B"])
    }

    @Test("its defaults are the code's", arguments: defaults)
    func defaultsAgree(_ expected: Default) {
        #expect(
            document.lines.contains("| \(expected.setting) | \(expected.value) |"),
            "the code's default is now: \(expected.setting) | \(expected.value)")
    }

    @Test("the largest fleet that it names is what the defaults yield")
    func largestFleet() {
        let configuration = Configuration()
        let promisable = configuration.capacityPerSecond - configuration.launchReservePerSecond
        let fleet = promisable.count / configuration.planningCosts.report.count
        #expect(document.text.contains("**\(fleet) VMs at one report per second"))
        let headRoom = Nanoseconds.seconds(1) - configuration.capacityPerSecond
        let minimum = Limits.leastRate.load(each: configuration.planningCosts.report)
        #expect(document.text.contains("enough for \(headRoom.count / minimum.count) VMs"))
    }

    /// The first cells of the table whose first heading is "folder in `Sources/`".
    private static func foldersNamed(in text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("| folder in `Sources/`") }.dropFirst(2)
            .prefix { $0.hasPrefix("|") }
            .compactMap { $0.firstMatch(of: /^\| `([^`]+)`/).map { String($0.1) } }
            .sorted()
    }

    struct Default: Sendable, CustomTestStringConvertible {
        let setting: String
        let value: String

        var testDescription: String { setting }
    }

    private static let defaults: [Default] = {
        let configuration = Configuration()
        let registration = Registration()
        return [
            Default(setting: "capacity", value: "\(milliseconds(configuration.capacityPerSecond))/s"),
            Default(setting: "launch reserve", value: "\(milliseconds(configuration.launchReservePerSecond))/s"),
            Default(setting: "β_L, launch burst", value: milliseconds(configuration.launchBurst)),
            Default(setting: "φ, floor share", value: "\(configuration.floorShare.perMille / 10) %"),
            Default(setting: "D, floor delay", value: milliseconds(configuration.floorDelay)),
            Default(setting: "h, hold", value: milliseconds(configuration.hold)),
            Default(setting: "chunk", value: "\(configuration.chunkPages) pages"),
            Default(setting: "A, ageing under `shortest-first`", value: seconds(configuration.launchAging)),
            Default(setting: "launch bucket of a VM", value: bucket(configuration.launchBucketVM)),
            Default(setting: "launch bucket of an account", value: bucket(configuration.launchBucketAccount)),
            Default(setting: "pages of a launch", value: "at most \(configuration.launchPagesMax) (1 GiB)"),
            Default(
                setting: "wall-clock time of a session", value: "at most \(seconds(configuration.launchWallClockMax))"),
            Default(setting: "`guest_wait_max`", value: milliseconds(configuration.guestWaitMax)),
            Default(setting: "`guest_wait_reserved`", value: seconds(configuration.guestWaitReserved)),
            Default(
                setting: "planning cost of a report",
                value: "\(configuration.planningCosts.report.count / 1_000) µs"),
            Default(
                setting: "planning cost of a page",
                value: "\(configuration.planningCosts.launchPage.count / 1_000) µs"),
            Default(setting: "reservation wanted", value: "\(registration.reservationWanted.millihertz / 1_000)/s"),
            Default(setting: "burst", value: "\(registration.burst)"),
            Default(setting: "weight", value: "\(registration.weight.value)"),
        ]
    }()

    private static func milliseconds(_ duration: Nanoseconds) -> String { "\(duration.count / 1_000_000) ms" }
    private static func seconds(_ duration: Nanoseconds) -> String { "\(duration.count / 1_000_000_000) s" }
    private static func bucket(_ bucket: LaunchBucket) -> String {
        "\(milliseconds(bucket.perSecond))/s, burst \(seconds(bucket.burst))"
    }
}
