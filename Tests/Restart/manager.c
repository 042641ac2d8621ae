/* As much of a service manager as keeps descriptors: sd_notify's FDSTORE and FDSTOREREMOVE, LISTEN_FDS at each start,
 * as systemd does it (service_add_fd_store, service_collect_fds). */
#define _GNU_SOURCE
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)

struct stored {
    int descriptor;
    dev_t device;
    ino_t inode;
    char name[NAME_MAX_BYTES];
};

struct manager {
    char daemon[512], vmm[108], operators[108], notify[108], device[108], log[108];
    int vmm_listener, operators_listener, notifications;
    pid_t process;
    int end; /* a pidfd */
    bool ready, forgetful;
    unsigned count;
    struct stored stored[STORED_MAX];
};

static void fail(const char *what)
{
    fprintf(stderr, "restart-trial: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int listener(const char *path, int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    if (type != SOCK_DGRAM && listen(descriptor, 1024) < 0) fail(path);
    return descriptor;
}

struct manager *manager_new(const char *daemon, const char *directory, bool forgetful)
{
    struct manager *manager = calloc(1, sizeof *manager);
    if (!manager) fail("no memory");
    snprintf(manager->daemon, sizeof manager->daemon, "%s", daemon);
    snprintf(manager->vmm, sizeof manager->vmm, "%s/vmm", directory);
    snprintf(manager->operators, sizeof manager->operators, "%s/manager", directory);
    snprintf(manager->notify, sizeof manager->notify, "%s/notify", directory);
    snprintf(manager->device, sizeof manager->device, "%s/no-device", directory);
    snprintf(manager->log, sizeof manager->log, "%s/log", directory);
    manager->vmm_listener = listener(manager->vmm, SOCK_SEQPACKET);
    manager->operators_listener = listener(manager->operators, SOCK_STREAM);
    manager->notifications = listener(manager->notify, SOCK_DGRAM);
    manager->forgetful = forgetful;
    manager->end = -1;
    return manager;
}

const char *manager_path(const struct manager *manager) { return manager->vmm; }
const char *manager_log(const struct manager *manager) { return manager->log; }

unsigned manager_count(const struct manager *manager, const char *prefix)
{
    unsigned count = 0;
    for (unsigned i = 0; i < manager->count; i++)
        if (strncmp(manager->stored[i].name, prefix, strlen(prefix)) == 0) count++;
    return count;
}

/* ---- The store ---- */

static void drop(struct manager *manager, const char *name)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < manager->count; i++) {
        if (strcmp(manager->stored[i].name, name) == 0)
            close(manager->stored[i].descriptor);
        else
            manager->stored[kept++] = manager->stored[i];
    }
    manager->count = kept;
}

static void keep(struct manager *manager, const char *name, int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) < 0) fail("fstat");
    /* What is there already is not taken twice, under whatever name. */
    for (unsigned i = 0; i < manager->count; i++) {
        if (manager->stored[i].device != status.st_dev || manager->stored[i].inode != status.st_ino) continue;
        close(descriptor);
        return;
    }
    if (manager->forgetful || manager->count == STORED_MAX) {
        close(descriptor);
        return;
    }
    struct stored *stored = &manager->stored[manager->count++];
    *stored = (struct stored) { .descriptor = descriptor, .device = status.st_dev, .inode = status.st_ino };
    snprintf(stored->name, sizeof stored->name, "%s", name);
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (strncmp(at, line, length) == 0 && (at[length] == '\n' || at[length] == '\0')) return true;
    return false;
}

/* One datagram, if there is one. */
static bool take(struct manager *manager)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    char text[4096];
    struct iovec part = { .iov_base = text, .iov_len = sizeof text - 1 };
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t length = recvmsg(manager->notifications, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return false;
    text[length] = '\0';
    char name[NAME_MAX_BYTES] = "stored";
    char *named = strstr(text, "FDNAME=");
    if (named) sscanf(named, "FDNAME=%63[^\n]", name);
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first && first->cmsg_type == SCM_RIGHTS && has_line(text, "FDSTORE=1")) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(first), sizeof descriptor);
        keep(manager, name, descriptor);
    }
    if (has_line(text, "FDSTOREREMOVE=1")) drop(manager, name);
    if (has_line(text, "READY=1")) manager->ready = true;
    return true;
}

/* ---- The daemon ---- */

