/*
 * A well-behaved VM whose waits are measured while something bad happens beside it.
 *
 *     victim --path SOCKET
 *
 * It registers and prints "ready". Then each line of its standard input is one task, answered by one line of JSON:
 *
 *     turns MILLISECONDS      asks for one report after the other, each released at once: how long grants take
 *     waits REPORTS LAUNCHES  asks as a guest with a reservation does and launches a few times, and tells the longest
 *                             wait for a report, and of each launch what the bound of promise P1 is made of
 *     trouble                 has the daemon ask the device how it is, as after a command that failed
 *     newcomer                how long another VM takes from connect to the answer to REGISTER
 */
#include <poll.h>

#include "wire.h"

/* More turns than a second holds. */
#define SAMPLES_MAX (1 << 20)
/* The reservation that `waits` stays inside: five a second, five at once. */
#define RESERVATION_MHZ 5000
#define BURST 5
#define EVERY_NS 200000000ULL
/* A guest asks again after this. */
#define RETRY_NS 50000000ULL
#define PAGES 40
#define LAUNCHES_MAX 64
/* Below the shortest hold: a gap of a launch that is longer may let others in. */
#define GAP_NS 200000ULL
/* A launch that is not over by then is given up: each bound is below that. */
#define LAUNCH_PATIENCE_NS 8000000000ULL
/* What a page takes the device. */
#define PAGE_NS 1000000ULL

struct victim {
    const char *path;
    int connection;
    uint64_t tag, busies;
};

static void fail(const char *what) {
    fprintf(stderr, "victim: %s: %s\n", what, errno ? strerror(errno) : "the daemon hung up or refused");
    exit(1);
}

/* A connection that has asked for a registration; `reply` has the answer. */
static int ask_in(const char *path, const char *name, struct record *reply) {
    struct record request;
    errno = 0;
    int connection = connect_to(path, 0);
    if (connection < 0)
        fail("cannot connect");
    write_hello(&request, 1, "victim");
    if (!ask(connection, &request, reply) || type_of(reply) != WELCOME)
        fail("no WELCOME");
    write_register(&request, 2, &(struct wishes){.name = name, .reservation = RESERVATION_MHZ, .burst = BURST});
    if (!ask(connection, &request, reply))
        fail("no answer to REGISTER");
    return connection;
}

