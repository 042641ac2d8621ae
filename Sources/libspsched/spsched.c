/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * One lock guards a handle. Each waiting call has a slot; one waiting thread at a time, the leader, sits in recvmsg
 * without the lock and hands replies to the slots of the others, the followers, who sleep on futexes. A leader that
 * has its own reply wakes a follower to lead. Requests are sent under the lock, so that tags grow on the wire.
 *
 * A connection is only ever closed and made anew by one thread, the one in `reconnect`: the library's own or the
 * embedder's. Everybody else, on finding it broken, marks it lost and goes on waiting for another until patience ends.
 */
#define _GNU_SOURCE
#include "spsched.h"

#include "spsched_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* SEV-SNP hosts are 64-bit; the futex calls below rely on its struct timespec. */
_Static_assert(sizeof(void *) == 8, "libspsched is for 64-bit Linux");

#define VERSION "1.0.0"

/* ---- Limits, each with its reason ---- */

#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

/* A leader looks up this often from recvmsg: how late a deadline may be noticed. Fifty wake-ups a second are nothing
 * beside a command of milliseconds. */
#define RECEIVE_TICK (20 * MILLISECOND)
/* What the way to the daemon and back may take beyond the longest wait. */
#define SILENCE_GRACE (100 * MILLISECOND)
/* A waiting launch is told its place every second: three in a row are not lost by accident. */
#define SILENCE_LAUNCH (3 * SECOND)
/* The daemon answers a cancel at once or never. */
#define CANCEL_PATIENCE (100 * MILLISECOND)
/* The guest's soft-lockup watchdog barks at 20 s: no guest request waits longer. */
#define GUEST_FROZEN_MAX (20 * SECOND)
/* The daemon's default for reserved requests, until an admission says otherwise. */
#define GUEST_WAIT_DEFAULT (5 * SECOND)
/* A guest allowed less than one request in 40 s loses its key to its own limit of 60 s. */
#define RATE_LEAST_MHZ 25
/* Connecting again: first at once, then with doubling pauses in this range. */
#define BACKOFF_MIN (10 * MILLISECOND)
#define BACKOFF_MAX SECOND
/* The library's thread leaves the connection to the callers this long before it looks whether they are done. */
#define SERVICE_PAUSE (100 * MILLISECOND)
/* The library's thread is woken from poll; it looks up this often all the same. */
#define LISTEN_TICK SECOND
/* A turn that is released later is released this long before its lease ends: at half of it, if that is more. */
#define LEASE_MARGIN (10 * MILLISECOND)
/* Longer spinning costs more than the wake-up that it saves. */
#define SPIN_MAX MILLISECOND
/* Our longest message, RESYNC_STATE with all tags, must fit what the daemon accepts. */
#define LONGEST_MESSAGE (WIRE_HEADER + 32 + 8 * WIRE_TAGS_MAX)
/* As many turns as there may be requests; the Arbiter grants one or two at a time. */
#define TURNS_MAX SPSCHED_REQUESTS_MAX

/* Tags grow on each connection, and requests keep theirs across connections: introductions take the lowest. */
enum { TAG_HELLO = 1, TAG_REGISTER = 2, TAG_LAUNCH_BEGIN = 3, TAG_FIRST = 16 };

/* Kinds that no VMM asks for. */
enum { PLATFORM_STATUS = 0x0300, PLATFORM_COMMAND = 0x0301 };

/* Why REVOKED came, if not for a lease that ended: it names no turn then. */
enum { REVOKED_SESSION = 2 };

/* Request errors of the daemon that this library acts upon. */
enum { ERROR_UNKNOWN_TURN = 2, ERROR_SESSION_ALREADY_OPEN = 4, ERROR_TOO_MANY_REQUESTS = 110 };

#define FEATURES                                                                                                       \
    (WIRE_FEATURE_RESYNC | WIRE_FEATURE_RELEASE_AND_ACQUIRE | WIRE_FEATURE_DEVICE_DESCRIPTOR | WIRE_FEATURE_PROXY_TURNS)

/* ---- A handle ---- */

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_ANSWERED };

/* One call that waits for its terminal reply. */
struct slot {
    enum slot_state state;
    /* Slept upon while another thread leads; set when there is something to do. */
    _Atomic uint32_t wake;
    bool asleep;
    /* Sent on the connection that stands. */
    bool sent;
    /* SPSCHED_OK, or how the wait ends once the daemon has answered the cancel. */
    enum spsched_result ending;

    uint64_t tag;
    uint16_t type;
    struct spsched_request request;
    /* RELEASE_AND_ACQUIRE, on the connection of its turn: the first half. */
    bool releases;
    struct wire_release release;
    struct spsched_launch_plan plan;
    uint8_t launch_outcome;

    uint64_t asked_at;
    uint64_t deadline;

    enum spsched_result result;
    struct spsched_reply reply;
};

struct turn {
    uint64_t number; /* 0: free */
    uint64_t connection;
    bool revoked;
    bool proxy;
    uint64_t release_at; /* 0: when the caller says so */
    struct wire_release release;
};

struct session {
    bool open;
    uint64_t number; /* 0: the daemon does not know it */
    uint32_t chunk_pages;
    struct spsched_launch_plan plan;
};

struct spsched {
    /* Reads zero in a child process. */
    const _Atomic uint32_t *alive;
    pthread_mutex_t lock;

    /* The connection. */
    int descriptor; /* -1: none */
    bool lost;
    bool absent;
    bool receiving;
    bool connecting;
    atomic_bool closing;
    uint64_t connection;
    uint64_t features;
    uint64_t next_tag;
    int stray; /* a descriptor that came unasked; closed by the thread that reconnects */

    /* Where the next one comes from. Fixed after open. */
    bool has_path;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    spsched_supply supply;
    void *supply_context;
    char client_name[64];
    uint64_t spin_ns;

    /* The VM. */
    bool wanted; /* the embedder registered it */
    struct spsched_registration registration;
    char vm_name[64];
    uint8_t token[16];
    struct spsched_admission admission;
    int device;
    struct session session;
    struct turn turns[TURNS_MAX];
    uint64_t release_next; /* the earliest release_at; UINT64_MAX if there is none */
    uint64_t bucket_time; /* fail-open GCRA: the theoretical arrival time of the next request */

    struct slot slots[SPSCHED_REQUESTS_MAX];
    struct spsched_status status;
    char last_error[SPSCHED_TEXT_MAX];

    bool has_service;
    pthread_t service;
    /* Slept upon by whoever reconnects; grows under the lock. */
    _Atomic uint32_t service_wake;
    bool polling;
    int alarm[2]; /* what is sent to the second ends the poll of the first; -1: the library has no thread */
};

/* ---- Time and futexes ---- */

static uint64_t boot_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }
static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Sleeps while `*word` is `value`. Returns whether a signal ended it. */
static bool futex_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t longest)
{
    longest = least(longest, 3600 * SECOND);
    struct timespec timeout = { .tv_sec = (time_t)(longest / SECOND), .tv_nsec = (long)(longest % SECOND) };
    return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0) < 0 && errno == EINTR;
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void wake_slot(struct slot *slot)
{
    atomic_store(&slot->wake, 1);
    if (slot->asleep) futex_wake_all(&slot->wake);
}

static void wake_service(struct spsched *client)
{
    atomic_fetch_add(&client->service_wake, 1);
    futex_wake_all(&client->service_wake);
    if (!client->polling || client->alarm[1] < 0) return;
    struct iovec part = { .iov_base = "", .iov_len = 1 };
    sendmsg(client->alarm[1], &(struct msghdr) { .msg_iov = &part, .msg_iovlen = 1 }, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Lets go of the lock until wake_service or `longest` has passed. */
static void service_sleep(struct spsched *client, uint64_t longest)
{
    uint32_t value = atomic_load(&client->service_wake);
    pthread_mutex_unlock(&client->lock);
    futex_sleep(&client->service_wake, value, longest);
    pthread_mutex_lock(&client->lock);
}

/* ---- Sentences ---- */

/* The description of an errno without the locale's machinery, which may allocate and read files. */
static const char *error_text(int error)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    const char *text = strerrordesc_np(error);
#else
    const char *text = strerror(error);
#endif
    return text ? text : "unknown error";
}

__attribute__((format(printf, 2, 3))) static void note(struct spsched *client, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->last_error, sizeof client->last_error, format, arguments);
    va_end(arguments);
}

/* How many bytes the UTF-8 character at `bytes` has (RFC 3629: no surrogates, no overlong forms); 0 if it is none. */
static size_t utf8_character(const uint8_t *bytes, size_t length)
{
    static const struct { uint8_t first, last, low, high; size_t size; } forms[] = {
        { 0x00, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
        if (bytes[0] < forms[form].first || bytes[0] > forms[form].last) continue;
        size_t size = forms[form].size;
        if (size > length) return 0;
        if (size > 1 && (bytes[1] < forms[form].low || bytes[1] > forms[form].high)) return 0;
        for (size_t i = 2; i < size; i++)
            if ((bytes[i] & 0xC0) != 0x80) return 0;
        return size;
    }
    return 0;
}

/* A sentence, safe to print: whole characters, none of them for control. */
static void copy_text(char out[SPSCHED_TEXT_MAX], struct wire_text text)
{
    size_t used = 0;
    for (size_t at = 0; at < text.length;) {
        size_t size = utf8_character(text.bytes + at, text.length - at);
        bool printable = size > 1 || (size == 1 && text.bytes[at] >= 0x20 && text.bytes[at] != 0x7F);
        if (size == 0) size = 1;
        size_t needed = printable ? size : 1;
        if (used + needed >= SPSCHED_TEXT_MAX) break;
        if (printable)
            memcpy(out + used, text.bytes + at, size);
        else
            out[used] = '?';
        used += needed;
        at += size;
    }
    out[used] = '\0';
}

static void set_text(char out[SPSCHED_TEXT_MAX], const char *text)
{
    copy_text(out, (struct wire_text) { .bytes = (const uint8_t *)text, .length = (uint16_t)strlen(text) });
}

/* ---- The wire: values to bytes ---- */

struct writer {
    uint8_t *bytes;
    size_t length;
};

static void put(struct writer *writer, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) writer->bytes[writer->length++] = (uint8_t)(value >> (8 * i));
}

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    memcpy(writer->bytes + writer->length, bytes, size);
    writer->length += size;
}

static void put_register(struct writer *writer, const struct wire_register *body)
{
    put_bytes(writer, body->uuid, sizeof body->uuid);
    put_bytes(writer, body->name, sizeof body->name);
    put_bytes(writer, body->token, sizeof body->token);
    put(writer, body->reservation_wanted_mhz, 4);
    put(writer, body->reservation_least_mhz, 4);
    put(writer, body->limit_mhz, 4);
    put(writer, body->weight, 4);
    put(writer, body->burst, 4);
    put(writer, body->retry_policy, 1);
    put(writer, body->failure_mode, 1);
    put(writer, body->want_descriptor ? 1 : 0, 1);
    put(writer, 0, 1);
    put(writer, body->guest_wait_max_ns, 8);
}

static void put_acquire(struct writer *writer, const struct wire_acquire *body)
{
    put(writer, body->kind, 2);
    put(writer, 0, 2);
    put(writer, body->units, 4);
    put(writer, body->max_wait_ns, 8);
}

