#define _GNU_SOURCE
#include "crowd.h"

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// As long as one client waits for one reply.
#define REPLY_WITHIN_MS 30000

static void send_acquire(struct client *client) {
    struct acquire message = {
        .header = HEADER_OF(ACQUIRE, message, ++client->tag),
        .request = {.kind = KIND_REPORT, .units = 1},
    };
    send_record(client, &message, sizeof message);
}

static void send_cycle(struct client *client) {
    struct release_and_acquire message = {
        .header = HEADER_OF(RELEASE_AND_ACQUIRE, message, ++client->tag),
        .turn = {.turn = client->turn, .units_done = 1},
        .request = {.kind = KIND_REPORT, .units = 1},
    };
    send_record(client, &message, sizeof message);
}

// `operations` turns of whoever is granted one; then each gets the turn that it still waits for, and asks no more.
static uint64_t take_turns(struct client *clients, uint32_t count, uint64_t operations) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t index = 0; index < count; index++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[index].socket, &event) < 0)
            give_up("a connection cannot be watched");
        send_acquire(&clients[index]);
    }
    uint64_t granted = 0;
    for (uint32_t asking = count; asking;) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, REPLY_WITHIN_MS);
        if (ready == 0)
            give_up("no turn was granted within %d s", REPLY_WITHIN_MS / 1000);
        for (int index = 0; index < ready; index++) {
            struct client *client = &clients[events[index].data.u32];
            if (!await_grant(client)) {
                if (client->refusals)
                    give_up("a turn was refused: %s", client->refusal);
                // Its lease had ended while this process had no CPU, and nothing was acquired.
                send_acquire(client);
            } else if (++granted < operations) {
                send_cycle(client);
            } else {
                drop_turn(client);
                epoll_ctl(epoll, EPOLL_CTL_DEL, client->socket, NULL);
                asking--;
            }
        }
    }
    close(epoll);
    return granted;
}

void play_crowd(const char *path, uint32_t count, uint64_t operations) {
    struct client *clients = calloc(count, sizeof *clients);
    if (!clients)
        give_up("no memory for %u clients", count);
    uint64_t began = now_ns();
    for (uint32_t index = 0; index < count; index++) {
        clients[index].socket = connect_to(path);
        introduce(&clients[index], index);
    }
    uint64_t registered = now_ns();
    printf("{\"mode\":\"register\",\"clients\":%u,\"elapsed_ns\":%lu}\n", count, registered - began);
    fflush(stdout);
    if (operations) {
        uint64_t granted = take_turns(clients, count, operations);
        printf("{\"mode\":\"turns\",\"clients\":%u,\"ops\":%lu,\"elapsed_ns\":%lu}\n", count, granted,
            now_ns() - registered);
        fflush(stdout);
    }
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    for (uint32_t index = 0; index < count; index++)
        close(clients[index].socket);
    free(clients);
}
