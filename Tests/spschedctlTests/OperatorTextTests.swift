import ManagerProtocol
import Reporting
import Testing

@testable import spschedctl

/// Goal: what a VM calls itself does no harm to a terminal, and pictures fit it. Method: texts from made-up answers.
@Suite("What operators read") struct OperatorTextTests {
    @Test("a name cannot move the cursor, hide, or turn what follows")
    func printable() {
        #expect(Format.printable("web-3 ünï \u{1F680}") == "web-3 ünï \u{1F680}")
        #expect(Format.printable("\u{1B}[2J\u{202E}a\u{200B}\n") == "\\u{1B}[2J\\u{202E}a\\u{200B}\\u{A}")
    }

    @Test("what another program says is on one line, neither hides nor turns anything, and is not too long")
    func foreign() {
        #expect(String.foreign("no such disk: é 東 🦊") == "no such disk: é 東 🦊")
        #expect(String.foreign("a\u{202E}b\u{2066}\u{200B}\u{2028}\n") == #"a\u{202E}b\u{2066}\u{200B}\u{2028}\n"#)
        #expect(String.foreign(String(repeating: "x", count: 1_000)).count == LaunchLimits.foreignTextBytes + 1)
    }

    @Test("a picture is as wide as the terminal and one line lower, and clears what was there")
    func picture() {
        let text = (1...40).map { "line \($0) " + String(repeating: "x", count: 200) }.joined(separator: "\n")
        let lines = Screen.picture(text, columns: 80, rows: 24).split(separator: "\r\n")
        #expect(lines.count == 24)
        #expect(lines[0].hasPrefix("\u{1B}[Hline 1 ") && lines[0].hasSuffix("…\u{1B}[K"))
        #expect(lines[1].count == 80 + "\u{1B}[K".count)
        #expect(lines.last == "\u{1B}[J")
    }

    private func vm(_ slot: Int, _ name: String, generation: Int = 1, spTime: Int64, grants: Int64) -> ManagedVM {
        ManagedVM(
            slot: slot, generation: generation, uuid: "00000000-0000-4000-8000-000000000001", name: name,
            account: "uid 1", state: .idle, connections: 1, registeredNanoseconds: 5, reservationMillihertz: 1000,
            limitMillihertz: nil, weight: 100, burst: 3, retryPolicy: "linux", failureMode: "open",
            entitlementMillihertz: 1950, grants: grants, guestGrants: grants, busies: ["limit": grants],
            spTimeNanoseconds: spTime, launches: 0, overdueTurns: 0)
    }

    private func status(epoch: String, uptime: Int64, guests: Int64) -> ManagerStatus {
        ManagerStatus(
            version: "1", epoch: epoch, uptimeNanoseconds: uptime, device: .alive, devicePath: "/dev/sev",
            deviceDetail: nil, isDraining: false, registeredVMs: 2, registeredVMsMax: 1024,
            capacity: ManagedCapacity(
                capacityNanoseconds: 1, launchReserveNanoseconds: 1, reservedNanoseconds: 1, reservableMillihertz: 1,
                reportPlanningNanoseconds: 1, reportMeasuredNanoseconds: nil),
            launchOverload: false, turn: nil,
            queues: ManagedQueues(launchSessions: 0, guestRequests: 0, platformCommands: 0),
            counters: ManagedCounters(guestNanoseconds: guests))
    }

    @Test("top tells what happened between two looks, the busiest first")
    func top() {
        let before = Snapshot(
            status: status(epoch: "a", uptime: 1_000_000_000, guests: 0),
            vms: [vm(0, "idle", spTime: 5_000_000_000, grants: 70), vm(1, "busy", spTime: 0, grants: 0)])
        // Slot 2 is a VM that came meanwhile: all its figures are new.
        let now = Snapshot(
            status: status(epoch: "a", uptime: 3_000_000_000, guests: 1_000_000_000),
            vms: [
                vm(0, "idle", spTime: 5_000_000_000, grants: 70), vm(1, "busy", spTime: 1_000_000_000, grants: 8),
                vm(2, "new", spTime: 200_000_000, grants: 1),
            ])
        let picture = TopPicture(from: before, to: now)
        #expect(picture.rows.map(\.vm.name) == ["busy", "new", "idle"])
        #expect(picture.rows.map(\.share) == [0.5, 0.1, 0])
        #expect(picture.rows[0].grantsPerSecond == 4 && picture.rows[0].refusalsPerSecond == 4)
        #expect(picture.shares["guest"] == 0.5)
    }

    @Test("a daemon that began anew is not told as negative work")
    func restarted() {
        let before = Snapshot(
            status: status(epoch: "a", uptime: 90_000_000_000, guests: 9_000_000_000),
            vms: [vm(0, "x", spTime: 9_000_000_000, grants: 70)])
        let now = Snapshot(
            status: status(epoch: "b", uptime: 1_000_000_000, guests: 250_000_000),
            vms: [vm(0, "x", spTime: 250_000_000, grants: 3)])
        let picture = TopPicture(from: before, to: now)
        #expect(picture.rows[0].share == 0.25 && picture.shares["guest"] == 0.25)
    }

    @Test("an explanation names the reason, the holder and the time to come back")
    func explain() {
        let refusal = ManagedRefusal(
            reason: "launch_ahead", times: 3, sinceNanoseconds: 4_000_000_000, agoNanoseconds: 500_000_000,
            limit: "500ms", holder: "VM \"db\"", retryAfterNanoseconds: 2_000_000_000,
            retryInNanoseconds: 1_500_000_000, text: "A launch (VM \"db\") has the SP.")
        let standing = ManagedStanding(
            reservedRequests: 2, reservationOpensNanoseconds: 0, limitOpensNanoseconds: 0, skipsLimit: false,
            guestWaitMaxNanoseconds: 1, ageNanoseconds: 4_000_000_000, refusalsInARow: 3, isProtected: false,
            predictedStartNanoseconds: nil, launchDebtNanoseconds: 0, accountLaunchDebtNanoseconds: 0,
            launchPagesGranted: nil, launchPagesDeclared: nil)
        let text = ExplainText(
            ManagedExplanations(
                explanations: [
                    ManagedExplanation(
                        vm: vm(3, "web\u{202E}", spTime: 0, grants: 1), standing: standing, refusals: [refusal])
                ], rejections: [])
        ).text
        for part in [
            #"VM "web\u{202E}""#, "slot 3.1", "2 requests may come at once now", "refused 3 times in a row",
            "500.0 ms ago: launch_ahead, 3 times since 4.0 s ago; to come back in 1.5 s", #"(VM "db") has the SP"#,
        ] { #expect(text.contains(part), "\(part) in:\n\(text)") }
    }
}
