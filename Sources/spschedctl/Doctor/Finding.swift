/// One thing that was looked at, and what it means for what spschedd can enforce.
struct Finding: Encodable, Equatable {
    enum Verdict: String, Encodable {
        /// As it should be.
        case ok
        /// Worth knowing.
        case note
        /// Something can be evaded, or is less than it could be, and a person can change that.
        case warning
        /// spschedd has nothing to schedule here, or cannot.
        case problem
    }

    let check: String
    let found: String
    let verdict: Verdict
    let meaning: String

    init(_ check: String, _ found: String, _ verdict: Verdict, _ meaning: String) {
        self.check = check
        self.found = found
        self.verdict = verdict
        self.meaning = meaning
    }
}
