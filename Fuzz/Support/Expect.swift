/// Ends the run with what is wrong: unlike a precondition's, the sentence is also printed by optimised code.
@inline(__always)
public func expect(_ holds: Bool, _ wrong: @autoclosure () -> String) {
    if !holds { fail(wrong()) }
}

@inline(never)
public func fail(_ wrong: String) -> Never { fatalError(wrong) }
