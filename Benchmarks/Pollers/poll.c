// An operator's program that does nothing but ask: one Varlink call of the Manager's after the other, each as soon as
// the reply to the one before is whole, until standard input ends.
//
//     poll SOCKET METHOD
//
// Prints "ready" after the first reply, and at the end how many there were and how many bytes they had.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void give_up(const char *what) {
    fprintf(stderr, "poll: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        give_up(path);
    }
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        give_up(path);
    return descriptor;
}

// Messages end with a NUL. One that says that another follows is not the last of its call.
static int is_last(const char *message) { return !strstr(message, "\"continues\":true"); }

// Reads one whole reply. A message may be in two pieces: what follows the last NUL is kept.
static unsigned long read_reply(int descriptor) {
    static char buffer[1 << 20];
    static size_t filled;
    unsigned long bytes = 0;
    for (;;) {
        char *end;
        while ((end = memchr(buffer, 0, filled))) {
            int last = is_last(buffer);
            size_t length = (size_t)(end - buffer) + 1;
            if (strstr(buffer, "\"error\"")) {
                errno = EPROTO;
                give_up(buffer);
            }
            memmove(buffer, end + 1, filled - length);
            filled -= length;
            if (last)
                return bytes;
        }
        ssize_t count = recv(descriptor, buffer + filled, sizeof buffer - filled, 0);
        if (count <= 0)
            give_up("the daemon hung up");
        filled += (size_t)count;
        bytes += (unsigned long)count;
    }
}

static int has_ended(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: poll SOCKET METHOD\n");
        return 64;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char call[256];
    int length =
        snprintf(call, sizeof call, "{\"method\":\"io.spschedd.Manager.%s\",\"more\":true}", arguments[2]) + 1;
    int descriptor = connect_to(arguments[1]);
    unsigned long replies = 0, bytes = 0;
    while (!has_ended()) {
        if (send(descriptor, call, (size_t)length, MSG_NOSIGNAL) != length)
            give_up("the daemon does not read");
        bytes += read_reply(descriptor);
        if (++replies == 1) {
            puts("ready");
            fflush(stdout);
        }
    }
    printf("%lu replies, %lu bytes\n", replies, bytes);
    return 0;
}
