// The load client of the benchmarks: client processes that ask one server over and over, and how long that took.
//
//     load --path SOCKET --mode cycle --clients 64 --warm-up 100 --operations 5000
//
// Each client is a process of its own. All connect and warm up; none begins to measure before every one is ready; each
// stops after --operations or --seconds, whichever is first. One line of JSON goes to standard output: latencies in
// nanoseconds of CLOCK_MONOTONIC, within 0.4 %, and `refusals`, how often BUSY or ERROR was the answer. What was
// refused is in no latency: who compares latencies looks at the refusals first. `lost` counts turns whose lease had
// ended before they were released: the machine kept a client from its CPU for so long, and that is not the server's
// latency.
//
// With --step the parent prints "ready" when all are warm and waits for a line on standard input before they begin; and
// after the line of JSON, before they hang up. In between a server may be observed at nothing but its work.
#define _GNU_SOURCE
#include "crowd.h"
#include "histogram.h"
#include "modes.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// More processes than this no machine for a benchmark schedules sensibly.
#define CLIENTS_MAX 4096
// No measurement is worth more; a forgotten bound must not run for ever.
#define SECONDS_MAX 600

struct options {
    const char *path;
    const struct mode *mode;
    int is_crowd, cpu, is_stepwise;
    uint32_t clients;
    uint64_t operations, warm_up, duration_ns, spin_ns, pause_ns;
};

struct result {
    struct histogram latencies;
    uint64_t began, ended, refusals, lost;
    char refusal[256];
};

// What all processes share.
struct stage {
    // How many clients have come to each gate, and whether it is open.
    _Atomic uint32_t arrived[2], is_open[2];
    struct result results[];
};

enum { READY, MEASURED };

