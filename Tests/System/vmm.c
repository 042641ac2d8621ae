/*
 * VMMs that take turns around real ioctls on a real character device, through descriptors that the daemon hands out.
 * Fail-closed, so that nothing but the daemon can have granted their turns.
 *
 *     vmm descriptor           the descriptor is read-only: a status passes, a command that writes fails with EPERM
 *     vmm turns GUESTS ROUNDS LOG
 *                              many VMs ask in a loop, and one is launched meanwhile; see "Many" below
 *     vmm unasked GUESTS ROUNDS LOG
 *                              the same without asking for turns: what must hold does not, and each is complained of
 *     vmm clock                sets the wall clock forward and back, and has the machine sleep, while a turn is held
 *                              that nobody releases and a limit is used up: they go by the boot clock alone
 *     vmm register             registers, and leaves
 *     vmm hang                 takes a turn and issues a status in it, however long that takes
 *     vmm status               takes a turn, issues a status and returns it with its errno; prints the errno
 *
 * Each exits 0 if all was as it says, else 1 with what was not.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "CSEV.h"
#include "spsched.h"

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("vmm: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void expect_ok(struct spsched *client, enum spsched_result result, const char *what, const char *text) {
    char sentence[SPSCHED_TEXT_MAX] = "";
    if (result == SPSCHED_OK)
        return;
    if (client && !(text && *text))
        spsched_last_error(client, sentence, sizeof sentence);
    fail("%s: %s: %s", what, spsched_result_name(result), text && *text ? text : sentence);
}

/* MARK: One VM */

struct vm {
    struct spsched *client;
    int device;
};

static struct vm enter_limited(const char *name, uint32_t limit_mhz, uint32_t burst) {
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.client_name = "vm-test";
    struct vm vm = {.device = -1};
    char text[SPSCHED_TEXT_MAX] = "";
    expect_ok(NULL, spsched_open(&options, &vm.client, text, sizeof text), "open", text);

    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.name = name;
    registration.failure_mode = SPSCHED_FAIL_CLOSED;
    registration.want_device = 1;
    /* All by weight: a reservation would put some before others. */
    registration.reservation_wanted_mhz = 0;
    registration.limit_mhz = limit_mhz;
    registration.burst = burst;
    struct spsched_admission admission = {.size = sizeof admission};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(vm.client, spsched_register(vm.client, &registration, &admission, &reply), "register", reply.text);
    vm.device = spsched_take_device(vm.client);
    return vm;
}

static struct vm enter(const char *name) { return enter_limited(name, 0, 1); }

static void leave(struct vm *vm) {
    if (vm->device >= 0)
        close(vm->device);
    expect_ok(vm->client, spsched_unregister(vm->client), "unregister", NULL);
    spsched_close(vm->client);
}

static atomic_int absences;

/* A turn; false if it was refused, or not heard of in time: that is the client's patience of a few seconds, which a
 * machine may exceed that hardly gets a CPU. */
static bool acquire(struct vm *vm, enum spsched_kind kind, struct spsched_reply *reply) {
    struct spsched_request request = {
        .size = sizeof request, .kind = kind, .units = 1, .max_wait_ns = 20ull * 1000 * 1000 * 1000};
    *reply = (struct spsched_reply){.size = sizeof *reply};
    enum spsched_result result = spsched_acquire(vm->client, &request, reply);
    if (result == SPSCHED_BUSY)
        return false;
    if (result == SPSCHED_ABSENT) {
        atomic_fetch_add(&absences, 1);
        return false;
    }
    expect_ok(vm->client, result, "acquire", reply->text);
    if (reply->grant.flags & SPSCHED_UNARBITRATED || reply->grant.turn == 0)
        fail("went ahead without a turn");
    return true;
}

/* One real ioctl. The positive errno. */
static int ask_device(int device) {
    struct sev_user_data_snp_status status = {0};
    uint32_t code;
    int result = csev_issue(device, SNP_PLATFORM_STATUS, &status, &code);
    if (result == 0 && (status.api_major != 1 || status.api_minor != 58))
        fail("a status of API %u.%u", status.api_major, status.api_minor);
    return -result;
}

/* MARK: The descriptor */

