/*
 * usage: sanitized-client PATH [shift]
 *
 * Plays VMMs of several threads that come to the daemon at PATH, take turns, launch, cancel each other's waits, lose
 * their connections and go: built with a sanitizer by scripts/test-libspsched-sanitized. Fails if next to nothing was
 * granted (how much depends on when connections are cut), or a descriptor is left. With `shift` it does what C does not
 * define, to show that the sanitizer sees it.
 */
#define _GNU_SOURCE
#include "spsched.h"

#include "CSEV_KVM.h"
#include "spsched_kvm.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Enough for each path of the library to be taken by each thread; a second or two in all. */
enum { VMS = 6, GUEST_TURNS = 60, LAUNCHES = 12, TURNS_A_LAUNCH = 4, CONNECTIONS_LOST = 3 };
enum { TURNS_A_CONNECTION = 15, CANCEL_ID = 7 };

static const char *path;
static atomic_uint granted, refused, reconnected;

/* One VMM, and its present connection's other name: shut down through it, the library loses the connection. */
struct vmm {
    struct spsched *client;
    pthread_mutex_t lock;
    int connection;
    atomic_uint working; /* threads that still ask for turns */
    atomic_bool done;
};

static int connect_to_daemon(void *context)
{
    struct vmm *vmm = context;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    pthread_mutex_lock(&vmm->lock);
    if (vmm->connection >= 0) close(vmm->connection);
    vmm->connection = dup(descriptor);
    pthread_mutex_unlock(&vmm->lock);
    return descriptor;
}

static struct spsched_request request_for(uint16_t kind, uint64_t cancel_id)
{
    return (struct spsched_request) {
        .size = sizeof(struct spsched_request), .kind = kind, .units = 1, .cancel_id = cancel_id
    };
}

static bool count_result(enum spsched_result result)
{
    atomic_fetch_add(result == SPSCHED_OK ? &granted : &refused, 1);
    return result == SPSCHED_OK;
}

static int write_nothing(void *context, uint64_t address, const void *bytes, size_t size)
{
    (void)context, (void)address, (void)bytes, (void)size;
    return 0;
}

/* The turns of a vCPU whose guest asks for reports, now and then with too little room. */
static void *certificates(void *context)
{
    struct vmm *vmm = context;
    struct csev_kvm_run memory = { .exit_reason = CSEV_KVM_EXIT_SNP_REQ_CERTS };
    struct kvm_run *run = (struct kvm_run *)(void *)&memory;
    struct spsched_kvm_vcpu vcpu = { .size = sizeof vcpu };
    char table[100] = { 0 };
    struct spsched_kvm_certificates given = {
        .size = sizeof given, .table = table, .table_size = sizeof table, .write = write_nothing
    };
    for (int turn = 0; turn < GUEST_TURNS; turn++) {
        memory.snp_req_certs = (struct csev_kvm_req_certs) { .npages = turn % 8 ? 1 : 0 };
        spsched_kvm_req_certs(vmm->client, run, &vcpu, &given);
        atomic_fetch_add(memory.snp_req_certs.ret == 0 ? &granted : &refused, 1);
        spsched_kvm_enter(vmm->client, run, &vcpu);
        spsched_kvm_leave(vmm->client, run, &vcpu, turn % 5 ? -EINTR : -EBUSY);
    }
    atomic_fetch_sub(&vmm->working, 1);
    return NULL;
}

static int issue(void *context, int descriptor, unsigned long request, void *argument)
{
    (void)context, (void)descriptor, (void)request;
    struct csev_kvm_cmd *command = argument;
    if (command->id != CSEV_KVM_SEV_SNP_LAUNCH_UPDATE) return 0;
    struct csev_kvm_snp_launch_update *update = (struct csev_kvm_snp_launch_update *)(uintptr_t)command->data;
    update->gfn_start += update->len / 4096;
    update->len = 0;
    return 0;
}

static void launch_by_helper(struct vmm *vmm)
{
    struct spsched_kvm_options options;
    spsched_kvm_options_init(&options, sizeof options);
    options.issue = issue;
    struct spsched_kvm *kvm;
    if (spsched_kvm_open(vmm->client, &options, &kvm) != SPSCHED_OK) return;
    struct csev_kvm_snp_launch_update update = { .len = 3 * 4096, .type = CSEV_KVM_SNP_PAGE_TYPE_NORMAL };
    struct csev_kvm_cmd commands[] = {
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_START },
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, .data = (uintptr_t)&update },
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_FINISH },
    };
    for (int i = 0; i < 3; i++) {
        int result = spsched_kvm_encrypt_op(kvm, -1, (struct kvm_sev_cmd *)(void *)&commands[i]);
        atomic_fetch_add(result == 0 ? &granted : &refused, 1);
    }
    spsched_kvm_close(kvm);
}

static void *guest_requests(void *context)
{
    struct vmm *vmm = context;
    struct spsched_reply reply = { .size = sizeof reply };
    for (int turn = 0; turn < GUEST_TURNS; turn++) {
        struct spsched_request request = request_for(turn % 2 ? SPSCHED_REPORT : SPSCHED_DERIVED_KEY, CANCEL_ID);
        if (!count_result(spsched_acquire(vmm->client, &request, &reply))) continue;
        spsched_grant_is_stale(vmm->client, &reply.grant);
        spsched_release(vmm->client, &reply.grant, NULL);
    }
    atomic_fetch_sub(&vmm->working, 1);
    return NULL;
}

