import Arbiter
import Testing

@testable import CapacityPlanning

@Suite("Admission of a fleet")
struct FleetAdmissionTests {
    private func fleet(_ count: Int64, change: (inout FleetGroup) -> Void = { _ in }) -> Fleet {
        var fleet = Fleet()
        var group = FleetGroup(name: "a")
        group.count = count
        change(&group)
        fleet.groups = [group]
        return fleet
    }

    private func reserving(_ count: Int64) -> Fleet {
        fleet(count) {
            $0.reservation = .perSecond(1)
            $0.reservationLeast = .perSecond(1)
        }
    }

    @Test("100 VMs may reserve 1/s at the defaults, and not one more")
    func reservations() throws {
        #expect(FleetAdmission(reserving(100)).isFulfilled)
        let refused = FleetAdmission(reserving(101))
        #expect(!refused.isAdmitted && refused.groups[0].admitted == 100)
        #expect(refused.firstRefusal?.setting == "arbiter.capacity")
        #expect(refused.firstRefusal?.sentence.contains("0 requests/s is left") == true)
        let largest = LargestFleet(reserving(7), fulfilled: true)
        #expect(largest.virtualMachines == 100 && largest.refusal?.setting == "arbiter.capacity")
    }

    @Test("259 VMs without a reservation are admitted at the defaults; a larger floor admits more")
    func patience() {
        var unreserved = fleet(3) { $0.reservation = nil }
        let largest = LargestFleet(unreserved, fulfilled: false)
        #expect(largest.virtualMachines == 259 && largest.refusal?.setting == "arbiter.floor_share")
        unreserved.configuration.arbiter.floorShare = Share(percent: 40)
        #expect(LargestFleet(unreserved, fulfilled: false).refusal?.setting == "account.vms_max")
        unreserved.configuration.account.vmsMax = 4_096
        let most = LargestFleet(unreserved, fulfilled: false)
        #expect(most.virtualMachines == 1_024 && most.refusal?.setting == "clients.vms_max")
    }

    @Test("129 guests that must not be refused twice are admitted at the defaults")
    func impatience() {
        let once = fleet(1) {
            $0.reservation = nil
            $0.guest.kind = .once
        }
        #expect(LargestFleet(once, fulfilled: false).virtualMachines == 129)
    }

    @Test("a fleet that may reserve less is admitted beyond what can be reserved in full")
    func partial() throws {
        let fleet = fleet(150)
        let admission = FleetAdmission(fleet)
        #expect(admission.isAdmitted && !admission.isFulfilled)
        #expect(admission.groups[0].granted.first?.count == 100)
        #expect(admission.groups[0].unfulfilled == 50)
        let full = LargestFleet(fleet, fulfilled: true)
        #expect(full.virtualMachines == 100 && full.refusal?.setting == "arbiter.capacity")
        #expect(LargestFleet(fleet, fulfilled: false).virtualMachines > 200)
    }

    @Test("a larger burst lets the wait inside reservations bind")
    func reservedWait() {
        let bursty = fleet(50) {
            $0.reservationLeast = .perSecond(1)
            $0.burst = 10
        }
        #expect(LargestFleet(bursty, fulfilled: true).refusal?.setting == "arbiter.guest_wait_reserved")
    }

    @Test("VMs of several accounts are counted apart")
    func accounts() {
        var fleet = fleet(700) { $0.reservation = nil }
        fleet.configuration.arbiter.floorShare = Share(percent: 40)
        fleet.groups.append(fleet.groups[0])
        fleet.groups[1].name = "b"
        #expect(FleetAdmission(fleet).firstRefusal?.setting == "account.vms_max")
        fleet.groups[1].account = "other"
        fleet.groups[1].count = 300
        #expect(FleetAdmission(fleet).isAdmitted)
        fleet.configuration.arbiter.accountReservationMax = .perSecond(3)
        fleet.groups[0].count = 10
        fleet.groups[0].reservation = .perSecond(1)
        fleet.groups[0].reservationLeast = .perSecond(1)
        #expect(FleetAdmission(fleet).firstRefusal?.setting == "arbiter.account_reservation_max")
    }

    @Test("what is left is what a further group may take")
    func room() {
        let fleet = reserving(60)
        #expect(FleetAdmission(fleet).rateLeft == .perSecond(40))
        let room = FleetAdmission.room(in: fleet, for: 0, fulfilled: true)
        #expect(room.count == 40 && room.refusal?.setting == "arbiter.capacity")
    }

