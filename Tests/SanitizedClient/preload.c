/*
 * usage: sanitized-preload, with SPSCHED_SOCKET set
 *
 * Drives the parts of libspsched-preload as its exported functions do, from several threads, with VMs that are launched
 * side by side, one of them by two threads, and a child process in between. Fails if a launch does, or a descriptor is
 * left.
 */
#define _GNU_SOURCE
#include "preload.h"

#include "CSEV_KVM.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, LAUNCHES = 4, PAGES = 70, VM_FIRST = 1000 };

static atomic_uint failed, chunks;

/* KVM, as far as a launch needs it. */
static int issue(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    struct csev_kvm_cmd *command = va_arg(arguments, void *);
    va_end(arguments);
    (void)descriptor;
    if (command->id != CSEV_KVM_SEV_SNP_LAUNCH_UPDATE) return 0;
    struct csev_kvm_snp_launch_update *update = (struct csev_kvm_snp_launch_update *)(uintptr_t)command->data;
    update->gfn_start += update->len / 4096;
    update->len = 0;
    atomic_fetch_add(&chunks, 1);
    return 0;
}

struct next next = { .ioctl = issue };

static void launch(int vm_fd)
{
    struct csev_kvm_snp_launch_update update = { .len = PAGES * 4096, .type = CSEV_KVM_SNP_PAGE_TYPE_NORMAL };
    struct csev_kvm_cmd commands[] = {
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_START },
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, .data = (uintptr_t)&update },
        { .id = CSEV_KVM_SEV_SNP_LAUNCH_FINISH },
    };
    machines_created_vcpu(vm_fd);
    for (int i = 0; i < 3; i++)
        if (machines_launch(vm_fd, &commands[i]) != 0) atomic_fetch_add(&failed, 1);
    if (update.len) atomic_fetch_add(&failed, 1);
}

/* The first two threads have one VM between them. */
static void *launches(void *argument)
{
    int number = (int)(intptr_t)argument, vm_fd = VM_FIRST + (number ? number - 1 : 0);
    for (int i = 0; i < LAUNCHES; i++) {
        if (number > 1) machines_created(vm_fd);
        launch(vm_fd);
        /* This daemon has no device: the program keeps what it has. */
        if (device_instead(-ENOENT, 0) != -ENOENT) atomic_fetch_add(&failed, 1);
    }
    return NULL;
}

static void launch_in_child(void)
{
    struct csev_kvm_cmd start = { .id = CSEV_KVM_SEV_SNP_LAUNCH_START };
    if (machines_launch(VM_FIRST, &start) != 0) atomic_fetch_add(&failed, 1);
    pid_t child = fork();
    if (child == 0) {
        machines_forked();
        prepared_forked();
        launch(VM_FIRST);
        _exit(atomic_load(&failed) != 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) atomic_fetch_add(&failed, 1);
    launch(VM_FIRST);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) count++;
    if (directory) closedir(directory);
    return count;
}

int main(void)
{
    int before = open_descriptors();
    launch_in_child();
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, launches, (void *)i)) return 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int left = open_descriptors() - before;
    printf("failed %u, chunks %u, descriptors left %d\n", failed, chunks, left);
    /* Not all at once: that would be a launch without turns. */
    return failed != 0 || left != 0 || chunks < 3 * THREADS * LAUNCHES;
}