static void *launches(void *context)
{
    static const uint16_t kinds[TURNS_A_LAUNCH] = {
        SPSCHED_LAUNCH_START, SPSCHED_LAUNCH_UPDATE, SPSCHED_LAUNCH_UPDATE, SPSCHED_LAUNCH_FINISH
    };
    struct vmm *vmm = context;
    for (int launch = 0; launch < LAUNCHES; launch++) {
        struct spsched_launch_plan plan = { .size = sizeof plan, .pages = 2, .vcpus = 1 };
        if (spsched_launch_begin(vmm->client, &plan, NULL, NULL) != SPSCHED_OK) continue;
        struct spsched_reply reply = { .size = sizeof reply };
        bool holds = false;
        for (int turn = 0; turn < TURNS_A_LAUNCH; turn++) {
            struct spsched_request request = request_for(kinds[turn], 0);
            holds = count_result(holds ? spsched_release_and_acquire(vmm->client, &reply.grant, NULL, &request, &reply)
                                       : spsched_acquire(vmm->client, &request, &reply));
        }
        if (holds) spsched_release(vmm->client, &reply.grant, NULL);
        spsched_launch_end(vmm->client, SPSCHED_LAUNCH_RUNNING);
        launch_by_helper(vmm);
    }
    atomic_fetch_sub(&vmm->working, 1);
    return NULL;
}

static void *onlooker(void *context)
{
    struct vmm *vmm = context;
    struct spsched_status status = { .size = sizeof status };
    char text[SPSCHED_TEXT_MAX];
    unsigned rounds = 0;
    while (!atomic_load(&vmm->done)) {
        spsched_status(vmm->client, &status);
        spsched_last_error(vmm->client, text, sizeof text);
        int device = spsched_take_device(vmm->client);
        if (device >= 0) close(device);
        if (++rounds % 64 == 0) spsched_cancel(vmm->client, CANCEL_ID);
        sched_yield();
    }
    return NULL;
}

/* Cuts the connection once a few turns were taken on it, and waits until the library has made another. */
static void *cutter(void *context)
{
    struct vmm *vmm = context;
    struct spsched_status status = { .size = sizeof status };
    for (unsigned cut = 1; cut <= CONNECTIONS_LOST; cut++) {
        do {
            sched_yield();
            spsched_status(vmm->client, &status);
        } while (status.grants < cut * TURNS_A_CONNECTION && atomic_load(&vmm->working) > 0);
        pthread_mutex_lock(&vmm->lock);
        shutdown(vmm->connection, SHUT_RDWR);
        pthread_mutex_unlock(&vmm->lock);
        do {
            sched_yield();
            spsched_status(vmm->client, &status);
        } while (status.reconnects < cut);
    }
    atomic_fetch_add(&reconnected, (unsigned)status.reconnects);
    return NULL;
}

static bool live(unsigned number)
{
    struct vmm vmm = { .lock = PTHREAD_MUTEX_INITIALIZER, .connection = -1, .working = 3 };
    struct spsched_options options;
    spsched_options_init(&options, sizeof options);
    options.client_name = "sanitized-client";
    options.supply = connect_to_daemon;
    options.supply_context = &vmm;
    options.spin_ns = number % 2 ? 20000 : 0;
    char text[SPSCHED_TEXT_MAX] = "";
    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    registration.name = "vm";
    registration.uuid[0] = (uint8_t)(number + 1);
    registration.failure_mode = number % 3 ? SPSCHED_FAIL_CLOSED : SPSCHED_FAIL_OPEN;
    registration.want_device = 1;
    struct spsched_reply reply = { .size = sizeof reply };
    if (spsched_open(&options, &vmm.client, text, sizeof text) != SPSCHED_OK
        || spsched_register(vmm.client, &registration, NULL, &reply) != SPSCHED_OK) {
        fprintf(stderr, "sanitized-client: cannot enter at %s: %s%s\n", path, text, reply.text);
        return false;
    }
    static void *(*const roles[])(void *) = { guest_requests, certificates, launches, cutter, onlooker };
    enum { ROLES = sizeof roles / sizeof *roles };
    pthread_t threads[ROLES];
    for (int role = 0; role < ROLES; role++)
        if (pthread_create(&threads[role], NULL, roles[role], &vmm)) return false;
    for (int role = 0; role < ROLES; role++) {
        if (role == ROLES - 1) atomic_store(&vmm.done, true);
        pthread_join(threads[role], NULL);
    }
    if (number % 2) spsched_unregister(vmm.client);
    spsched_close(vmm.client);
    close(vmm.connection);
    return true;
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) count++;
    if (directory) closedir(directory);
    return count;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: sanitized-client PATH [shift]\n");
        return 64;
    }
    path = arguments[1];
    if (count > 2) printf("%d\n", 1 << (29 + count));
    int before = open_descriptors();
    for (unsigned number = 0; number < VMS; number++)
        if (!live(number)) return 1;
    int left = open_descriptors() - before;
    printf("%d VMs: granted %u, refused %u, reconnected %u, descriptors left %d\n", VMS, granted, refused, reconnected,
        left);
    return granted < VMS || reconnected < VMS * CONNECTIONS_LOST || left != 0;
}
