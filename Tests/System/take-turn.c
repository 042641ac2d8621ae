/*
 * A VMM as small as can be: registers one VM, takes the turns of a launch and of one report through the socket of the
 * service, and says what it got. Fail-closed, so that nothing but the daemon can have granted them.
 *
 *     take-turn             exits 0 if every turn was granted, else 1 with the library's sentence
 *     take-turn overstay    keeps its turn beyond the lease; exits 0 if another VM is then granted its own
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spsched.h"

static void expect_ok(struct spsched *client, enum spsched_result result, const char *what, const char *text) {
    if (result == SPSCHED_OK)
        return;
    char sentence[SPSCHED_TEXT_MAX] = "";
    if (client && !(text && *text))
        spsched_last_error(client, sentence, sizeof sentence);
    fprintf(stderr, "take-turn: %s: %s: %s\n", what, spsched_result_name(result), text && *text ? text : sentence);
    exit(1);
}

static struct spsched *open_and_register(const char *name) {
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.client_name = "take-turn";
    struct spsched *client = NULL;
    char text[SPSCHED_TEXT_MAX] = "";
    expect_ok(NULL, spsched_open(&options, &client, text, sizeof text), "open", text);

    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.name = name;
    registration.failure_mode = SPSCHED_FAIL_CLOSED;
    registration.want_device = 1;
    struct spsched_admission admission = {.size = sizeof admission};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_register(client, &registration, &admission, &reply), "register", reply.text);
    return client;
}

static struct spsched_grant acquire(struct spsched *client, enum spsched_kind kind, uint32_t units, const char *what) {
    struct spsched_request request = {
        .size = sizeof request, .kind = kind, .units = units, .max_wait_ns = 10ull * 1000 * 1000 * 1000};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_acquire(client, &request, &reply), what, reply.text);
    if (reply.grant.flags & SPSCHED_UNARBITRATED || reply.grant.turn == 0) {
        fprintf(stderr, "take-turn: %s: went ahead without a turn\n", what);
        exit(1);
    }
    return reply.grant;
}

static void take(struct spsched *client, enum spsched_kind kind, uint32_t units, const char *what) {
    struct spsched_grant grant = acquire(client, kind, units, what);
    expect_ok(client, spsched_release(client, &grant, NULL), what, NULL);
}

static void launch(struct spsched *client) {
    struct spsched_launch_plan plan = {.size = sizeof plan, .pages = 8, .vcpus = 1};
    struct spsched_launch session = {.size = sizeof session};
    struct spsched_reply reply = {.size = sizeof reply};
    expect_ok(client, spsched_launch_begin(client, &plan, &session, &reply), "launch-begin", reply.text);
    take(client, SPSCHED_LAUNCH_START, 1, "launch start");
    take(client, SPSCHED_LAUNCH_UPDATE, 8, "launch update");
    take(client, SPSCHED_LAUNCH_FINISH, 1, "launch finish");
    expect_ok(client, spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING), "launch-end", NULL);
}

static int take_all_turns(void) {
    struct spsched *client = open_and_register("system-test");
    launch(client);
    take(client, SPSCHED_REPORT, 1, "report");
    int device = spsched_take_device(client);
    printf("turns granted; device descriptor %s\n", device >= 0 ? "received" : "missing");
    if (device >= 0)
        close(device);
    expect_ok(client, spsched_unregister(client), "unregister", NULL);
    spsched_close(client);
    return device >= 0 ? 0 : 1;
}

static int overstay(void) {
    struct spsched *idler = open_and_register("idler");
    struct spsched *other = open_and_register("other");
    acquire(idler, SPSCHED_REPORT, 1, "report that is never released");
    take(other, SPSCHED_REPORT, 1, "report behind it");
    spsched_close(other);
    spsched_close(idler);
    return 0;
}

int main(int count, char **arguments) {
    if (count == 1)
        return take_all_turns();
    if (count == 2 && strcmp(arguments[1], "overstay") == 0)
        return overstay();
    fprintf(stderr, "usage: take-turn [overstay]\n");
    return 64;
}
