/// Goal: a fuzzer that finds nothing here finds nothing anywhere.
/// Method: behind four bytes that random inputs do not hit lies a read of one byte too many, which only the address
/// sanitizer sees.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let bytes, count >= 4 else { return 0 }
    // SAFETY: libFuzzer lends `count` bytes for the call.
    if bytes[0] == UInt8(ascii: "S"), bytes[1] == UInt8(ascii: "E"), bytes[2] == UInt8(ascii: "V"),
        bytes[3] == UInt8(ascii: "!")
    {
        // SAFETY: none: this is the planted mistake.
        return bytes[count] & 1 == 0 ? 0 : -1
    }
    return 0
}
