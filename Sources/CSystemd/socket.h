// The calls that Swift cannot import: macros (CMSG_*), variadics (fcntl, open), what Glibc's module leaves out (epoll,
// timerfd, eventfd, memfd) and socket calls that take a union type. Each returns what the call returns, or -errno.
// No header here defines _GNU_SOURCE: Swift's Glibc module is built without it, and Clang rejects two modules that see
// different system headers. What only _GNU_SOURCE declares is reached by system call or spelled out below.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// Since Linux 6.16; absent from Debian 12's headers (include/uapi/asm-generic/socket.h).
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

// include/uapi/asm-generic/poll.h
#define LINUX_POLL_PEER_SHUTDOWN 0x2000

// struct ucred of include/linux/socket.h
struct linux_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

// include/uapi/linux/memfd.h
#define LINUX_MEMFD_CLOEXEC 1U
#define LINUX_MEMFD_ALLOW_SEALING 2U

static inline int linux_result(int result) { return result < 0 ? -errno : result; }

// MARK: Unix sockets

enum linux_socket_kind {
    LINUX_SOCKET_STREAM = SOCK_STREAM,
    LINUX_SOCKET_DATAGRAM = SOCK_DGRAM,
    LINUX_SOCKET_SEQPACKET = SOCK_SEQPACKET,
};

static inline int linux_unix_socket(int kind, int is_nonblocking) {
    return linux_result(socket(AF_UNIX, kind | SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0), 0));
}

static inline int linux_unix_pair(int kind, int is_nonblocking, int descriptors[2]) {
    return linux_result(
        socketpair(AF_UNIX, kind | SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0), 0, descriptors));
}

// The longest path is 107 bytes: sun_path holds 108 with its NUL.
static inline int linux_unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length == 0)
        return -ENOENT;
    if (length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return 0;
}

static inline int linux_unix_bind(int descriptor, const char *path) {
    struct sockaddr_un address;
    int result = linux_unix_address(path, &address);
    return result < 0 ? result : linux_result(bind(descriptor, (struct sockaddr *)&address, sizeof address));
}

static inline int linux_unix_connect(int descriptor, const char *path) {
    struct sockaddr_un address;
    int result = linux_unix_address(path, &address);
    return result < 0 ? result : linux_result(connect(descriptor, (struct sockaddr *)&address, sizeof address));
}

static inline int linux_listen(int descriptor, int backlog) { return linux_result(listen(descriptor, backlog)); }

static inline int linux_accept(int descriptor, int is_nonblocking) {
    int flags = SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0);
    return linux_result((int)syscall(SYS_accept4, descriptor, NULL, NULL, flags));
}

static inline int linux_shutdown(int descriptor) { return linux_result(shutdown(descriptor, SHUT_RDWR)); }

// SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM of an existing socket.
static inline int linux_socket_type(int descriptor) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &value, &length) < 0 ? -errno : value;
}

static inline int linux_socket_listens(int descriptor) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) < 0 ? -errno : value;
}

// MARK: Messages, with at most one descriptor

// The three calls of every turn go to the kernel directly: in a process with threads the C library makes each of its
// own wrappers a point where a thread may be cancelled, with two atomic operations that nobody needs here.

// Sends one record. Never raises SIGPIPE.
static inline long linux_send(int descriptor, const void *bytes, size_t count) {
    for (;;) {
        long sent = syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, NULL, 0);
        if (sent >= 0)
            return sent;
        if (errno != EINTR)
            return -errno;
    }
}

// Receives one record and returns its whole length, which may be more than fitted; of a stream, what is there.
// Descriptors that come with it are dropped by the kernel, never entered in our table. Cheaper than recvmsg(2), which
// copies a header in and out.
static inline long linux_receive(int descriptor, void *bytes, size_t capacity, int is_stream) {
    for (;;) {
        long received = syscall(SYS_recvfrom, descriptor, bytes, capacity, is_stream ? 0 : MSG_TRUNC, NULL, NULL);
        if (received >= 0)
            return received;
        if (errno != EINTR)
            return -errno;
    }
}

// Sends one record, and the descriptor `passed` with it.
static inline long linux_send_passing(int descriptor, const void *bytes, size_t count, int passed) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr alignment;
    } control;
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    for (;;) {
        ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (errno != EINTR)
            return -errno;
    }
}

// Keeps the first descriptor of a control message in `*kept` and closes every other one.
static inline void linux_keep_first_descriptor(struct msghdr *message, int *kept) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + index * sizeof received, sizeof received);
            if (*kept < 0)
                *kept = received;
            else
                close(received);
        }
    }
}

// Receives one record and returns its whole length, as linux_receive. *passed is the first descriptor that came with it
// (close-on-exec), or -1.
static inline long linux_receive_passed(int descriptor, void *bytes, size_t capacity, int *passed) {
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    // Room for a few more than one, so that stray ones are seen and closed.
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr alignment;
    } control;
    for (;;) {
        struct msghdr message = {
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control.bytes,
            .msg_controllen = sizeof control.bytes,
        };
        *passed = -1;
        ssize_t received = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC | MSG_TRUNC);
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0)
            return -errno;
        linux_keep_first_descriptor(&message, passed);
        return received;
    }
}

