import Arbiter
import ManagerProtocol
import Testing

@testable import spschedd

/// Goal: requests for which a VM asked are not held against it, all others are, and neither a restart of the observer
/// nor a process number that is used again counts anything twice. Method: reports by hand.
@Suite struct RequestBookTests {
    private let vm = VMID(slot: 3, generation: 1)
    private let start = Instant(sinceBoot: .seconds(1_000))

    private func report(_ plain: Int64, _ extended: Int64, pid: Int32 = 7) -> ObservedReport {
        ObservedReport(
            processes: [ObservedProcess(pid: pid, name: "vmm", plain: plain, extended: extended)], lost: 0)
    }

    @Test func `A process of no VM asks for nothing`() {
        var book = RequestBook()
        book.note(report(2, 3), now: start) { _ in nil }
        #expect(book[7]?.unasked == 5 && book.bypassing(at: start) == 1)
        book.note(report(2, 7), now: start + .seconds(1)) { _ in nil }
        #expect(book[7]?.unasked == 9)
    }

    @Test func `What a process sent before its VM was registered is not held against the VM`() {
        var book = RequestBook()
        book.note(report(2, 1_000), now: start) { _ in nil }
        #expect(book[7]?.unasked == 1_002)
        book.note(report(2, 1_000), now: start + .seconds(1)) { _ in .init(vm: vm, asked: 0) }
        #expect(book[7]?.unasked == 2)
    }

    @Test func `A VM that asks for its extended requests is blamed for plain ones alone`() {
        var book = RequestBook()
        for count in Int64(0)...20 {
            // One more than asked for: it is on its way.
            book.note(report(0, 100 + count + 1), now: start + .seconds(count)) { _ in .init(vm: vm, asked: 40 + count)
            }
        }
        #expect(book[7]?.unasked == 0 && book.bypassing(at: start + .seconds(20)) == 0)
        book.note(report(4, 121), now: start + .seconds(21)) { _ in .init(vm: vm, asked: 60) }
        #expect(book[7]?.unasked == 4 && book.bypassing(at: start + .seconds(21)) == 1)
    }

    @Test func `A VM that stops asking is seen to, and one that stops sending is forgiven`() {
        var book = RequestBook()
        book.note(report(0, 10), now: start) { _ in .init(vm: vm, asked: 10) }
        book.note(report(0, 15), now: start + .seconds(1)) { _ in .init(vm: vm, asked: 10) }
        #expect(book[7]?.unasked == 4)
        #expect(book.bypassing(at: start + .seconds(11)) == 1)
        book.note(report(0, 15), now: start + .seconds(12)) { _ in .init(vm: vm, asked: 10) }
        #expect(book.bypassing(at: start + .seconds(12)) == 0 && book[7]?.unasked == 4)
        book.note(ObservedReport(processes: [], lost: 0), now: start + .seconds(200)) { _ in nil }
        #expect(book.isEmpty)
    }

    @Test func `An observer that begins anew, and a number that is used again, count from nothing`() {
        var book = RequestBook()
        book.note(report(50, 0), now: start) { _ in nil }
        book.note(report(1, 0), now: start + .seconds(1)) { _ in nil }
        #expect(book[7]?.unasked == 1)
        book.note(report(1, 9), now: start + .seconds(2)) { _ in .init(vm: vm, asked: 0) }
        let another = VMID(slot: 3, generation: 2)
        book.note(report(1, 9), now: start + .seconds(3)) { _ in .init(vm: another, asked: 0) }
        #expect(book[7]?.vm == another && book[7]?.unasked == 1)
    }

    @Test func `It remembers as many processes as there can be VMs, the latest`() {
        var book = RequestBook()
        for pid in Int32(1)...1_100 {
            book.note(report(1, 0, pid: pid), now: start + .milliseconds(Int64(pid))) { _ in nil }
        }
        #expect(book.bypassing(at: start + .seconds(2)) == 1_024)
        #expect(book[1] == nil && book[1_100] != nil)
        #expect(book.unaskedFirst().first?.pid == 1_100)
    }
}
