/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The parts of libspsched-preload. None of these is exported.
 */
#ifndef SPSCHED_PRELOAD_H
#define SPSCHED_PRELOAD_H

#include "spsched.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- What the environment asks for ---- */

struct settings {
    /* A sentence that names the variable and what it may be; empty if all is well. */
    char problem[256];
    char socket[108];
    char name[64];
    uint8_t uuid[16];
    bool has_uuid;
    bool fails_closed;
    bool connects_at_start;
    uint32_t pages; /* 0: not said */
    uint32_t vcpus; /* 0: counted */
};

/* Reads the environment once. */
const struct settings *settings(void);

/* One line on standard error. At most a few a process: a VMM's log is not ours. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* ---- The functions that this library stands in for ---- */

/* What would have been called without it. */
struct next {
    int (*open)(const char *path, int flags, ...);
    int (*open64)(const char *path, int flags, ...);
    int (*openat)(int directory, const char *path, int flags, ...);
    int (*openat64)(int directory, const char *path, int flags, ...);
    int (*ioctl)(int descriptor, unsigned long request, ...);
};

extern struct next next;

/* ---- A handle, and what it stands on ---- */

/* A descriptor, and which file it was. Programs close descriptors that they do not know, and open others. */
struct known_file {
    int descriptor; /* -1: none */
    uint64_t device, inode;
};

struct known_file known_file(int descriptor);
bool still_stands(const struct known_file *file);

struct link {
    struct spsched *client; /* NULL: none */
    struct known_file socket;
    int connect_error;
};

#define NO_LINK ((struct link) { .socket = { .descriptor = -1 } })

/* Connects and registers a VM: 0, or -errno (-ENOTCONN: nobody answers; -EACCES: refused), and says why. */
int link_open(struct link *link, bool wants_device);

/* Gives the registration up and closes. What the program closed itself is only forgotten. */
void link_close(struct link *link);

/* In a child process: closes what the child inherited. */
void link_forked(struct link *link);

/* What follows if spschedd is not to be had: a clause for a sentence. */
const char *consequence(void);

/* ---- The device and the VMs ---- */

/* The program has opened the device, or could not (-errno): what it is given, or -errno. Takes `opened` over. */
int device_instead(int opened, int flags);

void machines_created(int vm_fd);
void machines_created_vcpu(int vm_fd);

/* A launch command, in turns: as ioctl(2), but -errno. */
int machines_launch(int vm_fd, void *command);

/* The handle that was made at the start, if that was asked for; `client` is NULL if there is none (any more). */
struct link prepared_take(void);
/* The descriptor of the device that came with it, to be duplicated; -1 if there is none. */
int prepared_device(void);
void prepared_make(void);

/* In a child process: gives up what only the parent may use. */
void machines_forked(void);
void prepared_forked(void);

#endif
