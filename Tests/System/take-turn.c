/*
 * A VMM as small as can be: registers VMs and takes turns through the socket of the service, and says what it got.
 * Fail-closed, so that nothing but the daemon can have granted them.
 *
 *     take-turn                 the turns of a launch and of one report; exits 0 if every one was granted
 *     take-turn overstay        keeps its turn beyond the lease; exits 0 if another VM is then granted its own
 *     take-turn loop FILE       reports one after another until FILE is there; exits 0 if none failed, and says how
 *                               long the worst took
 *     take-turn crowd UID N     for each of the N users from UID on, eight VMs that come and go: 16 records in the
 *                               journal for each user
 *     take-turn hoard UID N FILE
 *                               N connections of one user, kept until FILE is there, without a VM: says how many were
 *                               taken, how many refused, and why the last of them was
 *     take-turn hold PID        stops that process's first thread, as a loop that is stuck, and lets the others run
 *                               until it dies
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spsched.h"

#define SECOND 1000000000ull

static void expect_ok(struct spsched *client, enum spsched_result result, const char *what, const char *text) {
    if (result == SPSCHED_OK)
        return;
    char sentence[SPSCHED_TEXT_MAX] = "";
    if (client && !(text && *text))
        spsched_last_error(client, sentence, sizeof sentence);
    fprintf(stderr, "take-turn: %s: %s: %s\n", what, spsched_result_name(result), text && *text ? text : sentence);
    exit(1);
}

static struct spsched *open_and_register(const char *name) {
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.client_name = "take-turn";
    struct spsched *client = NULL;
    char text[SPSCHED_TEXT_MAX] = "";
    expect_ok(NULL, spsched_open(&options, &client, text, sizeof text), "open", text);

    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.name = name;
    registration.failure_mode = SPSCHED_FAIL_CLOSED;
    registration.want_device = 1;
    struct spsched_admission admission = {.size = sizeof admission};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_register(client, &registration, &admission, &reply), "register", reply.text);
    return client;
}

static struct spsched_grant acquire(struct spsched *client, enum spsched_kind kind, uint32_t units, const char *what) {
    struct spsched_request request = {.size = sizeof request, .kind = kind, .units = units, .max_wait_ns = 10 * SECOND};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_acquire(client, &request, &reply), what, reply.text);
    if (reply.grant.flags & SPSCHED_UNARBITRATED || reply.grant.turn == 0) {
        fprintf(stderr, "take-turn: %s: went ahead without a turn\n", what);
        exit(1);
    }
    return reply.grant;
}

static void take(struct spsched *client, enum spsched_kind kind, uint32_t units, const char *what) {
    struct spsched_grant grant = acquire(client, kind, units, what);
    expect_ok(client, spsched_release(client, &grant, NULL), what, NULL);
}

static void launch(struct spsched *client) {
    struct spsched_launch_plan plan = {.size = sizeof plan, .pages = 8, .vcpus = 1};
    struct spsched_launch session = {.size = sizeof session};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_launch_begin(client, &plan, &session, &reply), "launch-begin", reply.text);
    take(client, SPSCHED_LAUNCH_START, 1, "launch start");
    take(client, SPSCHED_LAUNCH_UPDATE, 8, "launch update");
    take(client, SPSCHED_LAUNCH_FINISH, 1, "launch finish");
    expect_ok(client, spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING), "launch-end", NULL);
}

static int take_all_turns(void) {
    struct spsched *client = open_and_register("system-test");
    launch(client);
    take(client, SPSCHED_REPORT, 1, "report");
    int device = spsched_take_device(client);
    printf("turns granted; device descriptor %s\n", device >= 0 ? "received" : "missing");
    if (device >= 0)
        close(device);
    expect_ok(client, spsched_unregister(client), "unregister", NULL);
    spsched_close(client);
    return device >= 0 ? 0 : 1;
}

static int overstay(void) {
    struct spsched *idler = open_and_register("idler");
    struct spsched *other = open_and_register("other");
    acquire(idler, SPSCHED_REPORT, 1, "report that is never released");
    take(other, SPSCHED_REPORT, 1, "report behind it");
    spsched_close(other);
    spsched_close(idler);
    return 0;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* A guest that is told to come back does so; anything else that is no turn is an error. */
static int loop(const char *end) {
    struct spsched *client = open_and_register("looping");
    uint64_t longest = 0;
    unsigned turns = 0, busies = 0;
    while (access(end, F_OK) != 0) {
        struct spsched_request request = {
            .size = sizeof request, .kind = SPSCHED_REPORT, .units = 1, .max_wait_ns = 10 * SECOND};
        struct spsched_reply reply = {.size = sizeof reply};
        uint64_t asked = now();
        enum spsched_result result = spsched_acquire(client, &request, &reply);
        uint64_t waited = now() - asked;
        if (waited > longest)
            longest = waited;
        if (result == SPSCHED_BUSY) {
            busies++;
            struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
            nanosleep(&pause, NULL);
            continue;
        }
        expect_ok(client, result, "report", reply.text);
        turns++;
        expect_ok(client, spsched_release(client, &reply.grant, NULL), "release", NULL);
    }
    struct spsched_status status = {.size = sizeof status};
    spsched_status(client, &status);
    printf("turns=%u busy=%u longest_ms=%llu lost=%llu resumed=%llu refused=%llu\n", turns, busies,
        (unsigned long long)(longest / 1000000), (unsigned long long)status.connections_lost,
        (unsigned long long)status.resumed, (unsigned long long)status.fail_closed_refusals);
    spsched_close(client);
    return turns > 0 && status.fail_closed_refusals == 0 ? 0 : 1;
}

