// Child processes and signals, as far as Swift cannot have them: fork(2) is not imported, prctl(2) is variadic, pidfd
// and signalfd are missing from its Glibc. Each returns what the call returns, or -errno.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Standard input, output, error, and one descriptor more.
#define LINUX_CHILD_DESCRIPTORS 4
// Above every number that the child is given, so that moving one does not overwrite another.
#define LINUX_CHILD_SCRATCH 16

// include/uapi/linux/close_range.h
#define LINUX_CLOSE_RANGE_CLOEXEC 4U
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// Runs in the child, between fork and exec: only async-signal-safe calls. Returns -errno if something fails.
static inline int linux_become_child(
    const char *path, char *const arguments[], char *const environment[], const int descriptors[], pid_t parent
) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    // The parent may have died before the call above.
    if (getppid() != parent)
        return -ESRCH;
    // Its own process group: a terminal's Ctrl-C reaches the parent alone, which then ends its children in order.
    if (setpgid(0, 0) < 0)
        return -errno;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int moved[LINUX_CHILD_DESCRIPTORS];
    for (int number = 0; number < LINUX_CHILD_DESCRIPTORS; number++) {
        moved[number] = -1;
        if (descriptors[number] < 0)
            continue;
        moved[number] = fcntl(descriptors[number], F_DUPFD_CLOEXEC, LINUX_CHILD_SCRATCH);
        if (moved[number] < 0)
            return -errno;
    }
    for (int number = 0; number < LINUX_CHILD_DESCRIPTORS; number++)
        if (moved[number] >= 0 && dup2(moved[number], number) < 0)
            return -errno;
    // What somebody opened without close-on-exec. Linux before 5.11 cannot; everything of ours is close-on-exec anyway.
    syscall(SYS_close_range, LINUX_CHILD_DESCRIPTORS, ~0U, LINUX_CLOSE_RANGE_CLOEXEC);
    execve(path, arguments, environment);
    return -errno;
}

// Starts `path` in a process group of its own and with descriptors[0...3] as its 0...3 (negative: the parent's for
// 0...2, none for 3). The child is killed when the calling thread ends. Returns its pid once the program runs.
static inline int linux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int descriptors[]
) {
    int failure[2];
    if (pipe(failure) < 0)
        return -errno;
    // Closed by a successful exec: reading the end of the pipe is the news that the program runs.
    fcntl(failure[0], F_SETFD, FD_CLOEXEC);
    fcntl(failure[1], F_SETFD, FD_CLOEXEC);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        int moved = fcntl(failure[1], F_DUPFD_CLOEXEC, LINUX_CHILD_SCRATCH);
        int error = linux_become_child(path, arguments, environment, descriptors, parent);
        if (write(moved, &error, sizeof error) < 0)
            _exit(126);
        _exit(127);
    }
    int error = child < 0 ? -errno : 0;
    close(failure[1]);
    if (child > 0) {
        ssize_t count;
        do
            count = read(failure[0], &error, sizeof error);
        while (count < 0 && errno == EINTR);
        if (error < 0)
            waitpid(child, NULL, 0);
    }
    close(failure[0]);
    return error < 0 ? error : (int)child;
}

// Readable once the process has ended.
static inline int linux_pidfd_open(int pid) {
    // Close-on-exec by itself.
    long result = syscall(SYS_pidfd_open, pid, 0);
    return result < 0 ? -errno : (int)result;
}

// Waits for the child's end. *code: its exit code, or the signal that ended it; returns 0 for the former, 1 for the
// latter.
static inline int linux_reap(int pid, int *code) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    return WIFEXITED(status) ? 0 : 1;
}

// Blocks the signals in the whole process (call it before other threads start) and makes a descriptor that reads them.
static inline int linux_signals_take_over(const int signals[], int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int index = 0; index < count; index++)
        sigaddset(&set, signals[index]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int result = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return result < 0 ? -errno : result;
}

// Lets them act again as they did, in the calling thread.
static inline void linux_signals_give_back(const int signals[], int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int index = 0; index < count; index++)
        sigaddset(&set, signals[index]);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// The number of the next signal; 0 if none waits.
static inline int linux_signal_take(int descriptor) {
    struct signalfd_siginfo information;
    if (read(descriptor, &information, sizeof information) == sizeof information)
        return (int)information.ssi_signo;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

// MARK: Threads

// Starts a thread that nobody waits for.
static inline int linux_start_detached(void *context, void *(*perform)(void *)) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, perform, context);
    pthread_attr_destroy(&attributes);
    return -error;
}

// Of the calling thread; beyond 15 bytes it is cut.
static inline void linux_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
