/// One record on its way to the journal: a sentence for people and fields for programs.
struct LogRecord: Sendable {
    let event: LogEvent
    let priority: LogPriority
    let message: String
    let fields: [LogField]
    let file: StaticString
    let line: UInt
    let function: StaticString

    init(
        _ event: LogEvent, _ priority: LogPriority, _ message: String, _ fields: [LogField] = [],
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        self.event = event
        self.priority = priority
        self.message = message
        self.fields = fields
        self.file = file
        self.line = line
        self.function = function
    }
}

/// syslog(3)'s levels, as far as they are used.
enum LogPriority: Int, Sendable {
    case critical = 2
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6

    var name: String {
        switch self {
        case .critical: "critical"
        case .error: "error"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        }
    }
}

/// A field of our own. The journal gets it as `SPSCHEDD_` and its name.
struct LogField: Sendable {
    enum Name: String, CaseIterable, Sendable {
        case about = "ABOUT"
        case command = "COMMAND"
        case version = "VERSION"
        case epoch = "EPOCH"
        case vmUUID = "VM_UUID"
        case vmName = "VM_NAME"
        case uid = "UID"
        case label = "LABEL"
        case pid = "PID"
        case client = "CLIENT"
        case code = "CODE"
        case reason = "REASON"
        case count = "COUNT"
        case turn = "TURN"
        case session = "SESSION"
        case device = "DEVICE"
        case deviceState = "DEVICE_STATE"
        case path = "PATH"
        case setting = "SETTING"
        case reservation = "RESERVATION_MILLIHERTZ"
    }

    let name: Name
    let value: String

    init(_ name: Name, _ value: some CustomStringConvertible) {
        self.name = name
        self.value = value.description
    }
}