static void futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *bound) {
    syscall(SYS_futex, word, FUTEX_WAIT, value, bound, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

// MARK: A client

static void pass_gate(struct stage *stage, int gate) {
    atomic_fetch_add(&stage->arrived[gate], 1);
    futex_wake(&stage->arrived[gate]);
    while (!atomic_load(&stage->is_open[gate]))
        futex_wait(&stage->is_open[gate], 0, NULL);
}

static void pause_for(uint64_t duration_ns) {
    if (!duration_ns)
        return;
    struct timespec pause = {
        .tv_sec = (time_t)(duration_ns / 1000000000), .tv_nsec = (long)(duration_ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, &pause) == EINTR)
        continue;
}

static void measure(const struct options *options, struct client *client, struct result *result) {
    const struct mode *mode = options->mode;
    uint64_t end = now_ns() + options->duration_ns;
    result->began = now_ns();
    for (uint64_t index = 0; index < options->operations; index++) {
        pause_for(options->pause_ns);
        uint64_t before = now_ns();
        if (before >= end)
            break;
        int is_done = mode->operation(client);
        uint64_t after = now_ns();
        if (is_done)
            histogram_add(&result->latencies, after - before);
        result->ended = after;
        if (mode->settle)
            mode->settle(client);
    }
}

static void play_client(const struct options *options, struct stage *stage, uint32_t number) {
    const struct mode *mode = options->mode;
    struct result *result = &stage->results[number];
    struct client client = {.socket = -1, .spin_ns = options->spin_ns};
    mode->begin(&client, options->path, number);
    for (uint64_t index = 0; index < options->warm_up; index++) {
        mode->operation(&client);
        if (mode->settle)
            mode->settle(&client);
    }
    if (mode->leave)
        mode->leave(&client);
    client.refusals = client.lost = 0;

    pass_gate(stage, READY);
    // A cycle begins with a turn in hand, and how long the first took to come is no cycle's time.
    if (!mode->settle)
        mode->operation(&client);
    measure(options, &client, result);
    if (mode->leave)
        mode->leave(&client);
    result->refusals = client.refusals;
    result->lost = client.lost;
    memcpy(result->refusal, client.refusal, sizeof result->refusal);

    pass_gate(stage, MEASURED);
    _exit(0);
}

// MARK: Their parent

// Until all clients have come; or one ended instead, which has then said why.
static void await_clients(const struct options *options, struct stage *stage, int gate) {
    for (;;) {
        uint32_t arrived = atomic_load(&stage->arrived[gate]);
        if (arrived == options->clients)
            return;
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0)
            give_up("a client ended early, %u of %u were ready", arrived, options->clients);
        struct timespec look_again = {.tv_nsec = 100000000};
        futex_wait(&stage->arrived[gate], arrived, &look_again);
    }
}

static void open_gate(struct stage *stage, int gate) {
    atomic_store(&stage->is_open[gate], 1);
    futex_wake(&stage->is_open[gate]);
}

static void await_line(void) {
    int byte;
    while ((byte = getchar()) != '\n')
        if (byte == EOF)
            give_up("standard input ended before the line that was waited for");
}

static void print_text(const char *text) {
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", *text);
        else
            putchar(*text);
}

static void report(const struct options *options, const struct stage *stage) {
    static struct histogram all;
    uint64_t began = UINT64_MAX, ended = 0, refusals = 0, lost = 0;
    const char *refusal = "";
    for (uint32_t index = 0; index < options->clients; index++) {
        const struct result *result = &stage->results[index];
        histogram_merge(&all, &result->latencies);
        if (result->began < began)
            began = result->began;
        if (result->ended > ended)
            ended = result->ended;
        if (result->refusals && !refusals)
            refusal = result->refusal;
        refusals += result->refusals;
        lost += result->lost;
    }
    uint64_t elapsed = ended > began ? ended - began : 0;
    printf("{\"mode\":\"%s\",\"clients\":%u,\"ops\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64 ",\"ops_per_s\":%.1f",
        options->mode->name, options->clients, all.count, elapsed,
        elapsed ? (double)all.count * 1e9 / (double)elapsed : 0);
    printf(",\"mean_ns\":%" PRIu64 ",\"p50_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64 ",\"p999_ns\":%" PRIu64
           ",\"max_ns\":%" PRIu64,
        all.count ? all.sum / all.count : 0, histogram_quantile(&all, 50, 100), histogram_quantile(&all, 99, 100),
        histogram_quantile(&all, 999, 1000), all.max);
    printf(",\"lost\":%" PRIu64 ",\"refusals\":%" PRIu64 ",\"first_refusal\":\"", lost, refusals);
    print_text(refusal);
    puts("\"}");
    fflush(stdout);
}

static void play(const struct options *options) {
    size_t size = sizeof(struct stage) + options->clients * sizeof(struct result);
    struct stage *stage = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stage == MAP_FAILED)
        give_up("no memory for %u clients", options->clients);
    pid_t parent = getpid();
    for (uint32_t index = 0; index < options->clients; index++) {
        pid_t child = fork();
        if (child < 0)
            give_up("client %u cannot be started: %s", index, strerror(errno));
        if (child)
            continue;
        // No client outlives its parent.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        play_client(options, stage, index);
    }
    await_clients(options, stage, READY);
    if (options->is_stepwise) {
        puts("ready");
        fflush(stdout);
        await_line();
    }
    open_gate(stage, READY);
    await_clients(options, stage, MEASURED);
    report(options, stage);
    if (options->is_stepwise)
        await_line();
    open_gate(stage, MEASURED);
    for (uint32_t index = 0; index < options->clients; index++) {
        int status;
        if (wait(&status) < 0 || status)
            give_up("a client failed");
    }
}

// MARK: Options

