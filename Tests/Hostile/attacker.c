/*
 * One hostile client, in as many processes as wanted: it does to a daemon's VMM socket what no VMM should.
 *
 *     attacker --path SOCKET --attack NAME [--processes N] [--seconds T] [--uid U]
 *     attacker --list
 *
 * Started by root it becomes another user first (nobody, unless told), so that it is an account of its own. Prints
 * "attacking" once every process is at it, ends after T seconds or when its standard input does, and then prints one
 * line of JSON: what it did. It leaves no process behind.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "wire.h"

#define NOBODY 65534
#define PROCESSES_MAX 512
/* So many messages with each system call. */
#define BATCH 32
/* Connections that `connections` tries to hold, all processes together; and each process of `silent`. */
#define CONNECTIONS_MAX 10000
#define SILENT_MAX 1000
/* Children of one process of `fork-storm` that are alive at a time. */
#define CHILDREN_MAX 16
/* Descriptors with each message of `descriptors`; the kernel takes 253. */
#define STUFFED 64
/* A BUSY that the VM's own limit is the reason of. */
#define REASON_LIMIT 1
/* The longest that the processes may take to begin. */
#define BEGIN_MS 20000

/* What one process did. In shared memory: it outlives the process, however that ends. */
struct tally {
    _Atomic uint64_t messages, replies, connections, disconnected, refused, errors, busies, grants, revoked, failures;
    _Atomic uint64_t lease_ns_max;
};

struct attacker {
    const char *path;
    unsigned number, processes;
    uint64_t end;
    struct tally *tally;
    int started;
    uint64_t tag;
    unsigned random;
};

static int is_over(const struct attacker *self) { return now_ns() >= self->end; }

static unsigned random_below(struct attacker *self, unsigned bound) {
    self->random = self->random * 1103515245U + 12345U;
    return (self->random >> 16) % bound;
}

/* Tells the parent that this process is at it. */
static void is_attacking(struct attacker *self) {
    if (self->started >= 0 && write(self->started, "!", 1) != 1)
        _exit(1);
    if (self->started >= 0)
        close(self->started);
    self->started = -1;
}

static void count_reply(struct attacker *self, const struct record *reply) {
    self->tally->replies++;
    switch (type_of(reply)) {
    case ERROR:
        self->tally->errors++;
        break;
    case BUSY:
        self->tally->busies++;
        break;
    case REVOKED:
        self->tally->revoked++;
        break;
    case GRANTED:
        self->tally->grants++;
        if (get(reply, 32, 8) > self->tally->lease_ns_max)
            self->tally->lease_ns_max = get(reply, 32, 8);
        break;
    default:
        break;
    }
}

static int open_connection(struct attacker *self) {
    int connection = connect_to(self->path, 0);
    if (connection < 0)
        self->tally->failures++;
    else
        self->tally->connections++;
    return connection;
}

static int exchange(struct attacker *self, int connection, const struct record *request, struct record *reply) {
    self->tally->messages++;
    if (!ask(connection, request, reply)) {
        self->tally->disconnected++;
        return 0;
    }
    count_reply(self, reply);
    return 1;
}

static int introduce(struct attacker *self, int connection) {
    struct record request, reply;
    self->tag = 1;
    write_hello(&request, self->tag++, "hostile");
    return exchange(self, connection, &request, &reply) && type_of(&reply) == WELCOME;
}

static int register_vm(struct attacker *self, int connection, uint32_t limit) {
    char name[64];
    struct record request, reply;
    snprintf(name, sizeof name, "hostile-%u", self->number);
    write_register(&request, self->tag++, &(struct wishes){.name = name, .limit = limit, .burst = 1});
    return exchange(self, connection, &request, &reply) && type_of(&reply) == REGISTERED;
}

/* A registered connection; -1: there is none, after a pause, so that a daemon that refuses is not asked in a spin. */
static int enter(struct attacker *self, uint32_t limit) {
    int connection = open_connection(self);
    if (connection >= 0 && introduce(self, connection) && register_vm(self, connection, limit))
        return connection;
    if (connection >= 0) {
        self->tally->refused++;
        close(connection);
    }
    pass_time(1000000);
    return -1;
}

/* MARK: Floods of messages that are well formed and lead nowhere */

typedef void (*writer)(struct attacker *self, struct record *record, uint64_t argument);

