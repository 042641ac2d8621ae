/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The device's descriptor: the daemon's, which is read-only, in place of one that the program would open itself.
 */
#define _GNU_SOURCE
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* A duplicate at the lowest free number, as open(2) promises; `opened` makes room. */
static int settle(int descriptor, int opened, int flags)
{
    if (opened >= 0) close(opened);
    int lowest = fcntl(descriptor, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
    return lowest < 0 ? -errno : lowest;
}

/* Not to be had, for this reason: what the program has, or nothing. */
static int do_without(int opened, int failed)
{
    if (!settings()->fails_closed && !settings()->problem[0]) return opened;
    if (opened >= 0) close(opened);
    return failed;
}

int device_instead(int opened, int flags)
{
    if (settings()->problem[0]) {
        say("%s; /dev/sev is not opened", settings()->problem);
        return do_without(opened, -EINVAL);
    }
    int prepared = prepared_device();
    if (prepared >= 0) return settle(prepared, opened, flags);
    struct link link;
    int failed = link_open(&link, true);
    if (failed) return do_without(opened, failed);
    int device = spsched_take_device(link.client);
    link_close(&link);
    if (device < 0) {
        say("spschedd gives this account no descriptor of the device; %s", consequence());
        return do_without(opened, -EACCES);
    }
    int given = settle(device, opened, flags);
    close(device);
    return given;
}

/* ---- The handle that is made at the start ---- */

/* Held for a moment only. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct link prepared = { .socket = { .descriptor = -1 } };
static struct known_file device = { .descriptor = -1 };

void prepared_make(void)
{
    if (link_open(&prepared, true) == 0) device = known_file(spsched_take_device(prepared.client));
}

struct link prepared_take(void)
{
    pthread_mutex_lock(&lock);
    struct link taken = prepared;
    prepared = NO_LINK;
    pthread_mutex_unlock(&lock);
    return taken;
}

int prepared_device(void) { return still_stands(&device) ? device.descriptor : -1; }

void prepared_forked(void)
{
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    link_forked(&prepared);
}
