/// Slots 0 ..< capacity in the order of (key, tie), which also answers how much cost stands before a given place.
///
/// A treap with subtree counts and sums over fixed arrays: no allocation after `init`, expected O(log n) for every
/// operation. Keys are compared by their wrapping difference, so that a virtual time may run round.
/// Priorities are a hash of the slot: the same in every run, and nothing a client can choose.
///
/// Where to go at a node is a coin toss to the processor: the way down is found by indexing the two children with the
/// outcome, not by a branch that would be predicted wrongly at every second node.
struct RankedIndex: Sendable {
    /// Stands where there is no node, and has nothing below it. The node of a slot is the one after.
    private static let none: Int32 = 0

    private struct Node {
        var key: Int64 = 0
        var tie: Int64 = 0
        var cost: Int64 = 0
        var subtreeCost: Int64 = 0
        /// Those before it and those after it.
        var children: InlineArray<2, Int32> = [RankedIndex.none, RankedIndex.none]
        /// With itself; zero while it is outside.
        var subtreeCount: Int32 = 0
        var priority: UInt32 = 0

        /// Which child the place of (key, tie) lies below: 1 if this node comes before it.
        @inline(__always)
        func side(ofKey otherKey: Int64, tie otherTie: Int64) -> Int {
            let difference = key &- otherKey
            let isBefore = Int(truncatingIfNeeded: UInt64(bitPattern: difference) >> 63)
            let isSame = difference == 0 ? 1 : 0
            let isBeforeByTie = tie < otherTie ? 1 : 0
            return isBefore | (isSame & isBeforeByTie)
        }
    }

    private var nodes: [Node]
    private var root = RankedIndex.none
    /// The first of all: asked for at every choice.
    private var leftmost = RankedIndex.none

    init(capacity: Int) {
        nodes = Array(repeating: Node(), count: capacity + 1)
        for slot in 0..<capacity { nodes[slot + 1].priority = Self.priority(of: slot) }
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), its upper half.
    private static func priority(of slot: Int) -> UInt32 {
        var hash = UInt64(slot) &+ 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    var isEmpty: Bool { root == Self.none }
    var count: Int { Int(nodes[Int(root)].subtreeCount) }
    var totalCost: Nanoseconds { Nanoseconds(nodes[Int(root)].subtreeCost) }

    func contains(_ slot: Int) -> Bool { nodes[slot + 1].subtreeCount > 0 }
    func key(of slot: Int) -> Int64 { nodes[slot + 1].key }

    var first: Int? { leftmost == Self.none ? nil : Int(leftmost) - 1 }

    /// The last of all. O(log n).
    var last: Int? {
        var node = root
        while node != Self.none, nodes[Int(node)].children[1] != Self.none { node = nodes[Int(node)].children[1] }
        return node == Self.none ? nil : Int(node) - 1
    }

    /// Inserts the slot, or moves it to its new place.
    mutating func set(_ slot: Int, key: Int64, tie: Int64, cost: Nanoseconds) {
        remove(slot)
        let node = slot + 1
        if leftmost == Self.none || nodes[Int(leftmost)].side(ofKey: key, tie: tie) == 0 { leftmost = Int32(node) }
        nodes[node].key = key
        nodes[node].tie = tie
        nodes[node].cost = cost.count
        root = Self.inserting(Int32(node), into: root, &nodes)
    }

    /// Removes the slot if it is inside.
    mutating func remove(_ slot: Int) {
        let node = slot + 1
        guard nodes[node].subtreeCount > 0 else { return }
        root = Self.removing(Int32(node), from: root, &nodes)
        nodes[node].subtreeCount = 0
        if leftmost == Int32(node) { leftmost = Self.leftmost(under: root, nodes) }
    }

    /// How many slots, and how much of their cost, come before this place.
    func before(key: Int64, tie: Int64) -> (count: Int, cost: Nanoseconds) {
        let nodes = nodes.span
        var count = 0
        var cost: Int64 = 0
        var node = Int(root)
        while node != Int(Self.none) {
            let side = nodes[node].side(ofKey: key, tie: tie)
            let below = Int(nodes[node].children[0])
            // Itself and all before it, if it comes before the place.
            count &+= side &* (1 &+ Int(nodes[below].subtreeCount))
            cost &+= Int64(side) &* (nodes[node].cost &+ nodes[below].subtreeCost)
            node = Int(nodes[node].children[side])
        }
        return (count, Nanoseconds(cost))
    }

    func before(_ slot: Int) -> (count: Int, cost: Nanoseconds) {
        before(key: nodes[slot + 1].key, tie: nodes[slot + 1].tie)
    }

    /// The slot with `rank` others before it.
    func slot(atRank rank: Int) -> Int? {
        var remaining = Int32(rank)
        var node = root
        while node != Self.none {
            let before = nodes[Int(nodes[Int(node)].children[0])].subtreeCount
            if remaining == before { return Int(node) - 1 }
            let side = remaining < before ? 0 : 1
            if side == 1 { remaining -= before + 1 }
            node = nodes[Int(node)].children[side]
        }
        return nil
    }
}

// MARK: - The tree

extension RankedIndex {
    /// Walks down to where the priority belongs, counting the new node in on the way, and splits what is below.
    private static func inserting(_ new: Int32, into root: Int32, _ storage: inout [Node]) -> Int32 {
        // Checked for uniqueness once, not at each of its many uses.
        var nodes = storage.mutableSpan
        let (key, tie) = (nodes[Int(new)].key, nodes[Int(new)].tie)
        let (cost, priority) = (nodes[Int(new)].cost, nodes[Int(new)].priority)
        var (parent, side) = (none, 0)
        var node = root
        while node != none, nodes[Int(node)].priority >= priority {
            nodes[Int(node)].subtreeCount &+= 1
            nodes[Int(node)].subtreeCost &+= cost
            parent = node
            side = nodes[Int(node)].side(ofKey: key, tie: tie)
            node = nodes[Int(node)].children[side]
        }
        let (before, after) = split(node, key: key, tie: tie, &nodes)
        nodes[Int(new)].children = [before, after]
        update(new, &nodes)
        return replaceChild(of: parent, side, by: new, &nodes) ?? root
    }

