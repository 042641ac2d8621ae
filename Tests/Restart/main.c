/* restart-trial: ends the daemon again and again, in every way and at every moment, while VMs are at work; and says
 * what they noticed. With a small service manager of its own, or on a systemd unit.
 *
 *   restart-trial --daemon PATH [--vms 20] [--kills 10] [--restarts 5] [--failpoints 6] [--pause-ms 0]
 *       [--spoilt N]       the state is damaged N times
 *       [--forgetful 1]    the service manager keeps nothing
 *   restart-trial --unit NAME --socket PATH [...]
 *       [--failpoint-file PATH]             an EnvironmentFile= of the unit; without it there are no failpoints
 *       [--upgrades 0 --upgrade COMMAND]    what makes systemd restart the unit, too */
#define _GNU_SOURCE
#include "trial.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
/* A loaded machine may take long; nothing here takes a second on an idle one. */
#define PATIENCE (60 * SECOND)

/* The later ones begin with the daemon's start. */
enum way { WAY_KILL, WAY_RESTART, WAY_UPGRADE, WAY_EARLY, WAY_RECEIVE, WAY_STATE, WAY_SEND, WAYS };
static const char *const way_names[WAYS] = {
    "kill -9", "restart", "upgrade", "kill -9 as it starts", "after-receive", "after-state", "after-send"
};

struct settings {
    const char *daemon, *unit, *socket, *failpoint_file, *upgrade;
    unsigned vms, kills, restarts, failpoints, upgrades, spoilt, forgetful;
    uint64_t pause, seed;
};

struct trial {
    struct settings settings;
    struct shared *shared;
    struct manager *manager;
    /* The unit's process that has the latest failpoint, and its pidfd. */
    long armed;
    int armed_end;
    pid_t guests[VMS_MAX];
    uint64_t random;
    enum way ways[4096];
    unsigned rounds, ended[WAYS], unclean;
    uint64_t gaps[4096];
    unsigned gap_count;
    uint64_t longest_stop;
    unsigned overdue_before;
};

static void fail(const char *what)
{
    fprintf(stderr, "restart-trial: %s\n", what);
    exit(2);
}

/* ---- The daemon, of ours or of systemd's ---- */

static void pass_time(struct trial *trial, uint64_t duration)
{
    if (trial->manager)
        manager_hear(trial->manager, duration);
    else
        sleep_ns(duration);
}

/* The main process of the unit; 0 if there is none, or it is not ready and must be. */
static long unit_process(const char *unit, bool is_ready)
{
    char command[256], state[64] = "";
    long process = 0;
    snprintf(command, sizeof command, "systemctl show --property=MainPID --property=ActiveState --value %s", unit);
    FILE *output = popen(command, "r");
    if (!output || fscanf(output, "%ld %63s", &process, state) != 2) process = 0;
    if (output) pclose(output);
    return is_ready && strcmp(state, "active") != 0 ? 0 : process;
}

static long await_other_process(const char *unit, long before, bool is_ready)
{
    uint64_t until = boot_now() + PATIENCE;
    long now;
    while ((now = unit_process(unit, is_ready)) == 0 || now == before) {
        if (boot_now() > until) fail("the unit was not started again");
        sleep_ns(10 * MILLISECOND);
    }
    return now;
}

static void systemctl(const char *verb, const char *unit)
{
    char command[256];
    snprintf(command, sizeof command, "systemctl %s %s", verb, unit);
    if (system(command) != 0) fail(command);
}

/* The failpoint of the next daemon. Often soon, sometimes late: the first passes are those of a restart itself. */
static void write_failpoint(struct trial *trial, enum way next, char text[64])
{
    uint64_t most = UINT64_C(1) << (3 + random_below(&trial->random, 9));
    snprintf(text, 64, "%s:%u", way_names[next], 1 + (unsigned)random_below(&trial->random, most));
}

static void start(struct trial *trial, enum way next)
{
    if (!trial->manager) return;
    char failpoint[64];
    write_failpoint(trial, next, failpoint);
    manager_start(trial->manager, next >= WAY_RECEIVE ? failpoint : NULL);
}