static void release_turn(struct attacker *self, int connection, uint64_t turn, int32_t error, uint32_t code) {
    struct record release;
    write_release(&release, 0, turn, error, code, 1);
    self->tally->messages++;
    if (send_record(connection, &release) < 0)
        self->tally->disconnected++;
}

/* Takes some of what has come, and waits for nothing. How many messages; -1: the connection has ended. */
static int drain_some(struct attacker *self, int connection) {
    static struct record replies[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr headers[BATCH];
    for (int index = 0; index < BATCH; index++) {
        parts[index] = (struct iovec){replies[index].bytes, sizeof replies[index].bytes};
        headers[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[index], .msg_iovlen = 1}};
    }
    int count = recvmmsg(connection, headers, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    for (int index = 0; index < count; index++) {
        replies[index].length = headers[index].msg_len;
        if (replies[index].length == 0)
            return -1;
        count_reply(self, &replies[index]);
        if (type_of(&replies[index]) == GRANTED)
            release_turn(self, connection, get(&replies[index], 16, 8), 0, 0);
    }
    return count;
}

/* Takes what has come. False: the connection has ended. */
static int drain(struct attacker *self, int connection) {
    int count;
    do
        count = drain_some(self, connection);
    while (count == BATCH);
    return count >= 0;
}

/* Sends as fast as the daemon reads, until it hangs up or the time is over. */
static void pour(struct attacker *self, int connection, writer write_one, uint64_t argument, int reads) {
    static struct record batch[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr headers[BATCH];
    is_attacking(self);
    while (!is_over(self)) {
        for (int index = 0; index < BATCH; index++) {
            write_one(self, &batch[index], argument);
            parts[index] = (struct iovec){batch[index].bytes, batch[index].length};
            headers[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[index], .msg_iovlen = 1}};
        }
        int sent = sendmmsg(connection, headers, BATCH, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent > 0)
            self->tally->messages += (unsigned)sent;
        if (sent < 0 || (reads && !drain(self, connection))) {
            self->tally->disconnected++;
            return;
        }
    }
}

static void flood(struct attacker *self, writer write_one, int reads) {
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        pour(self, connection, write_one, 0, reads);
        close(connection);
    }
}

static void write_report(struct attacker *self, struct record *record, uint64_t argument) {
    (void)argument;
    write_acquire(record, self->tag++, REPORT, 1);
}

/* Without a launch session this is an error. */
static void write_update(struct attacker *self, struct record *record, uint64_t argument) {
    (void)argument;
    write_acquire(record, self->tag++, LAUNCH_UPDATE, 1);
}

static void write_cancel(struct attacker *self, struct record *record, uint64_t argument) {
    (void)self;
    (void)argument;
    begin(record, CANCEL, 24, 0);
    put(record, 16, 1ULL << 60, 8);
}

static void write_unknown_release(struct attacker *self, struct record *record, uint64_t argument) {
    (void)argument;
    write_release(record, self->tag++, 1ULL << 60, 0, 0, 1);
}

static void write_resync(struct attacker *self, struct record *record, uint64_t argument) {
    (void)self;
    (void)argument;
    begin(record, RESYNC_STATE, 48, 0);
    put(record, 16, 1, 8);
}

static void write_begin_again(struct attacker *self, struct record *record, uint64_t argument) {
    (void)argument;
    write_launch_begin(record, self->tag++, 1);
}

/* Takes the turns that the limit allows, so that none is held from here on. False: the connection has ended. */
static int use_up_limit(struct attacker *self, int connection) {
    struct record request, reply;
    while (!is_over(self)) {
        write_report(self, &request, 0);
        if (!exchange(self, connection, &request, &reply))
            return 0;
        if (type_of(&reply) == GRANTED)
            release_turn(self, connection, get(&reply, 16, 8), 0, 0);
        else if (type_of(&reply) == BUSY && get(&reply, 24, 2) == REASON_LIMIT)
            return 1;
    }
    return 0;
}

/* One request in 40 s is allowed, and used up: all others are answered BUSY. */
static void flood_busy(struct attacker *self) {
    while (!is_over(self)) {
        int connection = enter(self, 25);
        if (connection < 0)
            continue;
        if (use_up_limit(self, connection))
            pour(self, connection, write_report, 0, 1);
        close(connection);
    }
}

