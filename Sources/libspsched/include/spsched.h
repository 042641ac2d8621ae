/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * libspsched: how a VMM asks spschedd for its turns on the AMD Secure Processor (SP).
 *
 *     struct spsched *client;
 *     spsched_open(&options, &client, sentence, sizeof sentence);      at start, before any seccomp filter
 *     spsched_register(client, &registration, &admission, NULL);       once a VM
 *     spsched_launch_begin(client, &plan, &launch, NULL);              each launch of the VM:
 *         spsched_acquire(client, &request, &reply);                       before KVM_SEV_SNP_LAUNCH_*
 *         spsched_release(client, &reply.grant, &outcome);                 after it
 *     spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING);
 *     spsched_acquire ... spsched_release                              around each KVM_EXIT_SNP_REQ_CERTS
 *     spsched_close(client);
 *
 * One handle is one connection is one VM. Its wire is docs/protocol.md of spschedd. VMMs on KVM have helpers for all
 * that lies between acquire and release: spsched_kvm.h.
 *
 * THREADS. Every function may be called from any thread at any time, but spsched_open, which makes the handle, and
 * spsched_close, which ends it (no other call may be running or follow). Calls of several threads share the connection:
 * whoever waits receives for all. Nothing here may be called from a signal handler, and no thread be cancelled
 * (pthread_cancel) in it.
 *
 * NEVER call a function that waits (they say so) while holding QEMU's big lock (BQL), or any lock that a vCPU needs:
 * a launch may queue for seconds behind others, and the guest's other CPUs would stand still with it.
 *
 * SYSTEM CALLS. After spsched_open, the functions marked [vCPU] make no system call but sendmsg, recvmsg, futex and
 * clock_gettime, and allocate no memory. (A process that is stopped and continued, by a debugger for example, also
 * needs restart_syscall, as with every timed futex wait.) The connection is made anew on a thread that spsched_open
 * creates, with all signals blocked, or in spsched_reconnect on a thread of the embedder's: never on a caller's.
 *
 * FORK. A child process must not use its parent's connection: there every function refuses with SPSCHED_FORKED, and
 * spsched_close only frees what the child inherited. Descriptors are close-on-exec. A child that neither executes
 * nor calls spsched_close keeps the connection open after its parent's death.
 *
 * STRUCTURES begin with their size, so that they can grow: `sizeof` as the embedder was compiled. Set everything not
 * mentioned to zero; the _init functions do both. All times are durations in nanoseconds.
 *
 * FAILURE MODE. A daemon that is not heard for the request's longest wait and 100 ms (3 s for launches; its notices
 * count) is absent. Until it is heard again, a VM registered fail-open serves itself: launch commands pass freely,
 * guest requests pass at the reserved rate (at least one in 40 s), the others are busy. One registered fail-closed is
 * refused with SPSCHED_ABSENT. spsched_status counts both. The kernel's own mutex keeps either correct.
 */
#ifndef SPSCHED_H
#define SPSCHED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SPSCHED_API __attribute__((visibility("default")))
#else
#define SPSCHED_API
#endif

/** Where the daemon listens unless options.path says otherwise. */
#define SPSCHED_DEFAULT_PATH "/run/spschedd/vmm/sock"
/** Bytes of a sentence for people, its terminating NUL included. */
#define SPSCHED_TEXT_MAX 512
/** How many requests may wait on one handle at once. */
#define SPSCHED_REQUESTS_MAX 64

/** One handle: one connection, one VM. */
struct spsched;

/** What a function came to. spsched_last_error explains everything but SPSCHED_OK in a sentence. */
enum spsched_result {
    /** Done; for spsched_acquire: the turn is yours, release it. */
    SPSCHED_OK = 0,
    /** Refused before the firmware was called: tell the guest to come back (`ret = EAGAIN`). */
    SPSCHED_BUSY = 1,
    /** The daemon answered that this request is a mistake; reply.error_code says which. Repeating it will not help. A
     *  guest is told to come back (`ret = EAGAIN`, never EIO, after which Linux gives its key up), or let pass: as the
     *  VM's failure mode says. */
    SPSCHED_ERROR = 2,
    /** The daemon is absent and the VM is fail-closed, or the call needs the daemon itself. A guest is told to come
     *  back (`ret = EAGAIN`). */
    SPSCHED_ABSENT = 3,
    /** spsched_cancel ended the wait. No turn is held. */
    SPSCHED_CANCELLED = 4,
    /** A signal ended the wait, as EINTR would. No turn is held. */
    SPSCHED_INTERRUPTED = 5,
    /** An argument is outside its bounds, or the handle is not in a state for this call. Nothing was sent. */
    SPSCHED_INVALID = 6,
    /** This is a child process of the one that opened the handle. */
    SPSCHED_FORKED = 7,
};