/* The unit's next process has this failpoint, or none. */
static void arm_unit(struct trial *trial, enum way next)
{
    char failpoint[64] = "";
    if (!trial->settings.failpoint_file) return;
    FILE *file = fopen(trial->settings.failpoint_file, "w");
    if (!file) fail("cannot write the file of failpoints");
    if (next >= WAY_RECEIVE) {
        write_failpoint(trial, next, failpoint);
        fprintf(file, "SPSCHEDD_FAILPOINT=%s\n", failpoint);
    }
    fclose(file);
}

static bool has_ended(int end, uint64_t patience)
{
    struct pollfd watched = { .fd = end, .events = POLLIN };
    return poll(&watched, 1, (int)(patience / MILLISECOND)) > 0;
}

/* The process that has the failpoint ends there, or has done so already. */
static long end_at_failpoint(struct trial *trial, enum way way, enum way next)
{
    bool reached = has_ended(trial->armed_end, 10 * SECOND);
    trial->shared->longest_gap = 0;
    if (!reached) fprintf(stderr, "%s was not reached\n", way_names[way]);
    /* The one after it may run already, without the next failpoint. */
    long other = reached ? unit_process(trial->settings.unit, false) : trial->armed;
    arm_unit(trial, next);
    if (other == 0 || (other == trial->armed && reached)) return trial->armed;
    if (reached && next < WAY_RECEIVE) return trial->armed;
    kill((pid_t)other, SIGKILL);
    trial->ended[WAY_KILL]++;
    return other;
}

/* Ends the unit's process in this way, and awaits the one that systemd starts. */
static void end_unit(struct trial *trial, enum way way, enum way next)
{
    const struct settings *settings = &trial->settings;
    if ((way == WAY_RESTART || way == WAY_UPGRADE) && next >= WAY_EARLY) {
        /* Whoever asked for it waits until the daemon is ready: that one must not end before. */
        end_unit(trial, way, WAY_KILL);
        trial->ended[WAY_KILL]++;
        way = WAY_KILL;
    }
    uint64_t moment = random_below(&trial->random, 100 * MILLISECOND);
    long process;
    if (way >= WAY_RECEIVE) {
        process = end_at_failpoint(trial, way, next);
    } else {
        process = unit_process(settings->unit, false);
        arm_unit(trial, next);
        if (way != WAY_EARLY) sleep_ns(moment);
        trial->shared->longest_gap = 0;
        if (way == WAY_RESTART)
            systemctl("restart", settings->unit);
        else if (way == WAY_UPGRADE) {
            if (system(settings->upgrade) != 0) fail("the upgrade failed");
        } else
            kill((pid_t)process, SIGKILL);
    }
    /* None of before comes after the end: whatever is granted now, another daemon grants. */
    if (next >= WAY_EARLY) trial->shared->first_grant = 0;
    long other = await_other_process(settings->unit, process, next < WAY_EARLY);
    if (next < WAY_EARLY) trial->shared->first_grant = 0;
    if (next < WAY_RECEIVE) return;
    trial->armed = other;
    if (trial->armed_end >= 0) close(trial->armed_end);
    trial->armed_end = (int)syscall(SYS_pidfd_open, (pid_t)other, 0);
    arm_unit(trial, WAY_KILL);
}