    /// Walks down to the node, counting it out on the way, and puts its joined subtrees in its place.
    private static func removing(_ slot: Int32, from root: Int32, _ storage: inout [Node]) -> Int32 {
        var nodes = storage.mutableSpan
        let (key, tie, cost) = (nodes[Int(slot)].key, nodes[Int(slot)].tie, nodes[Int(slot)].cost)
        var (parent, side) = (none, 0)
        var node = root
        while node != slot {
            precondition(node != none, "a slot marked as inside is not in the tree")
            nodes[Int(node)].subtreeCount &-= 1
            nodes[Int(node)].subtreeCost &-= cost
            parent = node
            side = nodes[Int(node)].side(ofKey: key, tie: tie)
            node = nodes[Int(node)].children[side]
        }
        let joined = merge(nodes[Int(slot)].children[0], nodes[Int(slot)].children[1], &nodes)
        return replaceChild(of: parent, side, by: joined, &nodes) ?? root
    }

    /// Returns the new root if there is no parent.
    private static func replaceChild(
        of parent: Int32, _ side: Int, by node: Int32, _ nodes: inout MutableSpan<Node>
    ) -> Int32? {
        guard parent != none else { return node }
        nodes[Int(parent)].children[side] = node
        return nil
    }

    private static func leftmost(under root: Int32, _ nodes: borrowing [Node]) -> Int32 {
        var node = root
        var next = node
        while next != none {
            node = next
            next = nodes[Int(node)].children[0]
        }
        return node
    }

    private static func update(_ node: Int32, _ nodes: inout MutableSpan<Node>) {
        let index = Int(node)
        let (before, after) = (Int(nodes[index].children[0]), Int(nodes[index].children[1]))
        nodes[index].subtreeCount = 1 &+ nodes[before].subtreeCount &+ nodes[after].subtreeCount
        nodes[index].subtreeCost = nodes[index].cost &+ nodes[before].subtreeCost &+ nodes[after].subtreeCost
    }

    private static func split(
        _ node: Int32, key: Int64, tie: Int64, _ nodes: inout MutableSpan<Node>
    ) -> (Int32, Int32) {
        guard node != none else { return (none, none) }
        let side = nodes[Int(node)].side(ofKey: key, tie: tie)
        let (before, after) = split(nodes[Int(node)].children[side], key: key, tie: tie, &nodes)
        nodes[Int(node)].children[side] = side == 1 ? before : after
        update(node, &nodes)
        return side == 1 ? (node, after) : (before, node)
    }

    private static func merge(_ before: Int32, _ after: Int32, _ nodes: inout MutableSpan<Node>) -> Int32 {
        if before == none { return after }
        if after == none { return before }
        if nodes[Int(before)].priority > nodes[Int(after)].priority {
            nodes[Int(before)].children[1] = merge(nodes[Int(before)].children[1], after, &nodes)
            update(before, &nodes)
            return before
        }
        nodes[Int(after)].children[0] = merge(before, nodes[Int(after)].children[0], &nodes)
        update(after, &nodes)
        return after
    }

    // MARK: Its state

    /// By slot: the shape of the tree follows from the entries.
    func save(into words: inout [UInt64]) {
        words.put(count)
        for slot in 0..<nodes.count - 1 where contains(slot) {
            words.put(slot)
            words.put(nodes[slot + 1].key)
            words.put(nodes[slot + 1].tie)
            words.put(nodes[slot + 1].cost)
        }
    }

    /// Fills it; it must be empty.
    mutating func restore(_ state: inout StateReader) throws(StateProblem) {
        for _ in 0..<(try state.count(atMost: nodes.count - 1, "the entries of an index")) {
            let slot = try state.slot(below: nodes.count - 1)
            guard !contains(slot) else { throw state.problem("has a slot twice in an index") }
            set(slot, key: try state.integer(), tie: try state.integer(), cost: try state.duration())
        }
    }
}
