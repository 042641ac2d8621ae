/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The VMs of this process, known by their descriptors. Each has a handle of libspsched while it is being launched.
 */
#define _GNU_SOURCE
#include "preload.h"

#include "CSEV_KVM.h"
#include "spsched_kvm.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* A VMM has one VM; a test of one may have dozens. Launches of more than these at once go without a turn. */
enum { MACHINES_MAX = 64 };
/* Of an absent daemon: a launch of a thousand pages must not try to connect a thousand times. */
#define RETRY_EVERY UINT64_C(5000000000)

struct machine {
    int vm_fd; /* -1: free */
    atomic_uint vcpus;
    pthread_mutex_t lock; /* held through a command, as KVM holds its own */
    struct link link;
    struct spsched_kvm *kvm;
};

static struct machine machines[MACHINES_MAX];
/* Held for a moment only: to look up and to take a place. */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned machines_count;
static _Atomic uint64_t retry_after;

static uint64_t boot_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The VM's place, made if need be; NULL if all are taken. The table's lock is held. */
static struct machine *place_of(int vm_fd)
{
    for (unsigned i = 0; i < machines_count; i++)
        if (machines[i].vm_fd == vm_fd) return &machines[i];
    if (machines_count < MACHINES_MAX) {
        struct machine *place = &machines[machines_count++];
        place->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        place->link = NO_LINK;
        place->vm_fd = vm_fd;
        return place;
    }
    for (unsigned i = 0; i < machines_count; i++) {
        if (pthread_mutex_trylock(&machines[i].lock) != 0) continue;
        bool idle = machines[i].link.client == NULL;
        if (idle) {
            machines[i].vm_fd = vm_fd;
            atomic_store(&machines[i].vcpus, 0);
        }
        pthread_mutex_unlock(&machines[i].lock);
        if (idle) return &machines[i];
    }
    return NULL;
}

static struct machine *find(int vm_fd)
{
    pthread_mutex_lock(&table_lock);
    struct machine *machine = place_of(vm_fd);
    pthread_mutex_unlock(&table_lock);
    return machine;
}

/* The launch is over, or nothing of it can be used any more. */
static void leave(struct machine *machine)
{
    spsched_kvm_close(machine->kvm);
    machine->kvm = NULL;
    link_close(&machine->link);
}

void machines_created(int vm_fd)
{
    struct machine *machine = find(vm_fd);
    if (!machine) return;
    pthread_mutex_lock(&machine->lock);
    atomic_store(&machine->vcpus, 0);
    if (machine->link.client) leave(machine); /* of a VM that was closed in its launch */
    pthread_mutex_unlock(&machine->lock);
}

void machines_created_vcpu(int vm_fd)
{
    struct machine *machine = find(vm_fd);
    if (machine) atomic_fetch_add(&machine->vcpus, 1);
}

static int issue_next(void *context, int descriptor, unsigned long request, void *argument)
{
    (void)context;
    int result = next.ioctl(descriptor, request, argument);
    return result < 0 ? -errno : result;
}

static int enter(struct machine *machine)
{
    uint64_t now = boot_now();
    machine->link = prepared_take();
    if (!machine->link.client) {
        if (now < atomic_load(&retry_after)) return -ENOTCONN;
        int failed = link_open(&machine->link, false);
        if (failed) atomic_store(&retry_after, boot_now() + RETRY_EVERY);
        if (failed) return failed;
    }
    struct spsched_kvm_options options;
    spsched_kvm_options_init(&options, sizeof options);
    options.issue = issue_next;
    options.flags = SPSCHED_UNINTERRUPTIBLE; /* programs know no EINTR of this ioctl */
    if (settings()->pages) options.pages = settings()->pages;
    if (spsched_kvm_open(machine->link.client, &options, &machine->kvm) == SPSCHED_OK) return 0;
    leave(machine);
    return -ENOMEM;
}

/* Sees to it that the machine has a handle that can be used: 0, or -errno. */
static int ready(struct machine *machine)
{
    if (machine->link.client && !settings()->connects_at_start && !still_stands(&machine->link.socket)) {
        /* The program has closed our socket, and may have opened another file in its place. Nothing of the handle may
         * be used any more, not even to free it. */
        machine->link = NO_LINK;
        machine->kvm = NULL;
    }
    if (!machine->link.client) return enter(machine);
    struct spsched_status status = { .size = sizeof status };
    if (spsched_status(machine->link.client, &status) != SPSCHED_OK) return -ENOTCONN;
    uint64_t now = boot_now();
    if (status.connected || now < atomic_load(&retry_after)) return 0;
    if (spsched_reconnect(machine->link.client) != SPSCHED_OK) atomic_store(&retry_after, boot_now() + RETRY_EVERY);
    return 0;
}

static int launch(struct machine *machine, int vm_fd, void *command)
{
    int failed = ready(machine);
    if (failed) return settings()->fails_closed ? failed : issue_next(NULL, vm_fd, CSEV_KVM_MEMORY_ENCRYPT_OP, command);
    uint32_t counted = atomic_load(&machine->vcpus);
    spsched_kvm_declare(machine->kvm, 0, settings()->vcpus ? settings()->vcpus : counted);
    int result = spsched_kvm_encrypt_op(machine->kvm, vm_fd, command);
    if (result == -EBUSY || result == -ENOTCONN || result == -EPROTO) {
        char text[SPSCHED_TEXT_MAX];
        if (spsched_last_error(machine->link.client, text, sizeof text)) say("a launch command failed: %s", text);
    }
    /* Who connects at the start has filters by now that might not let us hang up. */
    if (!spsched_kvm_in_launch(machine->kvm) && !settings()->connects_at_start) leave(machine);
    return result;
}

int machines_launch(int vm_fd, void *command)
{
    if (settings()->problem[0]) {
        say("%s; the VM is not launched", settings()->problem);
        return -EINVAL;
    }
    struct machine *machine = find(vm_fd);
    if (!machine && settings()->fails_closed) return -EBUSY;
    if (!machine) return issue_next(NULL, vm_fd, CSEV_KVM_MEMORY_ENCRYPT_OP, command);
    pthread_mutex_lock(&machine->lock);
    int result = launch(machine, vm_fd, command);
    pthread_mutex_unlock(&machine->lock);
    return result;
}

void machines_forked(void)
{
    table_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (unsigned i = 0; i < machines_count; i++) {
        struct machine *machine = &machines[i];
        machine->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        spsched_kvm_close(machine->kvm);
        machine->kvm = NULL;
        link_forked(&machine->link);
    }
}
