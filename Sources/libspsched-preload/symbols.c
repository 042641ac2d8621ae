/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The functions that this library stands in for, and nothing else that a program could notice: whatever is not about
 * /dev/sev or a launch goes straight to the next function of the name.
 */
#define _GNU_SOURCE
#include "preload.h"

#include "CSEV_KVM.h"
#include "spsched_kvm_private.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define EXPORTED __attribute__((visibility("default")))

/* ---- The next of each ---- */

/* Constructors of other libraries may call us before our own has run. */
static int first_open(const char *path, int flags, ...);
static int first_open64(const char *path, int flags, ...);
static int first_openat(int directory, const char *path, int flags, ...);
static int first_openat64(int directory, const char *path, int flags, ...);
static int first_ioctl(int descriptor, unsigned long request, ...);

struct next next = { first_open, first_open64, first_openat, first_openat64, first_ioctl };

static void *symbol(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) {
        say("there is no %s in any library after this one", name);
        abort();
    }
    return found;
}

static void find_next(void)
{
    int error = errno;
    next.open = (int (*)(const char *, int, ...))symbol("open");
    next.open64 = (int (*)(const char *, int, ...))symbol("open64");
    next.openat = (int (*)(int, const char *, int, ...))symbol("openat");
    next.openat64 = (int (*)(int, const char *, int, ...))symbol("openat64");
    next.ioctl = (int (*)(int, unsigned long, ...))symbol("ioctl");
    errno = error;
}

/* The mode, if there is one; open(2) reads it only with O_CREAT or O_TMPFILE. */
#define MODE_AFTER(last, flags, mode)                                                                                  \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list arguments;                                                                                             \
        va_start(arguments, last);                                                                                     \
        mode = va_arg(arguments, mode_t);                                                                              \
        va_end(arguments);                                                                                             \
    }

#define ARGUMENT_AFTER(last, argument)                                                                                 \
    va_list arguments;                                                                                                 \
    va_start(arguments, last);                                                                                         \
    void *argument = va_arg(arguments, void *);                                                                        \
    va_end(arguments)

static int first_open(const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    find_next();
    return next.open(path, flags, mode);
}

static int first_open64(const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    find_next();
    return next.open64(path, flags, mode);
}

static int first_openat(int directory, const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    find_next();
    return next.openat(directory, path, flags, mode);
}

static int first_openat64(int directory, const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    find_next();
    return next.openat64(directory, path, flags, mode);
}

static int first_ioctl(int descriptor, unsigned long request, ...)
{
    ARGUMENT_AFTER(request, argument);
    find_next();
    return next.ioctl(descriptor, request, argument);
}

/* ---- What happens at the start, and in a child ---- */

static void forked(void)
{
    machines_forked();
    prepared_forked();
}

__attribute__((constructor)) static void start(void)
{
    find_next();
    pthread_atfork(NULL, NULL, forked);
    if (settings()->connects_at_start && !settings()->problem[0]) prepared_make();
}

/* ---- The device ---- */

/* Whether the kernel has read the path, so that we may: it found what is there, or that nothing is. */
static bool has_read_path(int opened)
{
    if (opened >= 0) return true;
    switch (errno) {
    case ENOENT:
    case EACCES:
    case EPERM:
    case ENODEV:
    case ENXIO:
    case EBUSY:
    case EROFS: return true;
    default: return false;
    }
}

/* What the program gets, once the next open has done its work: no path is read that the kernel has not read, and no
 * system call is added to the opening of anything else. */
static int after_open(int opened, const char *path, int flags)
{
    static const char device[] = "/dev/sev";
    if (!has_read_path(opened) || strncmp(path, device, sizeof device) != 0) return opened;
    if (flags & (O_PATH | O_DIRECTORY | O_CREAT)) return opened;
    int error = errno, state;
    /* It waits for the daemon, and must not be cancelled in it. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int given = device_instead(opened >= 0 ? opened : -error, flags);
    pthread_setcancelstate(state, NULL);
    errno = given < 0 ? -given : error;
    return given < 0 ? -1 : given;
}

EXPORTED int open(const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    return after_open(next.open(path, flags, mode), path, flags);
}

EXPORTED int open64(const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    return after_open(next.open64(path, flags, mode), path, flags);
}

EXPORTED int openat(int directory, const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    return after_open(next.openat(directory, path, flags, mode), path, flags);
}

EXPORTED int openat64(int directory, const char *path, int flags, ...)
{
    MODE_AFTER(flags, flags, mode)
    return after_open(next.openat64(directory, path, flags, mode), path, flags);
}

/* What programs call that were compiled with _FORTIFY_SOURCE; glibc alone has them. */
#define FORTIFIED_OPEN(name)                                                                                           \
    EXPORTED int name(const char *path, int flags)                                                                     \
    {                                                                                                                  \
        static int (*_Atomic fortified)(const char *, int);                                                            \
        if (!fortified) fortified = (int (*)(const char *, int))symbol(#name);                                         \
        return after_open(fortified(path, flags), path, flags);                                                        \
    }

#define FORTIFIED_OPENAT(name)                                                                                         \
    EXPORTED int name(int directory, const char *path, int flags)                                                      \
    {                                                                                                                  \
        static int (*_Atomic fortified)(int, const char *, int);                                                       \
        if (!fortified) fortified = (int (*)(int, const char *, int))symbol(#name);                                    \
        return after_open(fortified(directory, path, flags), path, flags);                                             \
    }

FORTIFIED_OPEN(__open_2)
FORTIFIED_OPEN(__open64_2)
FORTIFIED_OPENAT(__openat_2)
FORTIFIED_OPENAT(__openat64_2)

/* ---- The ioctls ---- */

/* A descriptor of KVM answers this; another program's descriptor has other uses for the number of a launch. */
static bool is_kvm(int descriptor)
{
    int error = errno;
    bool answers = next.ioctl(descriptor, CSEV_KVM_CHECK_EXTENSION, NULL) >= 0;
    errno = error;
    return answers;
}

static int launch(int descriptor, unsigned long request, void *argument)
{
    if (!spsched_kvm_takes_turns(argument) || !is_kvm(descriptor)) return next.ioctl(descriptor, request, argument);
    int error = errno, state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int result = machines_launch(descriptor, argument);
    pthread_setcancelstate(state, NULL);
    errno = result < 0 ? -result : error;
    return result < 0 ? -1 : result;
}

static int create(int descriptor, unsigned long request, void *argument)
{
    int made = next.ioctl(descriptor, request, argument);
    int error = errno;
    if (made >= 0 && (uint32_t)request == CSEV_KVM_CREATE_VM) machines_created(made);
    if (made >= 0 && (uint32_t)request == CSEV_KVM_CREATE_VCPU) machines_created_vcpu(descriptor);
    errno = error;
    return made;
}

EXPORTED int ioctl(int descriptor, unsigned long request, ...)
{
    ARGUMENT_AFTER(request, argument);
    /* Some callers hold the number in an int, which extends its sign. */
    switch ((uint32_t)request) {
    case CSEV_KVM_MEMORY_ENCRYPT_OP: return launch(descriptor, request, argument);
    case CSEV_KVM_CREATE_VM:
    case CSEV_KVM_CREATE_VCPU: return create(descriptor, request, argument);
    default: return next.ioctl(descriptor, request, argument);
    }
}
