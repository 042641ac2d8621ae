/*
 * A KVM with SNP, as a library beneath libspsched-preload: LD_PRELOAD=libspsched-preload.so:fake-sev.so.
 *
 * /dev/kvm opens, makes VMs and vCPUs, and KVM_MEMORY_ENCRYPT_OP is answered with the kernel's rules: sev_fd is looked
 * up in the caller's own table and must be the device (here: a connection to sp-emulator, which then does the work in
 * its time, or /dev/null), LAUNCH_UPDATE moves its fields on.
 *
 *     FAKE_SEV_NODE      what is opened for /dev/sev
 *     FAKE_SEV_LOG       a file that gets a line for each launch ioctl
 *     FAKE_SEV_ANSWERS   the first answers to launch commands: `ok`, `ERRNO:CODE`, or `pN` for N pages only
 *     FAKE_SEV_ON_KVM    /dev/kvm is the real one, whose VMs gain SEV: their guests run, unencrypted
 */
#define _GNU_SOURCE
#include "CSEV_KVM.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FILES_MAX = 1024, PAGE = 4096 };
/* On the device, and on a VM. */
#define SEV_ISSUE_CMD 0xC0105300U
#define KVM_MEMORY_ENCRYPT_REG_REGION 0x8010AEBBU
#define KVM_MEMORY_ENCRYPT_UNREG_REGION 0x8010AEBCU
enum kind { OTHER, KVM, VM, VCPU };

