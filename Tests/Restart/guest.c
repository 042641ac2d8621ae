/* One VM: its guest asks for reports, and now and then it is launched anew. It notices what a VMM would. */
#define _GNU_SOURCE
#include "spsched.h"
#include "trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
/* What a release may take on its way to the daemon. */
#define LEASE_MARGIN (10 * MILLISECOND)

struct guest {
    struct shared *shared;
    struct guest_counts *counts;
    struct spsched *client;
    unsigned number;
    uint64_t random;
    uint8_t policy;
    /* Of the request that was refused last: its first attempt and how often. */
    uint64_t first_attempt;
    unsigned refused;
    /* Errors that a call returned; the others are answers to releases. */
    uint64_t told;
    /* /proc/self/task/N/schedstat of this thread and the library's: either may be the one that hears the daemon. */
    int schedules[2];
    /* When the latest request was made, and for how long the machine had not run us by then. */
    uint64_t asked_at, delayed_before;
};

/* A turn in use. */
struct use {
    uint64_t turn, lease;
    /* Since the daemon granted it: what the machine kept the grant from us, and what we then held it. */
    uint64_t delay, held;
    uint64_t delayed_before_release;
};

uint64_t boot_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void sleep_ns(uint64_t duration)
{
    struct timespec time = { .tv_sec = (time_t)(duration / SECOND), .tv_nsec = (long)(duration % SECOND) };
    nanosleep(&time, NULL);
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % bound;
}

static void complain(struct guest *guest, const char *what, enum spsched_result result, const char *text)
{
    guest->counts->errors++;
    if (result == SPSCHED_ERROR) guest->told++;
    fprintf(stderr, "VM %u: %s: %s: %s\n", guest->number, what, spsched_result_name(result), text);
}

/* The daemon was silent for too long: how things stand with it. */
static void tell_silence(struct guest *guest)
{
    struct spsched_status status = { .size = sizeof status };
    char text[SPSCHED_TEXT_MAX];
    spsched_status(guest->client, &status);
    spsched_last_error(guest->client, text, sizeof text);
    fprintf(stderr, "VM %u goes on alone at %llu ms: %s; %llu resyncs, the last of epoch %llx, %s\n", guest->number,
        (unsigned long long)(boot_now() / MILLISECOND), text, (unsigned long long)status.resyncs,
        (unsigned long long)status.epoch, status.connected ? "connected" : "not connected");
}

/* For how long this process was ready to run, and the machine did not run it. */
static uint64_t delayed(const struct guest *guest)
{
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        char text[96] = "";
        unsigned long long ran, waited = 0;
        if (pread(guest->schedules[i], text, sizeof text - 1, 0) > 0) sscanf(text, "%llu %llu", &ran, &waited);
        sum += waited;
    }
    return sum;
}

static void watch_schedule(struct guest *guest)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    guest->schedules[0] = guest->schedules[1] = -1;
    for (struct dirent *task; tasks && count < 2 && (task = readdir(tasks));) {
        char path[64];
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", task->d_name);
        guest->schedules[count++] = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (tasks) closedir(tasks);
}

static void begin_wait(struct guest *guest)
{
    guest->asked_at = boot_now();
    guest->delayed_before = delayed(guest);
}

/* An answer has come, or patience has ended. */
static void end_wait(struct guest *guest)
{
    uint64_t waited = boot_now() - guest->asked_at;
    if (waited > guest->counts->longest_wait) guest->counts->longest_wait = waited;
}

/* Two turns at once: one was granted while the other was out, or was overslept by its holder. */
static void note_meeting(struct shared *shared, uint64_t turn, uint64_t other)
{
    uint32_t number = shared->meeting_count++;
    if (number >= NOTES_MAX) return;
    shared->meetings[number].turn = turn;
    shared->meetings[number].other = other;
}