static void descriptor(void) {
    struct vm vm = enter("descriptor");
    struct stat kind;
    if (vm.device < 0 || fstat(vm.device, &kind) < 0 || !S_ISCHR(kind.st_mode))
        fail("no character device came with the registration");
    if ((fcntl(vm.device, F_GETFL) & O_ACCMODE) != O_RDONLY)
        fail("the descriptor is not read-only");
    int error = ask_device(vm.device);
    if (error)
        fail("a status through it: %s", strerror(error));
    struct sev_user_data_snp_config config = {.reported_tcb = 1};
    uint32_t code;
    int refused = csev_issue(vm.device, SNP_SET_CONFIG, &config, &code);
    if (refused != -EPERM)
        fail("SNP_SET_CONFIG through it: %s, not EPERM", strerror(-refused));
    leave(&vm);
}

/* MARK: Many */

/*
 * GUESTS VMs ask for reports in a loop, each around a status, and one more is launched in sessions of 16 commands,
 * until every guest has had ROUNDS turns and there were enough launches. Each VM is a thread with its own connection,
 * and the device writes down (LOG) whose command it served, in which order, and how many others were there then.
 *
 * What must hold: the device served the commands in the order of the grants; nobody was there when another came; while
 * a launch's command waited, few guests were served, where a mutex would let each of them in; and guests have about the
 * same number of turns. Counts, never times: a loaded machine is slow in all of them.
 */
static bool asks_for_turns = true;

/* Each takes as many rounds of all guests as it has commands when nobody asks. */
static int launches_least(void) { return asks_for_turns ? 4 : 1; }

enum {
    COMMANDS = 16,
    GUESTS_MAX = 128,
    TURNS_MAX = 200000,
    LAUNCHER = -1,
    /* Guests served while one command of a launch waits: the one in service, one that was granted before the daemon
     * read the request, and on average one more by the floor. */
    GUESTS_BEFORE_COMMAND = 3,
};

struct turn {
    uint64_t number;
    pid_t thread;
    int guest; /* or LAUNCHER */
    bool is_launch_end;
    /* It was near the end of its lease, and may have been passed on. */
    bool is_late;
    /* The last turn that anybody had been granted when this one was asked for. */
    uint64_t asked_after;
};

static struct turn turns_taken[TURNS_MAX];
static atomic_int turn_count, refusals, stale, done_guests;
static atomic_uint_fast64_t last_granted;
static atomic_bool stop;
/* Registrations take their time; who came first would have had more turns. */
static pthread_barrier_t all_are_there;

static uint64_t boot_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int complaints;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("vmm: ", stdout);
    vprintf(format, arguments);
    fputc('\n', stdout);
    va_end(arguments);
    complaints++;
}

static void granted(uint64_t number) {
    uint_fast64_t last = atomic_load(&last_granted);
    while (last < number && !atomic_compare_exchange_weak(&last_granted, &last, number))
        ;
}

static void issue(struct vm *vm, struct turn turn, const struct spsched_grant *grant) {
    int error = ask_device(vm->device);
    if (error)
        fail("a status in a turn: %s", strerror(error));
    /* Without grants, the numbers are those of the ends: about the device's order. */
    if (!grant)
        turn.number = atomic_fetch_add(&last_granted, 1) + 1;
    turn.is_late = grant && boot_now() - grant->granted_at_ns > grant->lease_ns / 4 * 3;
    int index = atomic_fetch_add(&turn_count, 1);
    if (index >= TURNS_MAX)
        fail("more than %d turns before every guest had its share", TURNS_MAX);
    turns_taken[index] = turn;
}

/* One turn around one ioctl. False: it came too late to be used, or was refused. */
static bool take_turn(struct vm *vm, enum spsched_kind kind, int guest) {
    struct spsched_reply reply;
    struct turn turn = {.thread = gettid(), .guest = guest, .is_launch_end = kind == SPSCHED_LAUNCH_FINISH,
                        .asked_after = atomic_load(&last_granted)};
    if (!asks_for_turns) {
        issue(vm, turn, NULL);
        return true;
    }
    if (!acquire(vm, kind, &reply)) {
        atomic_fetch_add(&refusals, 1);
        usleep(50000);
        return false;
    }
    granted(turn.number = reply.grant.turn);
    /* What would start too late is not inside its turn: nobody is served by it. */
    bool is_stale = spsched_grant_is_stale(vm->client, &reply.grant);
    if (is_stale)
        atomic_fetch_add(&stale, 1);
    else
        issue(vm, turn, &reply.grant);
    expect_ok(vm->client, spsched_release(vm->client, &reply.grant, NULL), "release", NULL);
    return !is_stale;
}

struct guest {
    int index, rounds;
};