static unsigned char kinds[FILES_MAX];
static unsigned vcpus[FILES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum kind kind_of(int descriptor)
{
    return descriptor >= 0 && descriptor < FILES_MAX ? kinds[descriptor] : OTHER;
}

static int make(enum kind kind)
{
    int made = dup(STDERR_FILENO);
    if (made >= 0 && made < FILES_MAX) {
        kinds[made] = (unsigned char)kind;
        vcpus[made] = 0;
    }
    return made;
}

/* ---- What the script wants ---- */

struct answer {
    int error;
    uint32_t code;
    long pages; /* -1: all */
};

static struct answer next_answer(void)
{
    static const char *script;
    static bool begun;
    if (!begun) script = getenv("FAKE_SEV_ANSWERS");
    begun = true;
    struct answer answer = { .pages = -1 };
    if (!script || !*script) return answer;
    if (*script == 'p')
        answer.pages = strtol(script + 1, NULL, 10);
    else if (strncmp(script, "ok", 2) != 0)
        sscanf(script, "%d:%u", &answer.error, &answer.code);
    script = strchr(script, ',');
    if (script) script++;
    return answer;
}

static void note(const struct csev_kvm_cmd *command, uint64_t first, uint64_t pages, int result, const char *device)
{
    const char *path = getenv("FAKE_SEV_LOG");
    if (!path) return;
    char line[160];
    int length = snprintf(line, sizeof line, "%u frame %lu pages %lu %s: %d %u\n", command->id, (unsigned long)first,
        (unsigned long)pages, device, result, command->error);
    FILE *log = fopen(path, "a");
    if (!log) return;
    fwrite(line, 1, (size_t)length, log);
    fclose(log);
}

/* ---- The device behind sev_fd ---- */

static void put(uint8_t *bytes, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

/* One command of the emulator's wire, and its result. */
static int perform(int device, uint16_t kind, uint8_t page_kind, uint32_t units, uint32_t *code)
{
    uint8_t label[80] = { 1, 0, sizeof label }, request[24] = { 2, 0, sizeof request }, reply[1024];
    snprintf((char *)label + 16, 64, "%d", getpid());
    put(request + 8, 1, 8);
    put(request + 16, kind, 2);
    request[18] = page_kind;
    put(request + 20, units, 4);
    if (send(device, label, sizeof label, MSG_NOSIGNAL) < 0) return -EBADF;
    if (send(device, request, sizeof request, MSG_NOSIGNAL) < 0) return -EBADF;
    ssize_t length;
    while ((length = recv(device, reply, sizeof reply, 0)) < 0 && errno == EINTR) { }
    if (length < 24 || reply[0] != 1 || reply[1] != 0x80) return -EBADF;
    int error;
    memcpy(&error, reply + 16, 4);
    memcpy(code, reply + 20, 4);
    return -error;
}

static const char *device_of(int descriptor)
{
    struct stat file;
    if (fstat(descriptor, &file) < 0) return NULL;
    if (S_ISSOCK(file.st_mode)) return "emulator";
    if (!S_ISCHR(file.st_mode) || file.st_rdev != makedev(1, 3)) return NULL;
    return (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY ? "read-only" : "writable";
}

static uint16_t kind_of_command(uint32_t id)
{
    switch (id) {
    case CSEV_KVM_SEV_SNP_LAUNCH_START: return 0x0100;
    case CSEV_KVM_SEV_SNP_LAUNCH_UPDATE: return 0x0101;
    case CSEV_KVM_SEV_SNP_LAUNCH_FINISH: return 0x0102;
    default: return 0x0104;
    }
}

static int work(int vm, struct csev_kvm_cmd *command, uint8_t page_kind, uint64_t units, const char *device)
{
    if (command->id == CSEV_KVM_SEV_SNP_LAUNCH_FINISH) units = vcpus[vm] ? vcpus[vm] : 1;
    if (strcmp(device, "emulator") != 0) return 0;
    return perform((int)command->sev_fd, kind_of_command(command->id), page_kind, (uint32_t)units, &command->error);
}

/* As copy_from_user: whether something is there. */
static bool can_read(const void *address, size_t size)
{
    char bytes[128];
    struct iovec here = { bytes, size }, there = { (void *)(uintptr_t)address, size };
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* Asked with no room, it says how much is needed; the firmware calls that an error. */
static int measure(int vm, struct csev_kvm_cmd *command, const char *device)
{
    struct csev_kvm_launch_update_data *asked = (void *)(uintptr_t)command->data;
    bool has_room = asked && asked->len >= 48;
    if (asked) asked->len = 48;
    if (has_room) return work(vm, command, 1, 1, device);
    command->error = 0x04;
    return -EIO;
}

static int update(int vm, struct csev_kvm_cmd *command, const struct answer *answer, const char *device)
{
    struct csev_kvm_snp_launch_update *asked = (struct csev_kvm_snp_launch_update *)(uintptr_t)command->data;
    if (!can_read(asked, sizeof *asked)) return -EFAULT;
    if (asked->len == 0 || asked->len % PAGE) return -EINVAL;
    uint64_t first = asked->gfn_start, pages = asked->len / PAGE;
    if (answer->pages >= 0 && (uint64_t)answer->pages < pages) pages = (uint64_t)answer->pages;
    int result = answer->error ? -answer->error : work(vm, command, asked->type, pages, device);
    note(command, first, asked->len / PAGE, result, device);
    if (result < 0) return result;
    asked->gfn_start += pages;
    asked->len -= pages * PAGE;
    if (asked->type != CSEV_KVM_SNP_PAGE_TYPE_ZERO) asked->uaddr += pages * PAGE;
    return 0;
}

static int encrypt_op(int vm, struct csev_kvm_cmd *command)
{
    if (!can_read(command, sizeof *command)) return -EFAULT;
    if (command->id < CSEV_KVM_SEV_LAUNCH_START || command->id == CSEV_KVM_SEV_INIT2) return 0;
    const char *device = device_of((int)command->sev_fd);
    if (!device) return -EBADF;
    pthread_mutex_lock(&lock);
    struct answer answer = next_answer();
    pthread_mutex_unlock(&lock);
    if (answer.code) command->error = answer.code;
    if (command->id == CSEV_KVM_SEV_SNP_LAUNCH_UPDATE) return update(vm, command, &answer, device);
    uint64_t bytes = 0;
    if (command->id == CSEV_KVM_SEV_LAUNCH_UPDATE_DATA && can_read((void *)(uintptr_t)command->data, 16))
        bytes = ((struct csev_kvm_launch_update_data *)(uintptr_t)command->data)->len;
    bool measures = command->id == CSEV_KVM_SEV_LAUNCH_MEASURE;
    int result = -answer.error;
    if (!result) result = measures ? measure(vm, command, device) : work(vm, command, 1, bytes / PAGE + 1, device);
    note(command, 0, bytes / PAGE, result, device);
    return result;
}

/* ---- The functions that this library stands in for ---- */

/* The emulated device is opened by connecting to it. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0 ? descriptor : -1;
}

static bool is_socket(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISSOCK(file.st_mode);
}

static bool is_on_kvm(void) { return getenv("FAKE_SEV_ON_KVM"); }
static bool opens_kvm(const char *path) { return !is_on_kvm() && strcmp(path, "/dev/kvm") == 0; }

static int open_any(const char *path, int flags, mode_t mode)
{
    int (*beneath)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    const char *node = strcmp(path, "/dev/sev") == 0 ? getenv("FAKE_SEV_NODE") : NULL;
    if (node) path = node;
    if (is_socket(path)) return connect_to(path);
    int opened = opens_kvm(path) ? make(KVM) : beneath(path, flags, mode);
    if (opened >= 0 && opened < FILES_MAX && !opens_kvm(path)) kinds[opened] = OTHER;
    return opened;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = va_arg(arguments, mode_t);                                                                       \
        va_end(arguments);                                                                                             \
        return open_any(path, flags, mode);                                                                            \
    }

OPEN(open)
OPEN(open64)

/* What a KVM without SEV lacks: its commands, the device's own, and the registration of encrypted memory. */
static bool adds_sev(unsigned long request)
{
    switch ((uint32_t)request) {
    case CSEV_KVM_MEMORY_ENCRYPT_OP:
    case SEV_ISSUE_CMD:
    case KVM_MEMORY_ENCRYPT_REG_REGION:
    case KVM_MEMORY_ENCRYPT_UNREG_REGION: return true;
    default: return false;
    }
}

static int add_sev(int descriptor, unsigned long request, void *argument)
{
    if ((uint32_t)request != CSEV_KVM_MEMORY_ENCRYPT_OP || !argument) return 0;
    return encrypt_op(descriptor, argument);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    enum kind kind = kind_of(descriptor);
    int result = -ENOTTY;
    if (is_on_kvm() && adds_sev(request)) {
        result = add_sev(descriptor, request, argument);
    } else if (kind == OTHER) {
        int (*beneath)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
        return beneath(descriptor, request, argument);
    }
    if ((uint32_t)request == CSEV_KVM_CHECK_EXTENSION) result = 0;
    if ((uint32_t)request == CSEV_KVM_CREATE_VM && kind == KVM) result = make(VM);
    if ((uint32_t)request == CSEV_KVM_CREATE_VCPU && kind == VM) {
        vcpus[descriptor]++;
        result = make(VCPU);
    }
    if ((uint32_t)request == CSEV_KVM_MEMORY_ENCRYPT_OP && kind == VM) result = encrypt_op(descriptor, argument);
    if (result >= 0) return result;
    errno = -result;
    return -1;
}