/* The command itself. */
static struct use use_sp(struct guest *guest, const struct spsched_grant *grant, uint64_t duration)
{
    struct shared *shared = guest->shared;
    uint64_t delay = delayed(guest) - guest->delayed_before;
    if (grant->flags & SPSCHED_UNARBITRATED) {
        if (guest->counts->unarbitrated++ == 0) tell_silence(guest);
        return (struct use) { .turn = 0 };
    }
    if (spsched_grant_is_stale(guest->client, grant)) {
        guest->counts->stale++;
    } else {
        uint64_t now = boot_now();
        uint64_t other = atomic_exchange(&shared->holder, grant->turn);
        if (other) note_meeting(shared, grant->turn, other);
        uint64_t last = atomic_exchange(&shared->last_grant, now);
        uint64_t longest = shared->longest_gap;
        while (now > last && now - last > longest
            && !atomic_compare_exchange_weak(&shared->longest_gap, &longest, now - last)) { }
        uint64_t none = 0;
        atomic_compare_exchange_strong(&shared->first_grant, &none, now);
        sleep_ns(duration);
        uint64_t mine = grant->turn;
        atomic_compare_exchange_strong(&shared->holder, &mine, 0);
    }
    return (struct use) {
        .turn = grant->turn,
        .lease = grant->lease_ns,
        .delay = delay,
        .held = boot_now() - grant->granted_at_ns,
        .delayed_before_release = delayed(guest),
    };
}

/* The turn was released. Its lease may have ended before, because the machine had not run us. */
static void end_use(struct guest *guest, const struct use *use)
{
    uint64_t delay = use->delay + delayed(guest) - use->delayed_before_release;
    if (use->turn == 0 || delay + use->held + LEASE_MARGIN < use->lease) return;
    guest->counts->overslept++;
    uint32_t number = guest->shared->overslept_count++;
    if (number < NOTES_MAX) guest->shared->overslept[number] = use->turn;
}

static void note_refusal(struct guest *guest, const struct spsched_reply *reply)
{
    guest->counts->refusals++;
    if (guest->refused++ == 0) guest->first_attempt = boot_now();
    bool lost = guest->policy == SPSCHED_RETRY_ONCE ? guest->refused > 1
        : guest->policy == SPSCHED_RETRY_NEVER     ? true
                                                   : boot_now() - guest->first_attempt > 60 * SECOND;
    if (!lost) return;
    guest->counts->lost_keys++;
    guest->refused = 0;
    fprintf(stderr, "VM %u has lost its key: %s\n", guest->number, reply->text);
}

static void ask_report(struct guest *guest)
{
    struct spsched_request request = { .size = sizeof request, .kind = SPSCHED_REPORT, .units = 1 };
    struct spsched_reply reply = { .size = sizeof reply };
    begin_wait(guest);
    enum spsched_result result = spsched_acquire(guest->client, &request, &reply);
    end_wait(guest);
    if (result == SPSCHED_BUSY) {
        note_refusal(guest, &reply);
        /* Linux sleeps two seconds; a tenth of that asks more often. */
        if (guest->policy == SPSCHED_RETRY_LINUX) sleep_ns(SECOND / 5);
        return;
    }
    if (result != SPSCHED_OK) return complain(guest, "a report", result, reply.text);
    guest->refused = 0;
    guest->counts->reports++;
    struct use use = use_sp(guest, &reply.grant, MILLISECOND);
    spsched_release(guest->client, &reply.grant, NULL);
    end_use(guest, &use);
}

/* One command after the other, each released with the request for the next. */
static bool launch_commands(struct guest *guest, uint32_t pages)
{
    struct spsched_request request = { .size = sizeof request, .kind = SPSCHED_LAUNCH_START, .units = 1 };
    struct spsched_reply reply = { .size = sizeof reply };
    begin_wait(guest);
    enum spsched_result result = spsched_acquire(guest->client, &request, &reply);
    end_wait(guest);
    while (result == SPSCHED_OK) {
        struct use use = use_sp(guest, &reply.grant, MILLISECOND / 2);
        struct spsched_grant grant = reply.grant;
        if (request.kind == SPSCHED_LAUNCH_FINISH) {
            spsched_release(guest->client, &grant, NULL);
            end_use(guest, &use);
            guest->counts->launches++;
            return true;
        }
        if (request.kind == SPSCHED_LAUNCH_UPDATE) pages -= grant.units < pages ? grant.units : pages;
        request.kind = pages ? SPSCHED_LAUNCH_UPDATE : SPSCHED_LAUNCH_FINISH;
        request.units = pages ? pages : 1;
        begin_wait(guest);
        result = spsched_release_and_acquire(guest->client, &grant, NULL, &request, &reply);
        end_wait(guest);
        end_use(guest, &use);
    }
    complain(guest, "a launch command", result, reply.text);
    return false;
}

