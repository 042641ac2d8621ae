// Starts a daemon as a service manager would, with a socket of ours in place of the one at its usual path: the daemon
// of this machine, if it has one, stays as it is.
#define _GNU_SOURCE
#include "peers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// sd_listen_fds(3): the first descriptor that is passed.
#define FIRST_DESCRIPTOR 3

_Noreturn void socket_activate(const char *path, char **command) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        give_up("%s: longer than a socket's path may be", path);
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0)
        give_up("cannot listen at %s: %s", path, strerror(errno));
    if (listener != FIRST_DESCRIPTOR) {
        if (dup2(listener, FIRST_DESCRIPTOR) < 0)
            give_up("dup2: %s", strerror(errno));
        close(listener);
    }
    char pid[32];
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    execvp(command[0], command);
    give_up("cannot run %s: %s", command[0], strerror(errno));
}