/** The command that the turn is for: one ioctl, or one guest request. */
enum spsched_kind {
    /** KVM_SEV_SNP_LAUNCH_START; units: 1. */
    SPSCHED_LAUNCH_START = 0x0100,
    /** KVM_SEV_SNP_LAUNCH_UPDATE; units: 4 KiB pages. May be granted for fewer than asked: issue those, ask again. */
    SPSCHED_LAUNCH_UPDATE = 0x0101,
    /** KVM_SEV_SNP_LAUNCH_FINISH; units: vCPUs. */
    SPSCHED_LAUNCH_FINISH = 0x0102,
    /** Everything of a launch that was begun with `whole`; units: pages. */
    SPSCHED_WHOLE_LAUNCH = 0x0103,
    /** A launch command of SEV or SEV-ES; units: pages. */
    SPSCHED_LEGACY_LAUNCH = 0x0104,
    /** A guest's attestation report, extended or plain; units: 1. */
    SPSCHED_REPORT = 0x0200,
    /** A guest's derived key; units: 1. */
    SPSCHED_DERIVED_KEY = 0x0201,
    /** Any other guest message; units: 1. */
    SPSCHED_OTHER_GUEST_REQUEST = 0x0202,
};

/** Why a request was refused (reply.reason). A newer daemon may know more. */
enum spsched_busy_reason {
    SPSCHED_BUSY_LIMIT = 1,
    SPSCHED_BUSY_GUESTS_AHEAD = 2,
    SPSCHED_BUSY_LAUNCH_AHEAD = 3,
    SPSCHED_BUSY_RESERVATIONS_SUSPENDED = 4,
    SPSCHED_BUSY_ONE_REQUEST_PER_VM = 5,
    SPSCHED_BUSY_CANCELLED = 6,
    SPSCHED_BUSY_DRAINING = 7,
    SPSCHED_BUSY_DEVICE_STUCK = 8,
    SPSCHED_BUSY_DEVICE_DEAD = 9,
    SPSCHED_BUSY_LAUNCH_BUCKET_VM = 10,
    SPSCHED_BUSY_LAUNCH_BUCKET_ACCOUNT = 11,
    SPSCHED_BUSY_MAX_WAIT = 12,
    SPSCHED_BUSY_PLATFORM_QUEUE_FULL = 13,
    SPSCHED_BUSY_UNREGISTERED = 14,
    /** Said by this library, never by the daemon: it is absent and the VM's own bucket (fail-open) is empty. */
    SPSCHED_BUSY_FAIL_OPEN_RATE = 0x8001,
};

/** What the guest does when it is refused; the operator may clip it. */
enum spsched_retry_policy {
    /** Linux since 2023: sleeps 2 s, repeats, gives up after 60 s. */
    SPSCHED_RETRY_LINUX = 0,
    /** COCONUT-SVSM: repeats once, at once. */
    SPSCHED_RETRY_ONCE = 1,
    /** Guests before 2023: the first refusal costs the guest its key. */
    SPSCHED_RETRY_NEVER = 2,
};

enum spsched_failure_mode {
    SPSCHED_FAIL_OPEN = 0,
    SPSCHED_FAIL_CLOSED = 1,
};

enum spsched_device_state {
    SPSCHED_DEVICE_ALIVE = 0,
    SPSCHED_DEVICE_STUCK = 1,
    SPSCHED_DEVICE_DEAD = 2,
    SPSCHED_DEVICE_ABSENT = 3,
};

/** Gives a new connected SOCK_SEQPACKET descriptor, which the library then owns, or -errno. Called by spsched_open and
 *  afterwards on the reconnecting thread; must not wait for long, and must not call this library. */
