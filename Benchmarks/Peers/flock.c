// Two processes that hand each other the turn through flock(2) alone, without a daemon: the least that any arbitration
// costs.
//
// A lock that is given up is free for whoever comes first, mostly the one that gave it up. So that the turn does change
// hands each time, there are three locks, taken one after another in a ring, and each process holds one until it has
// the next: neither can go on before the other has.
#define _GNU_SOURCE
#include "peers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LOCKS = 3 };

static int locks[LOCKS];
static int held;

static void open_locks(const char *directory) {
    for (int index = 0; index < LOCKS; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/lock-%d", directory, index);
        locks[index] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (locks[index] < 0)
            give_up("cannot open %s: %s", path, strerror(errno));
    }
}

static void change(int lock, int operation) {
    while (flock(locks[lock], operation) < 0)
        if (errno != EINTR)
            give_up("flock: %s", strerror(errno));
}

static void step(void) {
    int next = (held + 1) % LOCKS;
    change(next, LOCK_EX);
    change(held, LOCK_UN);
    held = next;
}

void flock_open(const char *directory) {
    open_locks(directory);
    change(0, LOCK_EX);
    int ready[2];
    if (pipe(ready) < 0)
        give_up("no pipe: %s", strerror(errno));
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        give_up("no second process: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        // Locks belong to what was opened: a descriptor that was inherited would share them.
        open_locks(directory);
        held = 1;
        change(held, LOCK_EX);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            step();
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1)
        give_up("the second process did not begin");
}

// The other process takes our lock while we wait for its.
void flock_turn(void) { step(); }
