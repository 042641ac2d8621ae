/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * The VMM protocol's messages, as values and as bytes. Private to libspsched and its tests.
 */
#ifndef SPSCHED_WIRE_H
#define SPSCHED_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* A longer record is a breach of the protocol. */
#define WIRE_MESSAGE_MAX 1024
#define WIRE_HEADER 16
#define WIRE_TEXT_MAX 480
#define WIRE_TAGS_MAX 64
#define WIRE_VERSION 1

enum wire_feature {
    WIRE_FEATURE_RESYNC = 1 << 0,
    WIRE_FEATURE_RELEASE_AND_ACQUIRE = 1 << 1,
    WIRE_FEATURE_DEVICE_DESCRIPTOR = 1 << 2,
    WIRE_FEATURE_PROXY_TURNS = 1 << 3,
};

enum wire_type {
    WIRE_HELLO = 0x0001,
    WIRE_REGISTER = 0x0002,
    WIRE_LAUNCH_BEGIN = 0x0003,
    WIRE_ACQUIRE = 0x0004,
    WIRE_RELEASE = 0x0005,
    WIRE_RELEASE_AND_ACQUIRE = 0x0006,
    WIRE_CANCEL = 0x0007,
    WIRE_LAUNCH_END = 0x0008,
    WIRE_UNREGISTER = 0x0009,
    WIRE_RESYNC_STATE = 0x000A,
    WIRE_WELCOME = 0x8001,
    WIRE_REGISTERED = 0x8002,
    WIRE_LAUNCH_BEGUN = 0x8003,
    WIRE_QUEUED = 0x8004,
    WIRE_GRANTED = 0x8005,
    WIRE_BUSY = 0x8006,
    WIRE_ERROR = 0x8007,
    WIRE_DONE = 0x8008,
    WIRE_REVOKED = 0x8009,
    WIRE_DEVICE_STATE = 0x800A,
    WIRE_DRAINING = 0x800B,
    WIRE_RESYNC = 0x800C,
};

/* What the client says. */

struct wire_hello {
    uint16_t version_min, version_max;
    uint64_t features;
    char name[64];
};

struct wire_register {
    uint8_t uuid[16];
    char name[64];
    uint8_t token[16];
    uint32_t reservation_wanted_mhz, reservation_least_mhz, limit_mhz, weight, burst;
    uint8_t retry_policy, failure_mode, want_descriptor;
    uint64_t guest_wait_max_ns;
};

struct wire_launch_begin {
    uint32_t pages, vcpus;
    uint8_t whole, proxy;
};

struct wire_acquire {
    uint16_t kind;
    uint32_t units;
    uint64_t max_wait_ns;
};

struct wire_release {
    uint64_t turn;
    int32_t error;
    uint32_t firmware_code;
    uint64_t measured_ns;
    uint32_t units_done;
};

struct wire_launch_end {
    uint64_t session;
    uint8_t outcome;
};

struct wire_resync_state {
    uint64_t epoch, held_turn, session;
    uint32_t count;
    uint64_t tags[WIRE_TAGS_MAX];
};

/* What the daemon says. */

struct wire_welcome {
    uint16_t version;
    uint32_t max_message;
    uint64_t features, epoch;
    uint32_t chunk_pages;
    uint8_t device_state;
};

struct wire_registered {
    uint8_t token[16];
    uint64_t epoch;
    uint32_t reservation_mhz, limit_mhz, weight, burst;
    uint64_t guest_wait_max_ns, guest_wait_reserved_ns;
    uint32_t entitlement_mhz;
    uint8_t retry_policy, failure_mode, descriptor_attached, resumed;
};

struct wire_launch_begun {
    uint64_t session;
    uint32_t chunk_pages;
};

struct wire_queued {
    uint32_t position;
    uint64_t estimate_ns;
};

struct wire_granted {
    uint64_t turn, start_within_ns, lease_ns;
    uint32_t units;
    uint16_t kind;
};

/* The text points into the record that was decoded. */
struct wire_text {
    const uint8_t *bytes;
    uint16_t length;
};

struct wire_busy {
    uint64_t retry_after_ns;
    uint16_t reason;
    struct wire_text text;
};

struct wire_error {
    uint16_t code;
    struct wire_text text;
};

struct wire_revoked {
    uint64_t turn;
    uint16_t reason;
};

struct wire_device_state {
    uint8_t state;
    struct wire_text text;
};

/* One message. Which member is meant follows from the type; RELEASE_AND_ACQUIRE has both of its halves. */
struct wire_message {
    uint16_t type;
    uint64_t tag;
    struct wire_release release;
    struct wire_acquire acquire;
    union {
        struct wire_hello hello;
        struct wire_register registration;
        struct wire_launch_begin launch_begin;
        struct wire_launch_end launch_end;
        struct wire_resync_state resync_state;
        uint64_t cancelled_tag;
        struct wire_welcome welcome;
        struct wire_registered registered;
        struct wire_launch_begun launch_begun;
        struct wire_queued queued;
        struct wire_granted granted;
        struct wire_busy busy;
        struct wire_error error;
        struct wire_revoked revoked;
        struct wire_device_state device_state;
        uint8_t draining;
        uint64_t resync_epoch;
    } body;
};

/* Writes what a client says; returns its length. The message must be one of the client's. */
size_t spsched_wire_encode(const struct wire_message *message, uint8_t record[WIRE_MESSAGE_MAX]);

/* Reads what a daemon says. Returns NULL, or what is wrong with it: a clause that follows "a message that". */
const char *spsched_wire_decode(const uint8_t *record, size_t length, struct wire_message *message);

#endif