    @Test("how much of each setting is used is told, and what is used most")
    func uses() throws {
        var fleet = reserving(60)
        fleet.groups[0].launches.perThousandMinutes = 60_000
        let admission = FleetAdmission(fleet)
        let capacity = try #require(admission.uses.first { $0.key == "arbiter.capacity" })
        #expect(capacity.used == .time(.milliseconds(450)) && capacity.limit == .time(.milliseconds(750)))
        // One launch a second: 5.3 + 5 + 65 × 1 ms.
        let launches = try #require(admission.uses.first { $0.key == "arbiter.launch_reserve" })
        #expect(launches.used == .time(Nanoseconds(75_300_000)))
        #expect(admission.tightest?.key == "arbiter.capacity")
    }

    @Test("settings are named that admit the fleet, and each of them is as small a change as does")
    func remedy() throws {
        var unreserved = fleet(600) { $0.reservation = nil }
        let remedy = try #require(FleetAnswers(unreserved).remedy)
        #expect(remedy.isEnough)
        #expect(remedy.changes == [.init(key: "arbiter.floor_share", was: "\"10%\"", value: "\"24%\"")])
        unreserved.configuration.arbiter.floorShare = Share(percent: 24)
        #expect(FleetAdmission(unreserved).isAdmitted && FleetAnswers(unreserved).remedy == nil)
        unreserved.configuration.arbiter.floorShare = Share(percent: 23)
        #expect(!FleetAdmission(unreserved).isAdmitted)
    }

    @Test("where one setting is not enough, all that are needed are named together")
    func remedies() throws {
        var crowd = fleet(2_000) { $0.reservation = nil }
        let changes = FleetRemedy(crowd).changes
        #expect(
            changes.map(\.key) == ["arbiter.floor_share", "account.vms_max", "clients.vms_max"]
                && changes.map(\.value) == ["\"78%\"", "2000", "2000"])
        crowd.configuration.arbiter.floorShare = Share(percent: 78)
        crowd.configuration.account.vmsMax = 2_000
        crowd.configuration.clients.vmsMax = 2_000
        #expect(FleetAdmission(crowd).isAdmitted)
    }

    @Test("launches keep of their reserve what they take")
    func launches() {
        let busy = fleet(120) {
            $0.reservationLeast = .perSecond(1)
            $0.launches.perThousandMinutes = 60_000
        }
        // A launch a second takes 75.3 ms, and 120 reports 900 ms: 980 ms are needed, of which 80 for launches.
        let remedy = FleetRemedy(busy)
        #expect(remedy.isEnough)
        #expect(remedy.changes.map(\.value) == ["\"980ms\"", "\"80ms\""])
    }

    @Test("600 VMs cannot all be promised 1/s, whatever is set: what they may reserve is told")
    func noRemedy() throws {
        var fleet = reserving(600)
        let answers = FleetAnswers(fleet)
        let remedy = try #require(answers.remedy)
        // All of each second, and no launches to keep anything for: 1,000 ms / 7.5 ms.
        #expect(!remedy.isEnough && remedy.largest.virtualMachines == 133)
        let smaller = try #require(answers.smallerReservations)
        // 750 ms / 600 / 7.5 ms.
        #expect(smaller.most == Rate(millihertz: 165))
        #expect(smaller.remedy.changes.map(\.key) == ["arbiter.guest_wait_reserved", "arbiter.floor_share"])
        fleet.groups[0].reservation = smaller.most
        fleet.groups[0].reservationLeast = smaller.most
        #expect(FleetRemedy(fleet).changes == smaller.remedy.changes)
    }

    @Test("what nothing admits has no remedy, with reservations or without")
    func hopeless() {
        let answers = FleetAnswers(fleet(4_000) { $0.guest.kind = .never })
        #expect(answers.remedy?.isEnough == false && answers.smallerReservations == nil)
    }

    @Test("a larger launch reserve is named only where the fleet would still be admitted")
    func launchReserve() {
        let few = fleet(10) {
            $0.reservationLeast = .perSecond(1)
            $0.launches.perThousandMinutes = 240_000
        }
        let answers = FleetAnswers(few)
        #expect(answers.launchesExceedReserve && answers.launchReserveNeeded == .milliseconds(310))
        var full = few
        full.groups[0].count = 100
        #expect(FleetAnswers(full).launchesExceedReserve && FleetAnswers(full).launchReserveNeeded == nil)
    }

    @Test("a group whose count is scaled keeps its part of the fleet")
    func scaled() {
        var fleet = fleet(30)
        fleet.groups.append(fleet.groups[0])
        fleet.groups[1].count = 10
        #expect(fleet.scaled(to: 80).groups.map(\.count) == [60, 20])
        #expect(fleet.scaled(to: 5).groups.map(\.count) == [3, 1])
        #expect(fleet.scaled(to: 40) == fleet)
    }
}
