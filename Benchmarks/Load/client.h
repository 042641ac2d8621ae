// One connection of the load client. A failure ends the process with a sentence: a measurement is either whole or none.
#pragma once

#include "../wire.h"

#include <stddef.h>
#include <stdint.h>

struct client {
    int socket;
    // How long to look for a reply before blocking for it.
    uint64_t spin_ns;
    uint64_t tag, turn;
    // BUSY and ERROR, and what the first of them said.
    uint64_t refusals;
    char refusal[256];
    // Turns whose lease ended before they were released: this process had no CPU for so long.
    uint64_t lost;
};

uint64_t now_ns(void);

// Writes the sentence on standard error and ends the process.
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A connected SOCK_SEQPACKET socket whose calls return within a bound.
int connect_to(const char *path);

void send_record(struct client *client, const void *message, size_t size);
size_t receive_record(struct client *client, void *message, size_t capacity);

// HELLO and REGISTER: no reservation, no limit, weight 100, burst 3, a guest that waits 20 s.
void introduce(struct client *client, uint32_t number);

// Each returns whether it was granted; if not, the refusal is counted.
int acquire_turn(struct client *client);
int cycle_turn(struct client *client);
int await_grant(struct client *client);

// Waits for DONE: the turn is another's, or nobody's, from here on.
void release_turn(struct client *client);
// Asks for no reply.
void drop_turn(struct client *client);
