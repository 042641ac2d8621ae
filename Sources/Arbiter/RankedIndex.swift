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
        var subtreeCount: Int32 = 0
        var left: Int32 = RankedIndex.none
        var right: Int32 = RankedIndex.none
        var priority: UInt32 = 0
        var isInside = false

        func precedes(key otherKey: Int64, tie otherTie: Int64) -> Bool {
            let difference = key &- otherKey
            return difference != 0 ? difference < 0 : tie < otherTie
        }
    }

    private var nodes: [Node]
    private var root = RankedIndex.none

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

    func contains(_ slot: Int) -> Bool { nodes[slot].isInside }
    func key(of slot: Int) -> Int64 { nodes[slot].key }

    var first: Int? {
        guard root != Self.none else { return nil }
        var node = root
        while nodes[Int(node)].left != Self.none { node = nodes[Int(node)].left }
        return Int(node)
    }

    /// Inserts the slot, or moves it to its new place.
    mutating func set(_ slot: Int, key: Int64, tie: Int64, cost: Nanoseconds) {
        remove(slot)
        nodes[slot].key = key
        nodes[slot].tie = tie
        nodes[slot].cost = cost.count
        nodes[slot].left = Self.none
        nodes[slot].right = Self.none
        nodes[slot].isInside = true
        update(Int32(slot))
        let (before, after) = split(root, key: key, tie: tie)
        root = merge(merge(before, Int32(slot)), after)
    }

    /// Removes the slot if it is inside.
    mutating func remove(_ slot: Int) {
        guard nodes[slot].isInside else { return }
        root = removing(Int32(slot), from: root)
        nodes[slot].isInside = false
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

    private mutating func update(_ node: Int32) {
        let index = Int(node)
        let (left, right) = (nodes[index].left, nodes[index].right)
        var count: Int32 = 1
        var cost = nodes[index].cost
        if left != Self.none {
            count += nodes[Int(left)].subtreeCount
            cost += nodes[Int(left)].subtreeCost
        }
        if right != Self.none {
            count += nodes[Int(right)].subtreeCount
            cost += nodes[Int(right)].subtreeCost
        }
        nodes[index].subtreeCount = count
        nodes[index].subtreeCost = cost
    }

    private mutating func split(_ node: Int32, key: Int64, tie: Int64) -> (Int32, Int32) {
        guard node != Self.none else { return (Self.none, Self.none) }
        if nodes[Int(node)].precedes(key: key, tie: tie) {
            let (before, after) = split(nodes[Int(node)].right, key: key, tie: tie)
            nodes[Int(node)].right = before
            update(node)
            return (node, after)
        }
        let (before, after) = split(nodes[Int(node)].left, key: key, tie: tie)
        nodes[Int(node)].left = after
        update(node)
        return (before, node)
    }

    private mutating func merge(_ before: Int32, _ after: Int32) -> Int32 {
        if before == Self.none { return after }
        if after == Self.none { return before }
        if nodes[Int(before)].priority > nodes[Int(after)].priority {
            nodes[Int(before)].right = merge(nodes[Int(before)].right, after)
            update(before)
            return before
        }
        nodes[Int(after)].left = merge(before, nodes[Int(after)].left)
        update(after)
        return after
    }

    private mutating func removing(_ slot: Int32, from node: Int32) -> Int32 {
        precondition(node != Self.none, "a slot marked as inside is not in the tree")
        if node == slot { return merge(nodes[Int(node)].left, nodes[Int(node)].right) }
        let target = nodes[Int(slot)]
        if nodes[Int(node)].precedes(key: target.key, tie: target.tie) {
            nodes[Int(node)].right = removing(slot, from: nodes[Int(node)].right)
        } else {
            nodes[Int(node)].left = removing(slot, from: nodes[Int(node)].left)
        }
        update(node)
        return node
    }
}
