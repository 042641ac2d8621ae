/// Slots 0 ..< capacity in the order of (key, tie), which also answers how much cost stands before a given place.
///
/// A treap with subtree counts and sums over fixed arrays: no allocation after `init`, expected O(log n) for every
/// operation. Keys are compared by their wrapping difference, so that a virtual time may run round.
/// Priorities are a hash of the slot: the same in every run, and nothing a client can choose.
struct RankedIndex: Sendable {
    private static let none: Int32 = -1

    private struct Node {
        var key: Int64 = 0
        var tie: Int64 = 0
        var cost: Int64 = 0
        var subtreeCost: Int64 = 0
        /// With itself; zero while it is outside.
        var subtreeCount: Int32 = 0
        var left: Int32 = RankedIndex.none
        var right: Int32 = RankedIndex.none
        var priority: UInt32 = 0

        @inline(__always)
        func precedes(key otherKey: Int64, tie otherTie: Int64) -> Bool {
            let difference = key &- otherKey
            return difference != 0 ? difference < 0 : tie < otherTie
        }
    }

    private var nodes: [Node]
    private var root = RankedIndex.none
    /// The first of all: asked for at every choice.
    private var leftmost = RankedIndex.none

    init(capacity: Int) {
        nodes = Array(repeating: Node(), count: capacity)
        for slot in nodes.indices { nodes[slot].priority = Self.priority(of: slot) }
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), its upper half.
    private static func priority(of slot: Int) -> UInt32 {
        var hash = UInt64(slot) &+ 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    var isEmpty: Bool { root == Self.none }
    var count: Int { root == Self.none ? 0 : Int(nodes[Int(root)].subtreeCount) }
    var totalCost: Nanoseconds { Nanoseconds(root == Self.none ? 0 : nodes[Int(root)].subtreeCost) }

    func contains(_ slot: Int) -> Bool { nodes[slot].subtreeCount > 0 }
    func key(of slot: Int) -> Int64 { nodes[slot].key }

    var first: Int? { leftmost == Self.none ? nil : Int(leftmost) }

    /// Inserts the slot, or moves it to its new place.
    mutating func set(_ slot: Int, key: Int64, tie: Int64, cost: Nanoseconds) {
        remove(slot)
        if leftmost == Self.none || !nodes[Int(leftmost)].precedes(key: key, tie: tie) { leftmost = Int32(slot) }
        nodes[slot].key = key
        nodes[slot].tie = tie
        nodes[slot].cost = cost.count
        root = Self.inserting(Int32(slot), into: root, &nodes)
    }

    /// Removes the slot if it is inside.
    mutating func remove(_ slot: Int) {
        guard nodes[slot].subtreeCount > 0 else { return }
        root = Self.removing(Int32(slot), from: root, &nodes)
        nodes[slot].subtreeCount = 0
        if leftmost == Int32(slot) { leftmost = Self.leftmost(under: root, nodes) }
    }

    /// How many slots, and how much of their cost, come before this place.
    func before(key: Int64, tie: Int64) -> (count: Int, cost: Nanoseconds) {
        var count = 0
        var cost: Int64 = 0
        var node = root
        while node != Self.none {
            let current = nodes[Int(node)]
            guard current.precedes(key: key, tie: tie) else {
                node = current.left
                continue
            }
            count += 1
            cost += current.cost
            if current.left != Self.none {
                count += Int(nodes[Int(current.left)].subtreeCount)
                cost += nodes[Int(current.left)].subtreeCost
            }
            node = current.right
        }
        return (count, Nanoseconds(cost))
    }

    func before(_ slot: Int) -> (count: Int, cost: Nanoseconds) {
        before(key: nodes[slot].key, tie: nodes[slot].tie)
    }

    /// The slot with `rank` others before it.
    func slot(atRank rank: Int) -> Int? {
        var remaining = Int32(rank)
        var node = root
        while node != Self.none {
            let left = nodes[Int(node)].left
            let leftCount = left == Self.none ? 0 : nodes[Int(left)].subtreeCount
            if remaining == leftCount { return Int(node) }
            if remaining < leftCount {
                node = left
            } else {
                remaining -= leftCount + 1
                node = nodes[Int(node)].right
            }
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
        var (parent, isRight) = (none, false)
        var node = root
        while node != none, nodes[Int(node)].priority >= priority {
            nodes[Int(node)].subtreeCount += 1
            nodes[Int(node)].subtreeCost += cost
            parent = node
            isRight = nodes[Int(node)].precedes(key: key, tie: tie)
            node = isRight ? nodes[Int(node)].right : nodes[Int(node)].left
        }
        let (before, after) = split(node, key: key, tie: tie, &nodes)
        nodes[Int(new)].left = before
        nodes[Int(new)].right = after
        update(new, &nodes)
        return replaceChild(of: parent, isRight, by: new, &nodes) ?? root
    }

    /// Walks down to the node, counting it out on the way, and puts its joined subtrees in its place.
    private static func removing(_ slot: Int32, from root: Int32, _ storage: inout [Node]) -> Int32 {
        var nodes = storage.mutableSpan
        let (key, tie, cost) = (nodes[Int(slot)].key, nodes[Int(slot)].tie, nodes[Int(slot)].cost)
        var (parent, isRight) = (none, false)
        var node = root
        while node != slot {
            precondition(node != none, "a slot marked as inside is not in the tree")
            nodes[Int(node)].subtreeCount -= 1
            nodes[Int(node)].subtreeCost -= cost
            parent = node
            isRight = nodes[Int(node)].precedes(key: key, tie: tie)
            node = isRight ? nodes[Int(node)].right : nodes[Int(node)].left
        }
        let joined = merge(nodes[Int(slot)].left, nodes[Int(slot)].right, &nodes)
        return replaceChild(of: parent, isRight, by: joined, &nodes) ?? root
    }

    /// Returns the new root if there is no parent.
    private static func replaceChild(
        of parent: Int32, _ isRight: Bool, by node: Int32, _ nodes: inout MutableSpan<Node>
    ) -> Int32? {
        guard parent != none else { return node }
        if isRight { nodes[Int(parent)].right = node } else { nodes[Int(parent)].left = node }
        return nil
    }

    private static func leftmost(under root: Int32, _ nodes: borrowing [Node]) -> Int32 {
        guard root != none else { return none }
        var node = root
        while nodes[Int(node)].left != none { node = nodes[Int(node)].left }
        return node
    }

    private static func update(_ node: Int32, _ nodes: inout MutableSpan<Node>) {
        let index = Int(node)
        let (left, right) = (nodes[index].left, nodes[index].right)
        var count: Int32 = 1
        var cost = nodes[index].cost
        if left != none {
            count += nodes[Int(left)].subtreeCount
            cost += nodes[Int(left)].subtreeCost
        }
        if right != none {
            count += nodes[Int(right)].subtreeCount
            cost += nodes[Int(right)].subtreeCost
        }
        nodes[index].subtreeCount = count
        nodes[index].subtreeCost = cost
    }

    private static func split(
        _ node: Int32, key: Int64, tie: Int64, _ nodes: inout MutableSpan<Node>
    ) -> (Int32, Int32) {
        guard node != none else { return (none, none) }
        if nodes[Int(node)].precedes(key: key, tie: tie) {
            let (before, after) = split(nodes[Int(node)].right, key: key, tie: tie, &nodes)
            nodes[Int(node)].right = before
            update(node, &nodes)
            return (node, after)
        }
        let (before, after) = split(nodes[Int(node)].left, key: key, tie: tie, &nodes)
        nodes[Int(node)].left = after
        update(node, &nodes)
        return (before, node)
    }

    private static func merge(_ before: Int32, _ after: Int32, _ nodes: inout MutableSpan<Node>) -> Int32 {
        if before == none { return after }
        if after == none { return before }
        if nodes[Int(before)].priority > nodes[Int(after)].priority {
            nodes[Int(before)].right = merge(nodes[Int(before)].right, after, &nodes)
            update(before, &nodes)
            return before
        }
        nodes[Int(after)].left = merge(before, nodes[Int(after)].left, &nodes)
        update(after, &nodes)
        return after
    }
}