/* Ends the daemon in this way, and has another started. */
static void end_once(struct trial *trial, enum way way, enum way next)
{
    struct manager *manager = trial->manager;
    if (!manager) return end_unit(trial, way, next);
    uint64_t moment = random_below(&trial->random, 100 * MILLISECOND);
    uint64_t asked = boot_now();
    int status;
    if (way >= WAY_RECEIVE) {
        bool runs = manager_hear(manager, 10 * SECOND);
        trial->shared->longest_gap = 0;
        status = manager_stop(manager, runs ? SIGKILL : 0);
        if (runs) fprintf(stderr, "%s was not reached\n", way_names[way]);
    } else {
        if (way == WAY_EARLY)
            moment /= 4;
        else if (!manager_wait_ready(manager, PATIENCE))
            fail("the daemon did not become ready");
        manager_hear(manager, moment);
        asked = boot_now();
        trial->shared->longest_gap = 0;
        status = manager_stop(manager, way == WAY_RESTART ? SIGTERM : SIGKILL);
    }
    bool clean = way == WAY_RESTART ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                                    : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!clean) {
        trial->unclean++;
        fprintf(stderr, "%s ended the daemon with status 0x%x\n", way_names[way], (unsigned)status);
    }
    uint64_t took = boot_now() - asked;
    if (way == WAY_RESTART && took > trial->longest_stop) trial->longest_stop = took;
    trial->shared->first_grant = 0;
    sleep_ns(trial->settings.pause);
    start(trial, next);
}

/* ---- The rounds ---- */

static void shuffle(struct trial *trial)
{
    const struct settings *settings = &trial->settings;
    unsigned wanted[WAYS] = { settings->kills - settings->kills / 5, settings->restarts, settings->upgrades };
    wanted[WAY_EARLY] = settings->kills / 5;
    for (unsigned i = 0; i < settings->failpoints; i++) wanted[WAY_RECEIVE + i % 3]++;
    for (enum way way = 0; way < WAYS; way++)
        for (unsigned i = 0; i < wanted[way] && trial->rounds < 4096; i++) trial->ways[trial->rounds++] = way;
    for (unsigned i = trial->rounds; i > 1; i--) {
        unsigned other = (unsigned)random_below(&trial->random, i);
        enum way way = trial->ways[i - 1];
        trial->ways[i - 1] = trial->ways[other];
        trial->ways[other] = way;
    }
}

/* The next daemon may end before anybody got a turn: then the gap reaches further. */
static void await_grant(struct trial *trial, enum way next)
{
    if (next == WAY_EARLY) return;
    uint64_t until = boot_now() + PATIENCE;
    while (trial->shared->first_grant == 0 && boot_now() < until) {
        if (!trial->manager) {
            if (next >= WAY_RECEIVE && has_ended(trial->armed_end, 0)) return;
            sleep_ns(MILLISECOND);
        } else if (!manager_hear(trial->manager, MILLISECOND) && next >= WAY_RECEIVE) {
            return;
        }
    }
    if (trial->shared->first_grant == 0) fail("nobody got a turn for a minute after a restart");
}

static uint64_t count_answers(const struct trial *trial)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < trial->settings.vms; i++)
        sum += trial->shared->guests[i].reports + trial->shared->guests[i].refusals;
    return sum;
}

/* A daemon that is never there for long serves nobody. Now and then it is, until there were as many answers as VMs. */
static void let_serve(struct trial *trial)
{
    uint64_t enough = count_answers(trial) + trial->settings.vms, until = boot_now() + 2 * SECOND;
    while (count_answers(trial) < enough && boot_now() < until) pass_time(trial, 5 * MILLISECOND);
}

static void play(struct trial *trial)
{
    for (unsigned round = 0; round < trial->rounds; round++) {
        enum way next = round + 1 < trial->rounds ? trial->ways[round + 1] : WAY_KILL;
        end_once(trial, trial->ways[round], next);
        trial->ended[trial->ways[round]]++;
        await_grant(trial, next);
        if (trial->shared->first_grant == 0) continue;
        uint64_t gap = trial->gaps[trial->gap_count++] = trial->shared->longest_gap;
        if (next < WAY_EARLY) let_serve(trial);
        if (gap > 2 * SECOND)
            fprintf(stderr, "after %s nobody had a turn for %.1f s\n", way_names[trial->ways[round]],
                (double)gap / 1e9);
    }
}

/* ---- The VMs ---- */