/* Another user who may connect. */
static void become(uid_t user) {
    const struct group *entry = getgrnam("spschedd-vmm");
    if (!entry) {
        fprintf(stderr, "take-turn: there is no group spschedd-vmm\n");
        exit(1);
    }
    gid_t group = entry->gr_gid;
    if (setgroups(1, &group) || setresgid(group, group, group) || setresuid(user, user, user)) {
        perror("take-turn: become another user");
        exit(1);
    }
}

static int one_of_the_crowd(uid_t user) {
    become(user);
    for (int count = 0; count < 8; count++) {
        struct spsched *client = open_and_register("crowd");
        expect_ok(client, spsched_unregister(client), "unregister", NULL);
        spsched_close(client);
    }
    return 0;
}

static int crowd(uid_t first, unsigned count) {
    for (unsigned user = 0; user < count; user++) {
        pid_t child = fork();
        if (child == 0)
            _exit(one_of_the_crowd(first + user));
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
            return 1;
    }
    return 0;
}

/* What the processes of a hoard share. */
struct hoard {
    unsigned taken, refused;
    char text[SPSCHED_TEXT_MAX];
};

static void wait_for(const char *end) {
    while (access(end, F_OK) != 0)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
}

static int one_of_the_hoard(uid_t user, unsigned count, const char *end, struct hoard *hoard) {
    become(user);
    for (; count > 0; count--) {
        struct spsched_options options;
        spsched_options_init(&options, sizeof options);
        options.client_name = "hoard";
        options.flags = SPSCHED_NO_RECONNECT_THREAD;
        struct spsched *client;
        char text[SPSCHED_TEXT_MAX] = "";
        if (spsched_open(&options, &client, text, sizeof text) == SPSCHED_OK) {
            __atomic_add_fetch(&hoard->taken, 1, __ATOMIC_RELAXED);
        } else if (__atomic_add_fetch(&hoard->refused, 1, __ATOMIC_RELAXED) == 1) {
            memcpy(hoard->text, text, sizeof text);
        }
    }
    wait_for(end);
    return 0;
}

/* Each process has fewer descriptors than any limit, and none of them waits for another's connection. */
static int hoard(uid_t user, unsigned count, const char *end) {
    enum { EACH = 100 };
    struct hoard *hoard = mmap(NULL, sizeof *hoard, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hoard == MAP_FAILED)
        return 1;
    unsigned children = count / EACH;
    for (unsigned child = 0; child < children; child++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(one_of_the_hoard(user, EACH, end, hoard));
        if (pid < 0)
            return 1;
    }
    for (;;) {
        unsigned taken = __atomic_load_n(&hoard->taken, __ATOMIC_RELAXED);
        unsigned refused = __atomic_load_n(&hoard->refused, __ATOMIC_RELAXED);
        if (taken + refused == children * EACH) {
            printf("taken=%u refused=%u: %s\n", taken, refused, hoard->text);
            fflush(stdout);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    int result = 0, status;
    while (wait(&status) > 0)
        result |= status;
    return result != 0;
}

static int hold(pid_t process) {
    if (ptrace(PTRACE_SEIZE, process, NULL, NULL) || ptrace(PTRACE_INTERRUPT, process, NULL, NULL)) {
        perror("take-turn: hold");
        return 1;
    }
    /* It is stopped, and never told to go on; whoever kills it ends this. */
    int status;
    do {
        if (waitpid(process, &status, __WALL) < 0)
            return errno == ECHILD ? 0 : 1;
    } while (WIFSTOPPED(status));
    return 0;
}

int main(int count, char **arguments) {
    if (count == 1)
        return take_all_turns();
    if (count == 2 && strcmp(arguments[1], "overstay") == 0)
        return overstay();
    if (count == 3 && strcmp(arguments[1], "loop") == 0)
        return loop(arguments[2]);
    if (count == 4 && strcmp(arguments[1], "crowd") == 0)
        return crowd((uid_t)atoi(arguments[2]), (unsigned)atoi(arguments[3]));
    if (count == 5 && strcmp(arguments[1], "hoard") == 0)
        return hoard((uid_t)atoi(arguments[2]), (unsigned)atoi(arguments[3]), arguments[4]);
    if (count == 3 && strcmp(arguments[1], "hold") == 0)
        return hold((pid_t)atoi(arguments[2]));
    fprintf(stderr, "usage: take-turn [overstay | loop FILE | crowd UID N | hoard UID N FILE | hold PID]\n");
    return 64;
}
