/*
 * usage: launcher [--device PATH] [--pages N] [--each N] [--vcpus N] [--gate FIFO] [--legacy] [--bad] [--closes]
 *                 [--forks]
 *
 * A VMM that knows /dev/sev and KVM's ioctls and nothing else: opens the device, makes a VM, and launches it with one
 * LAUNCH_UPDATE for each `--each` pages (default: all at once). Prints a line for each step. Waits before the launch
 * until somebody opens the FIFO. `--closes` closes every descriptor that it does not know, and opens a file in their
 * place, amid the launch; `--forks` launches in a child process after the parent has begun; `--bad` passes arguments
 * that point nowhere.
 */
#define _GNU_SOURCE
#include "CSEV_KVM.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long pages = 70, each, vcpus = 2;
static const char *gate, *path = "/dev/sev";
static bool closes, forks, legacy, bad;
static int device, vm;

/* An int, as some VMMs hold it: the number then comes with its sign extended. */
static const int encrypt_op = (int)CSEV_KVM_MEMORY_ENCRYPT_OP;

static int command(uint32_t id, void *data)
{
    struct csev_kvm_cmd command = { .id = id, .data = (uintptr_t)data, .sev_fd = (uint32_t)device };
    int result = ioctl(vm, (unsigned long)(long)encrypt_op, &command);
    printf("%u: %d %s code %u\n", id, result, result < 0 ? strerrorname_np(errno) : "ok", command.error);
    fflush(stdout);
    return result;
}

static void update(unsigned long first, unsigned long count)
{
    struct csev_kvm_snp_launch_update update = {
        .gfn_start = first, .uaddr = 0x100000, .len = count * 4096, .type = CSEV_KVM_SNP_PAGE_TYPE_NORMAL
    };
    int result;
    do {
        struct csev_kvm_cmd command = {
            .id = CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, .data = (uintptr_t)&update, .sev_fd = (uint32_t)device
        };
        result = ioctl(vm, CSEV_KVM_MEMORY_ENCRYPT_OP, &command);
        if (result < 0 || update.len || count > 1)
            printf("101: %d %s code %u left %lu next %lu\n", result, result < 0 ? strerrorname_np(errno) : "ok",
                command.error, (unsigned long)(update.len / 4096), (unsigned long)update.gfn_start);
    } while (result == 0 && update.len);
    fflush(stdout);
}

/* Everything but what this program opened itself; then other files take the numbers. */
static void close_the_unknown(void)
{
    for (int descriptor = 3; descriptor < 256; descriptor++)
        if (descriptor != device && descriptor != vm) close(descriptor);
    int ends[2];
    for (int i = 0; i < 8; i++)
        if (pipe(ends) < 0) exit(2);
    /* Nobody but us may use them. */
    printf("the pipes are %s\n", write(ends[1], "x", 1) == 1 ? "ours" : "not ours");
}

static void launch(void)
{
    command(legacy ? CSEV_KVM_SEV_LAUNCH_START : CSEV_KVM_SEV_SNP_LAUNCH_START, (uint8_t[128]) { 0 });
    if (closes) close_the_unknown();
    if (legacy) {
        struct csev_kvm_launch_update_data data = { .uaddr = 0x100000, .len = (uint32_t)pages * 4096 };
        command(CSEV_KVM_SEV_LAUNCH_UPDATE_DATA, &data);
    }
    for (unsigned long first = 0; first < pages && !legacy; first += each)
        update(first, pages - first < each ? pages - first : each);
    command(legacy ? CSEV_KVM_SEV_LAUNCH_FINISH : CSEV_KVM_SEV_SNP_LAUNCH_FINISH, (uint8_t[128]) { 0 });
}

static void launch_in_child(void)
{
    command(CSEV_KVM_SEV_SNP_LAUNCH_START, (uint8_t[128]) { 0 });
    pid_t child = fork();
    if (child == 0) {
        launch();
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    fflush(stdout);
    update(0, pages);
    command(CSEV_KVM_SEV_SNP_LAUNCH_FINISH, (uint8_t[128]) { 0 });
}

static void point_nowhere(void)
{
    int result = ioctl(vm, CSEV_KVM_MEMORY_ENCRYPT_OP, NULL);
    printf("NULL: %d %s\n", result, strerrorname_np(errno));
    command(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, NULL);
    command(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, (void *)16);
    command(4711, NULL);
    int known = device;
    device = STDIN_FILENO + 700;
    command(CSEV_KVM_SEV_SNP_LAUNCH_START, (uint8_t[128]) { 0 });
    device = known;
    int machine = vm;
    vm = -1;
    command(CSEV_KVM_SEV_SNP_LAUNCH_START, (uint8_t[128]) { 0 });
    vm = machine;
    fflush(stdout);
}

static unsigned long number(char **argument) { return argument[1] ? strtoul(argument[1], NULL, 10) : 0; }

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        if (strcmp(name, "--closes") == 0) closes = true;
        if (strcmp(name, "--forks") == 0) forks = true;
        if (strcmp(name, "--legacy") == 0) legacy = true;
        if (strcmp(name, "--bad") == 0) bad = true;
        if (strcmp(name, "--pages") == 0) pages = number(&arguments[i++]);
        if (strcmp(name, "--each") == 0) each = number(&arguments[i++]);
        if (strcmp(name, "--vcpus") == 0) vcpus = number(&arguments[i++]);
        if (strcmp(name, "--gate") == 0) gate = arguments[++i];
        if (strcmp(name, "--device") == 0) path = arguments[++i];
    }
    if (each == 0) each = pages;
    device = open(path, O_RDWR | O_CLOEXEC);
    const char *outcome = device < 0 ? strerrorname_np(errno) : "ok";
    bool closed_on_exec = device >= 0 && fcntl(device, F_GETFD) & FD_CLOEXEC;
    printf("device: %d %s%s\n", device, outcome, closed_on_exec ? " cloexec" : "");
    fflush(stdout);
    if (device < 0) return 1;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    vm = ioctl(kvm, CSEV_KVM_CREATE_VM, CSEV_KVM_X86_SNP_VM);
    if (vm < 0) vm = ioctl(kvm, CSEV_KVM_CREATE_VM, 0); /* a host without SNP: its KVM says so below */
    command(CSEV_KVM_SEV_INIT2, (uint8_t[64]) { 0 });
    for (unsigned long vcpu = 0; vcpu < vcpus; vcpu++)
        if (ioctl(vm, CSEV_KVM_CREATE_VCPU, vcpu) < 0) printf("vCPU: %s\n", strerrorname_np(errno));
    if (gate) close(open(gate, O_RDONLY));
    if (bad) point_nowhere();
    if (forks)
        launch_in_child();
    else
        launch();
    return 0;
}
