/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The helpers for VMMs, on the public interface of the client alone. A launch command is worked on in a copy: what its
 * caller sees is written when it is over, as KVM does it.
 */
#define _GNU_SOURCE
#include "spsched_kvm.h"

#include "CSEV_KVM.h"
#include "spsched_kvm_private.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- Limits, each with its reason ---- */

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

#define PAGE UINT64_C(4096)
/* A firmware image of 4 MiB with its zero, secret and CPUID pages. */
#define PAGES_DEFAULT 1100
/* The daemon's bound of one request for pages; a grant is for a chunk anyway. */
#define PAGES_MAX 262144
/* As long as a Linux guest goes on asking: operators expect the two to be alike. */
#define BUSY_PATIENCE_DEFAULT (60 * SECOND)
/* While refused: not so often that it is a flood, nor so seldom that a free SP waits for the launch. */
#define BUSY_PAUSE_MIN (10 * MILLISECOND)
#define BUSY_PAUSE_MAX SECOND
/* In a row without a page done. Each -EAGAIN, and each signal that comes before the first page, is one. */
#define FRUITLESS_MAX 64
/* Turns given back because this thread was not run for so long; then it goes ahead: the kernel's mutex is beneath. */
#define STALE_MAX 8
/* Protocol: a lease is four times the predicted cost and this. */
#define LEASE_GRACE (50 * MILLISECOND)

/* The daemon's answers that mean that it has ended our session. */
enum { ERROR_UNKNOWN_SESSION = 3, ERROR_NO_SESSION = 5 };

/* The firmware's codes that a VMM answers by repeating the command. */
enum { FIRMWARE_INVALID_LEN = 0x04, FIRMWARE_INVALID_PARAM = 0x16 };

struct spsched_kvm {
    struct spsched *client;
    struct spsched_kvm_options options;
    pthread_mutex_t lock; /* held through a command, as KVM holds its own */
    atomic_bool in_launch;
    uint64_t pages_done;
    _Atomic uint32_t vcpus;
    /* The turn that is held, and what became of its command so far. */
    bool holds;
    struct spsched_grant grant;
    struct spsched_outcome outcome;
};

/* ---- What the kernel does ---- */

static uint64_t boot_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Whether the word can be read and written, asked with a call that seccomp filters allow us anyway: it ORs nothing to
 * the word, and wakes nobody. */
static bool is_word_writable(uintptr_t address)
{
    void *word = (void *)(address & ~(uintptr_t)3);
    int operation = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0);
    return syscall(SYS_futex, word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, NULL, word, operation) >= 0;
}

/* Of a structure of no more than a page. KVM answers a pointer to nowhere with EFAULT; we would crash. */
static bool is_writable(const void *structure, size_t size)
{
    int error = errno;
    bool writable = structure && is_word_writable((uintptr_t)structure)
        && is_word_writable((uintptr_t)structure + size - 1);
    errno = error;
    return writable;
}

/* Not ioctl(2): something may stand in for it that takes turns itself (libspsched-preload), inside which ours would
 * wait for itself. */
static int issue_by_system_call(void *context, int descriptor, unsigned long request, void *argument)
{
    (void)context;
    int error = errno;
    long result = syscall(SYS_ioctl, descriptor, request, argument);
    if (result < 0) result = -errno;
    errno = error;
    return (int)result;
}

static int issue(struct spsched_kvm *kvm, int vm_fd, void *command)
{
    return kvm->options.issue(kvm->options.issue_context, vm_fd, CSEV_KVM_MEMORY_ENCRYPT_OP, command);
}

/* ---- Opening and closing ---- */

#define SIZE_THROUGH(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* Reads a caller's structure, which may be older (shorter) or newer (longer, the rest zero) than ours. */
static bool copy_in(void *ours, size_t size, const void *theirs, size_t least_size)
{
    size_t their_size;
    memcpy(&their_size, theirs, sizeof their_size);
    if (their_size < least_size || their_size > PAGE) return false;
    for (size_t i = size; i < their_size; i++)
        if (((const uint8_t *)theirs)[i]) return false;
    memset(ours, 0, size);
    memcpy(ours, theirs, their_size < size ? their_size : size);
    return true;
}

