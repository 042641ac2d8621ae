/*
 * Many VMs, each a process, that come, launch, attest, die and are replaced, without end. Each counts what it asked
 * for and what it was answered, in memory that outlives it: the daemon's own counters must agree.
 *
 *     soak-vms --path SOCKET --vms N
 *
 * Prints "running" once every VM has registered. Then two lines of standard input, each answered by one line of JSON:
 *
 *     quiet    every VM finishes what it is at, and does nothing more; none is replaced. Answered with the sums of all
 *              lives and with what each VM that is still registered was answered
 *     leave    every VM unregisters. Answered with the sums
 *
 * Asked and not answered is possible where a VM died in between: the daemon may then have counted what the VM has not.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "wire.h"

#define VMS_MAX 1024
/* A life, from first breath to last: long enough for the 5 s that a lost VM lingers to be few VMs. */
#define LIFE_MS_MIN 5000
#define LIFE_MS_MAX 40000
/* Between two requests of a VM: 200 VMs then ask for as many turns as there is time for, some 600 a second. */
#define THINK_MS_MAX 600
/* How long a turn is held: less than any lease, and so long that there is always somebody waiting. */
#define HOLD_US_MAX 3000
#define PAGE_US 100
#define PAGES_MAX 48
/* A guest that is refused asks again so often, after so long. */
#define RETRIES 3
#define RETRY_MS 100
/* How often the parent looks after its children. */
#define ROUND_MS 10
/* One in so many rounds, a VM chosen at random is killed, wherever it stands: about once a second. */
#define KILL_ONE_IN 100

#define REASONS 16

enum phase { LIVING, IN_TURN_TO_BE_KILLED, QUIET };

/* What one VM asked and was answered. */
struct counts {
    uint64_t turns_asked, guest_grants, launch_grants, turn_errors, busies[REASONS];
    uint64_t launches_asked, launches_begun, launches_busy, launches_refused;
    uint64_t registrations_asked, registered, registrations_refused, resumed, unregistered;
    uint64_t revoked, released;
};

struct slot {
    /* Of the life that is. Written by it, read by the parent once it has ended or is quiet. */
    struct counts now;
    uint8_t token[16];
    int has_token;
    /* Whether the present registration began with this life. */
    int is_fresh;
    _Atomic int phase;
    /* Of the lives before. Written by the parent. `registration`: those of the present registration. */
    struct counts registration;
    uint64_t registration_turns_in_flight, registration_launches_in_flight;
    pid_t process;
    unsigned generation;
};

struct shared {
    _Atomic int is_quiet;
    struct slot slots[VMS_MAX];
};

static struct shared *shared;
static struct counts sums;
static uint64_t turns_in_flight, launches_in_flight, registrations_in_flight, held_at_death;
static uint64_t deaths_clean, deaths_abrupt, deaths_killed, deaths_broken;

static uint64_t sum_of_busies(const struct counts *counts) {
    uint64_t sum = 0;
    for (int reason = 0; reason < REASONS; reason++)
        sum += counts->busies[reason];
    return sum;
}

static void add(struct counts *to, const struct counts *from) {
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;
    for (size_t index = 0; index < sizeof *to / sizeof *sum; index++)
        sum[index] += more[index];
}

static uint64_t unanswered_turns(const struct counts *counts) {
    return counts->turns_asked - counts->guest_grants - counts->launch_grants - counts->turn_errors -
           sum_of_busies(counts);
}

static uint64_t unanswered_launches(const struct counts *counts) {
    return counts->launches_asked - counts->launches_begun - counts->launches_busy - counts->launches_refused;
}

/* MARK: One VM */

static struct slot *self;
static int connection = -1;
static uint64_t next_tag;

static uint64_t random_below(uint64_t bound) { return (uint64_t)random() % bound; }

/* The daemon hung up, or was not there: that must not happen. */
#define BROKEN 1

static void die(int status) { _exit(status); }

