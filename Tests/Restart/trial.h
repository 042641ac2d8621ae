/* Restarts of the daemon under load: VM processes through libspsched, a service manager that keeps descriptors, and
 * what they may find. Shared by guest.c, manager.c and main.c. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { VMS_MAX = 512, STORED_MAX = 8192, NAME_MAX_BYTES = 64, NOTES_MAX = 4096 };

/* What one VM process counted. */
struct guest_counts {
    _Atomic uint64_t reports, launches, refusals;
    /* The longest time from a request to its answer, whichever. */
    _Atomic uint64_t longest_wait;
    /* Must all stay zero. */
    _Atomic uint64_t errors, lost_registrations, lost_keys, unarbitrated;
    /* Releases of turns that the daemon no longer knew, and turns for so long of which the machine did not run this
     * process that their lease had ended, or nearly. */
    _Atomic uint64_t late_releases, overslept;
    /* The two ways through a restart. */
    _Atomic uint64_t resyncs, resumed, connections_lost;
    _Atomic uint64_t stale;
};

/* A turn, and another that its holder met. */
struct meeting {
    _Atomic uint64_t turn, other;
};

/* In memory that all processes share. */
struct shared {
    _Atomic uint32_t stop;
    uint32_t vms;
    /* How many VMs are registered, and how many have ended well. */
    _Atomic uint32_t ready, ended;
    /* The turn that has the SP. */
    _Atomic uint64_t holder;
    /* Turns that met another, and turns that were overslept. */
    _Atomic uint32_t meeting_count, overslept_count;
    struct meeting meetings[NOTES_MAX];
    _Atomic uint64_t overslept[NOTES_MAX];
    /* When the last turn was granted, the first since the daemon was ended, and the longest time between two since. */
    _Atomic uint64_t last_grant, first_grant, longest_gap;
    struct guest_counts guests[VMS_MAX];
};

uint64_t boot_now(void);
void sleep_ns(uint64_t duration);
/* A number below `bound`, of a sequence that the seed determines. */
uint64_t random_below(uint64_t *state, uint64_t bound);

/* Plays one VM until `shared->stop`. Returns the process' exit status. */
int guest_run(struct shared *shared, unsigned number, const char *path, uint64_t seed);

/* ---- The service manager ---- */

struct manager;

/* Makes the sockets in a directory. A forgetful one keeps no descriptors. */
struct manager *manager_new(const char *daemon, const char *directory, bool forgetful);
const char *manager_path(const struct manager *manager);
/* What the daemon says goes there. */
const char *manager_log(const struct manager *manager);
/* Starts the daemon with all that is kept. `failpoint` may be NULL. */
void manager_start(struct manager *manager, const char *failpoint);
/* Hears the daemon until it said READY=1. False: it ended before. */
bool manager_wait_ready(struct manager *manager, uint64_t patience);
/* Hears the daemon for so long. False: it ended meanwhile. */
bool manager_hear(struct manager *manager, uint64_t duration);
/* Sends a signal, and hears the daemon until its end. Returns its wait status. */
int manager_stop(struct manager *manager, int signal);
/* How many descriptors are kept under names that begin so. */
unsigned manager_count(const struct manager *manager, const char *prefix);
/* Spoils the state that is kept: 1: a byte of a record; 2: the version. */
void manager_spoil(struct manager *manager, int how);
void manager_free(struct manager *manager);
