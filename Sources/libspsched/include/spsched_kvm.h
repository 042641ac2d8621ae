/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * libspsched's helpers for the two places where a VMM meets the SP: its launch ioctls, and its guests' requests.
 *
 * LAUNCHES. Make one `struct spsched_kvm` a VM, and pass it every KVM_MEMORY_ENCRYPT_OP in place of ioctl(2):
 *
 *     spsched_kvm_open(client, &options, &kvm);                        after spsched_register
 *     spsched_kvm_encrypt_op(kvm, vm_fd, &command);                    KVM_SEV_SNP_LAUNCH_START, _UPDATE, _FINISH
 *
 * GUESTS' REQUESTS on Linux 7.0 or newer, after KVM_SEV_SNP_ENABLE_REQ_CERTS, around every KVM_RUN of a vCPU:
 *
 *     spsched_kvm_enter(client, run, &vcpu);
 *     int result = ioctl(vcpu_fd, KVM_RUN, 0) < 0 ? -errno : 0;
 *     if (spsched_kvm_leave(client, run, &vcpu, result) < 0) ...       never enter this vCPU again
 *     if (result == 0 && run->exit_reason == KVM_EXIT_SNP_REQ_CERTS)
 *         spsched_kvm_req_certs(client, run, &vcpu, &certificates);
 *
 * or, in a VMM that issues its guests' requests itself (MSHV): spsched_guest_begin and spsched_guest_end around each.
 *
 * Everything that spsched.h says of threads, locks, system calls and structures holds here; of system calls, the ioctls
 * that the VMM would issue itself are added. No header of the kernel is needed; any may be included beside.
 */
#ifndef SPSCHED_KVM_H
#define SPSCHED_KVM_H

#include "spsched.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Launches ---- */

/** The launches of one VM. */
struct spsched_kvm;

/** KVM's own: <linux/kvm.h>. */
struct kvm_sev_cmd;

/** Issues an ioctl: what it returned, or -errno. */
typedef int (*spsched_kvm_issue)(void *context, int descriptor, unsigned long request, void *argument);

struct spsched_kvm_options {
    size_t size;
    /** 4 KiB pages that a launch will measure into the guest. A launch that exceeds them by a quarter goes behind. */
    uint32_t pages;
    uint32_t vcpus;
    /** How long to go on asking while the answer is BUSY (an empty launch bucket, a draining host, a stuck device). */
    uint64_t busy_patience_ns;
    /** NULL: the system call itself, past whatever stands in for ioctl(2). */
    spsched_kvm_issue issue;
    void *issue_context;
    /** SPSCHED_UNINTERRUPTIBLE: signals do not end the wait for a turn. */
    uint32_t flags;
    uint32_t reserved;
};

/** Sets the size and the defaults: the pages of a firmware image of 4 MiB, one vCPU, 60 s of patience. */
SPSCHED_API void spsched_kvm_options_init(struct spsched_kvm_options *options, size_t size);

/** Makes what one VM needs for its launches. Allocates; call it before seccomp filters are installed.
 *  @param client  a handle that is registered before the first launch, and closed after spsched_kvm_close
 *  @param options may be NULL for the defaults
 *  @return SPSCHED_OK; SPSCHED_INVALID */
SPSCHED_API enum spsched_result spsched_kvm_open(
    struct spsched *client, const struct spsched_kvm_options *options, struct spsched_kvm **kvm);

/** Corrects what was declared: vCPUs are often made between LAUNCH_START and LAUNCH_FINISH. 0 leaves a number as it
 *  is. The pages count from the next launch on. [vCPU] */
SPSCHED_API void spsched_kvm_declare(struct spsched_kvm *kvm, uint32_t pages, uint32_t vcpus);

/** Does what ioctl(vm_fd, KVM_MEMORY_ENCRYPT_OP, command) does, and takes turns for it if it is a launch command: of
 *  SNP (100 to 102), SEV or SEV-ES (2 to 7). Everything else passes. One call at a time; a second waits for it. [vCPU]
 *
 *  The first launch command begins the launch session, a successful LAUNCH_FINISH ends it, and so does an error (but
 *  one that a VMM answers by repeating: a refused CPUID page, the query of a measurement's length, -EAGAIN, -EINTR).
 *
 *  KVM_SEV_SNP_LAUNCH_UPDATE is issued in as many chunks as turns are granted for. As with the kernel, 0 does not say
 *  that all was done: gfn_start, uaddr and len say how far it came, and a VMM repeats the call until len is 0. An error
 *  after the first chunk shows in the next call, as KVM does it too.
 *
 *  @return 0, or -errno: the ioctl's own, with the firmware's code in command->error. Before the ioctl, with
 *          spsched_last_error: -EINTR a signal came, and nothing was done (repeat the call); -EBUSY refused for longer
 *          than the patience; -ENOTCONN the daemon is absent and the VM fail-closed; -EPROTO the daemon calls it a
 *          mistake; -ECANCELED spsched_cancel; -EFAULT `command`, or the structure it points to, cannot be written */