static void begin_guests(struct trial *trial, const char *path)
{
    for (unsigned i = 0; i < trial->settings.vms; i++) {
        trial->guests[i] = fork();
        if (trial->guests[i] < 0) fail("cannot fork");
        if (trial->guests[i] > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(guest_run(trial->shared, i, path, trial->settings.seed));
    }
    uint64_t until = boot_now() + PATIENCE;
    while (trial->shared->ready < trial->settings.vms && boot_now() < until) pass_time(trial, MILLISECOND);
    if (trial->shared->ready < trial->settings.vms) fail("not all VMs were admitted");
}

static unsigned end_guests(struct trial *trial)
{
    pass_time(trial, 300 * MILLISECOND);
    trial->shared->stop = 1;
    uint64_t until = boot_now() + PATIENCE;
    while (trial->shared->ended < trial->settings.vms && boot_now() < until) pass_time(trial, 10 * MILLISECOND);
    unsigned failed = 0;
    for (unsigned i = 0; i < trial->settings.vms; i++) {
        int status;
        if (waitpid(trial->guests[i], &status, WNOHANG) == trial->guests[i] && status == 0) continue;
        sleep_ns(5 * MILLISECOND);
        if (waitpid(trial->guests[i], &status, WNOHANG) == trial->guests[i] && status == 0) continue;
        kill(trial->guests[i], SIGKILL);
        failed++;
    }
    return failed;
}

/* ---- What came of it ---- */

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* How often the daemon passed a turn on whose lease had ended. */
static unsigned count_overdue(const struct trial *trial)
{
    char command[256], line[1024];
    snprintf(command, sizeof command, "journalctl -b -o cat -u %s", trial->settings.unit ? trial->settings.unit : "");
    FILE *log = trial->manager ? fopen(manager_log(trial->manager), "r") : popen(command, "r");
    unsigned count = 0;
    while (log && fgets(line, sizeof line, log))
        if (strstr(line, "was not released within its lease")) count++;
    if (log && trial->manager) fclose(log);
    if (log && !trial->manager) pclose(log);
    return count;
}

/* The last of what the daemon said. */
static void show_log(const char *path)
{
    FILE *log = fopen(path, "r");
    char line[1024];
    if (!log) return;
    fseek(log, 0, SEEK_END);
    fseek(log, 0, SEEK_END);
    fseek(log, ftell(log) > 8000 ? -8000 : -ftell(log), SEEK_END);
    while (fgets(line, sizeof line, log)) fputs(line, stderr);
    fclose(log);
}

static bool was_overslept(const struct shared *shared, uint64_t turn)
{
    for (unsigned i = 0; i < shared->overslept_count && i < NOTES_MAX; i++)
        if (shared->overslept[i] == turn) return true;
    return false;
}

/* Turns that met another, though both were released within their leases. */
static unsigned count_doubled(const struct shared *shared)
{
    unsigned count = 0;
    for (unsigned i = 0; i < shared->meeting_count && i < NOTES_MAX; i++) {
        const struct meeting *meeting = &shared->meetings[i];
        if (was_overslept(shared, meeting->turn) || was_overslept(shared, meeting->other)) continue;
        count++;
        fprintf(stderr, "turn %llu was granted while turn %llu was out\n", (unsigned long long)meeting->turn,
            (unsigned long long)meeting->other);
    }
    return count;
}

static void report_ends(const struct trial *trial)
{
    printf("ended:");
    for (enum way way = 0; way < WAYS; way++) printf(" %u %s,", trial->ended[way], way_names[way]);
    printf(" %u spoilt states\n", trial->settings.spoilt);
}

static void report_gaps(struct trial *trial)
{
    unsigned gaps = trial->gap_count;
    if (gaps == 0) return;
    qsort(trial->gaps, gaps, sizeof *trial->gaps, compare);
    printf("gap between grants at a restart: median %.0f ms, greatest %.0f ms", (double)trial->gaps[gaps / 2] / 1e6,
        (double)trial->gaps[gaps - 1] / 1e6);
    if (trial->manager)
        printf(" (%.0f ms of it the manager's pause)\nlongest stop: %.1f ms\n", (double)trial->settings.pause / 1e6,
            (double)trial->longest_stop / 1e6);
    else
        printf(" (RestartSec= is 250 ms)\n");
}

static int report(struct trial *trial, unsigned failed)
{
    const struct settings *settings = &trial->settings;
    struct shared *shared = trial->shared;
    uint64_t reports = 0, launches = 0, refusals = 0, errors = failed, registrations = 0, keys = 0;
    uint64_t resyncs = 0, resumed = 0, stale = 0, overslept = 0, late = 0, longest_wait = 0;
    for (unsigned i = 0; i < settings->vms; i++) {
        struct guest_counts *counts = &shared->guests[i];
        reports += counts->reports;
        launches += counts->launches;
        refusals += counts->refusals;
        errors += counts->errors + counts->unarbitrated;
        registrations += counts->lost_registrations;
        keys += counts->lost_keys;
        resyncs += counts->resyncs;
        resumed += counts->resumed;
        stale += counts->stale;
        overslept += counts->overslept;
        /* Whoever overslept a turn is told so when it releases it. */
        uint64_t excused = counts->late_releases < counts->overslept ? counts->late_releases : counts->overslept;
        late += excused;
        errors += counts->late_releases - excused;
        if (counts->longest_wait > longest_wait) longest_wait = counts->longest_wait;
    }
    unsigned doubled = count_doubled(shared);
    unsigned overdue = count_overdue(trial) - trial->overdue_before;
    printf("%u VMs, %llu reports, %llu launches, %llu refusals; longest wait for an answer %.0f ms\n", settings->vms,
        (unsigned long long)reports, (unsigned long long)launches, (unsigned long long)refusals,
        (double)longest_wait / 1e6);
    report_ends(trial);
    printf("connections asked after a restart: %llu; registrations resumed by token: %llu\n",
        (unsigned long long)resyncs, (unsigned long long)resumed);
    report_gaps(trial);
    printf("turns passed on because the machine did not run their holder within the lease: %u; times such a one met "
           "another: %u; released too late: %llu; grants that came too late to be used: %llu\n",
        overdue, shared->meeting_count - doubled, (unsigned long long)late, (unsigned long long)stale);
    printf("lost registrations: %llu\nclient errors: %llu\ndoubled grants: %u\nlost VMPCKs: %llu\n",
        (unsigned long long)registrations, (unsigned long long)errors, doubled, (unsigned long long)keys);
    if (overdue > overslept)
        fprintf(stderr, "restart-trial: the daemon passed %u turns on, and only %llu were overslept\n", overdue,
            (unsigned long long)overslept);
    /* A daemon that cannot read its state knows neither VMs nor who has the SP. */
    bool forgets = settings->spoilt || settings->forgetful;
    bool lost = !forgets && (registrations > 0 || doubled > 0 || overdue > overslept);
    bool idle = reports == 0 || (trial->rounds > 0 && (resyncs == 0) != (settings->forgetful != 0));
    if (idle) fprintf(stderr, "restart-trial: nothing happened\n");
    return lost || errors || keys || trial->unclean || idle;
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value > 4000) fail("a number between 0 and 4000 was expected");
    return (unsigned)value;
}