static void flood_error(struct attacker *self) { flood(self, write_update, 1); }
static void flood_cancel(struct attacker *self) { flood(self, write_cancel, 1); }
static void flood_release(struct attacker *self) { flood(self, write_unknown_release, 1); }
static void flood_resync(struct attacker *self) { flood(self, write_resync, 1); }
static void slow_reader(struct attacker *self) { flood(self, write_update, 0); }

static void launch_again(struct attacker *self) {
    struct record request, reply;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        write_launch_begin(&request, self->tag++, 1);
        if (exchange(self, connection, &request, &reply))
            pour(self, connection, write_begin_again, 0, 1);
        close(connection);
    }
}

static void launch_begin(struct attacker *self) {
    struct record request, reply;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        is_attacking(self);
        while (!is_over(self)) {
            write_launch_begin(&request, self->tag++, 1);
            if (!exchange(self, connection, &request, &reply))
                break;
            if (type_of(&reply) != LAUNCH_BEGUN)
                continue;
            write_launch_end(&request, self->tag++, get(&reply, 16, 8));
            if (!exchange(self, connection, &request, &reply))
                break;
        }
        close(connection);
    }
}

static void churn(struct attacker *self) {
    struct record request, reply;
    while (!is_over(self)) {
        int connection = open_connection(self);
        if (connection < 0)
            continue;
        if (introduce(self, connection)) {
            is_attacking(self);
            while (!is_over(self) && register_vm(self, connection, 0)) {
                begin(&request, UNREGISTER, HEADER, self->tag++);
                if (!exchange(self, connection, &request, &reply))
                    break;
            }
        }
        close(connection);
    }
}

/* MARK: Bytes that are no messages */

static void write_garbage(struct attacker *self, struct record *record, uint64_t argument) {
    (void)argument;
    static const uint16_t types[] = {0, 0x000B, 0x7FFF, HELLO, REGISTER, ACQUIRE, RELEASE, GRANTED, 0xFFFF};
    uint16_t size = (uint16_t)(HEADER + random_below(self, 200));
    begin(record, types[random_below(self, sizeof types / sizeof types[0])], size, random_below(self, 2));
    for (size_t at = HEADER; at < size; at++)
        record->bytes[at] = (uint8_t)random_below(self, 256);
}

static void garbage(struct attacker *self) {
    while (!is_over(self)) {
        int connection = open_connection(self);
        if (connection < 0)
            continue;
        pour(self, connection, write_garbage, 0, 1);
        close(connection);
    }
}

static void half_messages(struct attacker *self) {
    struct record reply;
    while (!is_over(self)) {
        int connection = open_connection(self);
        if (connection < 0)
            continue;
        struct record record;
        uint8_t long_record[2 * MESSAGE_MAX];
        write_hello(&record, 1, "hostile");
        memset(long_record, 0, sizeof long_record);
        memcpy(long_record, record.bytes, record.length);
        const void *bytes = record.bytes;
        size_t length = record.length;
        switch (random_below(self, 4)) {
        case 0: /* shorter than a header */
            length = 8;
            break;
        case 1: /* less than its size says */
            length = 40;
            break;
        case 2: /* a size below the header's own */
            put(&record, 2, 4, 2);
            break;
        default: /* longer than a message may be: the kernel cuts it */
            bytes = long_record;
            length = sizeof long_record;
            break;
        }
        if (send(connection, bytes, length, MSG_NOSIGNAL) == (ssize_t)length)
            self->tally->messages++;
        is_attacking(self);
        while (receive_record(connection, &reply))
            count_reply(self, &reply);
        self->tally->disconnected++;
        close(connection);
    }
}

/* MARK: Connections, processes, descriptors */

/* Keeps as many open as it can; those that the daemon closes are opened anew. */
static void keep_open(struct attacker *self, unsigned most, int says_hello) {
    struct pollfd *held = calloc(most, sizeof *held);
    unsigned count = 0;
    if (!held)
        return;
    while (!is_over(self)) {
        for (unsigned burst = 0; burst < 64 && count < most; burst++) {
            int connection = open_connection(self);
            if (connection < 0)
                break;
            if (says_hello && !introduce(self, connection)) {
                self->tally->refused++;
                close(connection);
                continue;
            }
            held[count++] = (struct pollfd){.fd = connection, .events = POLLIN};
        }
        is_attacking(self);
        if (poll(held, count, count == most ? 50 : 0) <= 0)
            continue;
        for (unsigned index = 0; index < count;) {
            struct record record;
            if (held[index].revents && !receive_record(held[index].fd, &record)) {
                self->tally->disconnected++;
                close(held[index].fd);
                held[index] = held[--count];
            } else {
                index++;
            }
        }
    }
}