void spsched_kvm_options_init(struct spsched_kvm_options *options, size_t size)
{
    struct spsched_kvm_options ours = {
        .size = size, .pages = PAGES_DEFAULT, .vcpus = 1, .busy_patience_ns = BUSY_PATIENCE_DEFAULT
    };
    memset(options, 0, size);
    memcpy(options, &ours, size < sizeof ours ? size : sizeof ours);
}

enum spsched_result spsched_kvm_open(
    struct spsched *client, const struct spsched_kvm_options *options, struct spsched_kvm **kvm)
{
    if (!kvm) return SPSCHED_INVALID;
    *kvm = NULL;
    struct spsched_kvm_options ours;
    spsched_kvm_options_init(&ours, sizeof ours);
    if (!client || (options && !copy_in(&ours, sizeof ours, options, SIZE_THROUGH(spsched_kvm_options, reserved))))
        return SPSCHED_INVALID;
    if (ours.pages == 0 || ours.vcpus == 0) return SPSCHED_INVALID;
    struct spsched_kvm *made = calloc(1, sizeof *made);
    if (!made) return SPSCHED_INVALID;
    made->client = client;
    made->options = ours;
    if (!made->options.issue) made->options.issue = issue_by_system_call;
    atomic_init(&made->vcpus, ours.vcpus);
    pthread_mutex_init(&made->lock, NULL);
    *kvm = made;
    return SPSCHED_OK;
}

/* In a child process the lock may be held by a thread that does not exist, and KVM refuses whatever we issue. */
static bool is_child(const struct spsched_kvm *kvm)
{
    struct spsched_status status = { .size = sizeof status };
    return spsched_status(kvm->client, &status) == SPSCHED_FORKED;
}

void spsched_kvm_declare(struct spsched_kvm *kvm, uint32_t pages, uint32_t vcpus)
{
    if (vcpus) atomic_store(&kvm->vcpus, vcpus);
    if (pages == 0 || is_child(kvm)) return;
    pthread_mutex_lock(&kvm->lock);
    kvm->options.pages = pages;
    pthread_mutex_unlock(&kvm->lock);
}

int spsched_kvm_in_launch(struct spsched_kvm *kvm) { return atomic_load(&kvm->in_launch); }

/* ---- Sessions and turns ---- */

static int error_of(enum spsched_result result)
{
    switch (result) {
    case SPSCHED_OK: return 0;
    case SPSCHED_BUSY: return -EBUSY;
    case SPSCHED_ERROR: return -EPROTO;
    case SPSCHED_ABSENT: return -ENOTCONN;
    case SPSCHED_CANCELLED: return -ECANCELED;
    case SPSCHED_INTERRUPTED: return -EINTR;
    case SPSCHED_INVALID: return -EINVAL;
    case SPSCHED_FORKED: return -EIO; /* as KVM says it of another process's VM */
    }
    return -EINVAL;
}

/* Rests after a BUSY. Returns 0; -EBUSY once patience has ended, or at once if only a repair will help; -EINTR. */
static int rest_refused(struct spsched_kvm *kvm, uint64_t since, const struct spsched_reply *reply)
{
    uint64_t now = boot_now(), waited = now - since, patience = kvm->options.busy_patience_ns;
    if (waited >= patience || reply->reason == SPSCHED_BUSY_DEVICE_DEAD) return -EBUSY;
    uint64_t pause = most(BUSY_PAUSE_MIN, least(reply->retry_after_ns, BUSY_PAUSE_MAX));
    pause = least(pause, patience - waited);
    struct timespec timeout = { .tv_sec = (time_t)(pause / SECOND), .tv_nsec = (long)(pause % SECOND) };
    _Atomic uint32_t word = 0;
    int error = errno;
    bool interrupted = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0) < 0 && errno == EINTR;
    errno = error;
    return interrupted && !(kvm->options.flags & SPSCHED_UNINTERRUPTIBLE) ? -EINTR : 0;
}

