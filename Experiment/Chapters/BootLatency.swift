import Arbiter
import Reporting
import Simulation

/// How long does a VM take to boot while N others attest?
///
/// One VM of 64 pages is launched after another. The same cells tell how busy the SP was.
struct BootLatency: Chapter {
    static let numbers = [0, 1, 4, 16, 32, 64, 96, 128, 256, 512, 1_024]
    static let contenders: [Contender] = [
        .mutex, .limited, .limitedAligned, .oneHertz, .oneHertzAligned, .priority, .hold, .floor, .spschedd,
    ]
    /// A launch that takes longer is cut: nobody waits for it, and KVM hosts give up long before.
    static let patience = Nanoseconds.seconds(300)

    /// The same host with several seeds: start phases last for as long as guests are refused, so that one draw of
    /// them would say little.
    static func cells(_ contender: Contender, _ number: Int) -> [Cell] {
        var plan = HostPlan(
            policy: contender.policy, configuration: .admitting(number + others), duration: duration(contender, number),
            grace: patience)
        if number > 0 { plan.guests = [contender.guests.group(of: number)] }
        plan.launches = [LaunchGroup()]
        plan.recording.window = .seconds(10)
        return (1...replicas(contender, number)).map { Cell("boot/\(contender.name)/\(number)/\($0)", plan) }
    }

    /// The VM that is launched, and the one before it on its way out.
    private static let others = 2

    /// Enough in all for some fifty launches of those that take minutes, and for thousands of the others.
    private static func duration(_ contender: Contender, _ number: Int) -> Nanoseconds {
        contender.isUnscheduled && (256...512).contains(number) ? .seconds(3_600) : .seconds(300)
    }

    private static func replicas(_ contender: Contender, _ number: Int) -> Int {
        contender.isUnscheduled ? number < 256 ? 12 : 4 : 3
    }

    var cells: [Cell] {
        Self.contenders.flatMap { contender in Self.numbers.flatMap { Self.cells(contender, $0) } }
    }

    func report(_ results: Results) -> ChapterReport {
        let boots = Boots(results)
        return ChapterReport(
            title: "Boot latency", text: text(boots),
            pictures: BootPictures(boots).all, appendix: Self.contenders.map { table(of: $0, boots) }, key: "boot",
            json: json(results, boots), findings: findings(boots))
    }
}

/// The boots of every cell, in order once.
struct Boots {
    private var all: [Contender: [Int: Latencies]] = [:]

    init(_ results: Results) {
        for contender in BootLatency.contenders {
            for number in BootLatency.numbers {
                let pool = results[BootLatency.cells(contender, number)]
                all[contender, default: [:]][number] = pool.boots(within: BootLatency.patience)
            }
        }
    }

    func latencies(_ contender: Contender, _ number: Int) -> Latencies {
        guard let latencies = all[contender]?[number] else { preconditionFailure("\(contender.name) is no contender") }
        return latencies
    }

    /// Every cell launches at least once, if only to be cut.
    func statistics(_ contender: Contender, _ number: Int) -> LatencyStatistics {
        guard let statistics = LatencyStatistics(latencies(contender, number)) else {
            preconditionFailure("\(contender.name) launched nothing beside \(number) VMs")
        }
        return statistics
    }
}

// MARK: - Text