static void put_release(struct writer *writer, const struct wire_release *body)
{
    put(writer, body->turn, 8);
    put(writer, (uint32_t)body->error, 4);
    put(writer, body->firmware_code, 4);
    put(writer, body->measured_ns, 8);
    put(writer, body->units_done, 4);
    put(writer, 0, 4);
}

static void put_resync_state(struct writer *writer, const struct wire_resync_state *body)
{
    put(writer, body->epoch, 8);
    put(writer, body->held_turn, 8);
    put(writer, body->session, 8);
    put(writer, body->count, 4);
    put(writer, 0, 4);
    for (uint32_t i = 0; i < body->count; i++) put(writer, body->tags[i], 8);
}

static void put_body(struct writer *writer, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_HELLO:
        put(writer, message->body.hello.version_min, 2);
        put(writer, message->body.hello.version_max, 2);
        put(writer, 0, 4);
        put(writer, message->body.hello.features, 8);
        put_bytes(writer, message->body.hello.name, sizeof message->body.hello.name);
        break;
    case WIRE_REGISTER: put_register(writer, &message->body.registration); break;
    case WIRE_LAUNCH_BEGIN:
        put(writer, message->body.launch_begin.pages, 4);
        put(writer, message->body.launch_begin.vcpus, 4);
        put(writer, (message->body.launch_begin.whole ? 1u : 0) | (message->body.launch_begin.proxy ? 2u : 0), 8);
        break;
    case WIRE_ACQUIRE: put_acquire(writer, &message->acquire); break;
    case WIRE_RELEASE: put_release(writer, &message->release); break;
    case WIRE_RELEASE_AND_ACQUIRE:
        put_release(writer, &message->release);
        put_acquire(writer, &message->acquire);
        break;
    case WIRE_CANCEL: put(writer, message->body.cancelled_tag, 8); break;
    case WIRE_LAUNCH_END:
        put(writer, message->body.launch_end.session, 8);
        put(writer, message->body.launch_end.outcome, 8);
        break;
    case WIRE_RESYNC_STATE: put_resync_state(writer, &message->body.resync_state); break;
    default: break; /* UNREGISTER is empty */
    }
}

size_t spsched_wire_encode(const struct wire_message *message, uint8_t record[WIRE_MESSAGE_MAX])
{
    struct writer body = { .bytes = record, .length = WIRE_HEADER };
    put_body(&body, message);
    struct writer header = { .bytes = record };
    put(&header, message->type, 2);
    put(&header, body.length, 2);
    put(&header, 0, 4);
    put(&header, message->tag, 8);
    return body.length;
}

/* ---- The wire: bytes to values ---- */

struct reader {
    const uint8_t *bytes;
    size_t length; /* what is left; checked once, against the least size of the type */
};

static uint64_t get(struct reader *reader, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)reader->bytes[i] << (8 * i);
    reader->bytes += size;
    reader->length -= size;
    return value;
}

static bool is_utf8(const uint8_t *bytes, size_t length)
{
    for (size_t size; length > 0; bytes += size, length -= size)
        if ((size = utf8_character(bytes, length)) == 0) return false;
    return true;
}

/* So long (73 years) that adding one to an instant cannot overflow. */
static uint64_t get_duration(struct reader *reader) { return least(get(reader, 8), UINT64_C(1) << 61); }

static const char *get_text(struct reader *reader, uint16_t length, struct wire_text *text)
{
    if (length > reader->length) return "ends before its text does";
    if (length > WIRE_TEXT_MAX) return "has a longer text than the protocol allows";
    if (!is_utf8(reader->bytes, length)) return "has a text that is not UTF-8";
    *text = (struct wire_text) { .bytes = reader->bytes, .length = length };
    return NULL;
}

static void get_welcome(struct reader *reader, struct wire_welcome *body)
{
    body->version = (uint16_t)get(reader, 2);
    get(reader, 2);
    body->max_message = (uint32_t)get(reader, 4);
    body->features = get(reader, 8);
    body->epoch = get(reader, 8);
    body->chunk_pages = (uint32_t)get(reader, 4);
    body->device_state = (uint8_t)get(reader, 1);
}

static const char *get_registered(struct reader *reader, struct wire_registered *body)
{
    memcpy(body->token, reader->bytes, sizeof body->token);
    reader->bytes += sizeof body->token;
    reader->length -= sizeof body->token;
    body->epoch = get(reader, 8);
    body->reservation_mhz = (uint32_t)get(reader, 4);
    body->limit_mhz = (uint32_t)get(reader, 4);
    body->weight = (uint32_t)get(reader, 4);
    body->burst = (uint32_t)get(reader, 4);
    body->guest_wait_max_ns = get_duration(reader);
    body->guest_wait_reserved_ns = get_duration(reader);
    body->entitlement_mhz = (uint32_t)get(reader, 4);
    body->retry_policy = (uint8_t)get(reader, 1);
    body->failure_mode = (uint8_t)get(reader, 1);
    uint64_t flags = get(reader, 1);
    body->descriptor_attached = flags & 1;
    body->resumed = (flags >> 1) & 1;
    if (body->retry_policy > SPSCHED_RETRY_NEVER) return "names a retry policy that does not exist";
    return body->failure_mode > SPSCHED_FAIL_CLOSED ? "names a failure mode that does not exist" : NULL;
}

static bool is_kind(uint16_t kind)
{
    return (kind >= SPSCHED_LAUNCH_START && kind <= SPSCHED_LEGACY_LAUNCH)
        || (kind >= SPSCHED_REPORT && kind <= SPSCHED_OTHER_GUEST_REQUEST)
        || (kind >= PLATFORM_STATUS && kind <= PLATFORM_COMMAND);
}

static const char *get_granted(struct reader *reader, struct wire_granted *body)
{
    body->turn = get(reader, 8);
    body->start_within_ns = get_duration(reader);
    body->lease_ns = get_duration(reader);
    body->units = (uint32_t)get(reader, 4);
    body->kind = (uint16_t)get(reader, 2);
    if (!is_kind(body->kind)) return "grants a turn for a kind of command that does not exist";
    if (body->units == 0) return "grants a turn for nothing";
    return body->turn == 0 ? "grants a turn without a number" : NULL;
}

static const char *get_busy(struct reader *reader, struct wire_busy *body)
{
    body->retry_after_ns = get_duration(reader);
    body->reason = (uint16_t)get(reader, 2);
    uint16_t length = (uint16_t)get(reader, 2);
    get(reader, 4);
    return get_text(reader, length, &body->text);
}

static const char *get_error(struct reader *reader, struct wire_error *body)
{
    body->code = (uint16_t)get(reader, 2);
    uint16_t length = (uint16_t)get(reader, 2);
    get(reader, 4);
    return get_text(reader, length, &body->text);
}

static const char *get_device_state(struct reader *reader, struct wire_device_state *body)
{
    body->state = (uint8_t)get(reader, 1);
    get(reader, 1);
    uint16_t length = (uint16_t)get(reader, 2);
    get(reader, 4);
    return get_text(reader, length, &body->text);
}

/* The fewest bytes of a body; SIZE_MAX for what a daemon does not say. */
static size_t least_body(uint16_t type)
{
    switch (type) {
    case WIRE_WELCOME: return 32;
    case WIRE_REGISTERED: return 64;
    case WIRE_LAUNCH_BEGUN: return 16;
    case WIRE_QUEUED: return 16;
    case WIRE_GRANTED: return 32;
    case WIRE_BUSY: return 16;
    case WIRE_ERROR: return 8;
    case WIRE_DONE: return 0;
    case WIRE_REVOKED: return 16;
    case WIRE_DEVICE_STATE: return 8;
    case WIRE_DRAINING: return 8;
    case WIRE_RESYNC: return 8;
    default: return SIZE_MAX;
    }
}

static const char *get_body(struct reader *reader, struct wire_message *message)
{
    switch (message->type) {
    case WIRE_WELCOME: get_welcome(reader, &message->body.welcome); return NULL;
    case WIRE_REGISTERED: return get_registered(reader, &message->body.registered);
    case WIRE_LAUNCH_BEGUN:
        message->body.launch_begun.session = get(reader, 8);
        message->body.launch_begun.chunk_pages = (uint32_t)get(reader, 4);
        return message->body.launch_begun.session == 0 ? "begins a session without a number" : NULL;
    case WIRE_QUEUED:
        message->body.queued.position = (uint32_t)get(reader, 4);
        get(reader, 4);
        message->body.queued.estimate_ns = get_duration(reader);
        return NULL;
    case WIRE_GRANTED: return get_granted(reader, &message->body.granted);
    case WIRE_BUSY: return get_busy(reader, &message->body.busy);
    case WIRE_ERROR: return get_error(reader, &message->body.error);
    case WIRE_REVOKED:
        message->body.revoked.turn = get(reader, 8);
        message->body.revoked.reason = (uint16_t)get(reader, 2);
        return NULL;
    case WIRE_DEVICE_STATE: return get_device_state(reader, &message->body.device_state);
    case WIRE_DRAINING: message->body.draining = get(reader, 1) != 0; return NULL;
    case WIRE_RESYNC: message->body.resync_epoch = get(reader, 8); return NULL;
    default: return NULL; /* DONE is empty */
    }
}

const char *spsched_wire_decode(const uint8_t *record, size_t length, struct wire_message *message)
{
    if (length > WIRE_MESSAGE_MAX) return "is longer than the protocol allows";
    if (length < WIRE_HEADER) return "is shorter than its header";
    memset(message, 0, sizeof *message);
    struct reader reader = { .bytes = record, .length = length };
    message->type = (uint16_t)get(&reader, 2);
    size_t size = (size_t)get(&reader, 2);
    get(&reader, 4);
    message->tag = get(&reader, 8);
    if (size < WIRE_HEADER) return "claims to be shorter than its header";
    if (size > length) return "claims to be longer than it is";
    size_t least_size = least_body(message->type);
    if (least_size == SIZE_MAX) return "is of a type that a daemon does not send";
    reader.length = size - WIRE_HEADER;
    if (reader.length < least_size) return "is shorter than the fields of its type";
    return get_body(&reader, message);
}

/* ---- Slots and turns ---- */

static bool is_guest(uint16_t kind) { return (kind & 0xFF00) == 0x0200; }
static bool is_launch(uint16_t kind) { return (kind & 0xFF00) == 0x0100; }
static bool is_acquire(const struct slot *slot)
{
    return slot->type == WIRE_ACQUIRE || slot->type == WIRE_RELEASE_AND_ACQUIRE;
}

static struct slot *slot_take(struct spsched *client, uint16_t type, uint64_t now)
{
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++) {
        if (slot->state != SLOT_FREE) continue;
        /* Everything but the futex word, which a late waker may still touch. */
        slot->asleep = slot->sent = slot->releases = false;
        slot->ending = slot->result = SPSCHED_OK;
        slot->release = (struct wire_release) { .turn = 0 };
        slot->request = (struct spsched_request) { .size = 0 };
        memset(&slot->reply, 0, sizeof slot->reply);
        slot->state = SLOT_WAITING;
        slot->type = type;
        slot->tag = client->next_tag++;
        slot->asked_at = now;
        client->status.waiting++;
        return slot;
    }
    note(client, "%d requests wait already on this connection: wait for one of them to end", SPSCHED_REQUESTS_MAX);
    return NULL;
}