/* Begins the launch session, if there is none. */
static int begin_launch(struct spsched_kvm *kvm, uint32_t units)
{
    if (atomic_load(&kvm->in_launch)) return 0;
    uint64_t since = boot_now();
    while (true) {
        uint64_t pages = kvm->options.pages > kvm->pages_done ? kvm->options.pages - kvm->pages_done : 1;
        struct spsched_launch_plan plan = { .size = sizeof plan, .vcpus = atomic_load(&kvm->vcpus) };
        plan.pages = (uint32_t)most(pages, units);
        struct spsched_reply reply = { .size = sizeof reply };
        enum spsched_result result = spsched_launch_begin(kvm->client, &plan, NULL, &reply);
        if (result == SPSCHED_OK) {
            atomic_store(&kvm->in_launch, true);
            return 0;
        }
        if (result != SPSCHED_BUSY) return error_of(result);
        int ended = rest_refused(kvm, since, &reply);
        if (ended) return ended;
    }
}

static void end_launch(struct spsched_kvm *kvm, enum spsched_launch_outcome outcome)
{
    if (!atomic_load(&kvm->in_launch)) return;
    spsched_launch_end(kvm->client, outcome);
    atomic_store(&kvm->in_launch, false);
}

static void return_turn(struct spsched_kvm *kvm)
{
    if (kvm->holds) spsched_release(kvm->client, &kvm->grant, &kvm->outcome);
    kvm->holds = false;
}

/* Asks for a turn, and returns the one that is held. */
static enum spsched_result ask(struct spsched_kvm *kvm, uint16_t kind, uint32_t units, struct spsched_reply *reply)
{
    struct spsched_request request = {
        .size = sizeof request, .kind = kind, .units = units, .flags = kvm->options.flags & SPSCHED_UNINTERRUPTIBLE
    };
    *reply = (struct spsched_reply) { .size = sizeof *reply };
    enum spsched_result result = kvm->holds
        ? spsched_release_and_acquire(kvm->client, &kvm->grant, &kvm->outcome, &request, reply)
        : spsched_acquire(kvm->client, &request, reply);
    kvm->holds = result == SPSCHED_OK;
    if (!kvm->holds) return result;
    kvm->grant = reply->grant;
    kvm->outcome = (struct spsched_outcome) { .size = sizeof kvm->outcome, .error = ECANCELED, .units_done_valid = 1 };
    return result;
}

/* Takes a turn that may be used now: kvm->grant. Returns 0, or -errno. */
static int take_turn(struct spsched_kvm *kvm, uint16_t kind, uint32_t units)
{
    uint64_t since = boot_now();
    bool begun_again = false;
    unsigned stale = 0;
    while (true) {
        int failed = begin_launch(kvm, units);
        if (failed) return failed;
        struct spsched_reply reply;
        enum spsched_result result = ask(kvm, kind, units, &reply);
        if (result == SPSCHED_OK) {
            if (!spsched_grant_is_stale(kvm->client, &kvm->grant) || ++stale > STALE_MAX) return 0;
            return_turn(kvm);
        } else if (result == SPSCHED_BUSY) {
            failed = rest_refused(kvm, since, &reply);
            if (failed) return failed;
        } else if (result == SPSCHED_ERROR && !begun_again
            && (reply.error_code == ERROR_NO_SESSION || reply.error_code == ERROR_UNKNOWN_SESSION)) {
            /* A VM that paused for minutes between two commands: the daemon has ended its session. */
            begun_again = true;
            end_launch(kvm, SPSCHED_LAUNCH_FAILED);
        } else {
            return error_of(result);
        }
    }
}

/* Notes what became of the command of the turn that is held. */
static void note_outcome(struct spsched_kvm *kvm, int result, uint32_t firmware_code, uint32_t units_done)
{
    kvm->outcome.error = result < 0 ? -result : 0;
    kvm->outcome.firmware_code = result < 0 ? firmware_code : 0;
    kvm->outcome.units_done = units_done;
}

/* ---- Launch commands ---- */

