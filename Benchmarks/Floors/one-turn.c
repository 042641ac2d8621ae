// A floor: the daemon's wire and its serial semantics, one turn outstanding, without any policy. Who asks while the
// turn is out waits in one line; a release gives the turn to the first of it; who hangs up releases and leaves it.
// usage: one-turn PATH
#define _GNU_SOURCE
#include "../wire.h"
#include "listen.h"

#include <stdbool.h>

// Connections, by descriptor. A power of two, so that the line's indices may wrap.
#define CONNECTIONS_MAX 8192

struct connection {
    bool is_registered, is_waiting;
    uint64_t tag;
    struct acquire_body request;
};

static struct connection connections[CONNECTIONS_MAX];
// Descriptors that wait, first come first served. One that hung up stays in it and is passed over.
static int line[CONNECTIONS_MAX];
static uint32_t line_first, line_end;
static uint64_t last_turn;
// Who has the turn; -1 while nobody has.
static int holder = -1;

static void hang_up(int client);

static void answer(int client, const void *message, size_t size) {
    if (send(client, message, size, MSG_NOSIGNAL) != (ssize_t)size)
        hang_up(client);
}

static void grant_next(void) {
    while (holder < 0 && line_first != line_end) {
        int client = line[line_first++ % CONNECTIONS_MAX];
        struct connection *connection = &connections[client];
        if (!connection->is_waiting)
            continue;
        connection->is_waiting = false;
        holder = client;
        struct granted message = {
            .header = HEADER_OF(GRANTED, message, connection->tag),
            .turn = ++last_turn,
            .start_within_ns = 100000000,
            .lease_ns = 1000000000,
            .units = connection->request.units,
            .kind = connection->request.kind,
        };
        answer(client, &message, sizeof message);
    }
}

static void hang_up(int client) {
    close(client);
    connections[client] = (struct connection){0};
    // Its place in the line would be another's as soon as the descriptor is used again.
    uint32_t kept = line_first;
    for (uint32_t index = line_first; index != line_end; index++)
        if (line[index % CONNECTIONS_MAX] != client)
            line[kept++ % CONNECTIONS_MAX] = line[index % CONNECTIONS_MAX];
    line_end = kept;
    if (holder == client)
        holder = -1;
}

static void wait_in_line(int client, uint64_t tag, const struct acquire_body *request) {
    struct connection *connection = &connections[client];
    if (!connection->is_registered || connection->is_waiting)
        return hang_up(client);
    connection->is_waiting = true;
    connection->tag = tag;
    connection->request = *request;
    line[line_end++ % CONNECTIONS_MAX] = client;
}

// Whether the turn was this client's and is free now.
static bool give_back(int client, uint64_t turn) {
    if (holder != client || turn != last_turn) {
        hang_up(client);
        return false;
    }
    holder = -1;
    return true;
}

static void handle(int client, const void *bytes, size_t size) {
    const struct header *header = bytes;
    if (size < sizeof *header || header->size > size)
        return hang_up(client);
    switch (header->type) {
    case HELLO: {
        struct welcome message = {
            .header = HEADER_OF(WELCOME, message, header->tag),
            .version = 1,
            .max_message = MESSAGE_MAX,
            .features = FEATURE_RELEASE_AND_ACQUIRE,
            .epoch = 1,
            .chunk_pages = 32,
        };
        return answer(client, &message, sizeof message);
    }
    case REGISTER: {
        const struct registration *asked = bytes;
        if (size < sizeof *asked)
            return hang_up(client);
        connections[client].is_registered = true;
        struct registered message = {
            .header = HEADER_OF(REGISTERED, message, header->tag),
            .token = {1},
            .epoch = 1,
            .weight = asked->weight,
            .burst = asked->burst,
            .guest_wait_max_ns = asked->guest_wait_max_ns,
        };
        return answer(client, &message, sizeof message);
    }
    case ACQUIRE: {
        const struct acquire *asked = bytes;
        if (size < sizeof *asked)
            return hang_up(client);
        return wait_in_line(client, header->tag, &asked->request);
    }
    case RELEASE: {
        const struct release *released = bytes;
        if (size < sizeof *released)
            return hang_up(client);
        if (!give_back(client, released->turn.turn) || !header->tag)
            return;
        struct header message = HEADER_OF(DONE, message, header->tag);
        return answer(client, &message, sizeof message);
    }
    case RELEASE_AND_ACQUIRE: {
        const struct release_and_acquire *both = bytes;
        if (size < sizeof *both)
            return hang_up(client);
        if (give_back(client, both->turn.turn))
            wait_in_line(client, header->tag, &both->request);
        return;
    }
    default:
        hang_up(client);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s PATH\n", arguments[0]);
        return 2;
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_at(arguments[1], epoll);
    struct epoll_event events[EVENTS_MAX];
    _Alignas(8) char message[MESSAGE_MAX];
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int index = 0; index < ready; index++) {
            int client = events[index].data.fd;
            if (client == listener) {
                client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (client >= CONNECTIONS_MAX)
                    close(client);
                else if (client >= 0)
                    watch(epoll, client);
                continue;
            }
            ssize_t received = recv(client, message, sizeof message, 0);
            if (received <= 0)
                hang_up(client);
            else
                handle(client, message, (size_t)received);
            grant_next();
        }
    }
}
