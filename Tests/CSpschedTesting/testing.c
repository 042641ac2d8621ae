#define _GNU_SOURCE
#include "CSpschedTesting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int testing_listen(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0) return -errno;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0) return listener;
    int error = errno;
    close(listener);
    return -error;
}

static int await(int descriptor, int timeout_ms)
{
    struct pollfd watched = { .fd = descriptor, .events = POLLIN };
    int ready;
    while ((ready = poll(&watched, 1, timeout_ms)) < 0 && errno == EINTR) { }
    return ready > 0 ? 0 : -ETIMEDOUT;
}

int testing_accept(int listener, int timeout_ms)
{
    if (await(listener, timeout_ms) < 0) return -ETIMEDOUT;
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int testing_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0; }

long testing_receive(int descriptor, void *buffer, size_t size, int timeout_ms)
{
    if (await(descriptor, timeout_ms) < 0) return -ETIMEDOUT;
    long length = recv(descriptor, buffer, size, 0);
    return length >= 0 ? length : errno == ECONNRESET ? 0 : -errno;
}

int testing_send(int descriptor, const void *bytes, size_t size, int passed)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
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
    return sendmsg(descriptor, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static atomic_uint signals;

static void count(int signal)
{
    (void)signal;
    atomic_fetch_add(&signals, 1);
}

void testing_count_signals(int signal)
{
    struct sigaction action = { .sa_handler = count };
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

void testing_take_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

unsigned testing_signals_counted(void) { return atomic_load(&signals); }

int testing_ioctl(int descriptor, unsigned long request, void *argument)
{
    int result = ioctl(descriptor, request, argument);
    return result < 0 ? -errno : result;
}

int testing_kvm_vm(void)
{
    const unsigned long create = 0xAE01;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) return open("/dev/null", O_RDWR | O_CLOEXEC);
    /* SNP's type if there is one. */
    int vm = ioctl(kvm, create, 4);
    if (vm < 0) vm = ioctl(kvm, create, 0);
    close(kvm);
    return vm;
}

static int misuse(struct spsched *client)
{
    struct spsched_registration registration;
    spsched_registration_init(&registration, sizeof registration);
    struct spsched_launch_plan plan = { .size = sizeof plan, .pages = 1, .vcpus = 1 };
    struct spsched_request request = { .size = sizeof request, .kind = SPSCHED_REPORT, .units = 1 };
    struct spsched_reply reply = { .size = sizeof reply };
    struct spsched_status status = { .size = sizeof status };
    struct spsched_grant grant = { .turn = 1 };
    char text[SPSCHED_TEXT_MAX];
    int allowed = 0;
    allowed += spsched_register(client, &registration, NULL, NULL) != SPSCHED_FORKED;
    allowed += spsched_take_device(client) != -1;
    allowed += spsched_launch_begin(client, &plan, NULL, NULL) != SPSCHED_FORKED;
    allowed += spsched_launch_end(client, SPSCHED_LAUNCH_RUNNING) != SPSCHED_FORKED;
    allowed += spsched_acquire(client, &request, &reply) != SPSCHED_FORKED;
    allowed += spsched_release(client, &grant, NULL) != SPSCHED_FORKED;
    allowed += spsched_release_and_acquire(client, &grant, NULL, &request, &reply) != SPSCHED_FORKED;
    allowed += spsched_cancel(client, 0) != 0;
    allowed += spsched_grant_is_stale(client, &grant) != 1;
    allowed += spsched_unregister(client) != SPSCHED_FORKED;
    allowed += spsched_reconnect(client) != SPSCHED_FORKED;
    allowed += spsched_status(client, &status) != SPSCHED_FORKED;
    allowed += strstr((spsched_last_error(client, text, sizeof text), text), "child") == NULL;
    spsched_close(client);
    return allowed;
}

int testing_misuse_after_fork(struct spsched *client)
{
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        alarm(30); /* a refusal that waits is none */
        _exit(misuse(client));
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int testing_launch_in_child(struct spsched_kvm *kvm, int vm_fd)
{
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        alarm(30); /* it would wait for a lock that nobody holds here */
        uint64_t command[3] = { 100 };
        int result = spsched_kvm_encrypt_op(kvm, vm_fd, (struct kvm_sev_cmd *)(void *)command);
        spsched_kvm_declare(kvm, 1, 1);
        spsched_kvm_close(kvm);
        _exit(-result);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EDOM;
}