static struct slot *slot_of_tag(struct spsched *client, uint64_t tag)
{
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++)
        if (slot->state == SLOT_WAITING && slot->tag == tag) return slot;
    return NULL;
}

/* The waiting slot with the least tag above `tag`; NULL after the last. */
static struct slot *slot_after(struct spsched *client, uint64_t tag)
{
    struct slot *next = NULL;
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++)
        if (slot->state == SLOT_WAITING && slot->tag > tag && (!next || slot->tag < next->tag)) next = slot;
    return next;
}

static struct slot *slot_of_type(struct spsched *client, uint16_t type)
{
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++)
        if (slot->state == SLOT_WAITING && slot->type == type) return slot;
    return NULL;
}

static void slot_finish(struct spsched *client, struct slot *slot, enum spsched_result result)
{
    slot->state = SLOT_ANSWERED;
    slot->result = result;
    client->status.waiting--;
    if (result == SPSCHED_CANCELLED || result == SPSCHED_INTERRUPTED) client->status.cancelled++;
    wake_slot(slot);
}

static struct turn *turn_find(struct spsched *client, uint64_t number)
{
    for (struct turn *turn = client->turns; number && turn < client->turns + TURNS_MAX; turn++)
        if (turn->number == number) return turn;
    return NULL;
}

static void turn_hold(struct spsched *client, uint64_t number)
{
    struct turn *turn = client->turns; /* of an embedder that never releases, the first is forgotten */
    for (struct turn *free = client->turns; free < client->turns + TURNS_MAX; free++)
        if (free->number == 0) turn = free;
    bool proxy = client->session.open && client->session.plan.proxy;
    *turn = (struct turn) { .number = number, .connection = client->connection, .proxy = proxy };
}

/* Forgets the turn. Returns whether the daemon still waits for its release. */
static bool turn_drop(struct spsched *client, uint64_t number)
{
    struct turn *turn = turn_find(client, number);
    if (!turn) return false;
    bool current = !client->lost && !turn->revoked && turn->connection == client->connection;
    *turn = (struct turn) { .number = 0 };
    return current;
}

/* ---- Sending ---- */

static bool can_reconnect(const struct spsched *client) { return client->supply || client->has_path; }

/* The connection is of no use any more. What waited on it waits for another. */
__attribute__((format(printf, 2, 3))) static void lose(struct spsched *client, const char *format, ...)
{
    if (client->lost) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->last_error, sizeof client->last_error, format, arguments);
    va_end(arguments);

    bool hopeless = !can_reconnect(client);
    client->lost = true;
    client->status.connections_lost++;
    client->absent = client->absent || hopeless;
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++) {
        if (slot->state != SLOT_WAITING) continue;
        slot->sent = slot->releases = false; /* the turn ends with its connection */
        if (slot->ending != SPSCHED_OK) {
            slot_finish(client, slot, slot->ending);
        } else if (hopeless) {
            slot->deadline = 0;
            wake_slot(slot);
        }
    }
    wake_service(client);
}

