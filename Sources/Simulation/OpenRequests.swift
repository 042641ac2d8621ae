import Arbiter

/// A request that has had no terminal reply.
struct OpenRequest {
    let id: RequestID
    let tenant: Int?
    let kind: CommandKind
    let units: UInt32
    let arrivedAt: Instant
    let deadline: Instant
    /// Sent while another guest request of the VM was outstanding: it must be refused at once.
    let isExtra: Bool
    let firstAttempt: Instant
    /// Nothing but the rules' own order keeps it waiting; where a limit may, nothing is said.
    var isEligible = true
    /// Indivisible and longer than a chunk: it waits for earlier sessions.
    var isLong = false
    /// Inside the reservation, by the checker's own bucket.
    var isInsideReservation = false
    /// How many platform commands had begun when it came.
    var platformBefore: Int64 = 0
    /// How long it may wait, where the rules say it without knowing any level.
    var longestWait: Nanoseconds?
    /// Its client has hung up: a reply may still come in the same step, none is owed.
    var isWithdrawn = false

    var commandClass: CommandClass { kind.commandClass }
}

/// All requests that are open. Found by their tag, which no two of one world share.
struct OpenRequests {
    private(set) var entries: [OpenRequest] = []
    /// Where in `entries` the request of each tag stands, and one more; zero where it is not open.
    private var places: [Int32] = []

    /// How many guests wait that no limit holds back, and how many requests of any kind.
    private(set) var guestsEligible = 0
    private(set) var eligible = 0
    private(set) var eligibleLong = 0
    private(set) var withdrawn = 0
    /// How many guest requests each tenant has open.
    private var guests: [Int32]
    /// No time-out is due before. Requests that went may have been the reason for it.
    private(set) var nextTimeOut = Instant.distantFuture

    init(tenants: Int) { guests = Array(repeating: 0, count: tenants) }

    func hasGuest(of tenant: Int) -> Bool { guests[tenant] > 0 }

    var isEmpty: Bool { entries.isEmpty }
    var first: OpenRequest? { entries.first }

    private func place(of tag: UInt64) -> Int? {
        guard tag < places.count, places[Int(tag)] > 0 else { return nil }
        return Int(places[Int(tag)]) - 1
    }

    subscript(id: RequestID) -> OpenRequest? {
        guard let place = place(of: id.tag), entries[place].id == id else { return nil }
        return entries[place]
    }

    func contains(where matches: (OpenRequest) -> Bool) -> Bool { entries.contains(where: matches) }

    mutating func append(_ request: OpenRequest) {
        let tag = Int(request.id.tag)
        while places.count <= tag { places.append(0) }
        entries.append(request)
        places[tag] = Int32(entries.count)
        count(request, by: 1)
        nextTimeOut = min(nextTimeOut, request.timesOut)
    }

    @discardableResult
    mutating func remove(_ id: RequestID) -> OpenRequest? {
        guard let place = place(of: id.tag), entries[place].id == id else { return nil }
        let request = entries[place]
        count(request, by: -1)
        places[Int(id.tag)] = 0
        let last = entries.removeLast()
        if place < entries.count {
            entries[place] = last
            places[Int(last.id.tag)] = Int32(place) + 1
        }
        return request
    }

    mutating func withdraw(at index: Int) {
        guard !entries[index].isWithdrawn else { return }
        entries[index].isWithdrawn = true
        withdrawn += 1
    }

    mutating func removeWithdrawn() {
        guard withdrawn > 0 else { return }
        for id in entries.filter(\.isWithdrawn).map(\.id) { remove(id) }
    }

    /// Looks at all once more, when the first time-out may have come.
    mutating func findNextTimeOut() {
        nextTimeOut = entries.reduce(.distantFuture) { min($0, $1.timesOut) }
    }

    private mutating func count(_ request: OpenRequest, by sign: Int) {
        if request.isWithdrawn, sign < 0 { withdrawn -= 1 }
        if request.commandClass == .guest, let tenant = request.tenant { guests[tenant] += Int32(sign) }
        guard request.isEligible else { return }
        eligible += sign
        if request.isLong { eligibleLong += sign }
        if request.commandClass == .guest { guestsEligible += sign }
    }
}

extension OpenRequest {
    /// When it must have had its reply at the latest, as far as that can be known.
    var timesOut: Instant { longestWait.map { min(deadline, arrivedAt + $0) } ?? deadline }
}