static void silent(struct attacker *self) { keep_open(self, SILENT_MAX, 0); }
static void connections(struct attacker *self) { keep_open(self, CONNECTIONS_MAX / self->processes, 1); }

static void connect_storm(struct attacker *self) {
    while (!is_over(self)) {
        int connection = open_connection(self);
        if (connection >= 0)
            close(connection);
        is_attacking(self);
    }
}

static void descriptors(struct attacker *self) {
    int stuffing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct record record;
    union {
        char bytes[CMSG_SPACE(STUFFED * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    write_cancel(self, &record, 0);
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        while (!is_over(self)) {
            struct iovec part = {record.bytes, record.length};
            struct msghdr message = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof control.bytes,
            };
            struct cmsghdr *header = CMSG_FIRSTHDR(&message);
            *header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(STUFFED * sizeof(int))};
            for (size_t index = 0; index < STUFFED; index++)
                memcpy(CMSG_DATA(header) + index * sizeof stuffing, &stuffing, sizeof stuffing);
            ssize_t sent = sendmsg(connection, &message, MSG_NOSIGNAL);
            is_attacking(self);
            if (sent > 0)
                self->tally->messages++;
            else if (errno == EPERM || errno == ETOOMANYREFS)
                self->tally->refused++; /* by the kernel: the daemon takes none */
            else if (errno != EINTR)
                break;
            if (!drain(self, connection))
                break;
        }
        self->tally->disconnected++;
        close(connection);
    }
}

static void short_life(struct attacker *self) {
    struct record request;
    int connection = enter(self, 0);
    if (connection < 0)
        return;
    switch (random_below(self, 3)) {
    case 0:
        return;
    case 1:
        write_launch_begin(&request, self->tag++, 1);
        break;
    default: /* may be granted a turn, which is released by the end of this process */
        write_acquire(&request, self->tag++, REPORT, 1);
        break;
    }
    self->tally->messages++;
    send_record(connection, &request);
    if (random_below(self, 2))
        pause(); /* until it is killed */
}

static void fork_storm(struct attacker *self) {
    pid_t children[CHILDREN_MAX] = {0};
    unsigned next = 0;
    while (!is_over(self)) {
        if (children[next] > 0) {
            kill(children[next], SIGKILL);
            waitpid(children[next], NULL, 0);
        }
        children[next] = fork();
        if (children[next] == 0) {
            self->random += (unsigned)getpid();
            short_life(self);
            _exit(0);
        }
        if (children[next] < 0)
            self->tally->failures++;
        is_attacking(self);
        next = (next + 1) % CHILDREN_MAX;
    }
}

/* MARK: Turns and launches that are held */

static void take_turns_and_stop(struct attacker *self) {
    struct record request, reply;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        while (!is_over(self)) {
            write_acquire(&request, self->tag++, REPORT, 1);
            if (!exchange(self, connection, &request, &reply))
                break;
            if (type_of(&reply) != GRANTED) {
                pass_time(5000000);
                continue;
            }
            raise(SIGSTOP);
            release_turn(self, connection, get(&reply, 16, 8), 0, 0);
        }
        close(connection);
    }
}