static bool transmit(struct spsched *client, const struct wire_message *message)
{
    if (client->lost) return false;
    uint8_t record[WIRE_MESSAGE_MAX];
    struct iovec part = { .iov_base = record, .iov_len = spsched_wire_encode(message, record) };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (sendmsg(client->descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN)
        lose(client, "spschedd has stopped reading: hundreds of messages to it are unread; connecting anew");
    else
        lose(client, "the connection to spschedd broke: %s; connecting anew", error_text(errno));
    return false;
}

static void transmit_release(struct spsched *client, const struct wire_release *release)
{
    transmit(client, &(struct wire_message) { .type = WIRE_RELEASE, .release = *release });
}

/* Gives back a turn that nobody waits for any more. */
static void return_turn(struct spsched *client, uint64_t number)
{
    transmit_release(client, &(struct wire_release) { .turn = number, .error = ECANCELED });
    client->status.grants_returned++;
}

/* Sends the releases that are due. */
static void release_due(struct spsched *client)
{
    if (client->release_next == UINT64_MAX) return;
    uint64_t now = boot_now(), next = UINT64_MAX;
    for (struct turn *turn = client->turns; turn < client->turns + TURNS_MAX; turn++) {
        if (turn->number == 0 || turn->release_at == 0) continue;
        if (turn->release_at > now) {
            next = least(next, turn->release_at);
            continue;
        }
        struct wire_release release = turn->release;
        if (turn_drop(client, turn->number)) transmit_release(client, &release);
    }
    client->release_next = next;
}

/* The guest's next request shows that the one whose end nobody saw is over: KVM and guests serialise them. A turn that
 * is still kept would make the daemon refuse it. */
static void release_kept(struct spsched *client)
{
    if (client->release_next == UINT64_MAX) return;
    for (struct turn *turn = client->turns; turn < client->turns + TURNS_MAX; turn++)
        if (turn->number && turn->release_at) turn->release_at = 1;
    release_due(client);
}

static void transmit_cancel(struct spsched *client, uint64_t tag)
{
    transmit(client, &(struct wire_message) { .type = WIRE_CANCEL, .body.cancelled_tag = tag });
}

static void fill_register(const struct spsched *client, struct wire_register *body)
{
    const struct spsched_registration *wanted = &client->registration;
    *body = (struct wire_register) {
        .reservation_wanted_mhz = wanted->reservation_wanted_mhz,
        .reservation_least_mhz = wanted->reservation_least_mhz,
        .limit_mhz = wanted->limit_mhz,
        .weight = wanted->weight,
        .burst = wanted->burst,
        .retry_policy = wanted->retry_policy,
        .failure_mode = wanted->failure_mode,
        .want_descriptor = wanted->want_device && client->device < 0,
        .guest_wait_max_ns = wanted->guest_wait_max_ns,
    };
    memcpy(body->uuid, wanted->uuid, sizeof body->uuid);
    memcpy(body->name, client->vm_name, sizeof body->name);
    memcpy(body->token, client->token, sizeof body->token);
}

static void fill_launch_begin(const struct spsched_launch_plan *plan, struct wire_launch_begin *body)
{
    *body = (struct wire_launch_begin) {
        .pages = plan->pages, .vcpus = plan->vcpus, .whole = plan->whole, .proxy = plan->proxy
    };
}

/* The longest wait that is left of what the caller allowed; 0 if it allowed any. */
static uint64_t wait_left(const struct slot *slot, uint64_t now)
{
    if (slot->request.max_wait_ns == 0) return 0;
    uint64_t end = add(slot->asked_at, slot->request.max_wait_ns);
    return end > now ? end - now : 1;
}

/* Sends the request of a slot, for the first time or again. */
static void transmit_slot(struct spsched *client, struct slot *slot, uint64_t now)
{
    struct wire_message message = { .type = slot->type, .tag = slot->tag };
    switch (slot->type) {
    case WIRE_REGISTER: fill_register(client, &message.body.registration); break;
    case WIRE_LAUNCH_BEGIN: fill_launch_begin(&slot->plan, &message.body.launch_begin); break;
    case WIRE_LAUNCH_END:
        message.body.launch_end = (struct wire_launch_end) {
            .session = client->session.number, .outcome = slot->launch_outcome
        };
        break;
    case WIRE_ACQUIRE:
    case WIRE_RELEASE_AND_ACQUIRE:
        message.acquire = (struct wire_acquire) {
            .kind = slot->request.kind, .units = slot->request.units, .max_wait_ns = wait_left(slot, now)
        };
        message.release = slot->release;
        if (slot->releases && !(client->features & WIRE_FEATURE_RELEASE_AND_ACQUIRE)) {
            transmit_release(client, &slot->release);
            slot->releases = false;
        }
        /* On another connection it only acquires: the turn ended with its own. */
        message.type = slot->type = slot->releases ? WIRE_RELEASE_AND_ACQUIRE : WIRE_ACQUIRE;
        break;
    default: break;
    }
    slot->sent = transmit(client, &message);
}

/* ---- Patience ---- */

static uint64_t guest_patience(const struct spsched *client)
{
    const struct spsched_admission *admission = &client->admission;
    uint64_t longest = most(admission->guest_wait_max_ns, admission->guest_wait_reserved_ns);
    if (client->registration.retry_policy != SPSCHED_RETRY_LINUX) longest = GUEST_FROZEN_MAX;
    if (longest == 0) longest = GUEST_WAIT_DEFAULT;
    return least(longest, GUEST_FROZEN_MAX) + SILENCE_GRACE;
}

/* When a slot that is asked now has waited too long to believe in the daemon. */
static void set_deadline(struct spsched *client, struct slot *slot, uint64_t now)
{
    if (!is_acquire(slot) || !is_guest(slot->request.kind))
        slot->deadline = add(now, SILENCE_LAUNCH);
    else if (slot->request.max_wait_ns)
        slot->deadline = add(slot->asked_at, add(slot->request.max_wait_ns, SILENCE_GRACE));
    else
        slot->deadline = least(add(now, guest_patience(client)), slot->asked_at + GUEST_FROZEN_MAX + SILENCE_GRACE);
}

/* A notice counts as a sign of life; a guest's bound moves only where the daemon says that its wait is longer. */
static void extend_deadline(struct spsched *client, struct slot *slot, uint64_t estimate, uint64_t now)
{
    if (slot->ending != SPSCHED_OK) return;
    if (!is_guest(slot->request.kind)) {
        set_deadline(client, slot, now);
    } else if (slot->request.max_wait_ns == 0) {
        uint64_t frozen = slot->asked_at + GUEST_FROZEN_MAX + SILENCE_GRACE;
        slot->deadline = most(slot->deadline, least(add(now, add(estimate, guest_patience(client))), frozen));
    }
}

/* ---- Without the daemon ---- */

static void pass_unarbitrated(struct spsched *client, struct slot *slot, uint64_t now)
{
    slot->reply.grant = (struct spsched_grant) {
        .start_within_ns = UINT64_MAX,
        .lease_ns = UINT64_MAX,
        .granted_at_ns = now,
        .units = slot->request.units,
        .kind = slot->request.kind,
        .flags = SPSCHED_UNARBITRATED,
    };
    client->status.fail_open_passes++;
    slot_finish(client, slot, SPSCHED_OK);
}

/* GCRA at the reserved rate: conforms if it comes no earlier than its theoretical arrival less the tolerance. */
static bool bucket_allows(struct spsched *client, uint64_t now, uint64_t *retry_after)
{
    bool admitted = client->admission.weight != 0;
    uint64_t rate = admitted ? client->admission.reservation_mhz : client->registration.reservation_wanted_mhz;
    uint64_t burst = most(admitted ? client->admission.burst : client->registration.burst, 1);
    uint64_t interval = SECOND * 1000 / most(rate, RATE_LEAST_MHZ);
    uint64_t tolerance = (least(burst, 100) - 1) * interval;
    uint64_t arrival = most(client->bucket_time, now);
    if (arrival - now > tolerance) {
        *retry_after = arrival - now - tolerance;
        return false;
    }
    client->bucket_time = arrival + interval;
    return true;
}

/* Answers a request as the VM's failure mode says. */
static void serve_alone(struct spsched *client, struct slot *slot, uint64_t now)
{
    bool asks = is_acquire(slot) || slot->type == WIRE_LAUNCH_BEGIN;
    if (!asks) {
        slot_finish(client, slot, SPSCHED_ABSENT);
    } else if (client->registration.failure_mode == SPSCHED_FAIL_CLOSED) {
        client->status.fail_closed_refusals++;
        set_text(slot->reply.text, "spschedd does not answer, and this VM is registered to fail closed");
        slot_finish(client, slot, SPSCHED_ABSENT);
    } else if (slot->type == WIRE_LAUNCH_BEGIN) {
        client->session = (struct session) { .open = true, .plan = slot->plan };
        slot_finish(client, slot, SPSCHED_OK);
    } else if (is_launch(slot->request.kind) || bucket_allows(client, now, &slot->reply.retry_after_ns)) {
        pass_unarbitrated(client, slot, now);
    } else {
        client->status.fail_open_busies++;
        slot->reply.reason = SPSCHED_BUSY_FAIL_OPEN_RATE;
        set_text(slot->reply.text, "spschedd does not answer, and the VM has used up its reserved rate");
        slot_finish(client, slot, SPSCHED_BUSY);
    }
}

/* The daemon was not heard within the slot's patience. */
static void give_up(struct spsched *client, struct slot *slot, uint64_t now)
{
    if (slot->ending != SPSCHED_OK) {
        slot_finish(client, slot, slot->ending);
        return;
    }
    if (!client->absent && !client->lost)
        note(client, "spschedd has not answered for %llu ms: taken for absent",
            (unsigned long long)((now - slot->asked_at) / MILLISECOND));
    client->absent = true;
    if (slot->sent && is_acquire(slot)) transmit_cancel(client, slot->tag);
    if (slot->state == SLOT_WAITING) serve_alone(client, slot, now);
}

/* ---- What the daemon says ---- */

static bool session_is_unknown(const struct spsched *client, const struct slot *slot)
{
    return is_launch(slot->request.kind) && client->session.open && client->session.number == 0;
}

/* Asks again everything that waits, in the order of the tags. */
static void ask_again(struct spsched *client, uint64_t now)
{
    for (struct slot *slot = slot_after(client, 0); slot && !client->lost; slot = slot_after(client, slot->tag)) {
        if (session_is_unknown(client, slot)) {
            serve_alone(client, slot, now);
            continue;
        }
        transmit_slot(client, slot, now);
        if (slot->ending == SPSCHED_OK)
            set_deadline(client, slot, now);
        else
            transmit_cancel(client, slot->tag);
    }
}

/* Tells a restarted daemon what this client waits for and holds, then asks again: requests are idempotent by tag. */
static void answer_resync(struct spsched *client, uint64_t epoch, uint64_t now)
{
    struct wire_message message = { .type = WIRE_RESYNC_STATE };
    struct wire_resync_state *state = &message.body.resync_state;
    state->epoch = epoch;
    state->session = client->session.open ? client->session.number : 0;
    for (struct turn *turn = client->turns; turn < client->turns + TURNS_MAX && !state->held_turn; turn++) {
        /* Of an earlier connection, its turns ended with it. */
        if (turn->number == 0 || turn->revoked || turn->connection != client->connection) continue;
        state->held_turn = turn->number;
    }
    for (struct slot *slot = slot_after(client, 0); slot; slot = slot_after(client, slot->tag))
        state->tags[state->count++] = slot->tag;
    client->admission.epoch = client->status.epoch = epoch;
    client->status.resyncs++;
    transmit(client, &message);
    ask_again(client, now);
}

static void hear_revoked(struct spsched *client, const struct wire_revoked *revoked)
{
    if (revoked->reason == REVOKED_SESSION)
        note(client, "spschedd ended the launch session: it ran longer than it may");
    struct turn *turn = turn_find(client, revoked->turn);
    if (!turn || turn->revoked) return;
    turn->revoked = true;
    client->status.revoked++;
    note(client, "spschedd took a turn back: its lease ended before it was released");
}

static void accept_admission(struct spsched *client, const struct wire_registered *body)
{
    memcpy(client->token, body->token, sizeof client->token);
    client->status.registered = 1;
    client->status.epoch = body->epoch;
    client->admission = (struct spsched_admission) {
        .size = sizeof client->admission,
        .epoch = body->epoch,
        .reservation_mhz = body->reservation_mhz,
        .limit_mhz = body->limit_mhz,
        .weight = body->weight,
        .burst = body->burst,
        .guest_wait_max_ns = body->guest_wait_max_ns,
        .guest_wait_reserved_ns = body->guest_wait_reserved_ns,
        .entitlement_mhz = body->entitlement_mhz,
        .retry_policy = body->retry_policy,
    };
}

static const char *answer_granted(
    struct spsched *client, struct slot *slot, const struct wire_granted *granted, uint64_t now)
{
    if (!is_acquire(slot)) return "grants a turn to what asked for none";
    if (granted->kind != slot->request.kind) return "grants a turn for another kind of command";
    if (granted->units > most(slot->request.units, 1)) return "grants more units than were asked for";
    if (slot->ending != SPSCHED_OK) {
        return_turn(client, granted->turn);
        if (slot->state == SLOT_WAITING) slot_finish(client, slot, slot->ending);
        return NULL;
    }
    turn_hold(client, granted->turn);
    slot->reply.grant = (struct spsched_grant) {
        .turn = granted->turn,
        .start_within_ns = granted->start_within_ns,
        .lease_ns = granted->lease_ns,
        .granted_at_ns = now,
        .connection = client->connection,
        .units = granted->units,
        .kind = granted->kind,
    };
    client->status.grants++;
    slot_finish(client, slot, SPSCHED_OK);
    return NULL;
}

static const char *answer_busy(struct spsched *client, struct slot *slot, const struct wire_busy *busy)
{
    if (!is_acquire(slot) && slot->type != WIRE_LAUNCH_BEGIN) return "refuses what cannot be refused as busy";
    if (slot->ending != SPSCHED_OK && busy->reason == SPSCHED_BUSY_CANCELLED) {
        slot_finish(client, slot, slot->ending);
        return NULL;
    }
    slot->reply.retry_after_ns = busy->retry_after_ns;
    slot->reply.reason = busy->reason;
    copy_text(slot->reply.text, busy->text);
    memcpy(client->last_error, slot->reply.text, sizeof client->last_error);
    client->status.busies++;
    slot_finish(client, slot, SPSCHED_BUSY);
    return NULL;
}

static const char *answer_error(struct spsched *client, struct slot *slot, const struct wire_error *error, uint64_t now)
{
    /* The daemon took the turn back before our release reached it: no reason not to ask for the next. */
    if (slot->release.turn && error->code == ERROR_UNKNOWN_TURN && slot->ending == SPSCHED_OK) {
        slot->release.turn = 0;
        slot->releases = false;
        slot->tag = client->next_tag++;
        transmit_slot(client, slot, now);
        return NULL;
    }
    slot->reply.error_code = error->code;
    copy_text(slot->reply.text, error->text);
    memcpy(client->last_error, slot->reply.text, sizeof client->last_error);
    client->status.errors++;
    slot_finish(client, slot, SPSCHED_ERROR);
    return NULL;
}

static const char *answer_registered(struct spsched *client, struct slot *slot, const struct wire_registered *body)
{
    if (slot->type != WIRE_REGISTER) return "registers what did not ask for it";
    accept_admission(client, body);
    slot_finish(client, slot, SPSCHED_OK);
    return NULL;
}

static const char *answer_launch_begun(struct spsched *client, struct slot *slot, const struct wire_launch_begun *begun)
{
    if (slot->type != WIRE_LAUNCH_BEGIN) return "begins a launch that was not asked for";
    client->session = (struct session) {
        .open = true, .number = begun->session, .chunk_pages = begun->chunk_pages, .plan = slot->plan
    };
    slot_finish(client, slot, SPSCHED_OK);
    return NULL;
}

static const char *answer(struct spsched *client, struct slot *slot, const struct wire_message *message, uint64_t now)
{
    switch (message->type) {
    case WIRE_REGISTERED: return answer_registered(client, slot, &message->body.registered);
    case WIRE_LAUNCH_BEGUN: return answer_launch_begun(client, slot, &message->body.launch_begun);
    case WIRE_GRANTED: return answer_granted(client, slot, &message->body.granted, now);
    case WIRE_BUSY: return answer_busy(client, slot, &message->body.busy);
    case WIRE_ERROR: return answer_error(client, slot, &message->body.error, now);
    case WIRE_QUEUED:
        if (!is_acquire(slot)) return "queues what does not wait for a turn";
        extend_deadline(client, slot, message->body.queued.estimate_ns, now);
        return NULL;
    case WIRE_DONE:
        if (slot->type != WIRE_LAUNCH_END && slot->type != WIRE_UNREGISTER) return "calls done what has another answer";
        slot_finish(client, slot, SPSCHED_OK);
        return NULL;
    default: return "answers a request with what is no answer";
    }
}

/* A reply to a call that has returned: what it gives must be given back. */
static void answer_late(struct spsched *client, const struct wire_message *reply)
{
    if (reply->type == WIRE_GRANTED) {
        return_turn(client, reply->body.granted.turn);
    } else if (reply->type == WIRE_LAUNCH_BEGUN) {
        const struct wire_launch_begun *begun = &reply->body.launch_begun;
        if (client->session.open && client->session.number == 0) {
            client->session.number = begun->session;
            client->session.chunk_pages = begun->chunk_pages;
            return;
        }
        struct wire_launch_end end = { .session = begun->session, .outcome = SPSCHED_LAUNCH_FAILED };
        struct wire_message message = { .type = WIRE_LAUNCH_END, .tag = client->next_tag++, .body.launch_end = end };
        transmit(client, &message);
    }
}

static void hear_device_state(struct spsched *client, const struct wire_device_state *heard)
{
    client->status.device_state = heard->state;
    if (heard->state != SPSCHED_DEVICE_ALIVE) copy_text(client->last_error, heard->text);
}

/* Returns NULL, or how the message breaks the protocol: a clause that follows "a message that". */
static const char *hear(struct spsched *client, const struct wire_message *message, uint64_t now)
{
    switch (message->type) {
    case WIRE_WELCOME: return "welcomes a client that has long been welcomed";
    case WIRE_REVOKED: hear_revoked(client, &message->body.revoked); return NULL;
    case WIRE_DRAINING: client->status.draining = message->body.draining; return NULL;
    case WIRE_RESYNC: answer_resync(client, message->body.resync_epoch, now); return NULL;
    case WIRE_DEVICE_STATE:
        hear_device_state(client, &message->body.device_state);
        return NULL;
    default: break;
    }
    if (message->tag == 0) {
        if (message->type != WIRE_ERROR) return "answers without naming a tag";
        client->status.errors++;
        copy_text(client->last_error, message->body.error.text);
        return NULL;
    }
    if (message->tag >= client->next_tag) return "answers a tag that was never used";
    struct slot *slot = slot_of_tag(client, message->tag);
    if (slot) return answer(client, slot, message, now);
    answer_late(client, message);
    return NULL;
}

/* ---- Receiving ---- */

/* One record, and the descriptor that came with it. */
struct delivery {
    uint8_t record[WIRE_MESSAGE_MAX];
    ssize_t length; /* -1: error */
    int error;
    bool truncated;
    int descriptor;
};

/* Without `takes_descriptor` the kernel drops what is attached: this thread may not be allowed to close it. */
static void receive_record(int descriptor, int flags, bool takes_descriptor, struct delivery *delivery)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = { .iov_base = delivery->record, .iov_len = sizeof delivery->record };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (takes_descriptor) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_LEN(sizeof(int)); /* CMSG_SPACE has room for two */
    }
    delivery->descriptor = -1;
    delivery->length = recvmsg(descriptor, &header, flags | MSG_CMSG_CLOEXEC);
    delivery->error = errno;
    if (delivery->length < 0) return;
    delivery->truncated = (header.msg_flags & MSG_TRUNC) != 0;
    struct cmsghdr *first = takes_descriptor ? CMSG_FIRSTHDR(&header) : NULL;
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS
        && first->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&delivery->descriptor, CMSG_DATA(first), sizeof(int));
}