/* One ioctl in one turn. */
static int issue_whole(struct spsched_kvm *kvm, int vm_fd, struct csev_kvm_cmd *command, uint16_t kind, uint32_t units)
{
    int result = take_turn(kvm, kind, units);
    if (result) return result;
    result = issue(kvm, vm_fd, command);
    note_outcome(kvm, result, command->error, result < 0 ? 0 : kvm->grant.units);
    return result;
}

static uint32_t pages_wanted(uint64_t pages) { return (uint32_t)least(most(pages, 1), PAGES_MAX); }

/* One chunk in one turn: moves `rest` on, and returns what the ioctl did. */
static int issue_chunk(struct spsched_kvm *kvm, int vm_fd, struct csev_kvm_cmd *command,
    struct csev_kvm_snp_launch_update *rest, uint64_t *done)
{
    struct csev_kvm_snp_launch_update part = *rest;
    part.len = least(rest->len, kvm->grant.units * PAGE);
    uint64_t asked = part.len;
    command->data = (uint64_t)(uintptr_t)&part;
    command->error = 0;
    int result = issue(kvm, vm_fd, command);
    *done = result == 0 && part.len < asked ? (asked - part.len) / PAGE : 0;
    rest->gfn_start += *done;
    rest->len -= *done * PAGE;
    if (rest->type != CSEV_KVM_SNP_PAGE_TYPE_ZERO) rest->uaddr += *done * PAGE;
    kvm->pages_done += *done;
    if (result == 0 && *done == 0) result = -EAGAIN;
    note_outcome(kvm, result, command->error, (uint32_t)*done);
    return result;
}

/* Whether to try again although not one page was done. KVM says EIO for a signal that was pending before the first
 * page, and names no code of the firmware then; by now its handler has run. */
static bool is_worth_repeating(int result, uint32_t firmware_code)
{
    return result == -EAGAIN || (result == -EIO && firmware_code == 0);
}

static int issue_update(struct spsched_kvm *kvm, int vm_fd, struct csev_kvm_cmd *command)
{
    void *theirs = (void *)(uintptr_t)command->data;
    struct csev_kvm_snp_launch_update rest;
    if (!is_writable(theirs, sizeof rest)) return -EFAULT;
    memcpy(&rest, theirs, sizeof rest);
    if (rest.len == 0 || rest.len % PAGE) return issue(kvm, vm_fd, command); /* KVM refuses it without the firmware */
    uint64_t data = command->data, before = rest.len;
    unsigned fruitless = 0;
    int result = 0;
    while (rest.len > 0) {
        uint64_t done = 0;
        result = take_turn(kvm, SPSCHED_LAUNCH_UPDATE, pages_wanted(rest.len / PAGE));
        if (result) break;
        result = issue_chunk(kvm, vm_fd, command, &rest, &done);
        fruitless = done ? 0 : fruitless + 1;
        if (result < 0 && (!is_worth_repeating(result, command->error) || fruitless >= FRUITLESS_MAX)) break;
    }
    command->data = data;
    if (rest.len == before) return result;
    /* As KVM does: what was done is a success, and the error comes again when the caller goes on. */
    memcpy(theirs, &rest, SIZE_THROUGH(csev_kvm_snp_launch_update, len));
    command->error = 0;
    return 0;
}

/* Legacy SEV measures bytes in their order, however they are divided. An error is the end of such a launch. */
static int issue_update_data(struct spsched_kvm *kvm, int vm_fd, struct csev_kvm_cmd *command)
{
    void *theirs = (void *)(uintptr_t)command->data;
    struct csev_kvm_launch_update_data rest;
    if (!is_writable(theirs, sizeof rest)) return -EFAULT;
    memcpy(&rest, theirs, sizeof rest);
    uint64_t data = command->data, left = rest.len;
    int result = 0;
    do {
        uint64_t within = rest.uaddr % PAGE, pages = (within + left + PAGE - 1) / PAGE;
        result = take_turn(kvm, SPSCHED_LEGACY_LAUNCH, pages_wanted(pages));
        if (result) break;
        struct csev_kvm_launch_update_data part = rest;
        part.len = (uint32_t)least(left, kvm->grant.units * PAGE - within);
        command->data = (uint64_t)(uintptr_t)&part;
        result = issue(kvm, vm_fd, command);
        note_outcome(kvm, result, command->error, result < 0 ? 0 : kvm->grant.units);
        rest.uaddr += part.len;
        left -= part.len;
    } while (result == 0 && left > 0);
    command->data = data;
    return result;
}

