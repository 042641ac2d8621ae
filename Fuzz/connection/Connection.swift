import FuzzPlay
import FuzzSupport

/// Goal: no sequence of clients' messages, hang-ups, silences and accidents of the device can break the daemon, confuse
/// its books, or leave a request without its one reply.
/// Method: the real daemon behind real sockets, its loop run by hand and its clock moved by the input, which is a
/// program for `Interpreter`.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    world.reset()
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    var interpreter = Interpreter(Program(UnsafeBufferPointer(start: bytes, count: count)), on: world)
    interpreter.run()
    return 0
}

private nonisolated(unsafe) let world: World = {
    do { return try World() } catch { fail("the daemon could not be made: \(error)") }
}()
