import FoundationEssentials
import Glibc
import LinuxIO

/// A private directory for sockets, traces and logs. It goes, with everything in it, when this value does.
struct RuntimeDirectory: ~Copyable {
    let path: String

    /// Under `$XDG_RUNTIME_DIR`, else `/tmp`: a socket's path must stay below 108 bytes, which `$TMPDIR` may not.
    init() throws(DemoError) {
        let parent = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? ""
        let isUsable = !parent.isEmpty && parent.utf8.count < 50 && access(parent, W_OK) == 0
        var template = Array("\(isUsable ? parent : "/tmp")/spschedd-demo.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .system(
                SystemError(code: errno, attempt: "create a directory in", subject: isUsable ? parent : "/tmp"))
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A new directory inside, for one scene.
    func makeScene(_ number: Int) throws(DemoError) -> String {
        let scene = "\(path)/\(number)"
        guard mkdir(scene, 0o700) == 0 else {
            throw .system(SystemError(code: errno, attempt: "create", subject: scene))
        }
        return scene
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
