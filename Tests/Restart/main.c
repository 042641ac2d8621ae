/* restart-trial: ends the daemon again and again, in every way and at every moment, while VMs are at work; and says
 * what they noticed. With a small service manager of its own, or on a systemd unit.
 *
 *   restart-trial --daemon PATH [--vms 20] [--kills 10] [--restarts 5] [--failpoints 6] [--pause-ms 0]
 *       [--spoilt N]       the state is damaged N times
 *       [--forgetful 1]    the service manager keeps nothing
 *   restart-trial --unit NAME --socket PATH [...] */
#define _GNU_SOURCE
#include "trial.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
/* A loaded machine may take long; nothing here takes a second on an idle one. */
#define PATIENCE (60 * SECOND)

enum way { WAY_KILL, WAY_RESTART, WAY_RECEIVE, WAY_STATE, WAY_SEND, WAYS };
static const char *const way_names[WAYS] = { "kill -9", "restart", "after-receive", "after-state", "after-send" };

struct settings {
    const char *daemon, *unit, *socket;
    unsigned vms, kills, restarts, failpoints, spoilt, forgetful;
    uint64_t pause, seed;
};

struct trial {
    struct settings settings;
    struct shared *shared;
    struct manager *manager;
    pid_t guests[VMS_MAX];
    uint64_t random;
    enum way ways[4096];
    unsigned rounds, ended[WAYS], unclean;
    uint64_t gaps[4096];
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

/* The process of the unit, once it runs and is ready; 0 if it is not. */
static long unit_process(const char *unit)
{
    char command[256], state[64] = "";
    long process = 0;
    snprintf(command, sizeof command, "systemctl show --property=MainPID --property=ActiveState --value %s", unit);
    FILE *output = popen(command, "r");
    if (!output || fscanf(output, "%ld %63s", &process, state) != 2) process = 0;
    if (output) pclose(output);
    return strcmp(state, "active") == 0 ? process : 0;
}

static void await_other_process(const char *unit, long before)
{
    uint64_t until = boot_now() + PATIENCE;
    long now;
    while ((now = unit_process(unit)) == 0 || now == before) {
        if (boot_now() > until) fail("the unit was not started again");
        sleep_ns(10 * MILLISECOND);
    }
}

static void systemctl(const char *verb, const char *unit)
{
    char command[256];
    snprintf(command, sizeof command, "systemctl %s %s", verb, unit);
    if (system(command) != 0) fail(command);
}

static void start(struct trial *trial, enum way next)
{
    if (!trial->manager) return;
    char failpoint[64];
    /* Often soon, sometimes late: the first passes are those of a restart itself. */
    uint64_t most = UINT64_C(1) << (3 + random_below(&trial->random, 9));
    snprintf(failpoint, sizeof failpoint, "%s:%u", way_names[next], 1 + (unsigned)random_below(&trial->random, most));
    manager_start(trial->manager, next >= WAY_RECEIVE ? failpoint : NULL);
}

/* Ends the daemon in this way, and has another started. */
static void end_once(struct trial *trial, enum way way, enum way next)
{
    struct manager *manager = trial->manager;
    uint64_t moment = random_below(&trial->random, 100 * MILLISECOND);
    if (!manager) {
        sleep_ns(moment);
        long process = unit_process(trial->settings.unit);
        trial->shared->longest_gap = 0;
        systemctl(way == WAY_RESTART ? "restart" : "kill --signal=KILL", trial->settings.unit);
        await_other_process(trial->settings.unit, process);
        trial->shared->first_grant = 0;
        return;
    }
    uint64_t asked = boot_now();
    int status;
    if (way >= WAY_RECEIVE) {
        bool runs = manager_hear(manager, 10 * SECOND);
        trial->shared->longest_gap = 0;
        status = manager_stop(manager, runs ? SIGKILL : 0);
        if (runs) fprintf(stderr, "%s was not reached\n", way_names[way]);
    } else {
        if (!manager_wait_ready(manager, PATIENCE)) fail("the daemon did not become ready");
        manager_hear(manager, moment);
        asked = boot_now();
        trial->shared->longest_gap = 0;
        status = manager_stop(manager, way == WAY_KILL ? SIGKILL : SIGTERM);
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
    unsigned wanted[WAYS] = { settings->kills, settings->restarts };
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

/* The next daemon may be at a failpoint before anybody got a turn: then the gap reaches further. */
static void await_grant(struct trial *trial, enum way next)
{
    uint64_t until = boot_now() + PATIENCE;
    while (trial->shared->first_grant == 0 && boot_now() < until) {
        if (!trial->manager)
            sleep_ns(MILLISECOND);
        else if (!manager_hear(trial->manager, MILLISECOND) && next >= WAY_RECEIVE)
            return;
    }
    if (trial->shared->first_grant == 0) fail("nobody got a turn for a minute after a restart");
}

static void play(struct trial *trial)
{
    for (unsigned round = 0; round < trial->rounds; round++) {
        enum way next = round + 1 < trial->rounds ? trial->ways[round + 1] : WAY_KILL;
        end_once(trial, trial->ways[round], next);
        trial->ended[trial->ways[round]]++;
        await_grant(trial, next);
        trial->gaps[round] = trial->shared->longest_gap;
        if (trial->gaps[round] > SECOND)
            fprintf(stderr, "after %s nobody had a turn for %.1f s\n", way_names[trial->ways[round]],
                (double)trial->gaps[round] / 1e9);
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

/* How often the daemon passed a turn on whose lease had ended: on a loaded machine its holder may not have been run. */
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

static int report(struct trial *trial, unsigned failed)
{
    const struct settings *settings = &trial->settings;
    struct shared *shared = trial->shared;
    uint64_t reports = 0, launches = 0, refusals = 0, errors = 0, registrations = 0, keys = 0, unarbitrated = 0;
    uint64_t resyncs = 0, resumed = 0, stale = 0, late = 0;
    for (unsigned i = 0; i < settings->vms; i++) {
        struct guest_counts *counts = &shared->guests[i];
        reports += counts->reports;
        launches += counts->launches;
        refusals += counts->refusals;
        errors += counts->errors;
        registrations += counts->lost_registrations;
        keys += counts->lost_keys;
        unarbitrated += counts->unarbitrated;
        resyncs += counts->resyncs;
        resumed += counts->resumed;
        stale += counts->stale;
        late += counts->late_releases;
    }
    unsigned gaps = trial->rounds;
    qsort(trial->gaps, gaps, sizeof *trial->gaps, compare);
    printf("%u VMs, %llu reports, %llu launches, %llu refusals\n", settings->vms, (unsigned long long)reports,
        (unsigned long long)launches, (unsigned long long)refusals);
    printf("ended: %u kill -9, %u restart, %u after-receive, %u after-state, %u after-send; %u spoilt states\n",
        trial->ended[WAY_KILL], trial->ended[WAY_RESTART], trial->ended[WAY_RECEIVE], trial->ended[WAY_STATE],
        trial->ended[WAY_SEND], settings->spoilt);
    printf("connections asked after a restart: %llu; registrations resumed by token: %llu; turns that came too late: "
           "%llu; held beyond their lease: %llu\n",
        (unsigned long long)resyncs, (unsigned long long)resumed, (unsigned long long)stale,
        (unsigned long long)shared->overlong);
    if (gaps)
        printf("gap between grants at a restart: median %.1f ms, greatest %.1f ms "
               "(%.0f ms of it the manager's pause)\n",
            (double)trial->gaps[gaps / 2] / 1e6, (double)trial->gaps[gaps - 1] / 1e6, (double)settings->pause / 1e6);
    if (trial->manager) printf("longest stop: %.1f ms\n", (double)trial->longest_stop / 1e6);
    /* A holder that the machine did not run loses its turn to its lease, as ever: its release then comes late, and it
     * may meet the next holder, which may meet it. */
    unsigned overdue = count_overdue(trial) - trial->overdue_before;
    printf("turns passed on after their lease: %u\n", overdue);
    printf("lost registrations: %llu\nclient errors: %llu\ndoubled grants: %llu\nlost VMPCKs: %llu\n",
        (unsigned long long)registrations, (unsigned long long)(errors + unarbitrated + failed + late),
        (unsigned long long)shared->doubled, (unsigned long long)keys);
    /* A daemon that cannot read its state knows neither VMs nor who has the SP. */
    bool forgets = settings->spoilt || settings->forgetful;
    bool lost = !forgets && registrations > 0;
    bool doubled = !forgets && (shared->doubled > 2 * overdue || late > overdue);
    bool idle = reports == 0 || (trial->rounds > 0 && (resyncs == 0) != (settings->forgetful != 0));
    if (idle) fprintf(stderr, "restart-trial: nothing happened\n");
    return lost || errors || unarbitrated || failed || doubled || keys || trial->unclean || idle;
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
        { "seed", 1, NULL, 'e' }, { NULL, 0, NULL, 0 }
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
        default: exit(64);
        }
    }
    if (!settings->daemon == !settings->unit) fail("either --daemon or --unit is needed");
    if (settings->unit && !settings->socket) fail("--unit needs --socket");
    if (settings->unit && (settings->failpoints || settings->spoilt))
        fail("--unit has neither failpoints nor spoilt states");
    if (settings->vms == 0 || settings->vms > VMS_MAX) fail("1 to 512 VMs");
}

int main(int count, char **arguments)
{
    static struct trial trial;
    read_settings(&trial.settings, count, arguments);
    trial.random = trial.settings.seed;
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
    if (trial.manager && trial.rounds && trial.ways[0] >= WAY_RECEIVE) end_once(&trial, WAY_KILL, trial.ways[0]);
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
    if (trial.manager) manager_stop(trial.manager, SIGTERM);
    int result = report(&trial, failed);
    if (trial.manager) {
        if (result) show_log(manager_log(trial.manager));
        manager_free(trial.manager);
        rmdir(directory);
    }
    return result;
}
