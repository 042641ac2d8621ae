// What a client process does over and over, one structure for each mode.
#pragma once

#include "client.h"

struct spsched;

struct mode {
    const char *name;
    const char *meaning;
    // Connects and introduces itself.
    void (*begin)(struct client *client, const char *path, uint32_t number);
    // The timed operation. Returns 0 if it was refused.
    int (*operation)(struct client *client);
    // What stands untimed before the next operation; may be NULL.
    void (*settle)(struct client *client);
    // After the last operation: nothing is held any more. May be NULL.
    void (*leave)(struct client *client);
};

// NULL if there is none of this name.
const struct mode *mode_named(const char *name);