// MARK: Who is at the other end

static inline int linux_peer_credentials(int descriptor, uint32_t *uid, uint32_t *gid, int32_t *pid) {
    struct linux_peer credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    *uid = credentials.uid;
    *gid = credentials.gid;
    *pid = credentials.pid;
    return 0;
}

// Length of the label; -ENOPROTOOPT where no security module labels sockets; -ERANGE if it does not fit.
static inline int linux_peer_label(int descriptor, char *bytes, unsigned capacity) {
    socklen_t length = capacity;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERSEC, bytes, &length) < 0 ? -errno : (int)length;
}

// How many supplementary groups were written; -ERANGE if they do not fit.
static inline int linux_peer_groups(int descriptor, uint32_t *groups, unsigned capacity) {
    socklen_t length = capacity * sizeof *groups;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0 ? -errno
                                                                                 : (int)(length / sizeof *groups);
}

// From now on a peer's send with a descriptor fails with EPERM. -ENOPROTOOPT before Linux 6.16.
static inline int linux_refuse_descriptors(int descriptor) {
    int off = 0;
    return linux_result(setsockopt(descriptor, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off));
}

// Whether the peer has gone (or shut down its writing half): tells an empty record from the end.
static inline int linux_has_hung_up(int descriptor) {
    struct pollfd state = {.fd = descriptor, .events = LINUX_POLL_PEER_SHUTDOWN};
    int result = poll(&state, 1, 0);
    return result < 0 ? -errno : (state.revents & (POLLHUP | LINUX_POLL_PEER_SHUTDOWN | POLLERR)) != 0;
}

// The size of the record that waits to be received, 0 if none does; unix(7), SIOCINQ.
static inline int linux_unread(int descriptor) {
    int count = 0;
    int result = ioctl(descriptor, FIONREAD, &count);
    return result < 0 ? -errno : count;
}

// How much of what was sent the peer has not received yet, in the kernel's own reckoning; unix(7), SIOCOUTQ.
static inline int linux_unread_by_peer(int descriptor) {
    int count = 0;
    int result = ioctl(descriptor, TIOCOUTQ, &count);
    return result < 0 ? -errno : count;
}

// MARK: Waiting

enum linux_readiness {
    LINUX_READABLE = EPOLLIN,
    LINUX_WRITABLE = EPOLLOUT,
    LINUX_HANGUP = EPOLLHUP,
    LINUX_PEER_SHUTDOWN = EPOLLRDHUP,
    LINUX_ERROR = EPOLLERR,
};

enum linux_epoll_operation {
    LINUX_EPOLL_ADD = EPOLL_CTL_ADD,
    LINUX_EPOLL_MODIFY = EPOLL_CTL_MOD,
    LINUX_EPOLL_REMOVE = EPOLL_CTL_DEL,
};

typedef struct epoll_event linux_epoll_event;

static inline uint64_t linux_epoll_token(const linux_epoll_event *event) { return event->data.u64; }
static inline uint32_t linux_epoll_readiness(const linux_epoll_event *event) { return event->events; }

static inline int linux_epoll_create(void) { return linux_result(epoll_create1(EPOLL_CLOEXEC)); }

static inline int linux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return linux_result(epoll_ctl(epoll, operation, descriptor, &event));
}

// A negative time-out waits for ever. An interrupted wait is a wait without events.
static inline int linux_epoll_wait(int epoll, linux_epoll_event *events, int capacity, int timeout_ms) {
    int result = (int)syscall(SYS_epoll_pwait, epoll, events, capacity, timeout_ms, NULL, 0);
    return result < 0 && errno == EINTR ? 0 : linux_result(result);
}

static inline int linux_wait_readable(int descriptor, int timeout_ms) {
    struct pollfd state = {.fd = descriptor, .events = POLLIN};
    int result = poll(&state, 1, timeout_ms);
    return result < 0 ? (errno == EINTR ? 0 : -errno) : result;
}

// MARK: Clock and timer

static inline int64_t linux_clock_boottime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int linux_boot_timer_create(void) {
    return linux_result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
}

// Zero disarms. A time in the past fires at once.
static inline int linux_boot_timer_set(int timer, int64_t at_ns) {
    struct itimerspec when = {.it_value = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000}};
    return linux_result(timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL));
}

// How often the timer has expired or the eventfd was signalled since the last call; 0 if not at all.
static inline int64_t linux_counter_take(int descriptor) {
    uint64_t count;
    if (read(descriptor, &count, sizeof count) == sizeof count)
        return (int64_t)count;
    return errno == EAGAIN || errno == EINTR || errno == ECANCELED ? 0 : -errno;
}

static inline int linux_eventfd_create(void) { return linux_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

static inline int linux_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    return write(descriptor, &one, sizeof one) < 0 && errno != EAGAIN ? -errno : 0;
}

