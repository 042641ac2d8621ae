extension Page {
    static let question = Markdown.paragraph(
        """
        How long does a confidential VM take to boot while others on the same host ask the Secure Processor for \
        attestation reports? A host is simulated: one SP, the kernel's mutex in front of it, guests, launches, and a \
        policy. The policies are the bare mutex, the rate limit of a posted kernel patch, strict priority with and \
        without the parts that `spschedd` adds to it, and `spschedd` itself, whose Arbiter here is the production code.
        """)

    static let basis = Markdown.joined([
        "## What this rests on",
        Markdown.bullets([
            """
            **Nothing ran on SNP hardware.** Every latency and rate here is modelled. The model's entries are each \
            labelled measured, fitted or assumed in \
            [`Profile+Milan2024.swift`](../../Sources/SPModel/Profile+Milan2024.swift).
            """,
            """
            *Fitted*: 0.972 ms for a page, 7.5 ms for a report, the pages of the launch profiles, and 144 ms of boot \
            work outside the SP. *Assumed*: LAUNCH_START, ACTIVATE and LAUNCH_FINISH, 30 µs between the pages of an \
            ioctl, 0.3 ms between two ioctls (2 ms once in fifty), 0.4 ms of a guest's own work for each report.
            """,
            """
            The guests are Linux guests: after BUSY they sleep 2.046 s and ask again, and give up after 60 s. All have \
            joined, on Linux 7.0 or later, and ask for extended reports; \
            [guests that never ask](#guests-that-never-ask) have a chapter of their own.
            """,
            """
            The daemon itself takes no time here. [What a turn costs](../performance.md#what-a-turn-costs) was \
            measured on real sockets, and [the demonstration](../performance.md#one-run) plays the same host with real \
            processes in real time.
            """,
        ]),
    ])

    static let again = Markdown.joined([
        "## How to make it again",
        """
        ```
        make experiment         # plays every cell and writes this folder
        make experiment-check   # and fails if anything came out otherwise than committed
        ```
        """,
        Markdown.paragraph(
            """
            The simulation reckons in whole nanoseconds and draws from one seeded generator a cell, so that every \
            machine writes the same bytes. [results.json](results.json) has the figures for programs, \
            [tables.md](tables.md) the long tables, and \
            [`Experiment/`](../../Experiment/README.md) the cells.
            """),
    ])
}