/* A child stops itself inside each of its turns. Its parent lets it go on long after the lease, or kills it. */
static void stopped_turn(struct attacker *self) {
    while (!is_over(self)) {
        pid_t child = fork();
        if (child < 0) {
            self->tally->failures++;
            return;
        }
        if (child == 0) {
            take_turns_and_stop(self);
            _exit(0);
        }
        for (int stops = 0; stops < 4 && !is_over(self); stops++) {
            int status;
            if (waitpid(child, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
                break;
            is_attacking(self);
            pass_time(2 * self->tally->lease_ns_max);
            if (stops < 3)
                kill(child, SIGCONT);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

/* Opens a session of `pages`, or of as many as the launch bucket still lets it. Its number, 0: there is none. */
static uint64_t open_session(struct attacker *self, int connection, uint32_t pages) {
    struct record request, reply;
    for (; pages > 0; pages /= 2) {
        write_launch_begin(&request, self->tag++, pages);
        if (!exchange(self, connection, &request, &reply))
            return 0;
        if (type_of(&reply) == LAUNCH_BEGUN)
            return get(&reply, 16, 8);
    }
    return 0;
}

static void held_session(struct attacker *self) {
    struct record record;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        if (open_session(self, connection, 64)) {
            is_attacking(self);
            while (receive_record(connection, &record) && type_of(&record) != REVOKED)
                count_reply(self, &record);
        }
        close(connection);
    }
}

/* Declares `declared` pages and goes on for as long as it is let, holding each turn for `held`. */
static void launch_without_end(struct attacker *self, uint32_t declared, uint64_t held) {
    struct record request, reply;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        int is_open = open_session(self, connection, declared) != 0;
        is_attacking(self);
        if (!is_open) {
            pass_time(10000000);
            close(connection);
            continue;
        }
        enum kind kind = LAUNCH_START;
        while (!is_over(self)) {
            write_acquire(&request, self->tag++, kind, kind == LAUNCH_START ? 1 : 512);
            if (!exchange(self, connection, &request, &reply) || type_of(&reply) != GRANTED)
                break;
            kind = LAUNCH_UPDATE;
            pass_time(held);
            release_turn(self, connection, get(&reply, 16, 8), 0, 0);
        }
        close(connection);
    }
}

/* 100 ms: well inside the lease of a turn of 32 pages. */
static void lying_pages(struct attacker *self) { launch_without_end(self, 1, 100000000); }
/* 30 ms: what 32 pages take. */
static void lying_most(struct attacker *self) { launch_without_end(self, 262144, 30000000); }

/* Every turn ends with an error that would mean a broken device. */
static void lying_errors(struct attacker *self) {
    static const int32_t errors[] = {EBUSY, ETIMEDOUT, EIO, INT32_MAX, -1};
    struct record request, reply;
    while (!is_over(self)) {
        int connection = enter(self, 0);
        if (connection < 0)
            continue;
        while (!is_over(self)) {
            write_acquire(&request, self->tag++, REPORT, 1);
            if (!exchange(self, connection, &request, &reply))
                break;
            is_attacking(self);
            if (type_of(&reply) == GRANTED)
                release_turn(
                    self, connection, get(&reply, 16, 8), errors[random_below(self, 5)], random_below(self, 0x40));
        }
        close(connection);
    }
}

/* MARK: No attack at all */

/* The same system calls as a flood's, to a socket of its own: what it costs the victims that the other CPU is busy. */
static void control(struct attacker *self) {
    int pair[2];
    struct record record, echoed;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return;
    is_attacking(self);
    while (!is_over(self)) {
        write_report(self, &record, 0);
        if (send_record(pair[0], &record) == 0 && receive_record(pair[1], &echoed))
            self->tally->messages++;
    }
}

static const struct attack {
    const char *name;
    void (*run)(struct attacker *self);
} attacks[] = {
    {"control", control},
    {"slow-reader", slow_reader},
    {"silent", silent},
    {"flood-busy", flood_busy},
    {"flood-error", flood_error},
    {"flood-cancel", flood_cancel},
    {"flood-release", flood_release},
    {"flood-resync", flood_resync},
    {"garbage", garbage},
    {"half-messages", half_messages},
    {"connections", connections},
    {"connect-storm", connect_storm},
    {"descriptors", descriptors},
    {"fork-storm", fork_storm},
    {"churn", churn},
    {"launch-begin", launch_begin},
    {"launch-again", launch_again},
    {"held-session", held_session},
    {"stopped-turn", stopped_turn},
    {"lying-pages", lying_pages},
    {"lying-most", lying_most},
    {"lying-errors", lying_errors},
};

/* MARK: The processes */

static void fail(const char *what) {
    fprintf(stderr, "attacker: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void become(uid_t uid) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (geteuid() != 0)
        return;
    if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
        fail("cannot become another user");
    /* The kernel forgets that after a change of user. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        fail("cannot ask to end with the parent");
}

static void run_process(const struct attack *attack, struct attacker *self, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    attack->run(self);
    _exit(0);
}

/* Waits until all processes are at it; how many are. */
static unsigned wait_for_start(int started, unsigned processes) {
    unsigned count = 0;
    uint64_t until = now_ns() + BEGIN_MS * 1000000ULL;
    while (count < processes && now_ns() < until) {
        char bytes[PROCESSES_MAX];
        struct pollfd one = {.fd = started, .events = POLLIN};
        if (poll(&one, 1, BEGIN_MS) <= 0)
            break;
        ssize_t got = read(started, bytes, sizeof bytes);
        if (got <= 0)
            break;
        count += (unsigned)got;
    }
    return count;
}

static void report(const char *name, unsigned processes, unsigned started, uint64_t took, struct tally *tallies) {
    uint64_t sum[11] = {0};
    for (unsigned index = 0; index < processes; index++) {
        struct tally *one = &tallies[index];
        uint64_t values[] = {one->messages, one->replies, one->connections, one->disconnected, one->refused,
                             one->errors,   one->busies,  one->grants,      one->revoked,      one->failures};
        for (size_t field = 0; field < 10; field++)
            sum[field] += values[field];
        if (one->lease_ns_max > sum[10])
            sum[10] = one->lease_ns_max;
    }
    static const char *const names[] = {"messages", "replies", "connections", "disconnected", "refused",     "errors",
                                        "busies",   "grants",  "revoked",     "failures",     "lease_ns_max"};
    printf("{\"attack\":\"%s\",\"processes\":%u,\"started\":%u,\"took_ns\":%llu", name, processes, started,
           (unsigned long long)took);
    for (size_t field = 0; field < 11; field++)
        printf(",\"%s\":%llu", names[field], (unsigned long long)sum[field]);
    printf("}\n");
    fflush(stdout);
}

int main(int count, char **arguments) {
    const char *path = NULL, *name = NULL;
    unsigned long processes = 1, seconds = 10, uid = NOBODY;
    for (int index = 1; index < count; index++) {
        const char *value = index + 1 < count ? arguments[index + 1] : "";
        if (strcmp(arguments[index], "--list") == 0) {
            for (size_t attack = 0; attack < sizeof attacks / sizeof attacks[0]; attack++)
                puts(attacks[attack].name);
            return 0;
        }
        if (strcmp(arguments[index], "--path") == 0)
            path = value;
        else if (strcmp(arguments[index], "--attack") == 0)
            name = value;
        else if (strcmp(arguments[index], "--processes") == 0)
            processes = strtoul(value, NULL, 10);
        else if (strcmp(arguments[index], "--seconds") == 0)
            seconds = strtoul(value, NULL, 10);
        else if (strcmp(arguments[index], "--uid") == 0)
            uid = strtoul(value, NULL, 10);
        else {
            fprintf(stderr, "attacker: '%s' is not known here; see the head of attacker.c\n", arguments[index]);
            return 64;
        }
        index++;
    }
    const struct attack *attack = NULL;
    for (size_t index = 0; name && index < sizeof attacks / sizeof attacks[0]; index++)
        if (strcmp(attacks[index].name, name) == 0)
            attack = &attacks[index];
    if (!path || !attack || processes < 1 || processes > PROCESSES_MAX || seconds < 1 || seconds > 3600) {
        fprintf(stderr, "attacker: --path and --attack are needed (--list names them); at most %d processes, 3600 s\n",
                PROCESSES_MAX);
        return 64;
    }

    become((uid_t)uid);
    /* Children of children come to this process when their parent is killed, and are reaped here. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct tally *tallies =
        mmap(NULL, processes * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int started[2];
    if (tallies == MAP_FAILED || pipe2(started, O_CLOEXEC) < 0)
        fail("cannot begin");

    pid_t parent = getpid(), children[PROCESSES_MAX];
    uint64_t began = now_ns(), end = began + seconds * 1000000000ULL;
    for (unsigned index = 0; index < processes; index++) {
        children[index] = fork();
        if (children[index] < 0)
            fail("cannot fork");
        if (children[index] > 0) {
            /* Here too: the group must be there before it is killed. */
            setpgid(children[index], children[index]);
            continue;
        }
        close(started[0]);
        struct attacker self = {
            .path = path, .number = index, .processes = (unsigned)processes, .end = end, .tally = &tallies[index],
            .started = started[1], .random = index + 1};
        run_process(attack, &self, parent);
    }
    close(started[1]);
    unsigned attacking = wait_for_start(started[0], (unsigned)processes);
    puts("attacking");
    fflush(stdout);

    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t now = now_ns();
    if (now < end)
        poll(&input, 1, (int)((end - now) / 1000000));
    for (unsigned index = 0; index < processes; index++)
        kill(-children[index], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
    report(attack->name, (unsigned)processes, attacking, now_ns() - began, tallies);
    return 0;
}
