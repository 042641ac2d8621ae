/// The flag bits of the messages that have some. Unknown bits are ignored.
enum Flags {
    // REGISTER
    static let wantsDescriptor: UInt8 = 1 << 0
    // LAUNCH_BEGIN
    static let whole: UInt8 = 1 << 0
    static let proxy: UInt8 = 1 << 1
    // REGISTERED
    static let carriesDescriptor: UInt8 = 1 << 0
    static let resumed: UInt8 = 1 << 1
}