/* Whether the VMM is expected to go on after this error, in the same launch. */
static bool goes_on(const struct csev_kvm_cmd *command, int result)
{
    switch (result) {
    case -EINTR:
    case -EAGAIN: return true;
    case -EIO:
        return (command->id == CSEV_KVM_SEV_SNP_LAUNCH_UPDATE && command->error == FIRMWARE_INVALID_PARAM)
            || (command->id == CSEV_KVM_SEV_LAUNCH_MEASURE && command->error == FIRMWARE_INVALID_LEN);
    default: return false;
    }
}

static bool is_launch_command(uint32_t id)
{
    return (id >= CSEV_KVM_SEV_LAUNCH_START && id <= CSEV_KVM_SEV_LAUNCH_FINISH)
        || (id >= CSEV_KVM_SEV_SNP_LAUNCH_START && id <= CSEV_KVM_SEV_SNP_LAUNCH_FINISH);
}

bool spsched_kvm_takes_turns(const void *command)
{
    struct csev_kvm_cmd ours;
    if (!is_writable(command, sizeof ours)) return false;
    memcpy(&ours, command, sizeof ours);
    return is_launch_command(ours.id);
}

static int issue_in_turn(struct spsched_kvm *kvm, int vm_fd, struct csev_kvm_cmd *command)
{
    uint32_t vcpus = atomic_load(&kvm->vcpus);
    switch (command->id) {
    case CSEV_KVM_SEV_SNP_LAUNCH_START: return issue_whole(kvm, vm_fd, command, SPSCHED_LAUNCH_START, 1);
    case CSEV_KVM_SEV_SNP_LAUNCH_UPDATE: return issue_update(kvm, vm_fd, command);
    case CSEV_KVM_SEV_SNP_LAUNCH_FINISH: return issue_whole(kvm, vm_fd, command, SPSCHED_LAUNCH_FINISH, vcpus);
    case CSEV_KVM_SEV_LAUNCH_UPDATE_DATA: return issue_update_data(kvm, vm_fd, command);
    case CSEV_KVM_SEV_LAUNCH_UPDATE_VMSA: return issue_whole(kvm, vm_fd, command, SPSCHED_LEGACY_LAUNCH, vcpus);
    default: return issue_whole(kvm, vm_fd, command, SPSCHED_LEGACY_LAUNCH, 1);
    }
}

static void settle_launch(struct spsched_kvm *kvm, const struct csev_kvm_cmd *command, int result)
{
    return_turn(kvm);
    bool finished = command->id == CSEV_KVM_SEV_SNP_LAUNCH_FINISH || command->id == CSEV_KVM_SEV_LAUNCH_FINISH;
    if (result == 0 ? !finished : goes_on(command, result)) return;
    end_launch(kvm, result == 0 ? SPSCHED_LAUNCH_RUNNING : SPSCHED_LAUNCH_FAILED);
    kvm->pages_done = 0;
}

int spsched_kvm_encrypt_op(struct spsched_kvm *kvm, int vm_fd, struct kvm_sev_cmd *theirs)
{
    if (!theirs) return issue(kvm, vm_fd, NULL); /* VMMs ask so whether KVM knows SEV at all */
    struct csev_kvm_cmd command;
    if (!is_writable(theirs, sizeof command)) return -EFAULT;
    memcpy(&command, theirs, sizeof command);
    if (!is_launch_command(command.id) || is_child(kvm)) return issue(kvm, vm_fd, theirs);

    uint32_t error_before = command.error;
    command.error = 0;
    pthread_mutex_lock(&kvm->lock);
    int result = issue_in_turn(kvm, vm_fd, &command);
    settle_launch(kvm, &command, result);
    pthread_mutex_unlock(&kvm->lock);
    if (result < 0 && command.error == 0) command.error = error_before; /* KVM too leaves it then */
    memcpy(theirs, &command, sizeof command);
    return result;
}