/* Each reply is counted as soon as it is read, whatever it was awaited for. */
static void count_reply(const struct record *reply, enum kind kind) {
    switch (type_of(reply)) {
    case GRANTED:
        if (kind == REPORT)
            self->now.guest_grants++;
        else
            self->now.launch_grants++;
        break;
    case BUSY:
        self->now.busies[get(reply, 24, 2) % REASONS]++;
        break;
    case ERROR:
        self->now.turn_errors++;
        break;
    default:
        break;
    }
}

static void await(uint64_t tag, struct record *reply) {
    for (;;) {
        if (!receive_record(connection, reply))
            die(BROKEN);
        if (type_of(reply) == REVOKED)
            self->now.revoked++;
        else if (tag_of(reply) == tag && type_of(reply) != QUEUED)
            return;
    }
}

static void say(const struct record *record) {
    if (send_record(connection, record) < 0)
        die(BROKEN);
}

/* Sends an ACQUIRE or RELEASE_AND_ACQUIRE and waits for its end. */
static int turn_is_granted(const struct record *request, enum kind kind, struct record *reply) {
    self->now.turns_asked++;
    say(request);
    await(tag_of(request), reply);
    count_reply(reply, kind);
    return type_of(reply) == GRANTED;
}

static void release(uint64_t turn, uint32_t units) {
    struct record request;
    write_release(&request, 0, turn, 0, 0, units);
    say(&request);
    self->now.released++;
}

static void hold(uint64_t microseconds) { pass_time(microseconds * 1000); }

static void enter(const char *path, unsigned index) {
    struct record request, reply;
    char name[64];
    connection = connect_to(path, 0);
    if (connection < 0)
        die(BROKEN);
    next_tag = 1;
    write_hello(&request, next_tag++, "soak");
    say(&request);
    await(tag_of(&request), &reply);
    snprintf(name, sizeof name, "soak-%u", index);
    for (;;) {
        write_register(
            &request, next_tag++,
            &(struct wishes){
                .name = name, .token = self->has_token ? self->token : NULL, .reservation = index % 2 ? 0 : 100,
                .burst = 2});
        self->now.registrations_asked++;
        say(&request);
        await(tag_of(&request), &reply);
        if (type_of(&reply) == REGISTERED)
            break;
        self->now.registrations_refused++;
        if (shared->is_quiet)
            die(0);
        pass_time(RETRY_MS * 1000000ULL);
    }
    int is_resumed = (int)(get(&reply, 78, 1) & 2);
    self->is_fresh = !is_resumed;
    memcpy(self->token, reply.bytes + 16, sizeof self->token);
    self->has_token = 1;
    if (is_resumed)
        self->now.resumed++;
    else
        self->now.registered++;
}

static void leave(void) {
    struct record request, reply;
    begin(&request, UNREGISTER, HEADER, next_tag++);
    say(&request);
    await(tag_of(&request), &reply);
    self->has_token = 0;
    self->now.unregistered++;
    die(0);
}

static void attest(void) {
    struct record request, reply;
    for (int attempt = 0; attempt <= RETRIES; attempt++) {
        write_acquire(&request, next_tag++, REPORT, 1);
        if (turn_is_granted(&request, REPORT, &reply)) {
            hold(random_below(HOLD_US_MAX));
            release(get(&reply, 16, 8), 1);
            return;
        }
        pass_time(RETRY_MS * 1000000ULL);
    }
}

static void attest_and_cancel(void) {
    struct record request, cancel, reply;
    write_acquire(&request, next_tag++, REPORT, 1);
    begin(&cancel, CANCEL, 24, 0);
    put(&cancel, 16, tag_of(&request), 8);
    self->now.turns_asked++;
    say(&request);
    say(&cancel);
    await(tag_of(&request), &reply);
    count_reply(&reply, REPORT);
    if (type_of(&reply) == GRANTED)
        release(get(&reply, 16, 8), 0);
}

