import Testing

@testable import Arbiter

/// Goal: leases, overdue turns, and the states of the device. Method: timelines with a device lane.
@Suite("Leases and the device")
struct DeviceTests {
    @Test("an overdue turn starts one probe; when it comes back, the turn is passed over")
    func revoked() throws {
        // The lease of a report: 4 × 7.5 ms + 50 ms.
        try play(
            """
            column 10ms
            a: guest
            b: turn 1
            D: device
            asks
            a  r
            b  .r
            D  ..........+
            expect
            SP aaaaaaaaaab
            a  ==========R
            b  .~~~~~~~~~=
            D  ........p
            """)
    }

    @Test("an overdue turn that is released in time is released, and the probe changes nothing")
    func releasedLate() throws {
        try play(
            """
            column 10ms
            a: guest
            b: turn 3
            D: device
            asks
            a  r........-
            b  .r
            D  ..........+
            expect
            SP aaaaaaaaabbb
            a  =========
            D  ........p
            """)
    }

    @Test("a probe passes over only turns that were overdue when it was asked for")
    func onlyOlder() throws {
        // The first probe is for a's trouble; b's turn becomes overdue while it is under way, so that another is
        // needed.
        try play(
            """
            column 10ms
            a: turn 9
            b: guest
            D: device
            asks
            a  rt
            b  .r
            D  ..........+....+
            expect
            SP abbbbbbbbbbbbbb
            b  .==============R
            D  .p........p
            """)
    }

    @Test("a probe that is not back within 2 s: the SP is stuck, guests get BUSY, and nothing is granted")
    func stuck() throws {
        try play(
            """
            column 100ms
            a: guest
            b: turn 1, wait 190
            C: pages 64, units 32, turn 1
            D: device
            asks
            s  0.........1.........2.........3
            a  r
            b  ..r.....................r
            C  ...u
            D  ..........................+
            expect
            SP aaaaaaaaaaaaaaaaaaaaaaaaaaC-
            a  ==========================R
            b  ..~~~~~~~~~~~~~~~~~~B...B
            b: deviceStuck, deviceStuck
            D  p...................s.....a
            """)
    }

    @Test("the SP is dead when ccp says so to our own probe: guests and launches get BUSY")
    func dead() throws {
        try play(
            """
            column 10ms
            a: guest
            b: turn 1
            C: pages 8, turn 1
            D: device
            asks
            a  r...........r
            b  .r
            C  ..s.........s
            D  ..........x
            expect
            SP aaaaaaaaaa
            a  ==========R.B
            b  .~~~~~~~~~B
            C  ..~~~~~~~~B.B
            D  ........p.d
            a: revoked, deviceDead
            b: deviceDead
            C: deviceDead, deviceDead
            """)
    }

    @Test("a dead SP is probed with doubling pauses, until it is back")
    func backoff() throws {
        try play(
            """
            column 500ms
            a: guest
            D: device
            asks
            s  0.1.2.3.4.5.6.7.8.9.
            a  r...............r
            D  .x.x...x........+
            expect
            a  =R..............B
            D  pd.p...p.......pa
            """)
    }

    @Test("a dead SP is probed at once when its device node comes back, as after a reload of the driver")
    func reload() throws {
        try play(
            """
            column 500ms
            a: guest
            D: device
            asks
            s  0.1.2.3.4.5.6.7.8.9.
            a  r
            D  .x.x...x....v.^+
            expect
            a  =R
            D  pd.p...p......pa
            """)
    }

    @Test("platform work that waits when the SP is found dead is answered, not forgotten")
    func platformAtDeath() throws {
        try play(
            """
            column 10ms
            a: guest
            P: platform, turn 1
            D: device
            asks
            a  r
            P  .p........p
            D  .........x
            expect
            P  .~~~~~~~~BB
            P: deviceDead, deviceDead
            """)
    }

    @Test("a probe that cannot be made says nothing about the device, and does not stop the host")
    func unavailable() throws {
        try play(
            """
            column 10ms
            a: guest
            b: turn 1
            D: device
            asks
            a  r
            b  .r
            D  .........?
            expect
            SP aaaaaaaaab
            a  =========R
            D  ........p
            """)
    }

    @Test("what clients say of the device causes one probe a second, and nothing more")
    func clientsTrouble() throws {
        try play(
            """
            column 50ms
            a: guest
            D: device
            asks
            s  0...................1
            a  rtrtrt..........rt..rtrt
            D  ..+...................+
            expect
            D  .p...................p
            SP a.a.a...........a...a.a
            """)
    }

    @Test("trouble that is told too early for a probe has it later, though nobody tells of it again")
    func lateTrouble() throws {
        try play(
            """
            column 50ms
            a: guest
            D: device
            asks
            s  0...................1
            a  rt.rt
            D  ..+...................x
            expect
            SP a..a
            D  .p...................pd
            """)
    }

    @Test("a release of the turn is not held up by the trouble that it reports")
    func troubleReleases() throws {
        try play(
            """
            column 1ms
            a: guest
            b: turn 2
            D: device
            asks
            a  r..t
            b  .r
            expect
            SP aaabb
            D  ...p
            """)
    }

    @Test("without a device turns are granted all the same")
    func absent() throws {
        try play(
            """
            column 1ms
            a: turn 2
            D: device
            asks
            a  ..r
            D  .v...^
            expect
            SP ..aa
            D  .n...a
            """)
    }

    @Test("a VM is charged its occupancy: from grant to release, or to the end of its lease")
    func occupancy() throws {
        let host = try play(
            """
            column 10ms
            a: turn 3
            b: guest
            D: device
            asks
            a  r
            b  ...r
            D  .....................+.
            expect
            SP aaabbbbbbbbbbbbbbbbbb
            b  ...==================R
            """)
        // Reports are predicted to take 30 ms after a's: a lease of 170 ms.
        let reports = host.arbiter.reports()
        #expect(reports.map(\.counters.guestService) == [.milliseconds(30), .milliseconds(170)])
        #expect(reports.map(\.counters.overdueTurns) == [0, 1])
    }

    @Test("an overdue turn beside a whole launch is passed over alone")
    func overdueBeside() throws {
        let quickFloor = Configuration.with {
            $0.floorShare = Share(percent: 50)
            $0.floorDelay = .milliseconds(20)
        }
        try play(
            """
            column 5ms
            A: pages 200, whole, turn 60
            b: wait 200
            D: device
            asks
            A  w
            b  r
            D  ............................+
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAA
            2  .......bbbbbbbbbbbbbbbbbbbbb
            b  ~~~~~~~=====================R
            """, quickFloor)
    }
}