void spsched_kvm_close(struct spsched_kvm *kvm)
{
    if (!kvm) return;
    if (!is_child(kvm)) {
        end_launch(kvm, SPSCHED_LAUNCH_FAILED);
        pthread_mutex_destroy(&kvm->lock);
    }
    free(kvm);
}

/* ---- Guests' requests ---- */

enum vcpu_state { VCPU_IDLE, VCPU_GRANTED, VCPU_ENTERED };

static void release_guest(struct spsched *client, const struct spsched_grant *grant, int error, uint32_t firmware_code)
{
    struct spsched_outcome outcome = { .size = sizeof outcome, .error = error, .firmware_code = firmware_code };
    spsched_release(client, grant, &outcome);
}

/* What a report costs, by this vCPU's last one, or by what the daemon reckons with. */
static uint64_t predicted_cost(const struct spsched_kvm_vcpu *vcpu, const struct spsched_grant *grant)
{
    uint64_t reckoned = grant->lease_ns > LEASE_GRACE ? (grant->lease_ns - LEASE_GRACE) / 4 : grant->lease_ns / 2;
    return vcpu->report_ns ? least(vcpu->report_ns, 2 * reckoned) : reckoned;
}

/* Fills in the table. Returns what to answer: 0, ENOSPC or EIO. */
static uint64_t give_certificates(
    const struct spsched_kvm_certificates *certificates, struct csev_kvm_req_certs *request)
{
    static const uint8_t empty[CSEV_SNP_EMPTY_CERTIFICATES];
    bool has_table = certificates->table && certificates->table_size;
    const void *table = has_table ? certificates->table : empty;
    size_t size = has_table ? certificates->table_size : sizeof empty;
    uint64_t needed = (size + PAGE - 1) / PAGE;
    /* A guest that wants no certificates offers no room; with none to give, nothing is missing. */
    if (!has_table && request->npages == 0) return 0;
    if (request->npages < needed) {
        request->npages = needed;
        return ENOSPC;
    }
    return certificates->write(certificates->context, request->gpa, table, size) == 0 ? 0 : EIO;
}

/* The request that is granted: gives its certificates, and keeps the turn for as long as the firmware needs it. */
static uint64_t serve_request(struct spsched *client, struct csev_kvm_run *run, struct spsched_kvm_vcpu *vcpu,
    const struct spsched_kvm_certificates *certificates, const struct spsched_grant *grant)
{
    uint64_t answer = give_certificates(certificates, &run->snp_req_certs);
    if (answer == ENOSPC) {
        /* Linux repeats it at once, without asking for certificates: to keep its counter in step. */
        spsched_release_after(client, grant, NULL, predicted_cost(vcpu, grant));
    } else if (answer == EIO) {
        release_guest(client, grant, EFAULT, 0);
    } else {
        vcpu->grant = *grant;
        vcpu->state = VCPU_GRANTED;
        vcpu->sets_immediate_exit = run->immediate_exit == 0;
        run->immediate_exit = 1;
    }
    return answer;
}

/* Whether a request that the daemon calls a mistake goes ahead: as the VM's failure mode says. */
static bool goes_ahead(struct spsched *client)
{
    struct spsched_status status = { .size = sizeof status };
    return spsched_status(client, &status) == SPSCHED_OK && status.failure_mode == SPSCHED_FAIL_OPEN;
}

static bool is_vcpu(const struct spsched_kvm_vcpu *vcpu)
{
    return vcpu && vcpu->size >= SIZE_THROUGH(spsched_kvm_vcpu, reserved);
}

static bool can_serve(const struct spsched_kvm_vcpu *vcpu, const struct spsched_kvm_certificates *certificates)
{
    return is_vcpu(vcpu) && certificates && certificates->size >= SIZE_THROUGH(spsched_kvm_certificates, context)
        && certificates->write;
}

