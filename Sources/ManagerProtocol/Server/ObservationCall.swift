/// The observer's call, taken apart.
extension VarlinkCall {
    /// Errors: a parameter is missing, strange or malformed, or there are too many processes.
    func observedReport() throws(VarlinkError) -> ObservedReport {
        try expectParameters(["processes", "lost"])
        guard case .integer(let lost)? = parameters?["lost"], lost >= 0 else { throw .invalidParameter("lost") }
        guard case .array(let values)? = parameters?["processes"],
            values.count <= ManagerLimits.observedProcesses
        else { throw .invalidParameter("processes") }
        var processes: [ObservedProcess] = []
        for value in values { processes.append(try Self.observedProcess(value)) }
        return ObservedReport(processes: processes, lost: lost)
    }

    private static func observedProcess(_ value: JSONValue) throws(VarlinkError) -> ObservedProcess {
        guard case .object(let members) = value, case .integer(let number)? = members["pid"],
            let pid = Int32(exactly: number), pid > 0, case .string(let name)? = members["name"],
            name.utf8.count <= ManagerLimits.observedNameBytes,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
            case .integer(let plain)? = members["plain"], case .integer(let extended)? = members["extended"],
            ManagerLimits.observedRequests.contains(plain), ManagerLimits.observedRequests.contains(extended)
        else { throw .invalidParameter("processes") }
        return ObservedProcess(pid: pid, name: name, plain: plain, extended: extended)
    }
}