static void release(struct victim *self, uint64_t turn) {
    struct record request;
    write_release(&request, 0, turn, 0, 0, 1);
    if (send_record(self->connection, &request) < 0)
        fail("cannot release");
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* MARK: Turns at full speed */

static void turns(struct victim *self, unsigned long milliseconds) {
    static uint64_t samples[SAMPLES_MAX];
    struct record request, reply;
    size_t count = 0;
    uint64_t busies = 0, end = now_ns() + milliseconds * 1000000ULL, sum = 0;
    for (uint64_t asked = now_ns(); asked < end && count < SAMPLES_MAX; asked = now_ns()) {
        write_acquire(&request, self->tag++, REPORT, 1);
        if (!ask(self->connection, &request, &reply))
            fail("no answer");
        if (type_of(&reply) == BUSY) {
            busies++;
            continue;
        }
        if (type_of(&reply) != GRANTED)
            fail("no turn");
        samples[count] = now_ns() - asked;
        sum += samples[count++];
        release(self, get(&reply, 16, 8));
    }
    qsort(samples, count, sizeof samples[0], compare);
    printf(
        "{\"turns\":%zu,\"busies\":%llu,\"mean_ns\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu}\n", count,
        (unsigned long long)busies, (unsigned long long)(count ? sum / count : 0),
        (unsigned long long)(count ? samples[count / 2] : 0),
        (unsigned long long)(count ? samples[count * 99 / 100] : 0),
        (unsigned long long)(count ? samples[count - 1] : 0));
}

/* MARK: The longest wait */

/* From the first attempt to the grant: what the guest sees. */
static uint64_t report_wait(struct victim *self) {
    struct record request, reply;
    uint64_t began = now_ns();
    for (;;) {
        write_acquire(&request, self->tag++, REPORT, 1);
        if (!ask(self->connection, &request, &reply))
            fail("no answer");
        if (type_of(&reply) == GRANTED)
            break;
        if (type_of(&reply) != BUSY)
            fail("no turn");
        self->busies++;
        pass_time(RETRY_NS);
    }
    uint64_t wait = now_ns() - began;
    release(self, get(&reply, 16, 8));
    return wait;
}

struct launch {
    uint64_t total_ns, work_ns, think_ns, gaps;
    int is_given_up;
};

/* Reads on to the grant of a launch turn, which is told once a second that it waits. False: it waits too long. */
static int launch_turn(int connection, const struct record *request, struct record *reply, uint64_t patience_ends) {
    if (send_record(connection, request) < 0)
        fail("cannot ask for a launch turn");
    while (now_ns() < patience_ends) {
        if (!receive_record(connection, reply))
            fail("no answer");
        if (tag_of(reply) != tag_of(request) || type_of(reply) == QUEUED)
            continue;
        if (type_of(reply) != GRANTED)
            fail("no launch turn");
        return 1;
    }
    return 0;
}

/* The launch of a VM that comes for it and goes again. */
static struct launch launch(struct victim *self) {
    struct record request, reply;
    struct launch launch = {0};
    uint64_t tag = 3;
    int connection = ask_in(self->path, "launching", &reply);
    if (type_of(&reply) != REGISTERED)
        fail("not registered for a launch");
    for (;;) {
        write_launch_begin(&request, tag++, PAGES);
        if (!ask(connection, &request, &reply))
            fail("no answer");
        if (type_of(&reply) == LAUNCH_BEGUN)
            break;
        self->busies++;
        pass_time(RETRY_NS);
    }
    uint64_t session = get(&reply, 16, 8), began = now_ns(), released = began, turn = 0;
    uint32_t left = PAGES, done = 0;
    for (enum kind kind = LAUNCH_START;;) {
        uint32_t units = kind == LAUNCH_UPDATE ? left : 1;
        if (turn == 0)
            write_acquire(&request, tag++, kind, units);
        else
            write_release_and_acquire(&request, tag++, turn, done, kind, units);
        uint64_t asked = now_ns();
        launch.think_ns += asked - released;
        launch.gaps += asked - released > GAP_NS;
        if (!launch_turn(connection, &request, &reply, began + LAUNCH_PATIENCE_NS)) {
            launch.is_given_up = 1;
            break;
        }
        uint64_t granted = now_ns();
        turn = get(&reply, 16, 8);
        done = (uint32_t)get(&reply, 40, 4);
        pass_time(done * PAGE_NS);
        released = now_ns();
        launch.work_ns += released - granted;
        if (kind == LAUNCH_FINISH)
            break;
        if (kind == LAUNCH_UPDATE)
            left -= done;
        kind = left > 0 ? LAUNCH_UPDATE : LAUNCH_FINISH;
    }
    launch.total_ns = now_ns() - began;
    if (!launch.is_given_up) {
        write_release(&request, 0, turn, 0, 0, 1);
        send_record(connection, &request);
        write_launch_end(&request, tag++, session);
        if (!ask(connection, &request, &reply) || type_of(&reply) != DONE)
            fail("the launch session did not end");
        begin(&request, UNREGISTER, HEADER, tag);
        ask(connection, &request, &reply);
    }
    close(connection);
    return launch;
}

static void waits(struct victim *self, unsigned long reports, unsigned long launches) {
    static struct launch all[LAUNCHES_MAX];
    uint64_t longest = 0;
    self->busies = 0;
    for (unsigned long index = 0; index < reports; index++) {
        uint64_t began = now_ns(), wait = report_wait(self), took = now_ns() - began;
        longest = wait > longest ? wait : longest;
        if (took < EVERY_NS)
            pass_time(EVERY_NS - took);
    }
    for (unsigned long index = 0; index < launches && index < LAUNCHES_MAX; index++)
        all[index] = launch(self);
    printf("{\"reports\":%lu,\"busies\":%llu,\"longest_ns\":%llu,\"launches\":[", reports,
           (unsigned long long)self->busies, (unsigned long long)longest);
    for (unsigned long index = 0; index < launches && index < LAUNCHES_MAX; index++)
        printf("%s{\"total_ns\":%llu,\"work_ns\":%llu,\"think_ns\":%llu,\"gaps\":%llu,\"is_given_up\":%s}",
               index ? "," : "", (unsigned long long)all[index].total_ns, (unsigned long long)all[index].work_ns,
               (unsigned long long)all[index].think_ns, (unsigned long long)all[index].gaps,
               all[index].is_given_up ? "true" : "false");
    printf("]}\n");
}

static void trouble(struct victim *self) {
    struct record request, reply;
    write_acquire(&request, self->tag++, REPORT, 1);
    if (!ask(self->connection, &request, &reply) || type_of(&reply) != GRANTED)
        fail("no turn");
    write_release(&request, self->tag++, get(&reply, 16, 8), ETIMEDOUT, 0, 0);
    if (!ask(self->connection, &request, &reply) || type_of(&reply) != DONE)
        fail("the release was not taken");
    printf("{}\n");
}

static void newcomer(const char *path) {
    uint64_t began = now_ns();
    struct record request, reply;
    int connection = ask_in(path, "newcomer", &reply);
    uint64_t took = now_ns() - began;
    int is_registered = type_of(&reply) == REGISTERED;
    begin(&request, UNREGISTER, HEADER, 3);
    if (is_registered && !ask(connection, &request, &reply))
        fail("not unregistered");
    close(connection);
    printf("{\"took_ns\":%llu,\"is_registered\":%s}\n", (unsigned long long)took, is_registered ? "true" : "false");
}

int main(int count, char **arguments) {
    if (count != 3 || strcmp(arguments[1], "--path") != 0) {
        fprintf(stderr, "victim: --path SOCKET is needed; see the head of victim.c\n");
        return 64;
    }
    struct victim self = {.path = arguments[2], .tag = 3};
    struct record reply;
    self.connection = ask_in(arguments[2], "victim", &reply);
    if (type_of(&reply) != REGISTERED)
        fail("not registered");
    puts("ready");
    fflush(stdout);
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        unsigned long first = 0, second = 0;
        if (sscanf(line, "turns %lu", &first) == 1)
            turns(&self, first);
        else if (sscanf(line, "waits %lu %lu", &first, &second) == 2)
            waits(&self, first, second);
        else if (strcmp(line, "trouble\n") == 0)
            trouble(&self);
        else if (strcmp(line, "newcomer\n") == 0)
            newcomer(arguments[2]);
        else
            fail("an unknown task");
        fflush(stdout);
    }
    struct record request;
    begin(&request, UNREGISTER, HEADER, self.tag++);
    ask(self.connection, &request, &reply);
    return 0;
}