/* Keeps the descriptor if it is the device's, puts it aside otherwise. */
static const char *keep_descriptor(struct spsched *client, int descriptor, const struct wire_message *message)
{
    if (descriptor < 0) return NULL;
    if (message->type == WIRE_REGISTERED && message->body.registered.descriptor_attached && client->device < 0) {
        client->device = descriptor;
        return NULL;
    }
    client->stray = descriptor;
    return "brings a descriptor that was not asked for";
}

static void hear_delivery(struct spsched *client, const struct delivery *delivery, uint64_t now)
{
    if (delivery->length == 0 && !delivery->truncated) {
        lose(client, "spschedd hung up; connecting anew");
        return;
    }
    struct wire_message message = { .type = 0 };
    const char *breach = delivery->truncated
        ? "is longer than the protocol allows"
        : spsched_wire_decode(delivery->record, (size_t)delivery->length, &message);
    const char *unasked = keep_descriptor(client, delivery->descriptor, &message);
    if (!breach) breach = unasked;
    if (!breach) breach = hear(client, &message, now);
    if (!breach) {
        client->absent = false;
        return;
    }
    client->status.malformed++;
    lose(client, "spschedd sent a message (type 0x%04x) that %s; connecting anew", message.type, breach);
}

enum received { RECEIVED_MESSAGE, RECEIVED_NOTHING, RECEIVED_SIGNAL, RECEIVED_LOSS };

/* Receives and hears one record, as the leader. The lock is let go meanwhile. */
static enum received receive(struct spsched *client, int flags)
{
    struct slot *registering = slot_of_type(client, WIRE_REGISTER);
    bool takes_descriptor = registering && client->registration.want_device && client->device < 0;
    struct delivery delivery;
    int descriptor = client->descriptor;

    client->receiving = true;
    pthread_mutex_unlock(&client->lock);
    uint64_t until = flags & MSG_DONTWAIT || client->spin_ns == 0 ? 0 : add(boot_now(), client->spin_ns);
    do {
        receive_record(descriptor, flags | (until ? MSG_DONTWAIT : 0), takes_descriptor, &delivery);
        if (delivery.length >= 0 || delivery.error != EAGAIN || until == 0) break;
        if (boot_now() >= until) until = 0;
    } while (true);
    pthread_mutex_lock(&client->lock);
    client->receiving = false;

    if (client->lost) {
        if (delivery.length >= 0 && delivery.descriptor >= 0) client->stray = delivery.descriptor;
        wake_service(client);
        return RECEIVED_LOSS;
    }
    if (delivery.length < 0 && delivery.error == EAGAIN) return RECEIVED_NOTHING;
    if (delivery.length < 0 && delivery.error == EINTR) return RECEIVED_SIGNAL;
    if (delivery.length < 0)
        lose(client, "the connection to spschedd broke: %s; connecting anew", error_text(delivery.error));
    else
        hear_delivery(client, &delivery, boot_now());
    return client->lost ? RECEIVED_LOSS : RECEIVED_MESSAGE;
}

/* Wakes a waiting thread to receive, if none does. */
static void hand_over(struct spsched *client)
{
    if (client->receiving || client->lost || client->status.waiting == 0) return;
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++)
        if (slot->state == SLOT_WAITING && slot->asleep) {
            wake_slot(slot);
            return;
        }
}

/* Hears everything that has come, unless another thread is at it. */
static void drain(struct spsched *client)
{
    while (!client->lost && !client->receiving && receive(client, MSG_DONTWAIT) == RECEIVED_MESSAGE) { }
    hand_over(client); /* whoever began to wait meanwhile follows nobody now */
}

/* ---- Waiting ---- */

/* Asks the daemon to end a wait; the reply, or the end of patience, then does. */
static void begin_ending(struct spsched *client, struct slot *slot, enum spsched_result ending, uint64_t now)
{
    slot->ending = ending;
    if (client->lost || !slot->sent) {
        slot_finish(client, slot, ending);
        return;
    }
    slot->deadline = add(now, CANCEL_PATIENCE);
    transmit_cancel(client, slot->tag);
    wake_slot(slot);
}

/* Sleeps as a follower. Returns whether a signal ended it. */
static bool follow(struct spsched *client, struct slot *slot, uint64_t now)
{
    atomic_store(&slot->wake, 0);
    slot->asleep = true;
    uint64_t longest = slot->deadline - now;
    pthread_mutex_unlock(&client->lock);
    bool interrupted = futex_sleep(&slot->wake, 0, longest);
    pthread_mutex_lock(&client->lock);
    slot->asleep = false;
    return interrupted;
}

/* Waits, leading or following, until the slot is answered. */
static void wait_answered(struct spsched *client, struct slot *slot)
{
    bool interruptible = is_acquire(slot) && !(slot->request.flags & SPSCHED_UNINTERRUPTIBLE);
    while (slot->state == SLOT_WAITING) {
        uint64_t now = boot_now();
        if (now >= slot->deadline) {
            drain(client); /* a thread that was not run for long may find its reply waiting */
            if (slot->state == SLOT_WAITING && boot_now() >= slot->deadline) give_up(client, slot, boot_now());
            continue;
        }
        bool interrupted;
        if (!client->lost && !client->receiving)
            interrupted = receive(client, 0) == RECEIVED_SIGNAL;
        else
            interrupted = follow(client, slot, now);
        if (interrupted && interruptible && slot->state == SLOT_WAITING && slot->ending == SPSCHED_OK)
            begin_ending(client, slot, SPSCHED_INTERRUPTED, boot_now());
    }
}

/* Asks what the slot stands for, and waits for the answer. */
static void ask(struct spsched *client, struct slot *slot, uint64_t now)
{
    set_deadline(client, slot, now);
    if (client->absent || (session_is_unknown(client, slot) && !client->lost)) {
        /* What ends something is said even to a silent daemon. */
        if (slot->releases) transmit_release(client, &slot->release);
        if (slot->type == WIRE_LAUNCH_END || slot->type == WIRE_UNREGISTER) transmit_slot(client, slot, now);
        serve_alone(client, slot, now);
        return;
    }
    if (!client->lost) transmit_slot(client, slot, now);
    wait_answered(client, slot);
}

/* The slot's part is over. Whoever sleeps may have to lead now. */
static enum spsched_result slot_leave(struct spsched *client, struct slot *slot)
{
    enum spsched_result result = slot->result;
    slot->state = SLOT_FREE;
    hand_over(client);
    return result;
}

/* ---- Arguments ---- */

#define SIZE_THROUGH(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* Reads a caller's structure, which may be older (shorter) or newer (longer, the rest zero) than ours. */
static bool copy_in(void *ours, size_t size, const void *theirs, size_t least_size)
{
    if (!theirs) return false;
    size_t their_size;
    memcpy(&their_size, theirs, sizeof their_size);
    if (their_size < least_size || their_size > 4096) return false;
    for (size_t i = size; i < their_size; i++)
        if (((const uint8_t *)theirs)[i]) return false;
    memset(ours, 0, size);
    memcpy(ours, theirs, their_size < size ? their_size : size);
    return true;
}

/* Fills a caller's structure as far as it reaches. */
static bool copy_out(void *theirs, const void *ours, size_t size, size_t least_size)
{
    if (!theirs) return true;
    size_t their_size;
    memcpy(&their_size, theirs, sizeof their_size);
    if (their_size < least_size) return false;
    memset(theirs, 0, their_size < 4096 ? their_size : 4096);
    memcpy(theirs, ours, their_size < size ? their_size : size);
    memcpy(theirs, &their_size, sizeof their_size);
    return true;
}

static bool size_fits(const void *theirs, size_t least_size)
{
    size_t size = least_size;
    if (theirs) memcpy(&size, theirs, sizeof size);
    return size >= least_size && size <= 4096;
}

#define LEAST_REPLY SIZE_THROUGH(spsched_reply, text)
#define LEAST_REQUEST SIZE_THROUGH(spsched_request, reserved2)
#define LEAST_OUTCOME SIZE_THROUGH(spsched_outcome, units_done_valid)
#define LEAST_PLAN SIZE_THROUGH(spsched_launch_plan, reserved)
#define LEAST_LAUNCH SIZE_THROUGH(spsched_launch, reserved)
#define LEAST_REGISTRATION SIZE_THROUGH(spsched_registration, guest_wait_max_ns)
#define LEAST_ADMISSION SIZE_THROUGH(spsched_admission, reserved)
#define LEAST_OPTIONS SIZE_THROUGH(spsched_options, spin_ns)
#define LEAST_STATUS SIZE_THROUGH(spsched_status, malformed)

/* Copies a name as the wire has it: at most 63 bytes, not cut within a character, padded with zeros. */
static void copy_name(char out[64], const char *name)
{
    memset(out, 0, 64);
    size_t length = name ? strnlen(name, 63) : 0, used = 0;
    while (used < length) {
        size_t size = utf8_character((const uint8_t *)name + used, length - used);
        if (size == 0) break;
        used += size;
    }
    if (used) memcpy(out, name, used);
}

/* Takes the lock of a handle that this process may use. An absent daemon is listened for: it may have come back. (Here,
 * because the lock is let go meanwhile: no tag may be taken and not yet be sent.) */
static bool enter(struct spsched *client)
{
    if (atomic_load_explicit(client->alive, memory_order_relaxed) == 0) return false;
    pthread_mutex_lock(&client->lock);
    if (client->absent) drain(client);
    release_due(client);
    return true;
}

static enum spsched_result leave(struct spsched *client, enum spsched_result result)
{
    pthread_mutex_unlock(&client->lock);
    return result;
}

static enum spsched_result refuse(struct spsched *client, const char *sentence)
{
    note(client, "%s", sentence);
    return leave(client, SPSCHED_INVALID);
}

static enum spsched_result refuse_shape(struct spsched *client, const char *call, const char *what)
{
    note(client, "%s: no %s of a version that this library knows; is its size set?", call, what);
    return leave(client, SPSCHED_INVALID);
}

/* ---- Turns: the calls ---- */

