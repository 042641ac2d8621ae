/*
 * usage: spsched-seccomp-probe PATH [trip]
 *
 * Plays a VMM whose vCPU threads may make four system calls: two threads take 1000 turns of the daemon at PATH, through
 * grants, refusals, launches and cancelled waits. Any other call of theirs kills the process. The daemon must leave
 * SPSCHED_OTHER_GUEST_REQUEST unanswered until it is cancelled, and grant or refuse the rest. With `trip`, one thread
 * makes a fifth call at the end: it shows that the filter kills.
 */
#define _GNU_SOURCE
#include "spsched.h"
#include "spsched_kvm.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GUEST_ROUNDS = 500, LAUNCH_ROUNDS = 125, TURNS_A_LAUNCH = 4, CANCEL_EVERY = 25, CANCEL_ID = 7, LATER_EVERY = 8 };

static struct spsched *client;
static struct spsched_kvm *kvm;
static sem_t finished;
static atomic_bool guest_done;
static bool trips;
static atomic_uint granted, refused, cancelled, unexpected;
static atomic_uint forever;

#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Binds this thread to the four calls, for good. */
static int restrict_thread(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_sendmsg),
        ALLOW(SYS_recvmsg),
        ALLOW(SYS_futex),
        ALLOW(SYS_clock_gettime),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog filter = { .len = sizeof instructions / sizeof *instructions, .filter = instructions };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* A thread that may not even exit. */
static void stay(void)
{
    sem_post(&finished);
    while (true) syscall(SYS_futex, &forever, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static struct spsched_request request_for(uint16_t kind)
{
    return (struct spsched_request) {
        .size = sizeof(struct spsched_request), .kind = kind, .units = 1, .max_wait_ns = UINT64_C(20000000000)
    };
}

static void count_result(enum spsched_result result)
{
    if (result == SPSCHED_OK)
        atomic_fetch_add(&granted, 1);
    else if (result == SPSCHED_BUSY)
        atomic_fetch_add(&refused, 1);
    else if (result == SPSCHED_CANCELLED)
        atomic_fetch_add(&cancelled, 1);
    else
        atomic_fetch_add(&unexpected, 1);
}

static void *guest_requests(void *unused)
{
    (void)unused;
    if (restrict_thread() < 0) atomic_fetch_add(&unexpected, 1);
    for (int round = 1; round <= GUEST_ROUNDS; round++) {
        bool cancels = round % CANCEL_EVERY == 0;
        struct spsched_request request = request_for(cancels ? SPSCHED_OTHER_GUEST_REQUEST : SPSCHED_REPORT);
        request.cancel_id = cancels ? CANCEL_ID : 0;
        struct spsched_reply reply = { .size = sizeof reply };
        enum spsched_result result = spsched_acquire(client, &request, &reply);
        count_result(result);
        if (result != SPSCHED_OK) continue;
        spsched_grant_is_stale(client, &reply.grant);
        if (round % LATER_EVERY == 0)
            spsched_release_after(client, &reply.grant, NULL, 1000);
        else
            spsched_release(client, &reply.grant, NULL);
    }
    if (trips) syscall(SYS_getppid);
    atomic_store(&guest_done, true);
    stay();
    return NULL;
}

/* Stands for the ioctl, which the filter does not allow. */
static int issue(void *context, int descriptor, unsigned long request, void *argument)
{
    (void)context, (void)descriptor, (void)request, (void)argument;
    return 0;
}

/* Begins a session and ends it, with two turns; asks of each argument whether it points anywhere. */
static void launch_by_helper(void)
{
    static const uint32_t ids[] = { 100, 102 };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        uint64_t command[3] = { ids[i] };
        if (spsched_kvm_encrypt_op(kvm, -1, (struct kvm_sev_cmd *)(void *)command)) atomic_fetch_add(&unexpected, 1);
    }
    if (spsched_kvm_encrypt_op(kvm, -1, (struct kvm_sev_cmd *)8) != -EFAULT) atomic_fetch_add(&unexpected, 1);
}

static void launch_once(void)
{
    static const uint16_t kinds[TURNS_A_LAUNCH] = {
        SPSCHED_LAUNCH_START, SPSCHED_LAUNCH_UPDATE, SPSCHED_LAUNCH_UPDATE, SPSCHED_LAUNCH_FINISH
    };
    struct spsched_launch_plan plan = { .size = sizeof plan, .pages = 2, .vcpus = 1 };
    if (spsched_launch_begin(client, &plan, NULL, NULL) != SPSCHED_OK) atomic_fetch_add(&unexpected, 1);
    struct spsched_reply reply = { .size = sizeof reply };
    for (int turn = 0; turn < TURNS_A_LAUNCH; turn++) {
        struct spsched_request request = request_for(kinds[turn]);
        count_result(turn == 0 ? spsched_acquire(client, &request, &reply)
                               : spsched_release_and_acquire(client, &reply.grant, NULL, &request, &reply));
    }
    spsched_release(client, &reply.grant, NULL);
    if (spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING) != SPSCHED_OK) atomic_fetch_add(&unexpected, 1);
    launch_by_helper();
}

static void *launches(void *unused)
{
    (void)unused;
    if (restrict_thread() < 0) atomic_fetch_add(&unexpected, 1);
    for (int round = 0; round < LAUNCH_ROUNDS; round++) {
        launch_once();
        spsched_cancel(client, CANCEL_ID);
    }
    struct spsched_status status = { .size = sizeof status };
    while (!atomic_load(&guest_done)) {
        spsched_cancel(client, CANCEL_ID);
        spsched_status(client, &status);
    }
    stay();
    return NULL;
}

int main(int count, char **arguments)
{
    char text[SPSCHED_TEXT_MAX];
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.path = count > 1 ? arguments[1] : NULL;
    trips = count > 2;
    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    if (spsched_open(&options, &client, text, sizeof text) != SPSCHED_OK
        || spsched_register(client, &registration, NULL, NULL) != SPSCHED_OK) {
        fprintf(stderr, "spsched-seccomp-probe: %s\n", text);
        return 1;
    }
    struct spsched_kvm_options launches_by_helper;
    spsched_kvm_options_init(&launches_by_helper, sizeof launches_by_helper);
    launches_by_helper.issue = issue;
    if (spsched_kvm_open(client, &launches_by_helper, &kvm) != SPSCHED_OK) return 1;
    pthread_t threads[2];
    sem_init(&finished, 0, 0);
    if (pthread_create(&threads[0], NULL, guest_requests, NULL)) return 1;
    if (pthread_create(&threads[1], NULL, launches, NULL)) return 1;
    sem_wait(&finished);
    sem_wait(&finished);
    printf("granted %u refused %u cancelled %u unexpected %u\n", granted, refused, cancelled, unexpected);
    fflush(stdout);
    _exit(unexpected ? 1 : 0); /* the threads stay behind: they may not exit by themselves */
}