static void read_settings(struct settings *settings, int count, char **arguments)
{
    static const struct option options[] = {
        { "daemon", 1, NULL, 'd' }, { "unit", 1, NULL, 'u' }, { "socket", 1, NULL, 's' }, { "vms", 1, NULL, 'v' },
        { "kills", 1, NULL, 'k' }, { "restarts", 1, NULL, 'r' }, { "failpoints", 1, NULL, 'f' },
        { "spoilt", 1, NULL, 'x' }, { "forgetful", 1, NULL, 'o' }, { "pause-ms", 1, NULL, 'p' },
        { "seed", 1, NULL, 'e' }, { "failpoint-file", 1, NULL, 'i' }, { "upgrades", 1, NULL, 'g' },
        { "upgrade", 1, NULL, 'c' }, { NULL, 0, NULL, 0 }
    };
    *settings = (struct settings) { .vms = 20, .kills = 10, .restarts = 5, .failpoints = 6, .seed = 1 };
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'd': settings->daemon = optarg; break;
        case 'u': settings->unit = optarg; break;
        case 's': settings->socket = optarg; break;
        case 'v': settings->vms = number(optarg); break;
        case 'k': settings->kills = number(optarg); break;
        case 'r': settings->restarts = number(optarg); break;
        case 'f': settings->failpoints = number(optarg); break;
        case 'x': settings->spoilt = number(optarg); break;
        case 'o': settings->forgetful = number(optarg); break;
        case 'p': settings->pause = number(optarg) * MILLISECOND; break;
        case 'e': settings->seed = number(optarg); break;
        case 'i': settings->failpoint_file = optarg; break;
        case 'g': settings->upgrades = number(optarg); break;
        case 'c': settings->upgrade = optarg; break;
        default: exit(64);
        }
    }
    if (!settings->daemon == !settings->unit) fail("either --daemon or --unit is needed");
    if (settings->unit && !settings->socket) fail("--unit needs --socket");
    if (settings->unit && settings->spoilt) fail("--unit has no spoilt states");
    if (settings->unit && settings->failpoints && !settings->failpoint_file)
        fail("--unit needs --failpoint-file for its failpoints");
    if (settings->upgrades && !(settings->unit && settings->upgrade)) fail("--upgrades needs --unit and --upgrade");
    if (settings->vms == 0 || settings->vms > VMS_MAX) fail("1 to 512 VMs");
}