static void fill_release(
    const struct spsched_grant *grant, const struct spsched_outcome *outcome, struct wire_release *release)
{
    uint32_t done = outcome->error ? 0 : grant->units;
    *release = (struct wire_release) {
        .turn = grant->turn,
        .error = outcome->error,
        .firmware_code = outcome->firmware_code,
        .measured_ns = outcome->measured_ns,
        .units_done = outcome->units_done_valid ? outcome->units_done : done,
    };
}

static bool outcome_in(struct spsched_outcome *ours, const struct spsched_outcome *theirs)
{
    *ours = (struct spsched_outcome) { .size = sizeof *ours };
    return !theirs || copy_in(ours, sizeof *ours, theirs, LEAST_OUTCOME);
}

/* The lock is held, and let go. `release` is NULL, or what the request releases first. */
static enum spsched_result acquire(struct spsched *client, const struct spsched_request *request,
    const struct wire_release *release, struct spsched_reply *reply)
{
    uint64_t now = boot_now();
    if (is_guest(request->kind)) release_kept(client);
    struct slot *slot = slot_take(client, release ? WIRE_RELEASE_AND_ACQUIRE : WIRE_ACQUIRE, now);
    if (!slot) {
        if (release) transmit_release(client, release);
        struct spsched_reply full = { .size = sizeof full, .error_code = ERROR_TOO_MANY_REQUESTS };
        memcpy(full.text, client->last_error, sizeof full.text);
        copy_out(reply, &full, sizeof full, LEAST_REPLY);
        return leave(client, SPSCHED_ERROR);
    }
    slot->request = *request;
    if (release) {
        slot->releases = true;
        slot->release = *release;
    }
    ask(client, slot, now);
    copy_out(reply, &slot->reply, sizeof slot->reply, LEAST_REPLY);
    return leave(client, slot_leave(client, slot));
}

enum spsched_result spsched_acquire(
    struct spsched *client, const struct spsched_request *request, struct spsched_reply *reply)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_request ours;
    if (!copy_in(&ours, sizeof ours, request, LEAST_REQUEST))
        return refuse_shape(client, "acquire", "request");
    if (!reply || !size_fits(reply, LEAST_REPLY))
        return refuse_shape(client, "acquire", "reply");
    if (!client->wanted)
        return refuse(client, "acquire: register the VM first");
    return acquire(client, &ours, NULL, reply);
}

enum spsched_result spsched_release(
    struct spsched *client, const struct spsched_grant *grant, const struct spsched_outcome *outcome)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_outcome ours;
    if (!grant || !outcome_in(&ours, outcome))
        return refuse_shape(client, "release", "grant or outcome");
    struct wire_release release;
    fill_release(grant, &ours, &release);
    if (turn_drop(client, grant->turn)) transmit_release(client, &release);
    return leave(client, SPSCHED_OK);
}

enum spsched_result spsched_release_after(struct spsched *client, const struct spsched_grant *grant,
    const struct spsched_outcome *outcome, uint64_t delay_ns)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_outcome ours;
    if (!grant || !outcome_in(&ours, outcome))
        return refuse_shape(client, "release_after", "grant or outcome");
    struct turn *turn = turn_find(client, grant->turn);
    if (!turn) return leave(client, SPSCHED_OK);
    fill_release(grant, &ours, &turn->release);
    uint64_t margin = least(LEASE_MARGIN, grant->lease_ns / 2);
    uint64_t last = add(grant->granted_at_ns, grant->lease_ns - margin);
    turn->release_at = most(least(add(boot_now(), delay_ns), last), 1);
    client->release_next = least(client->release_next, turn->release_at);
    wake_service(client);
    return leave(client, SPSCHED_OK);
}

enum spsched_result spsched_release_and_acquire(struct spsched *client, const struct spsched_grant *grant,
    const struct spsched_outcome *outcome, const struct spsched_request *request, struct spsched_reply *reply)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_request ours;
    struct spsched_outcome went;
    if (!grant || !outcome_in(&went, outcome))
        return refuse_shape(client, "release_and_acquire", "grant or outcome");
    if (!copy_in(&ours, sizeof ours, request, LEAST_REQUEST))
        return refuse_shape(client, "release_and_acquire", "request");
    if (!reply || !size_fits(reply, LEAST_REPLY))
        return refuse_shape(client, "release_and_acquire", "reply");
    struct wire_release release;
    fill_release(grant, &went, &release);
    return acquire(client, &ours, turn_drop(client, grant->turn) ? &release : NULL, reply);
}

unsigned spsched_cancel(struct spsched *client, uint64_t cancel_id)
{
    if (!enter(client)) return 0;
    unsigned ended = 0;
    uint64_t now = boot_now();
    for (struct slot *slot = client->slots; slot < client->slots + SPSCHED_REQUESTS_MAX; slot++) {
        bool meant = cancel_id == 0 || slot->request.cancel_id == cancel_id;
        if (slot->state != SLOT_WAITING || !is_acquire(slot) || slot->ending != SPSCHED_OK || !meant) continue;
        begin_ending(client, slot, SPSCHED_CANCELLED, now);
        ended++;
    }
    leave(client, SPSCHED_OK);
    return ended;
}

int spsched_grant_is_stale(struct spsched *client, const struct spsched_grant *grant)
{
    if (!grant || !enter(client)) return 1;
    bool stale = false;
    if (!(grant->flags & SPSCHED_UNARBITRATED)) {
        const struct turn *turn = turn_find(client, grant->turn);
        stale = !turn || turn->revoked || client->lost || turn->connection != client->connection
            || boot_now() > add(grant->granted_at_ns, grant->start_within_ns);
    }
    leave(client, SPSCHED_OK);
    return stale;
}

/* ---- The VM and its launches: the calls ---- */

enum spsched_result spsched_register(struct spsched *client, const struct spsched_registration *registration,
    struct spsched_admission *admission, struct spsched_reply *reply)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_registration ours;
    if (!copy_in(&ours, sizeof ours, registration, LEAST_REGISTRATION))
        return refuse_shape(client, "register", "registration");
    if (!size_fits(admission, LEAST_ADMISSION) || !size_fits(reply, LEAST_REPLY))
        return refuse_shape(client, "register", "admission or reply");
    if (ours.retry_policy > SPSCHED_RETRY_NEVER)
        return refuse(client, "register: retry_policy is linux (0), once (1) or never (2)");
    if (ours.failure_mode > SPSCHED_FAIL_CLOSED)
        return refuse(client, "register: failure_mode is open (0) or closed (1)");
    if (client->wanted)
        return refuse(client, "register: this handle has a registration; unregister it first");
    uint64_t now = boot_now();
    struct slot *slot = slot_take(client, WIRE_REGISTER, now);
    if (!slot) return leave(client, SPSCHED_INVALID);

    client->registration = ours;
    client->registration.name = NULL;
    copy_name(client->vm_name, ours.name);
    client->wanted = true;
    ask(client, slot, now);
    if (slot->result == SPSCHED_ERROR) client->wanted = false;
    struct spsched_admission granted = client->admission;
    granted.device_received = client->device >= 0;
    copy_out(admission, &granted, sizeof granted, LEAST_ADMISSION);
    copy_out(reply, &slot->reply, sizeof slot->reply, LEAST_REPLY);
    return leave(client, slot_leave(client, slot));
}

int spsched_take_device(struct spsched *client)
{
    if (!enter(client)) return -1;
    int device = client->device;
    client->device = -1;
    if (device >= 0) client->registration.want_device = 0;
    leave(client, SPSCHED_OK);
    return device;
}

enum spsched_result spsched_launch_begin(struct spsched *client, const struct spsched_launch_plan *plan,
    struct spsched_launch *launch, struct spsched_reply *reply)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_launch_plan ours;
    if (!copy_in(&ours, sizeof ours, plan, LEAST_PLAN))
        return refuse_shape(client, "launch_begin", "plan");
    if (!size_fits(launch, LEAST_LAUNCH) || !size_fits(reply, LEAST_REPLY))
        return refuse_shape(client, "launch_begin", "launch or reply");
    if (!client->wanted)
        return refuse(client, "launch_begin: register the VM first");
    if (client->session.open || slot_of_type(client, WIRE_LAUNCH_BEGIN))
        return refuse(client, "launch_begin: this VM has a launch session; end it first");
    uint64_t now = boot_now();
    struct slot *slot = slot_take(client, WIRE_LAUNCH_BEGIN, now);
    if (!slot) return leave(client, SPSCHED_INVALID);

    slot->plan = ours;
    ask(client, slot, now);
    struct spsched_launch begun = {
        .size = sizeof begun, .session = client->session.number, .chunk_pages = client->session.chunk_pages
    };
    if (slot->result == SPSCHED_OK) copy_out(launch, &begun, sizeof begun, LEAST_LAUNCH);
    copy_out(reply, &slot->reply, sizeof slot->reply, LEAST_REPLY);
    return leave(client, slot_leave(client, slot));
}

enum spsched_result spsched_launch_end(struct spsched *client, enum spsched_launch_outcome outcome)
{
    if (!enter(client)) return SPSCHED_FORKED;
    if (!client->session.open)
        return refuse(client, "launch_end: no launch session is open");
    enum spsched_result result = SPSCHED_ABSENT;
    uint64_t now = boot_now();
    struct slot *slot = client->session.number ? slot_take(client, WIRE_LAUNCH_END, now) : NULL;
    if (slot) {
        slot->launch_outcome = outcome == SPSCHED_LAUNCH_RUNNING ? SPSCHED_LAUNCH_RUNNING : SPSCHED_LAUNCH_FAILED;
        ask(client, slot, now);
        result = slot_leave(client, slot);
    }
    client->session = (struct session) { .open = false };
    return leave(client, result);
}

enum spsched_result spsched_unregister(struct spsched *client)
{
    if (!enter(client)) return SPSCHED_FORKED;
    if (!client->wanted)
        return refuse(client, "unregister: this handle has no registration");
    enum spsched_result result = SPSCHED_ABSENT;
    uint64_t now = boot_now();
    struct slot *slot = client->status.registered ? slot_take(client, WIRE_UNREGISTER, now) : NULL;
    if (slot) {
        ask(client, slot, now);
        result = slot_leave(client, slot);
    }
    client->wanted = false;
    client->status.registered = 0;
    memset(client->token, 0, sizeof client->token);
    memset(client->turns, 0, sizeof client->turns);
    client->release_next = UINT64_MAX;
    client->session = (struct session) { .open = false };
    client->admission = (struct spsched_admission) { .size = sizeof client->admission };
    return leave(client, result);
}

/* ---- Connecting ---- */

/* What a new connection begins with: hello and, on a reconnect, the registration and the launch session again. One
 * thread makes it without the lock, from a copy of what it needs. */
struct introduction {
    int descriptor;
    uint64_t deadline;
    bool registers;
    struct wire_register registration;
    bool relaunches;
    struct wire_launch_begin launch;
    uint64_t session_before;

    /* What came of it. */
    struct wire_welcome welcome;
    struct wire_registered registered;
    bool refused; /* the registration: with error_code and text */
    uint16_t error_code;
    struct wire_launch_begun launch_begun; /* session 0: not known to the daemon */
    uint8_t draining;
    int device;
    char text[SPSCHED_TEXT_MAX]; /* what went wrong */
};