static void launch(void) {
    struct record request, reply;
    uint32_t left = 1 + (uint32_t)random_below(PAGES_MAX);
    write_launch_begin(&request, next_tag++, left);
    self->now.launches_asked++;
    say(&request);
    await(tag_of(&request), &reply);
    if (type_of(&reply) == BUSY)
        self->now.launches_busy++;
    else if (type_of(&reply) != LAUNCH_BEGUN)
        self->now.launches_refused++;
    if (type_of(&reply) != LAUNCH_BEGUN)
        return;
    self->now.launches_begun++;
    uint64_t session = get(&reply, 16, 8), turn = 0;
    uint32_t done = 0;
    for (enum kind kind = LAUNCH_START;;) {
        uint32_t units = kind == LAUNCH_UPDATE ? left : 1;
        if (turn == 0)
            write_acquire(&request, next_tag++, kind, units);
        else
            write_release_and_acquire(&request, next_tag++, turn, done, kind, units);
        int is_granted = turn_is_granted(&request, kind, &reply);
        /* A release that is an error changes nothing: the turn's lease had ended. */
        if (turn != 0)
            self->now.released++;
        turn = is_granted ? get(&reply, 16, 8) : 0;
        if (!is_granted)
            break;
        done = (uint32_t)get(&reply, 40, 4);
        hold(done * PAGE_US);
        if (kind == LAUNCH_FINISH)
            break;
        if (kind == LAUNCH_UPDATE)
            left -= done;
        kind = left > 0 ? LAUNCH_UPDATE : LAUNCH_FINISH;
    }
    if (turn != 0)
        release(turn, done);
    write_launch_end(&request, next_tag++, session);
    say(&request);
    await(tag_of(&request), &reply);
}

/* One of the ways in which a process ends. */
static void end_life(void) {
    struct record request, reply;
    switch (random_below(4)) {
    case 0:
        leave();
        break;
    case 1: /* just gone */
        die(0);
        break;
    case 2: /* gone with a request under way */
        write_acquire(&request, next_tag++, REPORT, 1);
        self->now.turns_asked++;
        say(&request);
        die(0);
        break;
    default: /* killed with the turn in its hands, if it gets one */
        write_acquire(&request, next_tag++, REPORT, 1);
        if (!turn_is_granted(&request, REPORT, &reply))
            die(0);
        self->phase = IN_TURN_TO_BE_KILLED;
        for (;;)
            pause();
    }
}

static volatile sig_atomic_t is_told_to_leave;

static void told_to_leave(int signal) {
    (void)signal;
    is_told_to_leave = 1;
}

/* Does nothing until it is told to leave. */
static void be_quiet(const sigset_t *waiting) {
    self->phase = QUIET;
    while (!is_told_to_leave)
        sigsuspend(waiting);
    leave();
}

static void live(const char *path, unsigned index, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        die(BROKEN);
    sigset_t leaving, waiting;
    sigemptyset(&leaving);
    sigaddset(&leaving, SIGUSR1);
    sigprocmask(SIG_BLOCK, &leaving, &waiting);
    struct sigaction action = {.sa_handler = told_to_leave};
    sigaction(SIGUSR1, &action, NULL);
    srandom((unsigned)getpid());
    enter(path, index);
    uint64_t end = now_ns() + (LIFE_MS_MIN + random_below(LIFE_MS_MAX - LIFE_MS_MIN)) * 1000000ULL;
    while (!shared->is_quiet) {
        if (now_ns() >= end)
            end_life();
        uint64_t choice = random_below(100);
        if (choice < 90)
            attest();
        else if (choice < 94)
            launch();
        else
            attest_and_cancel();
        pass_time(random_below(THINK_MS_MAX) * 1000000ULL);
    }
    be_quiet(&waiting);
}

/* MARK: The parent */