typedef int (*spsched_supply)(void *context);

/** options.flags: create no thread; the embedder calls spsched_reconnect. */
#define SPSCHED_NO_RECONNECT_THREAD 0x1u
/** options.flags: succeed although the daemon is absent now; the failure mode applies until it comes. */
#define SPSCHED_OPEN_WHILE_ABSENT 0x2u

/** How to reach the daemon. The first of these that is set is used: supply, descriptor, path. */
struct spsched_options {
    size_t size;
    /** NULL for SPSCHED_DEFAULT_PATH. Copied. */
    const char *path;
    /** For the daemon's journal, at most 63 bytes of UTF-8: "qemu", for example. Copied; may be NULL. */
    const char *client_name;
    /** NULL, or where connections come from. */
    spsched_supply supply;
    void *supply_context;
    /** A connected SOCK_SEQPACKET descriptor, or -1. The library owns it from the call on, even if that fails.
     *  Once it is lost there is no other, unless `path` is set too. */
    int descriptor;
    uint32_t flags;
    /** A waiting thread looks for its reply this long before it sleeps. 0 (the default): sleep at once. Worth tens of
     *  microseconds where waking a CPU is slow; never more CPUs than are idle. At most 1 ms. */
    uint64_t spin_ns;
};

/** What a VM asks for. Rates are in requests per 1000 s (millihertz): 1000 is one a second. */
struct spsched_registration {
    size_t size;
    uint8_t uuid[16];
    /** A label for people, at most 63 bytes of UTF-8. Copied; may be NULL. */
    const char *name;
    /** The promised rate wanted, and the least that is accepted (0: no promise, a share of the surplus only). */
    uint32_t reservation_wanted_mhz;
    uint32_t reservation_least_mhz;
    /** The most it may use; 0 for no limit, else at least 25. */
    uint32_t limit_mhz;
    /** Its share of the surplus, against the other VMs' weights: 1 to 10000. */
    uint32_t weight;
    /** How many requests may come at once: 1 to 100. */
    uint32_t burst;
    /** enum spsched_retry_policy */
    uint8_t retry_policy;
    /** enum spsched_failure_mode. Kept by the library; nothing the daemon says changes it. */
    uint8_t failure_mode;
    /** 1: ask for a read-only descriptor of the device, see spsched_take_device. */
    uint8_t want_device;
    uint8_t reserved[5];
    /** How long a guest CPU may be held in a request of the shared part; 0 for the daemon's default. At most 20 s. */
    uint64_t guest_wait_max_ns;
};

/** What was granted. It does not shrink while the VM lives. */
struct spsched_admission {
    size_t size;
    /** The daemon's run: another number after each restart. */
    uint64_t epoch;
    uint32_t reservation_mhz;
    uint32_t limit_mhz;
    uint32_t weight;
    uint32_t burst;
    uint64_t guest_wait_max_ns;
    /** The longest that a request inside the reservation waits. */
    uint64_t guest_wait_reserved_ns;
    /** The rate that this VM would get if every VM asked all the time. */
    uint32_t entitlement_mhz;
    /** enum spsched_retry_policy, as the operator allows it. */
    uint8_t retry_policy;
    /** 1: spsched_take_device has a descriptor. */
    uint8_t device_received;
    uint8_t reserved[2];
};

struct spsched_launch_plan {
    size_t size;
    /** 4 KiB pages that will be measured into the guest. */
    uint32_t pages;
    uint32_t vcpus;
    /** 1: one turn for all of it (SPSCHED_WHOLE_LAUNCH), for VMMs whose launch cannot be split. */
    uint8_t whole;
    /** 1: another process issues the commands; its turn outlives this connection, until its lease. */
    uint8_t proxy;
    uint8_t reserved[6];
};

struct spsched_launch {
    size_t size;
    /** 0 if the daemon is absent and the launch goes on without it. */
    uint64_t session;
    /** The most pages that one turn is granted for; 0 if not known. */
    uint32_t chunk_pages;
    uint32_t reserved;
};

/** request.flags: go on waiting when a signal handler has run. */
#define SPSCHED_UNINTERRUPTIBLE 0x1u

