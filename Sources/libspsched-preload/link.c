/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * A handle of libspsched without a thread of its own: a program that does not know of it must not find one, nor a
 * connection that lasts for longer than a launch.
 */
#define _GNU_SOURCE
#include "preload.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct known_file known_file(int descriptor)
{
    struct stat file;
    if (descriptor < 0 || fstat(descriptor, &file) < 0) return (struct known_file) { .descriptor = -1 };
    return (struct known_file) { .descriptor = descriptor, .device = file.st_dev, .inode = file.st_ino };
}

bool still_stands(const struct known_file *known)
{
    struct known_file now = known_file(known->descriptor);
    return now.descriptor >= 0 && now.device == known->device && now.inode == known->inode;
}

static int connect_to_daemon(void *context)
{
    struct link *link = context;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, settings()->socket, sizeof address.sun_path);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    link->connect_error = errno;
    if (descriptor < 0) return -errno;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        link->connect_error = errno;
        close(descriptor);
        return -link->connect_error;
    }
    link->connect_error = 0;
    link->socket = known_file(descriptor);
    return descriptor;
}

static uint64_t mix(uint64_t number)
{
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

/* A label that tells VMs apart, and proves nothing: of the clock and a count. */
static void make_uuid(uint8_t uuid[16])
{
    static _Atomic uint64_t count;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    uint64_t halves[2];
    halves[0] = mix((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    halves[1] = mix(halves[0] + atomic_fetch_add(&count, 1) + (uintptr_t)&now);
    memcpy(uuid, halves, 16);
    uuid[6] = (uint8_t)((uuid[6] & 0x0F) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3F) | 0x80);
}

static void fill_registration(struct spsched_registration *registration, bool wants_device)
{
    const struct settings *wanted = settings();
    spsched_registration_init(registration, sizeof *registration);
    registration->name = wanted->name;
    /* Its guest's requests are not seen here: nothing is promised to them. */
    registration->reservation_wanted_mhz = 0;
    registration->failure_mode = wanted->fails_closed ? SPSCHED_FAIL_CLOSED : SPSCHED_FAIL_OPEN;
    registration->want_device = wants_device;
    if (wanted->has_uuid)
        memcpy(registration->uuid, wanted->uuid, sizeof registration->uuid);
    else
        make_uuid(registration->uuid);
}

const char *consequence(void)
{
    return settings()->fails_closed ? "refused, as SPSCHED_FAILURE_MODE asks" : "going on without it";
}

int link_open(struct link *link, bool wants_device)
{
    *link = NO_LINK;
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.client_name = "libspsched-preload";
    options.supply = connect_to_daemon;
    options.supply_context = link;
    options.flags = SPSCHED_NO_RECONNECT_THREAD;
    char text[SPSCHED_TEXT_MAX] = "";
    if (spsched_open(&options, &link->client, text, sizeof text) != SPSCHED_OK) {
        if (link->connect_error == ENOENT || link->connect_error == ECONNREFUSED)
            snprintf(text, sizeof text, "spschedd is not running: nobody listens");
        else if (link->connect_error)
            snprintf(text, sizeof text, "cannot connect to spschedd: %s", strerror(link->connect_error));
        say("%s at %s; %s", text, settings()->socket, consequence());
        *link = NO_LINK;
        return -ENOTCONN;
    }
    struct spsched_registration registration;
    fill_registration(&registration, wants_device);
    struct spsched_reply reply = { .size = sizeof reply };
    enum spsched_result result = spsched_register(link->client, &registration, NULL, &reply);
    if (result == SPSCHED_OK) return 0;
    say("spschedd does not admit this VM: %s; %s", reply.text[0] ? reply.text : spsched_result_name(result),
        consequence());
    spsched_close(link->client);
    *link = NO_LINK;
    return result == SPSCHED_ERROR ? -EACCES : -ENOTCONN;
}

void link_close(struct link *link)
{
    if (link->client && still_stands(&link->socket)) {
        spsched_unregister(link->client);
        spsched_close(link->client);
    }
    *link = NO_LINK;
}

void link_forked(struct link *link)
{
    if (link->client && still_stands(&link->socket)) spsched_close(link->client);
    *link = NO_LINK;
}