// MARK: Files

static inline int linux_open_read_only(const char *path) {
    return linux_result(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

static inline int linux_open_read_write(const char *path) {
    return linux_result(open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

// fcntl(2), F_OFD_SETLK with its number, which headers show to GNU programs only: an exclusive lock of the whole file,
// which belongs to the open file and ends with it. -EAGAIN while another open of the file holds one.
static inline int linux_lock_open_file(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return linux_result(fcntl(descriptor, 37, &whole));
}

// F_OFD_SETLKW: the same, but waits for it. A signal that is handled ends the wait with -EINTR.
static inline int linux_wait_to_lock_open_file(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return linux_result(fcntl(descriptor, 38, &whole));
}

// -EWOULDBLOCK while another open of the same file holds the lock.
static inline int linux_lock(int descriptor) { return linux_result(flock(descriptor, LOCK_EX | LOCK_NB)); }

static inline int linux_duplicate(int descriptor) { return linux_result(fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

static inline int linux_set_nonblocking(int descriptor, int is_nonblocking) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0)
        return -errno;
    flags = is_nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return linux_result(fcntl(descriptor, F_SETFL, flags));
}

static inline int linux_set_close_on_exec(int descriptor) {
    return linux_result(fcntl(descriptor, F_SETFD, FD_CLOEXEC));
}

static inline int linux_status_flags(int descriptor) { return linux_result(fcntl(descriptor, F_GETFL)); }
static inline int linux_descriptor_flags(int descriptor) { return linux_result(fcntl(descriptor, F_GETFD)); }

enum linux_file_kind {
    LINUX_FILE_OTHER = 0,
    LINUX_FILE_CHARACTER_DEVICE = 1,
    LINUX_FILE_SOCKET = 2,
    LINUX_FILE_REGULAR = 3,
    LINUX_FILE_DIRECTORY = 4,
    LINUX_FILE_FIFO = 5,
};

static inline int linux_kind_of(const struct stat *status) {
    switch (status->st_mode & S_IFMT) {
    case S_IFCHR:
        return LINUX_FILE_CHARACTER_DEVICE;
    case S_IFSOCK:
        return LINUX_FILE_SOCKET;
    case S_IFREG:
        return LINUX_FILE_REGULAR;
    case S_IFDIR:
        return LINUX_FILE_DIRECTORY;
    case S_IFIFO:
        return LINUX_FILE_FIFO;
    default:
        return LINUX_FILE_OTHER;
    }
}

static inline int linux_path_kind(const char *path) {
    struct stat status;
    return stat(path, &status) < 0 ? -errno : linux_kind_of(&status);
}

// Of the name itself: a symbolic link is LINUX_FILE_OTHER, whatever it leads to.
static inline int linux_link_kind(const char *path) {
    struct stat status;
    return lstat(path, &status) < 0 ? -errno : linux_kind_of(&status);
}

// A new file in the directory that has no name; less than 0 where there can be none.
static inline int linux_open_unnamed(const char *directory, mode_t mode) {
    return open(directory, __O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
}

static inline int linux_descriptor_kind(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) < 0 ? -errno : linux_kind_of(&status);
}

// Writes out what the C library still holds of standard output: a variable that Swift does not let one use. Fails also
// if something could not be written before.
static inline int linux_flush_standard_output(void) {
    errno = EIO;
    return fflush(stdout) != 0 || ferror(stdout) ? -errno : 0;
}

/* Whether the path names the very file that is open: 1 or 0. A device that was made anew is another one. */
static inline int linux_is_file_at(int descriptor, const char *path) {
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev
        && opened.st_ino == named.st_ino && opened.st_rdev == named.st_rdev;
}

/* Whether the file lies in a tmpfs (TMPFS_MAGIC of linux/magic.h): 1 or 0. */
static inline int linux_is_in_memory(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 && status.f_type == 0x01021994;
}

/* Fetches the cache lines of memory that is about to be written: whoever writes then need not wait for them. */
static inline void linux_prefetch_for_writing(const void *address, size_t bytes) {
    for (size_t offset = 0; offset < bytes; offset += 64)
        __builtin_prefetch((const char *)address + offset, 1, 3);
}

static inline int linux_memfd_create(const char *name) {
    return linux_result((int)syscall(SYS_memfd_create, name, LINUX_MEMFD_CLOEXEC | LINUX_MEMFD_ALLOW_SEALING));
}

// Writes a word after everything that was written before it and before everything after it, as a process sees that
// reads the memory once this one was killed: it is the compiler alone that must not move the stores.
static inline void linux_publish(uint64_t *word, uint64_t value) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

// include/uapi/linux/fcntl.h
#define LINUX_F_ADD_SEALS 1033
#define LINUX_SEALS_OF_SIZE (0x0002 | 0x0004)

static inline int linux_seal_size(int descriptor) {
    return linux_result(fcntl(descriptor, LINUX_F_ADD_SEALS, LINUX_SEALS_OF_SIZE));
}