struct spsched_request {
    size_t size;
    /** enum spsched_kind */
    uint16_t kind;
    uint16_t reserved;
    /** Pages or vCPUs; 1 for guest requests. */
    uint32_t units;
    /** The longest wait; 0 leaves it to the daemon (reserved wait for a guest request, none for a launch). */
    uint64_t max_wait_ns;
    /** Any number by which another thread may cancel this wait, unique or not. 0: only cancelled with all others. */
    uint64_t cancel_id;
    uint32_t flags;
    uint32_t reserved2;
};

/** grant.flags: the daemon is absent and the VM fail-open: go ahead unarbitrated. */
#define SPSCHED_UNARBITRATED 0x1u

/** One turn. Copy it freely; it is released once. */
struct spsched_grant {
    /** 0 if unarbitrated. */
    uint64_t turn;
    /** The command must start within this time of granted_at_ns, see spsched_grant_is_stale. */
    uint64_t start_within_ns;
    /** The turn is taken back after this time. UINT64_MAX if unarbitrated. */
    uint64_t lease_ns;
    /** When this library received it, on CLOCK_BOOTTIME. */
    uint64_t granted_at_ns;
    /** Which connection of the handle it belongs to: the library's own. */
    uint64_t connection;
    /** Pages or vCPUs that it covers; may be fewer than asked. */
    uint32_t units;
    uint16_t kind;
    uint16_t flags;
};

/** The answer to a request. Which fields are set depends on the result, the others are zero. */
struct spsched_reply {
    size_t size;
    /** SPSCHED_OK */
    struct spsched_grant grant;
    /** SPSCHED_BUSY: when to come back. */
    uint64_t retry_after_ns;
    /** SPSCHED_BUSY: enum spsched_busy_reason. */
    uint16_t reason;
    /** SPSCHED_ERROR: as in docs/protocol.md. */
    uint16_t error_code;
    uint32_t reserved;
    /** A sentence for people, NUL-terminated UTF-8 without control characters: names the limit and its holder. */
    char text[SPSCHED_TEXT_MAX];
};

/** How the command went. Zeros but for the size: it succeeded, with everything done. */
struct spsched_outcome {
    size_t size;
    /** The ioctl's errno, positive; 0 for success. */
    int32_t error;
    /** The firmware's own code (`error` of struct kvm_sev_cmd); 0 for success. */
    uint32_t firmware_code;
    /** The command's duration as KVM measured it; 0 if unknown. */
    uint64_t measured_ns;
    /** Pages or vCPUs done, if units_done_valid is 1; otherwise all that were granted, or none if `error` is set. */
    uint32_t units_done;
    uint32_t units_done_valid;
};

enum spsched_launch_outcome {
    SPSCHED_LAUNCH_RUNNING = 0,
    SPSCHED_LAUNCH_FAILED = 1,
};

/** The state of a handle, and what it counted since it was opened. */
struct spsched_status {
    size_t size;
    /** 1 while a connection stands. */
    uint8_t connected;
    /** 1 while the daemon is taken for absent, and the failure mode applies. */
    uint8_t absent;
    /** 1 if the daemon knows the VM. */
    uint8_t registered;
    /** 1 while the daemon drains: no grants until it resumes. */
    uint8_t draining;
    /** enum spsched_device_state, as last heard; a newer daemon may know more. */
    uint8_t device_state;
    /** enum spsched_failure_mode, as the VM was registered. */
    uint8_t failure_mode;
    uint8_t reserved[2];
    /** Requests that wait now. */
    uint32_t waiting;
    uint32_t reserved2;
    uint64_t epoch;
    uint64_t grants;
    uint64_t busies;
    uint64_t errors;
    /** Waits that ended by spsched_cancel or by a signal. */
    uint64_t cancelled;
    /** Grants that came when nobody waited for them any more, and were released at once. */
    uint64_t grants_returned;
    /** Turns that the daemon took back. */
    uint64_t revoked;
    /** Fail-open: commands that passed unarbitrated, and guest requests refused because the own bucket was empty. */
    uint64_t fail_open_passes;
    uint64_t fail_open_busies;
    /** Fail-closed: requests refused because the daemon was absent. */
    uint64_t fail_closed_refusals;
    uint64_t connections_lost;
    /** Connections made anew; of these, registrations that were resumed by token. */
    uint64_t reconnects;
    uint64_t resumed;
    /** Times that a restarted daemon asked for the state of this client. */
    uint64_t resyncs;
    /** Messages of the daemon that broke the protocol; each cost it the connection. */
    uint64_t malformed;
};