static void *guest(void *argument) {
    struct guest *guest = argument;
    char name[32];
    snprintf(name, sizeof name, "guest-%d", guest->index);
    struct vm vm = enter(name);
    pthread_barrier_wait(&all_are_there);
    for (int served = 0; !atomic_load(&stop);) {
        if (take_turn(&vm, SPSCHED_REPORT, guest->index) && ++served == guest->rounds)
            atomic_fetch_add(&done_guests, 1);
    }
    leave(&vm);
    return NULL;
}

static void launch_once(struct vm *vm) {
    struct spsched_launch_plan plan = {.size = sizeof plan, .pages = COMMANDS - 2, .vcpus = 1};
    struct spsched_launch session = {.size = sizeof session};
    struct spsched_reply reply = {.size = sizeof reply};
    if (asks_for_turns)
        expect_ok(vm->client, spsched_launch_begin(vm->client, &plan, &session, &reply), "launch-begin", reply.text);
    for (int command = 0; command < COMMANDS; command++) {
        enum spsched_kind kind = command == 0 ? SPSCHED_LAUNCH_START
            : command == COMMANDS - 1 ? SPSCHED_LAUNCH_FINISH : SPSCHED_LAUNCH_UPDATE;
        while (!take_turn(vm, kind, LAUNCHER))
            ;
    }
    if (asks_for_turns)
        expect_ok(vm->client, spsched_launch_end(vm->client, SPSCHED_LAUNCH_RUNNING), "launch-end", NULL);
}

/* MARK: What the device saw */

