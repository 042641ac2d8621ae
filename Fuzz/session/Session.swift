import FuzzPlay
import FuzzSupport

/// Goal: no sequence of clients' messages, hang-ups, silences and accidents of the device can confuse a connection's
/// state or the Arbiter, or leave a request without its one reply.
/// Method: as `connection`, whose programs it plays, but without sockets and without what the daemon does beside: each
/// message is decoded, taken by its connection's state machine, and brought before a real Arbiter. Several times as fast.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    var interpreter = Interpreter(Program(UnsafeBufferPointer(start: bytes, count: count)), on: Desk())
    interpreter.run()
    return 0
}
