// One row of the comparison with daemons that others have written: a client that does one thing to its peer over and
// over, and how long that took. scripts/bench-peers starts the peers and knows the rows; `peers` without arguments says
// how one is run.
//
// One line of JSON goes to standard output: latencies in nanoseconds of CLOCK_MONOTONIC, within 0.4 %.
//
// A peer whose development files were missing when this was built is left out, and says so.
#define _GNU_SOURCE
#include "peers.h"

#include "../Load/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What comes before the measuring: caches, branch predictors and lazily made connections are warm after it.
#define WARM_UP 500

_Noreturn void give_up(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("peers: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const struct peer peers[] = {
    {"dbus-ping", "ADDRESS", "a call that dbus-daemon answers itself", dbus_open, dbus_ping},
    {"dbus-echo", "ADDRESS", "64 bytes to the service of `dbus-serve` and back", dbus_open, dbus_echo},
    {"tpm", "TCTI", "GetRandom(8), as with 'swtpm:path=SOCKET' or 'tabrmd:bus_type=session'", tpm_open, tpm_random},
    {"pcsc-list", "SOCKET", "SCardListReaders", pcsc_open, pcsc_list},
    {"pcsc-transaction", "SOCKET", "SCardBeginTransaction and SCardEndTransaction", pcsc_connect, pcsc_transaction},
    {"flock", "DIRECTORY", "a lock handed to another process and another one back", flock_open, flock_turn},
};

static void measure(const struct peer *peer, const char *where, uint64_t operations, uint64_t duration_ns) {
    static struct histogram histogram;
    peer->open(where);
    for (int index = 0; index < WARM_UP; index++)
        peer->operation();
    uint64_t end = now_ns() + duration_ns;
    for (uint64_t index = 0; index < operations; index++) {
        uint64_t before = now_ns();
        if (before >= end)
            break;
        peer->operation();
        histogram_add(&histogram, now_ns() - before);
    }
    printf("{\"peer\":\"%s\",\"ops\":%" PRIu64 ",\"p50_ns\":%" PRIu64, peer->name, histogram.count,
        histogram_quantile(&histogram, 50, 100));
    printf(",\"p99_ns\":%" PRIu64 ",\"max_ns\":%" PRIu64 "}\n", histogram_quantile(&histogram, 99, 100), histogram.max);
}

static _Noreturn void explain(void) {
    fputs("usage: peers PEER WHERE OPERATIONS SECONDS     (the first that is reached ends it)\n", stderr);
    for (size_t index = 0; index < sizeof peers / sizeof *peers; index++)
        fprintf(stderr, "    %-17s %-10s %s\n", peers[index].name, peers[index].where, peers[index].what);
    fputs("       peers dbus-serve ADDRESS               answers dbus-echo\n"
          "       peers socket-activate SOCKET PROGRAM ARGUMENTS...    hands the program a listening stream socket\n",
        stderr);
    exit(2);
}

static uint64_t number(const char *text, uint64_t most) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || !value || value > most)
        give_up("'%s' is not a number from 1 to %" PRIu64, text, most);
    return value;
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "dbus-serve"))
        dbus_serve(arguments[2]);
    if (count >= 4 && !strcmp(arguments[1], "socket-activate"))
        socket_activate(arguments[2], arguments + 3);
    if (count != 5)
        explain();
    for (size_t index = 0; index < sizeof peers / sizeof *peers; index++)
        if (!strcmp(arguments[1], peers[index].name)) {
            uint64_t operations = number(arguments[3], 100000000), seconds = number(arguments[4], 600);
            measure(&peers[index], arguments[2], operations, seconds * 1000000000);
            return 0;
        }
    explain();
}