static void start(const char *path, unsigned index) {
    struct slot *slot = &shared->slots[index];
    memset(&slot->now, 0, sizeof slot->now);
    slot->is_fresh = 0;
    slot->phase = LIVING;
    slot->generation++;
    /* A VM that is begun anew has no token; one that only lost its process goes on, half the time. */
    if (slot->has_token && slot->generation % 2)
        slot->has_token = 0;
    pid_t parent = getpid();
    fflush(stdout);
    pid_t process = fork();
    if (process == 0) {
        self = slot;
        live(path, index, parent);
    }
    if (process < 0) {
        perror("soak-vms: cannot fork");
        exit(1);
    }
    slot->process = process;
}

/* Takes what a life counted into the sums. */
static void fold(struct slot *slot) {
    if (slot->is_fresh) {
        memset(&slot->registration, 0, sizeof slot->registration);
        slot->registration_turns_in_flight = slot->registration_launches_in_flight = 0;
    }
    add(&sums, &slot->now);
    add(&slot->registration, &slot->now);
    slot->registration_turns_in_flight += unanswered_turns(&slot->now);
    slot->registration_launches_in_flight += unanswered_launches(&slot->now);
    turns_in_flight += unanswered_turns(&slot->now);
    launches_in_flight += unanswered_launches(&slot->now);
    registrations_in_flight +=
        slot->now.registrations_asked - slot->now.registered - slot->now.resumed - slot->now.registrations_refused;
    held_at_death += slot->now.guest_grants + slot->now.launch_grants - slot->now.released;
    memset(&slot->now, 0, sizeof slot->now);
    slot->is_fresh = 0;
}

static struct slot *slot_of(pid_t process, unsigned count) {
    for (unsigned index = 0; index < count; index++)
        if (shared->slots[index].process == process)
            return &shared->slots[index];
    return NULL;
}

/* Buries the dead, and kills those that wait for it. How many died. */
static unsigned look_after(unsigned count) {
    unsigned died = 0;
    int status;
    for (unsigned index = 0; index < count; index++)
        if (shared->slots[index].process > 0 && shared->slots[index].phase == IN_TURN_TO_BE_KILLED)
            kill(shared->slots[index].process, SIGKILL);
    for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0; died++) {
        struct slot *slot = slot_of(process, count);
        if (!slot)
            continue;
        if (WIFSIGNALED(status))
            deaths_killed++;
        else if (WEXITSTATUS(status) == BROKEN)
            deaths_broken++;
        else if (slot->now.unregistered)
            deaths_clean++;
        else
            deaths_abrupt++;
        fold(slot);
        slot->process = 0;
    }
    return died;
}

static void print_counts(const struct counts *counts) {
    printf(
        "\"turns_asked\":%llu,\"guest_grants\":%llu,\"launch_grants\":%llu,\"turn_errors\":%llu,"
        "\"launches_asked\":%llu,\"launches_begun\":%llu,\"launches_busy\":%llu,\"launches_refused\":%llu,"
        "\"registered\":%llu,\"registrations_refused\":%llu,\"resumed\":%llu,\"unregistered\":%llu,\"revoked\":%llu,"
        "\"busies\":[",
        (unsigned long long)counts->turns_asked, (unsigned long long)counts->guest_grants,
        (unsigned long long)counts->launch_grants, (unsigned long long)counts->turn_errors,
        (unsigned long long)counts->launches_asked, (unsigned long long)counts->launches_begun,
        (unsigned long long)counts->launches_busy, (unsigned long long)counts->launches_refused,
        (unsigned long long)counts->registered, (unsigned long long)counts->registrations_refused,
        (unsigned long long)counts->resumed, (unsigned long long)counts->unregistered,
        (unsigned long long)counts->revoked);
    for (int reason = 0; reason < REASONS; reason++)
        printf("%s%llu", reason ? "," : "", (unsigned long long)counts->busies[reason]);
    printf("]");
}