static void launch(struct guest *guest)
{
    struct spsched_launch_plan plan = { .size = sizeof plan, .vcpus = 1 };
    plan.pages = (uint32_t)(16 + random_below(&guest->random, 200));
    struct spsched_reply reply = { .size = sizeof reply };
    enum spsched_result result = spsched_launch_begin(guest->client, &plan, NULL, &reply);
    if (result == SPSCHED_BUSY) return;
    if (result != SPSCHED_OK) return complain(guest, "a launch", result, reply.text);
    bool running = launch_commands(guest, plan.pages);
    result = spsched_launch_end(guest->client, running ? SPSCHED_LAUNCH_RUNNING : SPSCHED_LAUNCH_FAILED);
    if (result != SPSCHED_OK) {
        char text[SPSCHED_TEXT_MAX];
        spsched_last_error(guest->client, text, sizeof text);
        complain(guest, "the end of a launch", result, text);
    }
}

static bool enter(struct guest *guest, const char *path)
{
    char text[SPSCHED_TEXT_MAX], name[32];
    snprintf(name, sizeof name, "vm-%u", guest->number);
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.path = path;
    options.client_name = "restart-trial";
    enum spsched_result result = SPSCHED_ABSENT;
    for (int attempt = 0; attempt < 100 && result != SPSCHED_OK; attempt++) {
        result = spsched_open(&options, &guest->client, text, sizeof text);
        if (result != SPSCHED_OK) sleep_ns(20 * MILLISECOND);
    }
    if (result != SPSCHED_OK) {
        complain(guest, "opening", result, text);
        return false;
    }
    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.name = name;
    registration.uuid[15] = (uint8_t)guest->number;
    registration.uuid[14] = (uint8_t)(guest->number >> 8);
    registration.retry_policy = guest->policy;
    struct spsched_reply reply = { .size = sizeof reply };
    result = spsched_register(guest->client, &registration, NULL, &reply);
    if (result == SPSCHED_OK) return true;
    complain(guest, "registering", result, reply.text);
    return false;
}

static void tell(struct guest *guest)
{
    struct spsched_status status = { .size = sizeof status };
    if (spsched_status(guest->client, &status) != SPSCHED_OK) return;
    struct guest_counts *counts = guest->counts;
    counts->resyncs = status.resyncs;
    counts->resumed = status.resumed;
    counts->connections_lost = status.connections_lost;
    counts->lost_registrations = status.reconnects - status.resumed;
    counts->late_releases = status.errors - guest->told;
    counts->errors += status.malformed + status.fail_open_passes + status.fail_open_busies;
    if (status.malformed + status.fail_open_passes + status.fail_open_busies == 0) return;
    char text[SPSCHED_TEXT_MAX];
    spsched_last_error(guest->client, text, sizeof text);
    fprintf(stderr, "VM %u: %llu malformed, %llu passed unarbitrated, %llu refused alone: %s\n", guest->number,
        (unsigned long long)status.malformed, (unsigned long long)status.fail_open_passes,
        (unsigned long long)status.fail_open_busies, text);
}

int guest_run(struct shared *shared, unsigned number, const char *path, uint64_t seed)
{
    struct guest guest = { .shared = shared, .counts = &shared->guests[number], .number = number };
    guest.random = seed * 1000003 + number;
    /* One in eight is an impatient guest: refused twice it has lost its key. Of such, with others or without, a host is
     * admitted 120 at its defaults. */
    guest.policy = number % 8 == 7 && shared->vms <= 120 ? SPSCHED_RETRY_ONCE : SPSCHED_RETRY_LINUX;
    if (!enter(&guest, path)) return 1;
    watch_schedule(&guest);
    shared->ready++;
    while (!shared->stop) {
        if (random_below(&guest.random, 40) == 0)
            launch(&guest);
        else
            ask_report(&guest);
        sleep_ns(random_below(&guest.random, 2 * MILLISECOND * (1 + shared->ready)));
    }
    tell(&guest);
    spsched_close(guest.client);
    shared->ended++;
    return 0;
}