int main(int count, char **arguments)
{
    static struct trial trial;
    read_settings(&trial.settings, count, arguments);
    /* What we were started with may lie anywhere, among the descriptors that a daemon is handed too. */
    close_range(STDERR_FILENO + 1, ~0U, 0);
    trial.random = trial.settings.seed;
    trial.armed_end = -1;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stderr, NULL, _IOLBF, 0);
    /* So that nobody loses a turn to its lease because something else has the machine; where that is permitted. */
    setpriority(PRIO_PROCESS, 0, -15);
    trial.shared = mmap(NULL, sizeof *trial.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial.shared == MAP_FAILED) fail("no memory");

    trial.shared->vms = trial.settings.vms;

    char directory[] = "/tmp/restart-trial.XXXXXX";
    const char *path = trial.settings.socket;
    shuffle(&trial);
    if (trial.settings.daemon) {
        if (!mkdtemp(directory)) fail("no directory in /tmp");
        trial.manager = manager_new(trial.settings.daemon, directory, trial.settings.forgetful != 0);
        path = manager_path(trial.manager);
        start(&trial, WAY_KILL);
        if (!manager_wait_ready(trial.manager, PATIENCE)) fail("the daemon did not become ready");
    }
    trial.overdue_before = count_overdue(&trial);
    begin_guests(&trial, path);
    /* A first end, so that the next daemon can have the first failpoint. */
    if (trial.rounds && trial.ways[0] >= WAY_RECEIVE) end_once(&trial, WAY_KILL, trial.ways[0]);
    play(&trial);
    for (unsigned i = 0; i < trial.settings.spoilt; i++) {
        trial.shared->first_grant = 0;
        manager_stop(trial.manager, SIGKILL);
        manager_spoil(trial.manager, 1 + (int)(i % 2));
        start(&trial, WAY_KILL);
        await_grant(&trial, WAY_KILL);
        if (!manager_wait_ready(trial.manager, PATIENCE)) fail("the daemon did not become ready");
        if (manager_count(trial.manager, "spschedd.state.") != 1
            || manager_count(trial.manager, "spschedd.set-aside") != 1) {
            fprintf(stderr, "a spoilt state was not replaced and set aside\n");
            trial.unclean++;
        }
    }
    unsigned failed = end_guests(&trial);
    if (trial.manager)
        manager_stop(trial.manager, SIGTERM);
    else if (trial.settings.failpoint_file)
        unlink(trial.settings.failpoint_file);
    int result = report(&trial, failed);
    if (trial.manager) {
        if (result) show_log(manager_log(trial.manager));
        manager_free(trial.manager);
        rmdir(directory);
    }
    return result;
}