int spsched_kvm_req_certs(struct spsched *client, struct kvm_run *theirs, struct spsched_kvm_vcpu *vcpu,
    const struct spsched_kvm_certificates *certificates)
{
    struct csev_kvm_run *run = (struct csev_kvm_run *)(void *)theirs;
    if (!run || run->exit_reason != CSEV_KVM_EXIT_SNP_REQ_CERTS) return -EINVAL;
    run->snp_req_certs.ret = EAGAIN;
    if (!client || !can_serve(vcpu, certificates)) return -EINVAL;
    if (vcpu->state != VCPU_IDLE) spsched_kvm_leave(client, theirs, vcpu, -ECANCELED);

    struct spsched_grant grant;
    struct spsched_reply reply = { .size = sizeof reply };
    enum spsched_result result = spsched_guest_begin(client, SPSCHED_REPORT, &grant, &reply);
    if (result == SPSCHED_INTERRUPTED) return -EINTR;
    if (result == SPSCHED_INVALID || result == SPSCHED_FORKED) return -EINVAL;
    if (result == SPSCHED_ERROR && goes_ahead(client)) {
        grant = (struct spsched_grant) { .lease_ns = UINT64_MAX, .units = 1, .flags = SPSCHED_UNARBITRATED };
        result = SPSCHED_OK;
    }
    if (result == SPSCHED_OK) run->snp_req_certs.ret = serve_request(client, run, vcpu, certificates, &grant);
    return 0;
}

/* The turn is over: KVM_RUN may run on again. */
static void forget_turn(struct csev_kvm_run *run, struct spsched_kvm_vcpu *vcpu)
{
    if (vcpu->sets_immediate_exit) run->immediate_exit = 0;
    vcpu->sets_immediate_exit = 0;
    vcpu->state = VCPU_IDLE;
}

void spsched_kvm_enter(struct spsched *client, struct kvm_run *theirs, struct spsched_kvm_vcpu *vcpu)
{
    if (vcpu->state != VCPU_GRANTED) return;
    struct csev_kvm_run *run = (struct csev_kvm_run *)(void *)theirs;
    vcpu->entered_at_ns = boot_now();
    vcpu->state = VCPU_ENTERED;
    if (!spsched_grant_is_stale(client, &vcpu->grant)) return;
    run->snp_req_certs.ret = EAGAIN; /* the firmware has not been called: the guest may come back */
    release_guest(client, &vcpu->grant, ECANCELED, 0);
    forget_turn(run, vcpu);
}

int spsched_kvm_leave(struct spsched *client, struct kvm_run *theirs, struct spsched_kvm_vcpu *vcpu, int result)
{
    if (vcpu->state == VCPU_IDLE) return 0;
    bool served = result >= 0 || result == -EINTR;
    if (served && vcpu->state == VCPU_ENTERED && !(vcpu->grant.flags & SPSCHED_UNARBITRATED))
        vcpu->report_ns = boot_now() - vcpu->entered_at_ns;
    release_guest(client, &vcpu->grant, served ? 0 : -result, 0);
    forget_turn((struct csev_kvm_run *)(void *)theirs, vcpu);
    return served ? 0 : result;
}

enum spsched_result spsched_guest_begin(
    struct spsched *client, enum spsched_kind kind, struct spsched_grant *grant, struct spsched_reply *reply)
{
    struct spsched_request request = { .size = sizeof request, .kind = (uint16_t)kind, .units = 1 };
    struct spsched_reply ours = { .size = sizeof ours };
    if (!reply) reply = &ours;
    enum spsched_result result = spsched_acquire(client, &request, reply);
    *grant = (struct spsched_grant) { .turn = 0 };
    if (result == SPSCHED_OK) *grant = reply->grant;
    return result;
}

enum spsched_result spsched_guest_end(
    struct spsched *client, const struct spsched_grant *grant, int error, uint32_t firmware_code)
{
    struct spsched_outcome outcome = { .size = sizeof outcome, .error = error, .firmware_code = firmware_code };
    return spsched_release(client, grant, &outcome);
}
