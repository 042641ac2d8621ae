/*
 * Goal: nothing a daemon sends can harm the C client, and its counters tell what happened.
 * Method: the input is a daemon's whole life on one connection, cut into records. All of them wait in the socket before
 * the handle is opened, and the daemon's side is then closed for sending: no call waits for time to pass. Every function
 * is called that a VMM would call.
 *
 * A record begins with one byte of flags and one with its length in eights. Unless the flags say "raw", its type is
 * made one of the daemon's, its header is made right, and its tag is one that the client will use: so sequences get
 * deep.
 */
#define _GNU_SOURCE
#include <spsched.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../Sources/libspsched/spsched_wire.h"

/* More than one handle's calls can hear. */
enum { RECORDS_MAX = 24 };

/* What the flags of a record say. The rest of the byte is added to its tag. */
enum { RAW = 1 << 0, PASSES_DESCRIPTOR = 1 << 1, SIZE_KEPT = 1 << 2, TAG_OFFSET = 3 };

/* What the first byte of an input says. */
enum {
    WANTS_DEVICE = 1 << 0,
    FAILS_CLOSED = 1 << 1,
    LAUNCHES_FIRST = 1 << 2,
    LAUNCHES_LATER = 1 << 3,
    UNREGISTERS = 1 << 4,
    WELCOMED = 1 << 5,
    OPENS_ABSENT = 1 << 6,
    HANGS_UP = 1 << 7,
};

/* The library's first tags: HELLO has 1, REGISTER before the handle stands 2, and requests count from 16. */
enum { FIRST_TAG = 16 };

static void expect(int holds, const char *wrong)
{
    if (holds) return;
    fprintf(stderr, "client: %s\n", wrong);
    abort();
}

static int null_device = -1;

static void put(uint8_t *record, size_t at, uint64_t value, size_t size)
{
    for (size_t index = 0; index < size; index++) record[at + index] = (uint8_t)(value >> (8 * index));
}

static void send_record(int socket, const uint8_t *record, size_t length, int passed)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec part = { .iov_base = (void *)(uintptr_t)record, .iov_len = length };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (passed >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(first), &passed, sizeof passed);
    }
    sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The decoder alone: what it takes lies inside the record. */
static void check_decoder(const uint8_t *record, size_t length)
{
    struct wire_message message;
    const char *breach = spsched_wire_decode(record, length, &message);
    if (breach) {
        expect(breach[0] != '\0', "a breach without words");
        return;
    }
    const struct wire_text *text = NULL;
    if (message.type == WIRE_BUSY) text = &message.body.busy.text;
    if (message.type == WIRE_ERROR) text = &message.body.error.text;
    if (message.type == WIRE_DEVICE_STATE) text = &message.body.device_state.text;
    if (!text || text->length == 0) return;
    expect(text->length <= WIRE_TEXT_MAX, "a text longer than allowed");
    expect(text->bytes >= record && text->bytes + text->length <= record + length, "a text outside its record");
}

/* Whether the message answers a request, so that the next answer belongs to the next request. */
static int make_well_formed(uint8_t *record, size_t *length, uint8_t flags, uint64_t tag)
{
    static const uint16_t sizes[] = { 48, 80, 32, 32, 48, 32, 24, 16, 32, 24, 24, 24 };
    size_t kind = record[0] % (sizeof sizes / sizeof *sizes);
    if (*length < sizes[kind]) {
        memset(record + *length, 0, sizes[kind] - *length);
        *length = sizes[kind];
    }
    int is_answer = kind < 8;
    put(record, 0, 0x8001 + kind, 2);
    if (!(flags & SIZE_KEPT)) put(record, 2, *length, 2);
    put(record, 8, is_answer ? tag + (flags >> TAG_OFFSET) : 0, 8);
    return is_answer && kind != WIRE_QUEUED - 0x8001;
}

static void play(int socket, const uint8_t *bytes, size_t count, uint64_t tag)
{
    for (int sent = 0; sent < RECORDS_MAX && count >= 2; sent++) {
        uint8_t flags = bytes[0];
        size_t length = (size_t)bytes[1] * 8;
        bytes += 2;
        count -= 2;
        if (length > count) length = count;
        uint8_t record[255 * 8];
        memcpy(record, bytes, length);
        bytes += length;
        count -= length;
        if (!(flags & RAW) && length > 0 && make_well_formed(record, &length, flags, tag))
            tag = tag == 1 ? FIRST_TAG : tag + 1;
        uint8_t *exact = malloc(length ? length : 1);
        memcpy(exact, record, length);
        check_decoder(exact, length);
        send_record(socket, exact, length, flags & PASSES_DESCRIPTOR ? null_device : -1);
        free(exact);
    }
}

static void welcome(int socket)
{
    uint8_t record[48] = { 0 };
    put(record, 0, WIRE_WELCOME, 2);
    put(record, 2, sizeof record, 2);
    put(record, 8, 1, 8);
    put(record, 16, WIRE_VERSION, 2);
    put(record, 20, WIRE_MESSAGE_MAX, 4);
    put(record, 24, 15, 8);
    send_record(socket, record, sizeof record, -1);
}