extension BootLatency {
    private func text(_ boots: Boots) -> String {
        Markdown.joined([
            Markdown.paragraph(
                """
                N Linux guests ask for reports in a tight loop while one VM of 64 pages is launched after another. \
                The dot is the middle launch (p50), the line above it reaches to p99. An open dot with an arrow is a \
                least value: launches are cut after \(Format.fixed(Self.patience.seconds, 0)) s.
                """),
            Markdown.picture("boot-latency.svg", "Boot latency against the number of VMs that attest"),
            Markdown.paragraph(
                """
                At N = 512 and 1,024 the floor share is \(floorPercent(512)) % and \(floorPercent(1_024)) %, because \
                admission demands it (the floor alone must reach every VM within 20 s); everywhere else it is the \
                default of 10 %. The middle (p50) of each cell:
                """),
            summary(boots, \.p50),
            Markdown.paragraph("Its tail (p99):"),
            summary(boots, \.p99),
            Markdown.paragraph(
                "[tables.md](tables.md) has p5, p50, p95, p99, the worst and the number of launches of every cell."),
            "### Start phases",
            Markdown.paragraph(
                """
                A limit of one request a second does not say *when* in the second. Guests that begin at once come back \
                at once, for as long as they live: most launches then meet an idle SP and some a queue of all N, so \
                that the middle gets better and the tail worse (\(boots.statistics(.limitedAligned, 64).p99.cell) \
                instead of \(boots.statistics(.limited, 64).p99.cell) beside 64 in tight loops). Guests that really \
                come to 1 Hz, and not to the 0.49 Hz of a tight loop behind this limit, load the SP twice as much.
                """),
            Markdown.picture("boot-phases.svg", "Boot latency behind the rate limit, by start phase and pace"),
            "### Distributions",
            Markdown.paragraph(
                """
                Without the mutex, whose launches are all beyond the edge (\(boots.statistics(.mutex, 64).p5.cell) or \
                more beside 64, \(boots.statistics(.mutex, 128).p5.cell) beside 128).
                """),
            Markdown.picture("boot-distribution-64.svg", "Distribution of boot latency at 64 VMs"),
            Markdown.picture("boot-distribution-128.svg", "Distribution of boot latency at 128 VMs"),
        ])
    }

    private func floorPercent(_ number: Int) -> Int64 {
        Configuration.admitting(number + Self.others).floorShare.perMille / 10
    }

    private func summary(_ boots: Boots, _ figure: KeyPath<LatencyStatistics, Latency>) -> String {
        var table = Table([.left("N")] + Self.contenders.map { .right("`\($0.name)`") })
        for number in Self.numbers {
            table.append(
                [Format.grouped(number)]
                    + Self.contenders.map { boots.statistics($0, number)[keyPath: figure].cell })
        }
        return table.markdown
    }

    private func table(of contender: Contender, _ boots: Boots) -> String {
        var table = Table(
            [.right("N"), .right("floor share"), .right("p5"), .right("p50"), .right("p95"), .right("p99")]
                + [.right("max"), .right("launches"), .right("of them cut")])
        for number in Self.numbers {
            let boot = boots.statistics(contender, number)
            table.append(
                [Format.grouped(number), "\(floorPercent(number)) %"]
                    + [boot.p5, boot.p50, boot.p95, boot.p99, boot.max].map(\.cell)
                    + [Format.grouped(boot.count), Format.grouped(boots.latencies(contender, number).cutCount)])
        }
        return "### Boot latency: `\(contender.name)`\n\n\(table.markdown)"
    }

    private func findings(_ boots: Boots) -> [String] {
        let most = Self.numbers.last ?? 0
        let (alone, crowded) = (boots.statistics(.spschedd, 0), boots.statistics(.spschedd, most))
        let ratio = crowded.p99.time.seconds / alone.p99.time.seconds
        return [
            """
            Beside \(Format.grouped(most)) VMs in a tight loop `spschedd` boots a VM in \(crowded.p50.cell) (p50) and \
            \(crowded.p99.cell) (p99): \(Format.fixed(ratio, 3)) × the p99 of an idle host (the aim is 1.06). The bare \
            mutex takes \(boots.statistics(.mutex, 64).p50.cell) beside 64, and more than \
            \(Format.fixed(Self.patience.seconds, 0)) s beside \(Format.grouped(most)).
            """
        ]
    }
}

// MARK: - JSON

extension BootLatency {
    private func json(_ results: Results, _ boots: Boots) -> JSON {
        .list(
            Self.contenders.flatMap { contender in
                Self.numbers.map { number in
                    let boot = boots.statistics(contender, number)
                    return .object(
                        [
                            ("policy", .text(contender.name)), ("vms", .integer(Int64(number))),
                            ("floor_share_percent", .integer(floorPercent(number))),
                            ("launches", .integer(Int64(boot.count))),
                            ("cut", .integer(Int64(boots.latencies(contender, number).cutCount))),
                            ("boot_us", boot.json),
                        ] + results[Self.cells(contender, number)].deviceJSON)
                }
            })
    }
}
