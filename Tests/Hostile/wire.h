/*
 * The few messages of the VMM protocol that the hostile clients, their victims and the VMs of the soak send and read
 * (docs/protocol.md), written by hand: a hostile client must be able to send what a decent library would not.
 */
#ifndef HOSTILE_WIRE_H
#define HOSTILE_WIRE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum message {
    HELLO = 0x0001,
    REGISTER = 0x0002,
    LAUNCH_BEGIN = 0x0003,
    ACQUIRE = 0x0004,
    RELEASE = 0x0005,
    RELEASE_AND_ACQUIRE = 0x0006,
    CANCEL = 0x0007,
    LAUNCH_END = 0x0008,
    UNREGISTER = 0x0009,
    RESYNC_STATE = 0x000A,
    WELCOME = 0x8001,
    REGISTERED = 0x8002,
    LAUNCH_BEGUN = 0x8003,
    QUEUED = 0x8004,
    GRANTED = 0x8005,
    BUSY = 0x8006,
    ERROR = 0x8007,
    DONE = 0x8008,
    REVOKED = 0x8009,
};

enum kind { LAUNCH_START = 0x0100, LAUNCH_UPDATE = 0x0101, LAUNCH_FINISH = 0x0102, REPORT = 0x0200 };

/* The longest message that either side sends. */
#define MESSAGE_MAX 1024
#define HEADER 16

/* A message being written, or one that was read. */
struct record {
    size_t length;
    uint8_t bytes[MESSAGE_MAX];
};

static inline uint64_t get(const struct record *record, size_t at, size_t size) {
    uint64_t value = 0;
    for (size_t index = 0; index < size && at + index < record->length; index++)
        value |= (uint64_t)record->bytes[at + index] << (8 * index);
    return value;
}

static inline void put(struct record *record, size_t at, uint64_t value, size_t size) {
    for (size_t index = 0; index < size; index++)
        record->bytes[at + index] = (uint8_t)(value >> (8 * index));
}

static inline uint16_t type_of(const struct record *record) { return (uint16_t)get(record, 0, 2); }
static inline uint64_t tag_of(const struct record *record) { return get(record, 8, 8); }

/* A text of at most 63 bytes, padded with zeros that `begin` has written. */
static inline void put_text(struct record *record, size_t at, const char *text) {
    size_t length = strlen(text);
    memcpy(record->bytes + at, text, length < 64 ? length : 63);
}

static inline void begin(struct record *record, enum message type, uint16_t size, uint64_t tag) {
    memset(record->bytes, 0, size);
    record->length = size;
    put(record, 0, (uint64_t)type, 2);
    put(record, 2, size, 2);
    put(record, 8, tag, 8);
}

static inline void write_hello(struct record *record, uint64_t tag, const char *client) {
    begin(record, HELLO, 96, tag);
    put(record, 16, 1, 2);
    put(record, 18, 1, 2);
    put(record, 24, 0x2, 8); /* RELEASE_AND_ACQUIRE */
    put_text(record, 32, client);
}

struct wishes {
    const char *name;
    /* NULL: a new VM. */
    const uint8_t *token;
    /* In millihertz: what is wanted; 0 is accepted. */
    uint32_t reservation, limit;
    uint32_t burst;
};

static inline void write_register(struct record *record, uint64_t tag, const struct wishes *wishes) {
    begin(record, REGISTER, 144, tag);
    put_text(record, 32, wishes->name);
    if (wishes->token)
        memcpy(record->bytes + 96, wishes->token, 16);
    put(record, 112, wishes->reservation, 4);
    put(record, 120, wishes->limit, 4);
    put(record, 124, 100, 4);
    put(record, 128, wishes->burst, 4);
}

static inline void write_acquire(struct record *record, uint64_t tag, enum kind kind, uint32_t units) {
    begin(record, ACQUIRE, 32, tag);
    put(record, 16, (uint64_t)kind, 2);
    put(record, 20, units, 4);
}

static inline void write_release(
    struct record *record, uint64_t tag, uint64_t turn, int32_t error, uint32_t firmware_code, uint32_t units
) {
    begin(record, RELEASE, 48, tag);
    put(record, 16, turn, 8);
    put(record, 24, (uint32_t)error, 4);
    put(record, 28, firmware_code, 4);
    put(record, 40, units, 4);
}

static inline void write_release_and_acquire(
    struct record *record, uint64_t tag, uint64_t turn, uint32_t units_done, enum kind kind, uint32_t units
) {
    begin(record, RELEASE_AND_ACQUIRE, 64, tag);
    put(record, 16, turn, 8);
    put(record, 40, units_done, 4);
    put(record, 48, (uint64_t)kind, 2);
    put(record, 52, units, 4);
}

static inline void write_launch_begin(struct record *record, uint64_t tag, uint32_t pages) {
    begin(record, LAUNCH_BEGIN, 32, tag);
    put(record, 16, pages, 4);
    put(record, 20, 1, 4);
}

static inline void write_launch_end(struct record *record, uint64_t tag, uint64_t session) {
    begin(record, LAUNCH_END, 32, tag);
    put(record, 16, session, 8);
}

/* A connection to the daemon, or -1 with errno. */
static inline int connect_to(const char *path, int flags) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    if (descriptor < 0)
        return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

static inline int send_record(int descriptor, const struct record *record) {
    ssize_t sent;
    do
        sent = send(descriptor, record->bytes, record->length, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* Reads one message. False at the end of the connection, or where nothing is there and the socket does not wait. */
static inline int receive_record(int descriptor, struct record *record) {
    ssize_t count;
    do
        count = recv(descriptor, record->bytes, sizeof record->bytes, 0);
    while (count < 0 && errno == EINTR);
    record->length = count < 0 ? 0 : (size_t)count;
    return count >= HEADER;
}

/* Sends a request and reads on to its terminal reply. False: the connection has ended. */
static inline int ask(int descriptor, const struct record *request, struct record *reply) {
    uint64_t tag = tag_of(request);
    if (send_record(descriptor, request) < 0)
        return 0;
    while (receive_record(descriptor, reply))
        if (tag_of(reply) == tag && type_of(reply) != QUEUED)
            return 1;
    return 0;
}

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* How long a device would take, or a guest would think: the programs' own time, not a way to wait for the daemon. */
static inline void pass_time(uint64_t nanoseconds) {
    struct timespec left = {(time_t)(nanoseconds / 1000000000ULL), (long)(nanoseconds % 1000000000ULL)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

#endif