__attribute__((format(printf, 2, 3))) static int introduction_fails(struct introduction *intro, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(intro->text, sizeof intro->text, format, arguments);
    va_end(arguments);
    return -1;
}

static void close_if_open(int *descriptor)
{
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

/* Makes a descriptor ready for use: ours alone, blocking, but never for longer than a tick. */
static int adopt(struct introduction *intro, int descriptor)
{
    int type = 0, domain = 0, off = 0;
    socklen_t length = sizeof type;
    intro->descriptor = descriptor;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) < 0
        || getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0)
        return introduction_fails(intro, "the descriptor for spschedd is no socket: %s", error_text(errno));
    if (type != SOCK_SEQPACKET || domain != AF_UNIX)
        return introduction_fails(intro, "the descriptor for spschedd is not a local socket of type SOCK_SEQPACKET");
    struct timeval tick = { .tv_usec = RECEIVE_TICK / 1000 };
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) < 0
        || setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &off, sizeof off) < 0)
        return introduction_fails(intro, "the socket for spschedd cannot be set up: %s", error_text(errno));
    return 0;
}

static int connect_path(const char *path, struct introduction *intro)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return introduction_fails(intro, "no socket for spschedd: %s", error_text(errno));
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return adopt(intro, descriptor);
    int error = errno;
    close(descriptor);
    if (error == EAGAIN)
        return introduction_fails(intro, "spschedd at %.100s accepts no connection: its queue is full", path);
    if (error == ENOENT || error == ECONNREFUSED)
        return introduction_fails(intro, "spschedd is not running: nobody listens at %.100s", path);
    return introduction_fails(intro, "cannot connect to spschedd at %.100s: %s", path, error_text(error));
}

static int connect_anew(const struct spsched *client, struct introduction *intro)
{
    if (client->supply) {
        int descriptor = client->supply(client->supply_context);
        if (descriptor >= 0) return adopt(intro, descriptor);
        return introduction_fails(intro, "the embedder has no connection to spschedd: %s", error_text(-descriptor));
    }
    if (client->has_path) return connect_path(client->path, intro);
    return introduction_fails(intro, "the connection to spschedd is lost, and there is no path to make another");
}