static const char usage[] =
    "usage: load --path SOCKET --mode MODE [--clients N] [--operations N] [--seconds S] [--warm-up N] [--cpu N]\n"
    "            [--spin NS] [--pause NS] [--step]\n"
    "  --mode        echo, acquire, cycle, library: what each client process does over and over;\n"
    "                register: N connections in this one process, kept until standard input ends;\n"
    "                with --operations, all of them ask for turns until so many were granted\n"
    "  --clients     how many processes, or connections (1)\n"
    "  --operations  after how many each stops; --seconds: after how long. The first that is reached; one is needed\n"
    "  --warm-up     operations of each client before that (0)\n"
    "  --cpu         the only CPU that the clients use (any)\n"
    "  --spin        nanoseconds to look for a reply before sleeping (0)\n"
    "  --pause       nanoseconds to sleep before each operation, untimed (0)\n"
    "  --step        print \"ready\", wait for a line; print the result, wait for a line\n";

static _Noreturn void refuse(const char *sentence, const char *detail) {
    fprintf(stderr, "load: %s%s\n%s", sentence, detail, usage);
    exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t most) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > most) {
        char sentence[128];
        snprintf(sentence, sizeof sentence, "--%s takes a whole number up to %" PRIu64 ", not ", name, most);
        refuse(sentence, text);
    }
    return value;
}

static struct options parse(int count, char **arguments) {
    static const struct option known[] = {
        {"path", required_argument, NULL, 'p'},    {"mode", required_argument, NULL, 'm'},
        {"clients", required_argument, NULL, 'c'}, {"operations", required_argument, NULL, 'o'},
        {"seconds", required_argument, NULL, 's'}, {"warm-up", required_argument, NULL, 'w'},
        {"cpu", required_argument, NULL, 'u'},     {"spin", required_argument, NULL, 'n'},
        {"pause", required_argument, NULL, 'a'},   {"step", no_argument, NULL, 't'},
        {0},
    };
    struct options options = {.cpu = -1, .clients = 1};
    uint64_t seconds = 0;
    int option, index;
    while ((option = getopt_long(count, arguments, "", known, &index)) >= 0)
        switch (option) {
        case 'p':
            options.path = optarg;
            break;
        case 'm':
            options.is_crowd = !strcmp(optarg, "register");
            options.mode = mode_named(optarg);
            if (!options.is_crowd && !options.mode)
                refuse("there is no mode ", optarg);
            break;
        case 'c':
            options.clients = (uint32_t)number("clients", optarg, CLIENTS_MAX);
            break;
        case 'o':
            options.operations = number("operations", optarg, UINT32_MAX);
            break;
        case 's':
            seconds = number("seconds", optarg, SECONDS_MAX);
            break;
        case 'w':
            options.warm_up = number("warm-up", optarg, UINT32_MAX);
            break;
        case 'u':
            options.cpu = (int)number("cpu", optarg, CPU_SETSIZE - 1);
            break;
        case 'n':
            options.spin_ns = number("spin", optarg, 1000000000);
            break;
        case 'a':
            options.pause_ns = number("pause", optarg, 1000000000);
            break;
        case 't':
            options.is_stepwise = 1;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    if (optind != count)
        refuse("there is no argument ", arguments[optind]);
    if (!options.path || (!options.mode && !options.is_crowd))
        refuse("--path and --mode are needed", "");
    if (!options.clients)
        refuse("--clients begins at 1", "");
    if (!options.is_crowd && !options.operations && !seconds)
        refuse("--operations or --seconds is needed", "");
    if (!options.is_crowd && !options.operations)
        options.operations = UINT64_MAX;
    options.duration_ns = (seconds ? seconds : SECONDS_MAX) * 1000000000;
    return options;
}

int main(int count, char **arguments) {
    struct options options = parse(count, arguments);
    if (options.cpu >= 0) {
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(options.cpu, &only);
        if (sched_setaffinity(0, sizeof only, &only) < 0)
            give_up("CPU %d cannot be used: %s", options.cpu, strerror(errno));
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (options.is_crowd)
        play_crowd(options.path, options.clients, options.operations);
    else
        play(&options);
    return 0;
}
