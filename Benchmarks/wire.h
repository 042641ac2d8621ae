// The messages of docs/protocol.md that the benchmarks send and receive, as the structures they are on a little-endian
// machine: every field of the protocol lies on its natural alignment.
#pragma once

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the protocol is little-endian, and so is every SNP host");

// No message is longer, docs/protocol.md section 3.
#define MESSAGE_MAX 1024

enum message_type {
    HELLO = 0x0001,
    REGISTER = 0x0002,
    ACQUIRE = 0x0004,
    RELEASE = 0x0005,
    RELEASE_AND_ACQUIRE = 0x0006,
    WELCOME = 0x8001,
    REGISTERED = 0x8002,
    QUEUED = 0x8004,
    GRANTED = 0x8005,
    BUSY = 0x8006,
    ERROR = 0x8007,
    DONE = 0x8008,
};

enum { FEATURE_RELEASE_AND_ACQUIRE = 1 << 1, KIND_REPORT = 0x0200 };

struct header {
    uint16_t type, size;
    uint32_t reserved;
    uint64_t tag;
};

struct hello {
    struct header header;
    uint16_t version_min, version_max;
    uint32_t reserved;
    uint64_t features;
    char name[64];
};

struct registration {
    struct header header;
    uint8_t uuid[16];
    char name[64];
    uint8_t token[16];
    uint32_t reservation_wanted_mhz, reservation_least_mhz, limit_mhz, weight, burst;
    uint8_t retry_policy, failure_mode, flags, reserved;
    uint64_t guest_wait_max_ns;
};

struct acquire_body {
    uint16_t kind, reserved;
    uint32_t units;
    uint64_t max_wait_ns;
};

struct release_body {
    uint64_t turn;
    int32_t error;
    uint32_t firmware_code;
    uint64_t measured_ns;
    uint32_t units_done, reserved;
};

struct acquire {
    struct header header;
    struct acquire_body request;
};

struct release {
    struct header header;
    struct release_body turn;
};

struct release_and_acquire {
    struct header header;
    struct release_body turn;
    struct acquire_body request;
};

struct welcome {
    struct header header;
    uint16_t version, reserved;
    uint32_t max_message;
    uint64_t features, epoch;
    uint32_t chunk_pages;
    uint8_t device_state, reserved2[3];
};

struct registered {
    struct header header;
    uint8_t token[16];
    uint64_t epoch;
    uint32_t reservation_mhz, limit_mhz, weight, burst;
    uint64_t guest_wait_max_ns, guest_wait_reserved_ns;
    uint32_t entitlement_mhz;
    uint8_t retry_policy, failure_mode, flags, reserved;
};

struct granted {
    struct header header;
    uint64_t turn, start_within_ns, lease_ns;
    uint32_t units;
    uint16_t kind, reserved;
};

// BUSY and ERROR: where their text begins, and where its length stands.
enum { BUSY_TEXT = 32, BUSY_TEXT_LENGTH = 26, ERROR_TEXT = 24, ERROR_TEXT_LENGTH = 18 };

// ERROR: where its code stands, and the code of a turn whose lease had ended.
enum { ERROR_CODE = 16, UNKNOWN_TURN = 2 };

_Static_assert(sizeof(struct hello) == 96, "HELLO");
_Static_assert(sizeof(struct registration) == 144, "REGISTER");
_Static_assert(sizeof(struct acquire) == 32, "ACQUIRE");
_Static_assert(sizeof(struct release) == 48, "RELEASE");
_Static_assert(sizeof(struct release_and_acquire) == 64, "RELEASE_AND_ACQUIRE");
_Static_assert(sizeof(struct welcome) == 48, "WELCOME");
_Static_assert(sizeof(struct registered) == 80, "REGISTERED");
_Static_assert(sizeof(struct granted) == 48, "GRANTED");

#define HEADER_OF(kind, structure, number) {.type = (kind), .size = sizeof(structure), .tag = (number)}