static void report(unsigned count) {
    printf("{\"sums\":{");
    print_counts(&sums);
    printf(
        "},\"turns_in_flight\":%llu,\"launches_in_flight\":%llu,\"registrations_in_flight\":%llu,"
        "\"held_at_death\":%llu,\"deaths_clean\":%llu,\"deaths_abrupt\":%llu,\"deaths_killed\":%llu,\"deaths_broken\":%llu,\"vms\":[",
        (unsigned long long)turns_in_flight, (unsigned long long)launches_in_flight,
        (unsigned long long)registrations_in_flight, (unsigned long long)held_at_death,
        (unsigned long long)deaths_clean, (unsigned long long)deaths_abrupt, (unsigned long long)deaths_killed,
        (unsigned long long)deaths_broken);
    const char *separator = "";
    for (unsigned index = 0; index < count; index++) {
        struct slot *slot = &shared->slots[index];
        if (slot->process <= 0)
            continue;
        printf("%s{\"name\":\"soak-%u\",\"turns_in_flight\":%llu,\"launches_in_flight\":%llu,\"counts\":{", separator,
               index, (unsigned long long)slot->registration_turns_in_flight,
               (unsigned long long)slot->registration_launches_in_flight);
        print_counts(&slot->registration);
        printf("}}");
        separator = ",";
    }
    printf("]}\n");
    fflush(stdout);
}

static unsigned alive_in(enum phase phase, unsigned count) {
    unsigned sum = 0;
    for (unsigned index = 0; index < count; index++)
        sum += shared->slots[index].process > 0 && (int)phase == shared->slots[index].phase;
    return sum;
}

static unsigned alive(unsigned count) {
    unsigned sum = 0;
    for (unsigned index = 0; index < count; index++)
        sum += shared->slots[index].process > 0;
    return sum;
}

/* True: a line has come on standard input, or its end. */
static int is_told(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[64];
    if (poll(&input, 1, ROUND_MS) <= 0)
        return 0;
    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        exit(1);
    return 1;
}

/* How many of the VMs have been there: some may be dead again by the time the last comes. */
static unsigned registered(unsigned count) {
    unsigned sum = 0;
    for (unsigned index = 0; index < count; index++)
        sum += shared->slots[index].generation > 1 || shared->slots[index].now.registered > 0;
    return sum;
}

int main(int argument_count, char **arguments) {
    const char *path = NULL;
    unsigned long count = 0;
    for (int index = 1; index + 1 < argument_count; index += 2) {
        if (strcmp(arguments[index], "--path") == 0)
            path = arguments[index + 1];
        else if (strcmp(arguments[index], "--vms") == 0)
            count = strtoul(arguments[index + 1], NULL, 10);
    }
    if (!path || count < 1 || count > VMS_MAX) {
        fprintf(stderr, "soak-vms: --path SOCKET and --vms 1 to %d are needed; see the head of soak-vms.c\n", VMS_MAX);
        return 64;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("soak-vms: no shared memory");
        return 1;
    }
    srandom((unsigned)getpid());
    unsigned vms = (unsigned)count;
    int is_running = 0;
    for (unsigned index = 0; index < vms; index++)
        start(path, index);
    while (!is_told()) {
        look_after(vms);
        if (is_running && random_below(KILL_ONE_IN) == 0) {
            pid_t process = shared->slots[random_below(vms)].process;
            if (process > 0)
                kill(process, SIGKILL);
        }
        for (unsigned index = 0; index < vms; index++)
            if (shared->slots[index].process <= 0)
                start(path, index);
        if (!is_running && registered(vms) == vms) {
            is_running = 1;
            puts("running");
            fflush(stdout);
        }
    }

    shared->is_quiet = 1;
    while (alive_in(QUIET, vms) < alive(vms)) {
        look_after(vms);
        poll(NULL, 0, ROUND_MS);
    }
    for (unsigned index = 0; index < vms; index++)
        fold(&shared->slots[index]);
    report(vms);

    while (!is_told()) {
    }
    for (unsigned index = 0; index < vms; index++)
        if (shared->slots[index].process > 0)
            kill(shared->slots[index].process, SIGUSR1);
    while (alive(vms) > 0) {
        look_after(vms);
        poll(NULL, 0, ROUND_MS);
    }
    report(vms);
    return 0;
}