SPSCHED_API int spsched_kvm_encrypt_op(struct spsched_kvm *kvm, int vm_fd, struct kvm_sev_cmd *command);

/** Whether a launch has begun and not ended. [vCPU] */
SPSCHED_API int spsched_kvm_in_launch(struct spsched_kvm *kvm);

/** Ends an open launch as failed, and frees. NULL is ignored. */
SPSCHED_API void spsched_kvm_close(struct spsched_kvm *kvm);

/* ---- Requests for certificates ---- */

/** KVM's own, as mapped from the vCPU. */
struct kvm_run;

/** What one vCPU's thread keeps between the calls. Zeros, but for the size; nothing in it is for the caller. */
struct spsched_kvm_vcpu {
    size_t size;
    struct spsched_grant grant;
    uint64_t entered_at_ns;
    uint64_t report_ns;
    uint8_t state;
    uint8_t sets_immediate_exit;
    uint8_t reserved[6];
};

/** What a guest receives beside its report. */
struct spsched_kvm_certificates {
    size_t size;
    /** The table as the GHCB specification lays it out, with what it points to; NULL and 0: an empty one. Lock its file
     *  (an OFD read lock) before spsched_kvm_req_certs until after the spsched_kvm_leave that follows: cert lock first,
     *  then the turn. */
    const void *table;
    size_t table_size;
    /** Writes to the guest's memory; 0, or -errno if nothing is there. */
    int (*write)(void *context, uint64_t guest_address, const void *bytes, size_t size);
    void *context;
};

/** Answers KVM_EXIT_SNP_REQ_CERTS: asks for a turn, and fills in `ret` of the exit. Waits as long as a guest's request
 *  may wait. Then handle whatever else is due, and enter the vCPU again: whatever this returns, that is safe. [vCPU]
 *
 *  Granted: the certificates are written (or the empty table that KVM leaves to the VMM), `ret` is 0, and
 *  immediate_exit is set, so that KVM_RUN returns as soon as the firmware is done. Refused: `ret` is EAGAIN, and the
 *  guest comes back. Too little room: `ret` is ENOSPC; the guest repeats the request in a form that no VMM sees, so the
 *  turn is kept for as long as that is expected to take. Memory that is not there: `ret` is EIO.
 *
 *  @return 0; -EINTR if a signal ended the wait: call it again before the vCPU is entered, or the guest is told to come
 *          back; -EINVAL if the exit is another one, or an argument is none (the guest is told to come back) */
SPSCHED_API int spsched_kvm_req_certs(struct spsched *client, struct kvm_run *run, struct spsched_kvm_vcpu *vcpu,
    const struct spsched_kvm_certificates *certificates);

/** Call it immediately before KVM_RUN. If the turn came too long ago, it is given back and the guest told to come back.
 *  Nothing but a comparison otherwise. [vCPU] */
SPSCHED_API void spsched_kvm_enter(struct spsched *client, struct kvm_run *run, struct spsched_kvm_vcpu *vcpu);

/** Call it immediately after KVM_RUN, before the VMM looks for requests to leave the vCPU: releases the turn, if one is
 *  held, and takes immediate_exit back. [vCPU]
 *  @param result 0, or -errno
 *  @return 0; or `result`, if the SP did not serve the request: **do not enter the vCPU again**, or its guest reads a
 *          success without an answer, and loses its key */
SPSCHED_API int spsched_kvm_leave(
    struct spsched *client, struct kvm_run *run, struct spsched_kvm_vcpu *vcpu, int result);

/* ---- Requests that the VMM issues itself ---- */

/** For the guest's SW_EXITINFO2: come back with the same message. */
#define SPSCHED_GUEST_BUSY UINT64_C(0x0000000200000000)

/** Asks for a turn for a guest's request that the caller is about to issue. Waits. [vCPU]
 *  @param kind  SPSCHED_REPORT, SPSCHED_DERIVED_KEY or SPSCHED_OTHER_GUEST_REQUEST
 *  @param grant for spsched_guest_end
 *  @param reply may be NULL
 *  @return SPSCHED_OK: issue it. Anything else: do not, and answer SPSCHED_GUEST_BUSY (SPSCHED_INTERRUPTED: ask again
 *          first) */
SPSCHED_API enum spsched_result spsched_guest_begin(
    struct spsched *client, enum spsched_kind kind, struct spsched_grant *grant, struct spsched_reply *reply);

/** Returns the turn. Does not wait. [vCPU]
 *  @param error         errno of the call, positive; 0 for success. Never answer the guest BUSY after this
 *  @param firmware_code the firmware's own; 0 for success */
SPSCHED_API enum spsched_result spsched_guest_end(
    struct spsched *client, const struct spsched_grant *grant, int error, uint32_t firmware_code);

#ifdef __cplusplus
}
#endif

#endif