/** The version of this library: "1.0.0". */
SPSCHED_API const char *spsched_version(void);

/** The name of a result, as "busy"; never NULL. */
SPSCHED_API const char *spsched_result_name(enum spsched_result result);

/** Sets the size and the defaults: the default path, no descriptor, no name, no flags.
 *  @param size sizeof(struct spsched_options) as the caller was compiled */
SPSCHED_API void spsched_options_init(struct spsched_options *options, size_t size);

/** Sets the size and the defaults: 1 request a second wanted, 0 accepted, no limit, weight 100, burst 3, a Linux guest,
 *  fail-open, no device descriptor. */
SPSCHED_API void spsched_registration_init(struct spsched_registration *registration, size_t size);

/** Connects and says hello. Waits up to 3 s. Call it before seccomp filters are installed.
 *
 *  @param options may be NULL for the defaults
 *  @param client  the new handle; NULL unless SPSCHED_OK
 *  @param text    what went wrong, for people; may be NULL
 *  @return SPSCHED_OK; SPSCHED_ABSENT if nobody answers (unless SPSCHED_OPEN_WHILE_ABSENT); SPSCHED_ERROR if the daemon
 *          does not speak our version; SPSCHED_INVALID */
SPSCHED_API enum spsched_result spsched_open(
    const struct spsched_options *options, struct spsched **client, char *text, size_t text_size);

/** Registers the VM. Waits up to 3 s. The library repeats it by itself after each reconnect.
 *
 *  @param admission may be NULL
 *  @param reply     error code and sentence; may be NULL
 *  @return SPSCHED_OK; SPSCHED_ERROR if it is refused (codes 200 to 208: what binds, and what is left), after which
 *          another attempt may be made; SPSCHED_ABSENT if the daemon does not answer: a later connection registers the
 *          VM, and the failure mode applies until then; SPSCHED_INVALID if the handle has a registration already */
SPSCHED_API enum spsched_result spsched_register(struct spsched *client,
    const struct spsched_registration *registration, struct spsched_admission *admission, struct spsched_reply *reply);

/** The device's descriptor, if registration.want_device was set and the daemon sent one: good for launch commands, not
 *  for resetting or configuring the platform. The caller owns it from then on. [vCPU]
 *  @return the descriptor, or -1 if there is none (yet, or any more) */
SPSCHED_API int spsched_take_device(struct spsched *client);

/** Begins a launch session. One VM has one at a time. Waits up to 3 s; not interruptible. [vCPU]
 *
 *  @return SPSCHED_OK; SPSCHED_BUSY if a launch bucket is empty (come back after reply.retry_after_ns); SPSCHED_ERROR;
 *          SPSCHED_ABSENT if fail-closed; SPSCHED_INVALID if a session is open */
SPSCHED_API enum spsched_result spsched_launch_begin(struct spsched *client, const struct spsched_launch_plan *plan,
    struct spsched_launch *launch, struct spsched_reply *reply);

/** Ends the launch session. Waits up to 3 s; not interruptible. Whatever it returns, the session is over here. [vCPU]
 *  @return SPSCHED_OK; SPSCHED_ERROR; SPSCHED_ABSENT if the daemon did not hear of it (it ends the session by itself);
 *          SPSCHED_INVALID if there is none */
SPSCHED_API enum spsched_result spsched_launch_end(struct spsched *client, enum spsched_launch_outcome outcome);

/** Asks for a turn and waits for it: how long, says struct spsched_request. [vCPU]
 *
 *  A lost connection is waited through: the request is asked again, under its own tag, once another stands.
 *
 *  @return SPSCHED_OK: issue the command, then release reply.grant; SPSCHED_BUSY; SPSCHED_ERROR; SPSCHED_ABSENT if the
 *          daemon is absent and the VM fail-closed; SPSCHED_CANCELLED; SPSCHED_INTERRUPTED; SPSCHED_INVALID.
 *          SPSCHED_ERROR with code 110 if SPSCHED_REQUESTS_MAX requests wait already */
