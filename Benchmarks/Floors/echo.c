// A floor: what it costs to answer 64 bytes with 64 bytes over SOCK_SEQPACKET, with one thread and an epoll set.
// usage: echo PATH
#define _GNU_SOURCE
#include "listen.h"

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s PATH\n", arguments[0]);
        return 2;
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_at(arguments[1], epoll);
    struct epoll_event events[EVENTS_MAX];
    char message[64];
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int index = 0; index < ready; index++) {
            int client = events[index].data.fd;
            if (client == listener) {
                client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (client >= 0)
                    watch(epoll, client);
                continue;
            }
            ssize_t received = recv(client, message, sizeof message, 0);
            if (received <= 0 || send(client, message, (size_t)received, MSG_NOSIGNAL) != received)
                close(client);
        }
    }
}
