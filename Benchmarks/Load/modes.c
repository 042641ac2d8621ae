#define _GNU_SOURCE
#include "modes.h"

#include <linux/sockios.h>
#include <sched.h>
#include <spsched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

// echo: 64 bytes there and back.

static void begin_echo(struct client *client, const char *path, uint32_t number) {
    (void)number;
    client->socket = connect_to(path);
}

static int echo_once(struct client *client) {
    char message[64] = {0};
    send_record(client, message, sizeof message);
    return receive_record(client, message, sizeof message) == sizeof message;
}

// acquire and cycle: the protocol, by hand.

static void begin_turns(struct client *client, const char *path, uint32_t number) {
    client->socket = connect_to(path);
    introduce(client, number);
}

// library: the same through libspsched. The handle is the process's, as a VMM has one for its VM.

static struct spsched *handle;
static struct spsched_grant grant;

static void begin_library(struct client *client, const char *path, uint32_t number) {
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    // Its descriptor is known here, see settle_library.
    options.descriptor = client->socket = connect_to(path);
    options.client_name = "spschedd-bench load";
    options.spin_ns = client->spin_ns;
    options.flags = SPSCHED_NO_RECONNECT_THREAD;
    char text[SPSCHED_TEXT_MAX];
    if (spsched_open(&options, &handle, text, sizeof text) != SPSCHED_OK)
        give_up("spsched_open: %s", text);

    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    char name[32];
    snprintf(name, sizeof name, "load-library-%u", number);
    registration.name = name;
    memcpy(registration.uuid, &number, sizeof number);
    registration.reservation_wanted_mhz = 0;
    registration.guest_wait_max_ns = 20000000000;
    struct spsched_reply reply = {.size = sizeof reply};
    if (spsched_register(handle, &registration, NULL, &reply) != SPSCHED_OK)
        give_up("spsched_register: %s", reply.text);
}

static int acquire_by_library(struct client *client) {
    struct spsched_request request = {.size = sizeof request, .kind = SPSCHED_REPORT, .units = 1};
    struct spsched_reply reply = {.size = sizeof reply};
    enum spsched_result result = spsched_acquire(handle, &request, &reply);
    if (result == SPSCHED_OK && !(reply.grant.flags & SPSCHED_UNARBITRATED)) {
        grant = reply.grant;
        return 1;
    }
    if (result != SPSCHED_OK && result != SPSCHED_BUSY && result != SPSCHED_ERROR)
        give_up("spsched_acquire: %s: %s", spsched_result_name(result), reply.text);
    if (!client->refusals++)
        snprintf(client->refusal, sizeof client->refusal, "%.200s", reply.text);
    return 0;
}

// A release has no reply; that the daemon has taken it from the socket is as much as can be seen from here.
static void settle_library(struct client *client) {
    if (!grant.turn)
        return;
    spsched_release(handle, &grant, NULL);
    grant.turn = 0;
    int unread = 1;
    // A daemon that reads nothing for so many rounds has stopped; the next reply's bound then says so.
    for (int round = 0; round < 1000000 && ioctl(client->socket, SIOCOUTQ, &unread) == 0 && unread; round++)
        sched_yield();
}

static const struct mode modes[] = {
    {"echo", "64 bytes there and back", begin_echo, echo_once, NULL, NULL},
    {"acquire", "ACQUIRE to GRANTED, when nobody has the turn", begin_turns, acquire_turn, release_turn, release_turn},
    {"cycle", "RELEASE_AND_ACQUIRE to GRANTED", begin_turns, cycle_turn, NULL, release_turn},
    {"library", "as acquire, through libspsched", begin_library, acquire_by_library, settle_library, settle_library},
};

const struct mode *mode_named(const char *name) {
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++)
        if (!strcmp(modes[index].name, name))
            return &modes[index];
    return NULL;
}