static void check_text(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    expect(length < room, "a text without an end");
    for (size_t index = 0; index < length; index++) {
        uint8_t byte = (uint8_t)text[index];
        expect(byte >= 0x20 && byte != 0x7F, "a control character in a text");
        if (byte == 0xC2) expect((uint8_t)text[index + 1] >= 0xA0, "a control character (C1) in a text");
    }
}

static enum spsched_result ask(struct spsched *client, uint16_t kind, struct spsched_reply *reply)
{
    struct spsched_request request = { .size = sizeof request, .kind = kind, .units = 1, .max_wait_ns = 1 };
    memset(reply, 0, sizeof *reply);
    reply->size = sizeof *reply;
    enum spsched_result result = spsched_acquire(client, &request, reply);
    check_text(reply->text, sizeof reply->text);
    if (result != SPSCHED_OK) return result;
    const struct spsched_grant *grant = &reply->grant;
    expect(grant->turn != 0 || grant->flags & SPSCHED_UNARBITRATED, "a turn of nobody's");
    expect(grant->units == 1 && grant->kind == kind, "a turn for something else");
    return result;
}

static void one_turn(struct spsched *client, uint16_t kind)
{
    struct spsched_reply reply;
    if (ask(client, kind, &reply) != SPSCHED_OK) return;
    spsched_grant_is_stale(client, &reply.grant);
    expect(spsched_release(client, &reply.grant, NULL) == SPSCHED_OK, "a turn that cannot be released");
}

static void one_launch(struct spsched *client)
{
    struct spsched_launch_plan plan = { .size = sizeof plan, .pages = 1, .vcpus = 1 };
    struct spsched_launch launch = { .size = sizeof launch };
    struct spsched_reply reply = { .size = sizeof reply };
    enum spsched_result result = spsched_launch_begin(client, &plan, &launch, &reply);
    check_text(reply.text, sizeof reply.text);
    if (result != SPSCHED_OK) return;
    if (ask(client, SPSCHED_LAUNCH_START, &reply) == SPSCHED_OK) {
        struct spsched_request next = {
            .size = sizeof next, .kind = SPSCHED_LAUNCH_UPDATE, .units = 1, .max_wait_ns = 1
        };
        if (spsched_release_and_acquire(client, &reply.grant, NULL, &next, &reply) == SPSCHED_OK)
            spsched_release(client, &reply.grant, NULL);
    }
    spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING);
}

static void check_status(struct spsched *client)
{
    struct spsched_status status = { .size = sizeof status };
    expect(spsched_status(client, &status) == SPSCHED_OK, "no status");
    expect(status.waiting == 0, "a wait that nobody waits");
    expect(status.malformed <= status.connections_lost, "a breach that did not cost the connection");
    expect(status.connections_lost <= 1 && status.reconnects == 0, "a connection that there was not");
    char text[SPSCHED_TEXT_MAX];
    expect(spsched_last_error(client, text, sizeof text) < sizeof text, "a sentence that does not fit");
    check_text(text, sizeof text);
}

static void use(struct spsched *client, uint8_t choice)
{
    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.want_device = choice & WANTS_DEVICE ? 1 : 0;
    registration.failure_mode = choice & FAILS_CLOSED ? SPSCHED_FAIL_CLOSED : SPSCHED_FAIL_OPEN;
    struct spsched_admission admission = { .size = sizeof admission };
    struct spsched_reply reply = { .size = sizeof reply };
    spsched_register(client, &registration, &admission, &reply);
    check_text(reply.text, sizeof reply.text);
    if (choice & LAUNCHES_FIRST) one_launch(client);
    one_turn(client, SPSCHED_REPORT);
    if (choice & LAUNCHES_LATER) one_launch(client);
    one_turn(client, SPSCHED_DERIVED_KEY);
    spsched_reconnect(client);
    int device = spsched_take_device(client);
    if (device >= 0) close(device);
    if (choice & UNREGISTERS) spsched_unregister(client);
    check_status(client);
}

/* The number that the next descriptor would get: it grows when one is leaked. */
static int next_descriptor(void)
{
    int descriptor = fcntl(null_device, F_DUPFD_CLOEXEC, 0);
    close(descriptor);
    return descriptor;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1) return -1;
    if (null_device < 0) null_device = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int before = next_descriptor();
    int ends[2];
    expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, strerror(errno));
    uint8_t choice = bytes[0];
    if (choice & WELCOMED) welcome(ends[1]);
    play(ends[1], bytes + 1, count - 1, choice & WELCOMED ? FIRST_TAG : 1);
    shutdown(ends[1], choice & HANGS_UP ? SHUT_RDWR : SHUT_WR);

    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.descriptor = ends[0];
    options.flags = SPSCHED_NO_RECONNECT_THREAD | (choice & OPENS_ABSENT ? SPSCHED_OPEN_WHILE_ABSENT : 0);
    char text[SPSCHED_TEXT_MAX] = "";
    struct spsched *client = NULL;
    enum spsched_result result = spsched_open(&options, &client, text, sizeof text);
    check_text(text, sizeof text);
    expect((result == SPSCHED_OK) == (client != NULL), "a handle without success, or the other way round");
    if (client) {
        use(client, choice);
        spsched_close(client);
    }
    close(ends[1]);
    expect(next_descriptor() == before, "a descriptor is left open");
    return 0;
}