SPSCHED_API enum spsched_result spsched_acquire(
    struct spsched *client, const struct spsched_request *request, struct spsched_reply *reply);

/** Returns a turn. Does not wait. A turn that was revoked, or that ended with its connection, is no error. [vCPU]
 *  @param outcome may be NULL: success
 *  @return SPSCHED_OK; SPSCHED_INVALID */
SPSCHED_API enum spsched_result spsched_release(
    struct spsched *client, const struct spsched_grant *grant, const struct spsched_outcome *outcome);

/** Returns a turn once `delay_ns` has passed, or shortly before its lease ends: for a command whose end nobody sees.
 *  The library's thread does it; of a handle with SPSCHED_NO_RECONNECT_THREAD, the first call after that time. Before
 *  that, spsched_release does, and so does the next guest request, which shows that this one is over. Does not wait.
 *  [vCPU]
 *  @return SPSCHED_OK; SPSCHED_INVALID */
SPSCHED_API enum spsched_result spsched_release_after(struct spsched *client, const struct spsched_grant *grant,
    const struct spsched_outcome *outcome, uint64_t delay_ns);

/** spsched_release and spsched_acquire in one message: for the many turns of a launch. [vCPU]
 *  Whatever it returns (but SPSCHED_INVALID and SPSCHED_FORKED), `grant` is released. reply->grant may be `grant`. */
SPSCHED_API enum spsched_result spsched_release_and_acquire(struct spsched *client, const struct spsched_grant *grant,
    const struct spsched_outcome *outcome, const struct spsched_request *request, struct spsched_reply *reply);

/** Ends the waits of other threads: they return SPSCHED_CANCELLED, within 100 ms even if the daemon is silent. Only
 *  waits that have begun; a thread about to ask is not stopped. Does not wait itself. [vCPU]
 *  @param cancel_id as in the request, or 0 for every spsched_acquire of the handle
 *  @return how many waits it ended */
SPSCHED_API unsigned spsched_cancel(struct spsched *client, uint64_t cancel_id);

/** Whether it is too late to start the command: start_within has passed, or the turn was revoked or lost with its
 *  connection. Then release it and ask again; a command started nevertheless does no harm but to the promises made
 *  to others. An unarbitrated grant is never stale. [vCPU]
 *  @return 1 if stale, else 0 */
SPSCHED_API int spsched_grant_is_stale(struct spsched *client, const struct spsched_grant *grant);

/** Ends the registration: reservation, session and turns are given up. Waits up to 3 s.
 *  @return SPSCHED_OK; SPSCHED_ABSENT if the daemon did not hear of it; SPSCHED_INVALID if there is none */
SPSCHED_API enum spsched_result spsched_unregister(struct spsched *client);

/** Reads what the daemon said while nobody waited and, if the connection is lost, tries once to make another. For
 *  handles with SPSCHED_NO_RECONNECT_THREAD: call it every second or so, and when spsched_status says that the handle
 *  is not connected. Waits up to 3 s. Without the flag it only wakes the library's own thread.
 *  @return SPSCHED_OK if connected; SPSCHED_ABSENT */
SPSCHED_API enum spsched_result spsched_reconnect(struct spsched *client);

/** Fills in the state and the counters. [vCPU]
 *  @return SPSCHED_OK; SPSCHED_INVALID; SPSCHED_FORKED */
SPSCHED_API enum spsched_result spsched_status(struct spsched *client, struct spsched_status *status);

/** Copies the latest sentence on what went wrong on this handle, in any thread; empty if nothing did. [vCPU]
 *  @return its length in bytes, which may be more than was copied */
SPSCHED_API size_t spsched_last_error(struct spsched *client, char *text, size_t text_size);

/** Hangs up and frees the handle. The daemon releases its turns (but a proxy's); the registration ends with the last
 *  connection of the VM. No other call may be running. NULL is ignored. */
SPSCHED_API void spsched_close(struct spsched *client);

#ifdef __cplusplus
}
#endif

#endif
