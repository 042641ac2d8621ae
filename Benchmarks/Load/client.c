#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Longer than any wait that the protocol allows a guest request (20 s), so that whoever is silent is broken.
#define REPLY_WITHIN_S 30

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void give_up(const char *format, ...) {
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    fprintf(stderr, "load: %s\n", sentence);
    _exit(1);
}

int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        give_up("%s is longer than a socket's path may be", path);
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        give_up("no socket: %s", strerror(errno));
    struct timeval bound = {.tv_sec = REPLY_WITHIN_S};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        give_up("cannot connect to %s: %s", path, strerror(errno));
    return descriptor;
}

void send_record(struct client *client, const void *message, size_t size) {
    while (send(client->socket, message, size, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            give_up("a request could not be sent: %s", strerror(errno));
}

size_t receive_record(struct client *client, void *message, size_t capacity) {
    if (client->spin_ns) {
        uint64_t end = now_ns() + client->spin_ns;
        do {
            ssize_t received = recv(client->socket, message, capacity, MSG_DONTWAIT);
            if (received > 0)
                return (size_t)received;
            if (received == 0 || (errno != EAGAIN && errno != EINTR))
                break;
        } while (now_ns() < end);
    }
    for (;;) {
        ssize_t received = recv(client->socket, message, capacity, 0);
        if (received > 0)
            return (size_t)received;
        if (received == 0)
            give_up("the server hung up");
        if (errno == EAGAIN)
            give_up("no reply within %d s", REPLY_WITHIN_S);
        if (errno != EINTR)
            give_up("a reply could not be received: %s", strerror(errno));
    }
}

// The next reply to the latest request. QUEUED is none yet, and notices carry tag 0.
static const struct header *receive_reply(struct client *client, void *message, size_t capacity) {
    const struct header *header = message;
    for (;;) {
        size_t size = receive_record(client, message, capacity);
        if (size < sizeof *header || header->size > size)
            give_up("a reply of %zu bytes is malformed", size);
        if (header->type != QUEUED && (header->tag == client->tag || header->type == ERROR))
            return header;
    }
}

static void note_refusal(struct client *client, const struct header *header) {
    const char *bytes = (const char *)header;
    size_t begin = header->type == BUSY ? BUSY_TEXT : ERROR_TEXT;
    uint16_t length = 0;
    if (client->refusals++ || header->size < begin)
        return;
    memcpy(&length, bytes + (header->type == BUSY ? BUSY_TEXT_LENGTH : ERROR_TEXT_LENGTH), sizeof length);
    if (length > header->size - begin)
        length = (uint16_t)(header->size - begin);
    snprintf(client->refusal, sizeof client->refusal, "%.*s", (int)length, bytes + begin);
}

static int is_lost_turn(const struct header *header) {
    uint16_t code = 0;
    if (header->type != ERROR || header->size < ERROR_TEXT)
        return 0;
    memcpy(&code, (const char *)header + ERROR_CODE, sizeof code);
    return code == UNKNOWN_TURN;
}

static void expect(struct client *client, uint16_t type, size_t least, const char *attempt) {
    _Alignas(8) char message[MESSAGE_MAX];
    const struct header *header = receive_reply(client, message, sizeof message);
    if (header->type == type && header->size >= least)
        return;
    if (is_lost_turn(header)) {
        client->lost++;
        return;
    }
    client->refusals = 0;
    if (header->type == BUSY || header->type == ERROR)
        note_refusal(client, header);
    give_up("%s was answered with message type 0x%04x: %s", attempt, header->type, client->refusal);
}

void introduce(struct client *client, uint32_t number) {
    struct hello hello = {
        .header = HEADER_OF(HELLO, hello, ++client->tag),
        .version_min = 1,
        .version_max = 1,
        .features = FEATURE_RELEASE_AND_ACQUIRE,
        .name = "spschedd-bench load",
    };
    send_record(client, &hello, sizeof hello);
    expect(client, WELCOME, sizeof(struct welcome), "HELLO");

    struct registration registration = {
        .header = HEADER_OF(REGISTER, registration, ++client->tag),
        .weight = 100,
        .burst = 3,
        .guest_wait_max_ns = 20000000000,
    };
    uint32_t process = (uint32_t)getpid();
    memcpy(registration.uuid, &process, sizeof process);
    memcpy(registration.uuid + sizeof process, &number, sizeof number);
    snprintf(registration.name, sizeof registration.name, "load-%u-%u", process, number);
    send_record(client, &registration, sizeof registration);
    expect(client, REGISTERED, sizeof(struct registered), "REGISTER");
}

int await_grant(struct client *client) {
    _Alignas(8) char message[MESSAGE_MAX];
    const struct header *header = receive_reply(client, message, sizeof message);
    if (header->type == GRANTED && header->size >= sizeof(struct granted)) {
        client->turn = ((const struct granted *)header)->turn;
        return 1;
    }
    if (header->type != BUSY && header->type != ERROR)
        give_up("a request for a turn was answered with message type 0x%04x", header->type);
    if (is_lost_turn(header))
        client->lost++;
    else
        note_refusal(client, header);
    client->turn = 0;
    return 0;
}

int acquire_turn(struct client *client) {
    struct acquire message = {
        .header = HEADER_OF(ACQUIRE, message, ++client->tag),
        .request = {.kind = KIND_REPORT, .units = 1},
    };
    send_record(client, &message, sizeof message);
    return await_grant(client);
}

int cycle_turn(struct client *client) {
    if (!client->turn)
        return acquire_turn(client);
    struct release_and_acquire message = {
        .header = HEADER_OF(RELEASE_AND_ACQUIRE, message, ++client->tag),
        .turn = {.turn = client->turn, .units_done = 1},
        .request = {.kind = KIND_REPORT, .units = 1},
    };
    send_record(client, &message, sizeof message);
    return await_grant(client);
}

static void send_release(struct client *client, uint64_t tag) {
    struct release message = {
        .header = HEADER_OF(RELEASE, message, tag),
        .turn = {.turn = client->turn, .units_done = 1},
    };
    client->turn = 0;
    send_record(client, &message, sizeof message);
}

void release_turn(struct client *client) {
    if (!client->turn)
        return;
    send_release(client, ++client->tag);
    expect(client, DONE, sizeof(struct header), "RELEASE");
}

void drop_turn(struct client *client) {
    if (client->turn)
        send_release(client, 0);
}