/* In the child: everything at its number, then the daemon. */
static _Noreturn void become_daemon(struct manager *manager, const char *failpoint)
{
    static char names[STORED_MAX * NAME_MAX_BYTES];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a trial that is ended leaves nothing behind */
    int count = 2 + (int)manager->count;
    int high = 64 + 2 * count; /* beyond everything that is open */
    size_t used = (size_t)sprintf(names, "vmm:manager");
    int sources[2] = { manager->vmm_listener, manager->operators_listener };
    for (int i = 0; i < count; i++) {
        int source = i < 2 ? sources[i] : manager->stored[i - 2].descriptor;
        if (fcntl(source, F_DUPFD, high) != high + i) fail("fcntl");
        if (i >= 2) used += (size_t)sprintf(names + used, ":%s", manager->stored[i - 2].name);
    }
    /* The copies have consecutive numbers from `high` on. */
    for (int i = 0; i < count; i++)
        if (dup2(high + i, 3 + i) < 0) fail("dup2");
    for (int i = 0; i < count; i++) close(high + i);
    char text[32];
    snprintf(text, sizeof text, "%d", count);
    setenv("LISTEN_FDS", text, 1);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDNAMES", names, 1);
    int log = open(manager->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0) dup2(log, STDERR_FILENO);
    setenv("NOTIFY_SOCKET", manager->notify, 1);
    if (failpoint)
        setenv("SPSCHEDD_FAILPOINT", failpoint, 1);
    else
        unsetenv("SPSCHEDD_FAILPOINT");
    execl(manager->daemon, "spschedd", "--socket", manager->vmm, "--manager-socket", manager->operators, "--device",
        manager->device, (char *)NULL);
    fail(manager->daemon);
    abort();
}

void manager_start(struct manager *manager, const char *failpoint)
{
    manager->ready = false;
    manager->process = fork();
    if (manager->process < 0) fail("fork");
    if (manager->process == 0) become_daemon(manager, failpoint);
    manager->end = (int)syscall(SYS_pidfd_open, manager->process, 0);
    if (manager->end < 0) fail("pidfd_open");
}

/* Hears until `until`, the daemon's end, or READY=1 if `for_ready`. False: it ended. */
static bool hear(struct manager *manager, uint64_t until, bool for_ready)
{
    while (true) {
        if (for_ready && manager->ready) return true;
        struct pollfd watched[2] = {
            { .fd = manager->notifications, .events = POLLIN }, { .fd = manager->end, .events = POLLIN }
        };
        uint64_t now = boot_now();
        if (now >= until) return true;
        poll(watched, 2, (int)((until - now + MILLISECOND - 1) / MILLISECOND));
        if (watched[0].revents && take(manager)) continue;
        if (watched[1].revents) return false;
    }
}

bool manager_wait_ready(struct manager *manager, uint64_t patience)
{
    return hear(manager, boot_now() + patience, true) && manager->ready;
}

bool manager_hear(struct manager *manager, uint64_t duration)
{
    return hear(manager, boot_now() + duration, false);
}

int manager_stop(struct manager *manager, int signal)
{
    int status = 0;
    if (signal) kill(manager->process, signal);
    while (hear(manager, UINT64_MAX / 2, false)) { }
    /* What it said before its end is heard before its end. */
    while (take(manager)) { }
    if (waitpid(manager->process, &status, 0) < 0) fail("waitpid");
    close(manager->end);
    manager->end = -1;
    return status;
}

void manager_spoil(struct manager *manager, int how)
{
    for (unsigned i = 0; i < manager->count; i++) {
        if (strncmp(manager->stored[i].name, "spschedd.state.", 15) != 0) continue;
        /* The layout's version is the second word; the host's record begins at word 512. */
        uint8_t changed = 0xFF;
        off_t place = how == 2 ? 8 : 512 * 8 + 40;
        if (pwrite(manager->stored[i].descriptor, &changed, 1, place) != 1) fail("pwrite");
        if (how == 1 && pwrite(manager->stored[i].descriptor, &changed, 1, place + 96 * 8) != 1) fail("pwrite");
    }
}

void manager_free(struct manager *manager)
{
    while (manager->count) close(manager->stored[--manager->count].descriptor);
    close(manager->vmm_listener);
    close(manager->operators_listener);
    close(manager->notifications);
    unlink(manager->vmm);
    unlink(manager->operators);
    unlink(manager->notify);
    unlink(manager->log);
    free(manager);
}