static int by_number(const void *left, const void *right) {
    const struct turn *one = left, *other = right;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* The turn in which this thread issued its next command, of those sorted by number. */
static struct turn *next_of(pid_t thread, int count) {
    /* A thread's turns have rising numbers: begin where its last one was. */
    static struct { pid_t thread; int next; } seen[GUESTS_MAX + 1];
    int slot = 0;
    while (slot <= GUESTS_MAX && seen[slot].thread != thread && seen[slot].thread != 0)
        slot++;
    if (slot > GUESTS_MAX)
        return NULL;
    seen[slot].thread = thread;
    for (int index = seen[slot].next; index < count; index++)
        if (turns_taken[index].thread == thread) {
            seen[slot].next = index + 1;
            return &turns_taken[index];
        }
    return NULL;
}

/* Follows the device's log from `position`: each command in its turn, one after the other. */
static void compare_with_log(FILE *log, int count) {
    char line[128];
    int matched = 0, late = 0, crowded = 0, disordered = 0;
    uint64_t last = 0;
    while (fgets(line, sizeof line, log)) {
        unsigned command, code;
        int thread, error, ahead;
        char mode[4];
        if (sscanf(line, "%u tid %d mode %3s errno %d code %x ahead %d", &command, &thread, mode, &error, &code,
                   &ahead) != 6)
            fail("a line of the device's log: %s", line);
        struct turn *turn = next_of(thread, count);
        if (!turn)
            continue; /* a probe */
        matched++;
        late += turn->is_late;
        crowded += ahead > 0;
        /* One that may have been passed on may have been overtaken. */
        if (turn->is_late)
            continue;
        disordered += turn->number < last;
        last = turn->number;
    }
    printf("the device served %d commands, %d of them out of the order of the grants; %d met another there\n", matched,
           disordered, crowded);
    if (matched != count)
        fail("%d commands were issued in turns, and the device's log has %d of them", count, matched);
    if (late * 10 > count)
        complain("%d of %d turns came near the ends of their leases: this machine is too slow to judge", late, count);
    if (disordered > 0)
        complain("%d commands were not served in the order of their grants", disordered);
    /* A late one may stand before those that come after it. */
    if (crowded > 4 * late)
        complain("%d commands met another at the device, and only %d leases had ended", crowded, late);
}

/* MARK: What was fair */

static int ascending(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }

/* Turns of guests between asking and having, for each command of a launch. */
static void judge_launches(int count) {
    int launches = 0, commands = 0, before = 0, most = 0, inside = 0, since_command = 0;
    bool is_open = false;
    for (int index = 0; index < count; index++) {
        const struct turn *turn = &turns_taken[index];
        if (turn->guest != LAUNCHER) {
            since_command++;
            continue;
        }
        int waited_for = 0;
        for (int earlier = index - 1; earlier >= 0 && turns_taken[earlier].number > turn->asked_after; earlier--)
            waited_for += turns_taken[earlier].guest != LAUNCHER;
        commands++;
        before += waited_for;
        most = waited_for > most ? waited_for : most;
        inside += is_open ? since_command : 0;
        since_command = 0;
        is_open = !turn->is_launch_end;
        launches += turn->is_launch_end;
    }
    printf("%d launches of %d commands: %d guests' turns while they waited, at most %d for one command; %d inside\n",
           launches, COMMANDS, before, most, inside);
    if (launches < launches_least() || before > commands * GUESTS_BEFORE_COMMAND)
        complain("guests went before the commands of launches: %d of them for %d commands", before, commands);
}

static void judge_guests(int count, int guests) {
    int of_guest[GUESTS_MAX] = {0}, all = 0;
    for (int index = 0; index < count; index++)
        if (turns_taken[index].guest != LAUNCHER)
            of_guest[turns_taken[index].guest]++, all++;
    qsort(of_guest, (size_t)guests, sizeof of_guest[0], ascending);
    int few = of_guest[guests / 10], many = of_guest[guests - 1 - guests / 10];
    printf("%d guests: %d turns, %d to %d each, %d to %d without the outer tenths; %d refused (%d not"
           " heard), %d granted too late\n",
           guests, all, of_guest[0], of_guest[guests - 1], few, many, atomic_load(&refusals), atomic_load(&absences),
           atomic_load(&stale));
    if (of_guest[0] == 0 || few * 3 < many)
        complain("some guests had less than a third of the turns of others");
}

static void turns(int guests, int rounds, const char *path) {
    if (guests < 1 || guests > GUESTS_MAX || rounds < 1)
        fail("between 1 and %d VMs, and at least one round", GUESTS_MAX);
    FILE *log = fopen(path, "re");
    if (!log || fseek(log, 0, SEEK_END) < 0)
        fail("%s: %s", path, strerror(errno));
    pthread_t threads[GUESTS_MAX];
    struct guest all[GUESTS_MAX];
    pthread_barrier_init(&all_are_there, NULL, (unsigned)guests + 1);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    for (int index = 0; index < guests; index++) {
        all[index] = (struct guest){.index = index, .rounds = rounds};
        if (pthread_create(&threads[index], &small, guest, &all[index]) != 0)
            fail("no thread");
    }
    struct vm launcher = enter("launcher");
    pthread_barrier_wait(&all_are_there);
    for (int launches = 0; launches < launches_least() || atomic_load(&done_guests) < guests; launches++) {
        sleep(1);
        launch_once(&launcher);
    }
    atomic_store(&stop, true);
    for (int index = 0; index < guests; index++)
        pthread_join(threads[index], NULL);
    leave(&launcher);

    int count = atomic_load(&turn_count);
    qsort(turns_taken, (size_t)count, sizeof turns_taken[0], by_number);
    compare_with_log(log, count);
    judge_launches(count);
    judge_guests(count, guests);
    if (complaints > 0)
        exit(1);
}

/* MARK: Clocks */

#define SECOND 1000000000ll

static int64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static void set_wall_clock(int64_t time) {
    struct timespec value = {.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
    if (clock_settime(CLOCK_REALTIME, &value) < 0)
        fail("set the wall clock: %s", strerror(errno));
}

/* All that a real sleep does but its last step: the clocks are those of a machine that slept for some seconds. */
static void sleep_machine(void) {
    static const char *const steps[][2] = {{"/sys/power/pm_test", "core"}, {"/sys/power/state", "mem"}};
    int64_t asleep = read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
    for (int step = 0; step < 2; step++) {
        int file = open(steps[step][0], O_WRONLY | O_CLOEXEC);
        if (file < 0 || write(file, steps[step][1], strlen(steps[step][1])) < 0)
            fail("%s: %s", steps[step][0], strerror(errno));
        close(file);
    }
    asleep = read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC) - asleep;
    printf("the machine slept for %lld ms\n", (long long)(asleep / 1000000));
    if (asleep < SECOND)
        fail("it was to sleep for some seconds");
}

/* A limit of one turn in 40 s, and five at once. */
enum { LIMIT_MHZ = 25, LIMIT_BURST = 5 };
#define LIMIT_PERIOD (40 * SECOND)

/* How many turns it gets until it is told that its limit is used up. */
static int use_up(struct vm *limited) {
    for (int taken = 0;; taken++) {
        struct spsched_request request = {
            .size = sizeof request, .kind = SPSCHED_REPORT, .units = 1, .max_wait_ns = SECOND};
        struct spsched_reply reply = {.size = sizeof reply};
        enum spsched_result result = spsched_acquire(limited->client, &request, &reply);
        if (result == SPSCHED_BUSY && reply.reason == SPSCHED_BUSY_LIMIT) {
            if (reply.retry_after_ns > (uint64_t)LIMIT_PERIOD)
                fail("it was told to come back in %llu ms", (unsigned long long)(reply.retry_after_ns / 1000000));
            return taken;
        }
        expect_ok(limited->client, result, "a turn inside the limit", reply.text);
        expect_ok(limited->client, spsched_release(limited->client, &reply.grant, NULL), "release", NULL);
        if (taken > 2 * LIMIT_BURST)
            fail("a limit of %d at once does not bind", LIMIT_BURST);
    }
}

/* Holds a turn while `trouble` happens: the next VM has its own when the lease is over, by the boot clock. */
static void jump(const char *name, void (*trouble)(int64_t), int64_t argument, struct vm *limited) {
    struct vm idler = enter("idler"), other = enter("other");
    struct spsched_reply held, next;
    if (!acquire(&idler, SPSCHED_REPORT, &held))
        fail("%s: the turn to be held was refused", name);
    int64_t granted = read_clock(CLOCK_BOOTTIME);
    trouble(argument);
    if (!acquire(&other, SPSCHED_REPORT, &next))
        fail("%s: the next VM was refused: %s", name, next.text);
    int64_t passed = read_clock(CLOCK_BOOTTIME) - granted, lease = (int64_t)held.grant.lease_ns;
    printf("%s: a lease of %lld ms, passed on after %lld ms\n", name, (long long)(lease / 1000000),
           (long long)(passed / 1000000));
    if (passed < lease)
        fail("%s: the turn was passed on before its lease was over", name);
    /* However slow the machine is: a jump is of years, a sleep of seconds. */
    if (passed > lease + 60 * SECOND)
        fail("%s: the turn was passed on too late", name);
    expect_ok(other.client, spsched_release(other.client, &next.grant, NULL), "release", NULL);
    leave(&other);
    spsched_close(idler.client);

    static int64_t began;
    static int taken;
    if (began == 0)
        began = granted;
    taken += use_up(limited);
    if (taken > 1 + (read_clock(CLOCK_BOOTTIME) - began) / LIMIT_PERIOD)
        fail("%s: %d turns were granted, though the limit was used up", name, taken);
}

static void shift_wall_clock(int64_t by) { set_wall_clock(read_clock(CLOCK_REALTIME) + by); }
static void sleep_once(int64_t unused) {
    (void)unused;
    sleep_machine();
}

static void clocks(void) {
    const int64_t year = 365 * 86400 * SECOND;
    int64_t offset = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
    struct vm limited = enter_limited("limited", LIMIT_MHZ, LIMIT_BURST);
    use_up(&limited);
    jump("ten years forward", shift_wall_clock, 10 * year, &limited);
    jump("thirty years back", shift_wall_clock, -30 * year, &limited);
    jump("asleep", sleep_once, 0, &limited);
    set_wall_clock(read_clock(CLOCK_BOOTTIME) + offset);
    leave(&limited);
}

/* MARK: Trouble */

static void status(bool is_to_hang) {
    struct vm vm = enter(is_to_hang ? "hanging" : "status");
    struct spsched_reply reply;
    if (!acquire(&vm, SPSCHED_REPORT, &reply)) {
        printf("busy: %s\n", reply.text);
        exit(75);
    }
    int error = ask_device(vm.device);
    struct spsched_outcome outcome = {.size = sizeof outcome, .error = error};
    expect_ok(vm.client, spsched_release(vm.client, &reply.grant, &outcome), "release", NULL);
    printf("errno %d\n", error);
    leave(&vm);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    setlinebuf(stdout);
    if (strcmp(what, "descriptor") == 0)
        descriptor();
    else if ((strcmp(what, "turns") == 0 || strcmp(what, "unasked") == 0) && count == 5) {
        asks_for_turns = what[0] == 't';
        turns(atoi(arguments[2]), atoi(arguments[3]), arguments[4]);
    }
    else if (strcmp(what, "register") == 0) {
        struct vm vm = enter("newcomer");
        leave(&vm);
    } else if (strcmp(what, "clock") == 0)
        clocks();
    else if (strcmp(what, "hang") == 0 || strcmp(what, "status") == 0)
        status(what[0] == 'h');
    else {
        fputs("usage: vmm descriptor | turns|unasked GUESTS ROUNDS LOG | clock | register | hang | status\n",
              stderr);
        return 64;
    }
    return 0;
}