static int introduction_send(struct introduction *intro, const struct wire_message *message)
{
    uint8_t record[WIRE_MESSAGE_MAX];
    struct iovec part = { .iov_base = record, .iov_len = spsched_wire_encode(message, record) };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (sendmsg(intro->descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    /* Whoever was turned away at once may have been told why: receiving shows. */
    if (errno == EPIPE) return 0;
    return introduction_fails(intro, "the connection to spschedd broke: %s", error_text(errno));
}

/* The daemon was restarted before it answered `asked`: tells it so, and asks again. */
static void introduction_resyncs(struct introduction *intro, const struct wire_message *asked, uint64_t epoch)
{
    struct wire_message message = { .type = WIRE_RESYNC_STATE };
    message.body.resync_state = (struct wire_resync_state) { .epoch = epoch, .count = 1, .tags = { asked->tag } };
    intro->welcome.epoch = epoch;
    if (introduction_send(intro, &message) == 0) introduction_send(intro, asked);
}

/* Takes what the daemon says unasked. Returns whether it was that. */
static bool introduction_hears(
    struct introduction *intro, const struct wire_message *asked, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_DEVICE_STATE: intro->welcome.device_state = message->body.device_state.state; return true;
    case WIRE_DRAINING: intro->draining = message->body.draining; return true;
    case WIRE_REVOKED: return true;
    case WIRE_RESYNC: introduction_resyncs(intro, asked, message->body.resync_epoch); return true;
    default: return false;
    }
}

/* One record that answers `asked`: 0, or -1 with a sentence. */
static int introduction_receive(struct spsched *client, struct introduction *intro, const struct wire_message *asked,
    struct delivery *delivery, struct wire_message *message)
{
    while (boot_now() < intro->deadline && !atomic_load(&client->closing)) {
        receive_record(intro->descriptor, 0, intro->device < 0, delivery);
        if (delivery->length < 0 && (delivery->error == EAGAIN || delivery->error == EINTR)) continue;
        if (delivery->length < 0)
            return introduction_fails(intro, "the connection to spschedd broke: %s", error_text(delivery->error));
        bool attached = delivery->descriptor >= 0;
        if (attached) intro->device = delivery->descriptor;
        if (delivery->length == 0 && !delivery->truncated)
            return introduction_fails(intro, "spschedd hung up before it answered");
        const char *breach = delivery->truncated
            ? "is longer than the protocol allows"
            : spsched_wire_decode(delivery->record, (size_t)delivery->length, message);
        if (!breach && attached && !(message->type == WIRE_REGISTERED && intro->registration.want_descriptor))
            breach = "brings a descriptor that was not asked for";
        if (!breach && introduction_hears(intro, asked, message)) continue;
        if (!breach && message->tag == asked->tag) return 0;
        if (!breach && message->tag == 0 && message->type == WIRE_ERROR) return 0;
        if (!breach) breach = "answers a tag that was never used";
        return introduction_fails(intro, "spschedd sent a message that %s", breach);
    }
    return introduction_fails(intro, "spschedd accepted the connection but does not answer");
}

/* Sends `message` and receives the answer: its type, or -1 with a sentence. */
static int introduction_ask(struct spsched *client, struct introduction *intro, const struct wire_message *message,
    uint16_t wanted, struct wire_message *reply)
{
    struct delivery delivery;
    if (introduction_send(intro, message) < 0) return -1;
    if (introduction_receive(client, intro, message, &delivery, reply) < 0) return -1;
    if (reply->type == WIRE_ERROR) {
        intro->error_code = reply->body.error.code;
        copy_text(intro->text, reply->body.error.text);
    } else if (reply->type != wanted && !(wanted == WIRE_LAUNCH_BEGUN && reply->type == WIRE_BUSY)) {
        return introduction_fails(intro, "spschedd sent a message that answers a request with what is no answer");
    }
    return reply->type;
}

static int say_hello(struct spsched *client, struct introduction *intro)
{
    struct wire_message reply, hello = { .type = WIRE_HELLO, .tag = TAG_HELLO };
    hello.body.hello = (struct wire_hello) {
        .version_min = WIRE_VERSION, .version_max = WIRE_VERSION, .features = FEATURES
    };
    memcpy(hello.body.hello.name, client->client_name, sizeof client->client_name);
    uint8_t device_state = intro->welcome.device_state;
    int type = introduction_ask(client, intro, &hello, WIRE_WELCOME, &reply);
    if (type != WIRE_WELCOME) return -1;
    if (device_state != intro->welcome.device_state) reply.body.welcome.device_state = intro->welcome.device_state;
    intro->welcome = reply.body.welcome;
    if (intro->welcome.version != WIRE_VERSION)
        return introduction_fails(intro, "spschedd speaks version %u of the VMM protocol, this library version %u",
            intro->welcome.version, WIRE_VERSION);
    if (intro->welcome.max_message < LONGEST_MESSAGE)
        return introduction_fails(intro, "spschedd takes messages of %u bytes at most; ours have up to %u",
            intro->welcome.max_message, LONGEST_MESSAGE);
    return 0;
}

static int register_again(struct spsched *client, struct introduction *intro)
{
    struct wire_message reply, message = { .type = WIRE_REGISTER, .tag = TAG_REGISTER };
    message.body.registration = intro->registration;
    int type = introduction_ask(client, intro, &message, WIRE_REGISTERED, &reply);
    if (type < 0) return -1;
    intro->refused = type == WIRE_ERROR;
    if (!intro->refused) intro->registered = reply.body.registered;
    return 0;
}

/* A launch goes on in a new session, unless the daemon still knows the old one. */
static int relaunch(struct spsched *client, struct introduction *intro)
{
    struct wire_message reply, message = { .type = WIRE_LAUNCH_BEGIN, .tag = TAG_LAUNCH_BEGIN };
    message.body.launch_begin = intro->launch;
    int type = introduction_ask(client, intro, &message, WIRE_LAUNCH_BEGUN, &reply);
    if (type < 0) return -1;
    if (type == WIRE_LAUNCH_BEGUN)
        intro->launch_begun = reply.body.launch_begun;
    else if (type == WIRE_ERROR && intro->error_code == ERROR_SESSION_ALREADY_OPEN)
        intro->launch_begun.session = intro->session_before;
    return 0;
}

static int introduce(struct spsched *client, struct introduction *intro)
{
    intro->deadline = add(boot_now(), SILENCE_LAUNCH);
    if (say_hello(client, intro) < 0) return -1;
    if (intro->registers && register_again(client, intro) < 0) return -1;
    if (intro->relaunches && !intro->refused) return relaunch(client, intro);
    return 0;
}

/* ---- Reconnecting ---- */

/* Takes the lost connection out of use. Nobody else closes a descriptor, so none is closed under a receiver. */
static void retire(struct spsched *client)
{
    if (client->descriptor >= 0) shutdown(client->descriptor, SHUT_RDWR);
    while (client->receiving) service_sleep(client, RECEIVE_TICK);
    close_if_open(&client->descriptor);
    close_if_open(&client->stray);
}

static void prepare(struct spsched *client, struct introduction *intro)
{
    *intro = (struct introduction) { .descriptor = -1, .device = -1, .registers = client->wanted };
    if (client->wanted) fill_register(client, &intro->registration);
    intro->relaunches = client->wanted && client->session.open;
    intro->session_before = client->session.number;
    fill_launch_begin(&client->session.plan, &intro->launch);
}

/* The registration was made again, or the one that a caller waits for was made. */
static void install_registration(struct spsched *client, struct introduction *intro)
{
    struct slot *caller = slot_of_type(client, WIRE_REGISTER);
    if (intro->refused) {
        struct wire_error error = { .code = intro->error_code,
            .text = { .bytes = (const uint8_t *)intro->text, .length = (uint16_t)strlen(intro->text) } };
        if (caller) answer_error(client, caller, &error, boot_now());
        return;
    }
    if (intro->registered.resumed) client->status.resumed++;
    /* A proxy's turn outlives its connection, as long as the daemon that granted it. */
    for (struct turn *turn = client->turns; turn < client->turns + TURNS_MAX; turn++)
        if (turn->proxy && intro->registered.resumed) turn->connection = client->connection;
    accept_admission(client, &intro->registered);
    if (intro->device >= 0 && client->device < 0) {
        client->device = intro->device;
        intro->device = -1;
    }
    if (caller) slot_finish(client, caller, SPSCHED_OK);
}

static void install_session(struct spsched *client, const struct introduction *intro)
{
    if (client->session.open) {
        client->session.number = intro->launch_begun.session;
        if (intro->launch_begun.chunk_pages) client->session.chunk_pages = intro->launch_begun.chunk_pages;
    } else if (intro->launch_begun.session) {
        /* The caller ended it meanwhile. */
        struct wire_message late = { .type = WIRE_LAUNCH_BEGUN, .body.launch_begun = intro->launch_begun };
        answer_late(client, &late);
    }
}

static void install(struct spsched *client, struct introduction *intro)
{
    client->descriptor = intro->descriptor;
    intro->descriptor = -1;
    client->connection++;
    client->lost = client->absent = false;
    client->features = intro->welcome.features & FEATURES;
    client->status.device_state = intro->welcome.device_state;
    client->status.draining = intro->draining;
    client->status.epoch = intro->welcome.epoch;
    if (intro->registers) install_registration(client, intro);
    if (intro->relaunches) install_session(client, intro);
    ask_again(client, boot_now());
    hand_over(client);
}

/* Tries once to replace a lost connection. The lock is held, but let go meanwhile. */
static bool reconnect(struct spsched *client)
{
    if (client->connecting) return false;
    client->connecting = true;
    retire(client);
    struct introduction intro;
    prepare(client, &intro);
    pthread_mutex_unlock(&client->lock);
    bool ready = connect_anew(client, &intro) == 0 && introduce(client, &intro) == 0;
    pthread_mutex_lock(&client->lock);
    client->connecting = false;
    /* Refused with nobody to tell it to: the VM is not registered, so this connection serves nobody. */
    if (ready && intro.refused && !slot_of_type(client, WIRE_REGISTER)) ready = false;
    if (ready && intro.registers != client->wanted) ready = false;
    if (ready) {
        install(client, &intro);
        client->status.reconnects++;
    } else if (intro.text[0]) {
        memcpy(client->last_error, intro.text, sizeof client->last_error);
    }
    close_if_open(&intro.descriptor);
    close_if_open(&intro.device);
    return ready;
}

/* How long the library's thread may rest: until the next release is due, but no longer than `longest`. */
static uint64_t rest(const struct spsched *client, uint64_t longest)
{
    if (client->release_next == UINT64_MAX) return longest;
    uint64_t now = boot_now();
    return client->release_next > now ? least(longest, client->release_next - now) : 0;
}

/* Sleeps in poll until the daemon speaks while no caller listens: a restarted daemon asks for our state. */
static void listen_idle(struct spsched *client)
{
    struct pollfd watched[2] = {
        { .fd = client->descriptor, .events = POLLIN }, { .fd = client->alarm[0], .events = POLLIN }
    };
    uint64_t longest = rest(client, LISTEN_TICK);
    client->polling = true;
    pthread_mutex_unlock(&client->lock);
    poll(watched, 2, (int)((longest + MILLISECOND - 1) / MILLISECOND));
    char bytes[16];
    while (watched[1].revents && recv(client->alarm[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) { }
    pthread_mutex_lock(&client->lock);
    client->polling = false;
    if (client->status.waiting == 0 && !atomic_load(&client->closing)) drain(client);
}

static void *serve(void *argument)
{
    struct spsched *client = argument;
    uint64_t pause = BACKOFF_MIN;
    pthread_mutex_lock(&client->lock);
    while (!atomic_load(&client->closing)) {
        release_due(client);
        if (client->lost && !can_reconnect(client)) break;
        if (client->lost) {
            if (reconnect(client)) {
                pause = BACKOFF_MIN;
            } else if (!atomic_load(&client->closing)) {
                /* Half of the pause differs from client to client, so that they do not all come at once. */
                service_sleep(client, pause / 2 + boot_now() % (pause / 2));
                pause = least(pause * 2, BACKOFF_MAX);
            }
        } else if (client->receiving || client->status.waiting > 0) {
            service_sleep(client, rest(client, SERVICE_PAUSE));
        } else {
            listen_idle(client);
        }
    }
    pthread_mutex_unlock(&client->lock);
    return NULL;
}

enum spsched_result spsched_reconnect(struct spsched *client)
{
    if (!enter(client)) return SPSCHED_FORKED;
    if (client->has_service) {
        wake_service(client);
    } else {
        drain(client);
        if (client->lost) reconnect(client);
    }
    return leave(client, client->lost ? SPSCHED_ABSENT : SPSCHED_OK);
}

/* ---- Opening and closing ---- */

static enum spsched_result opening_fails(char *text, size_t text_size, const char *sentence, enum spsched_result result)
{
    if (text && text_size) snprintf(text, text_size, "%s", sentence);
    return result;
}

/* A page that reads zero in child processes; NULL if there is none (a kernel before 4.14). */
static _Atomic uint32_t *make_alive_page(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return NULL;
    if (madvise(page, size, MADV_WIPEONFORK) == 0) return page;
    munmap(page, size);
    return NULL;
}

static struct spsched *make_handle(const struct spsched_options *options)
{
    struct spsched *client = calloc(1, sizeof *client);
    _Atomic uint32_t *alive = client ? make_alive_page() : NULL;
    if (!alive) {
        free(client);
        return NULL;
    }
    atomic_store(alive, 1);
    client->alive = alive;
    pthread_mutex_init(&client->lock, NULL);
    client->descriptor = client->stray = client->device = client->alarm[0] = client->alarm[1] = -1;
    client->release_next = UINT64_MAX;
    client->lost = client->absent = true;
    client->next_tag = TAG_FIRST;
    client->supply = options->supply;
    client->supply_context = options->supply_context;
    client->spin_ns = least(options->spin_ns, SPIN_MAX);
    copy_name(client->client_name, options->client_name);
    const char *path = options->path ? options->path : options->descriptor < 0 ? SPSCHED_DEFAULT_PATH : NULL;
    if (path && !options->supply) {
        client->has_path = true;
        memcpy(client->path, path, strlen(path) + 1);
    }
    return client;
}

static void free_handle(struct spsched *client)
{
    close_if_open(&client->descriptor);
    close_if_open(&client->stray);
    close_if_open(&client->device);
    close_if_open(&client->alarm[0]);
    close_if_open(&client->alarm[1]);
    munmap((void *)(uintptr_t)client->alive, (size_t)sysconf(_SC_PAGESIZE));
    free(client);
}

/* The library's thread takes no signals: they are the embedder's. */
static bool start_service(struct spsched *client)
{
    sigset_t all, before;
    sigfillset(&all);
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, client->alarm) < 0) return false;
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
    client->has_service = pthread_create(&client->service, NULL, serve, client) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return client->has_service;
}

static enum spsched_result open_connection(
    struct spsched *client, const struct spsched_options *options, char *text, size_t text_size)
{
    struct introduction intro;
    prepare(client, &intro);
    bool given = options->descriptor >= 0 && !options->supply;
    bool connected = (given ? adopt(&intro, options->descriptor) : connect_anew(client, &intro)) == 0;
    bool ready = connected && introduce(client, &intro) == 0;
    pthread_mutex_lock(&client->lock);
    if (ready)
        install(client, &intro);
    else
        memcpy(client->last_error, intro.text, sizeof client->last_error);
    pthread_mutex_unlock(&client->lock);
    close_if_open(&intro.descriptor);
    close_if_open(&intro.device);
    if (ready) return SPSCHED_OK;
    opening_fails(text, text_size, intro.text, SPSCHED_ABSENT);
    if (intro.error_code || (intro.welcome.version && intro.welcome.version != WIRE_VERSION)) return SPSCHED_ERROR;
    return options->flags & SPSCHED_OPEN_WHILE_ABSENT ? SPSCHED_OK : SPSCHED_ABSENT;
}

static enum spsched_result opening_invalid(
    const struct spsched_options *options, char *text, size_t text_size, const char *sentence)
{
    if (options->descriptor >= 0 && !options->supply) close(options->descriptor);
    return opening_fails(text, text_size, sentence, SPSCHED_INVALID);
}

enum spsched_result spsched_open(
    const struct spsched_options *options, struct spsched **client, char *text, size_t text_size)
{
    struct spsched_options ours;
    spsched_options_init(&ours, sizeof ours);
    if (options && !copy_in(&ours, sizeof ours, options, LEAST_OPTIONS))
        return opening_invalid(&ours, text, text_size, "open: options need spsched_options_init, or a newer library");
    if (!client) return opening_invalid(&ours, text, text_size, "open: nowhere to put the handle");
    *client = NULL;
    if (ours.path && strlen(ours.path) >= sizeof (*client)->path)
        return opening_invalid(&ours, text, text_size, "open: the path is longer than a socket's may be (107 bytes)");
    struct spsched *handle = make_handle(&ours);
    if (!handle)
        return opening_invalid(&ours, text, text_size, "open: no memory, or a kernel without MADV_WIPEONFORK (4.14)");
    if (text && text_size) text[0] = '\0';
    enum spsched_result result = open_connection(handle, &ours, text, text_size);
    bool serves = !(ours.flags & SPSCHED_NO_RECONNECT_THREAD) && (can_reconnect(handle) || !handle->lost);
    if (result == SPSCHED_OK && serves && !start_service(handle))
        result = opening_fails(text, text_size, "open: no thread for reconnecting could be created", SPSCHED_ABSENT);
    if (result != SPSCHED_OK) {
        free_handle(handle);
        return result;
    }
    *client = handle;
    return SPSCHED_OK;
}

void spsched_close(struct spsched *client)
{
    if (!client) return;
    if (enter(client)) {
        atomic_store(&client->closing, true);
        if (client->descriptor >= 0) shutdown(client->descriptor, SHUT_RDWR);
        wake_service(client);
        leave(client, SPSCHED_OK);
        if (client->has_service) pthread_join(client->service, NULL);
        pthread_mutex_destroy(&client->lock);
    }
    free_handle(client);
}

/* ---- Views and defaults ---- */

enum spsched_result spsched_status(struct spsched *client, struct spsched_status *status)
{
    if (!enter(client)) return SPSCHED_FORKED;
    struct spsched_status now = client->status;
    now.connected = !client->lost;
    now.absent = client->absent;
    now.failure_mode = client->registration.failure_mode;
    if (!status || !copy_out(status, &now, sizeof now, LEAST_STATUS))
        return refuse_shape(client, "status", "status");
    return leave(client, SPSCHED_OK);
}

size_t spsched_last_error(struct spsched *client, char *text, size_t text_size)
{
    static const char forked[] = "this process is a child of the one that opened the handle";
    if (!enter(client)) {
        if (text && text_size) snprintf(text, text_size, "%s", forked);
        return sizeof forked - 1;
    }
    size_t length = strlen(client->last_error);
    if (text && text_size) snprintf(text, text_size, "%s", client->last_error);
    leave(client, SPSCHED_OK);
    return length;
}

const char *spsched_version(void) { return VERSION; }

const char *spsched_result_name(enum spsched_result result)
{
    switch (result) {
    case SPSCHED_OK: return "ok";
    case SPSCHED_BUSY: return "busy";
    case SPSCHED_ERROR: return "error";
    case SPSCHED_ABSENT: return "absent";
    case SPSCHED_CANCELLED: return "cancelled";
    case SPSCHED_INTERRUPTED: return "interrupted";
    case SPSCHED_INVALID: return "invalid";
    case SPSCHED_FORKED: return "forked";
    }
    return "unknown";
}

void spsched_options_init(struct spsched_options *options, size_t size)
{
    struct spsched_options ours = { .size = sizeof ours, .descriptor = -1 };
    options->size = size;
    copy_out(options, &ours, sizeof ours, 0);
}

void spsched_registration_init(struct spsched_registration *registration, size_t size)
{
    struct spsched_registration ours = {
        .size = sizeof ours, .reservation_wanted_mhz = 1000, .weight = 100, .burst = 3
    };
    registration->size = size;
    copy_out(registration, &ours, sizeof ours, 0);
}
