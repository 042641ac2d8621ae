/*
 * A program that neither launches nor opens the device, and notices whatever changes beneath it: what it prints must be
 * the same with libspsched-preload and without.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/spsched-bystander-XXXXXX";

static void tell(const char *what, int result)
{
    int error = errno;
    printf("%s: %d %s\n", what, result, result < 0 ? strerrorname_np(error) : "ok");
    fflush(stdout);
    if (result > 2) close(result);
    errno = 0;
}

/* Before any constructor of a library that is loaded later. */
__attribute__((constructor(101))) static void early(void)
{
    tell("constructor opens", open("/dev/null", O_RDONLY));
    tell("constructor's ioctl", ioctl(-1, TIOCGWINSZ, NULL));
}

static int entries(const char *path)
{
    int count = 0;
    DIR *opened = opendir(path);
    while (opened && readdir(opened)) count++;
    if (opened) closedir(opened);
    return count;
}

static void open_files(void)
{
    char path[64];
    struct stat file;
    volatile int flags = O_RDONLY; /* not a constant: the fortified functions are called */
    snprintf(path, sizeof path, "%s/file", directory);
    umask(0);
    tell("create", open(path, O_CREAT | O_EXCL | O_WRONLY, 0640));
    stat(path, &file);
    printf("mode: %o\n", file.st_mode & 07777);
    tell("create again", open(path, O_CREAT | O_EXCL | O_WRONLY, 0640));
    tell("fortified", open(path, flags));
    tell("fortified openat", openat(AT_FDCWD, path, flags));
    tell("fortified 64", open64(path, flags));
    tell("fortified openat64", openat64(AT_FDCWD, path, flags));
    int parent = open(directory, O_DIRECTORY | O_RDONLY);
    tell("openat", openat(parent, "file", O_RDWR));
    tell("openat64", openat64(parent, "file2", O_CREAT | O_RDWR, 0600));
    tell("temporary", openat(parent, ".", O_TMPFILE | O_RDWR, 0600));
    unlinkat(parent, "file2", 0);
    close(parent);
    unlink(path);
    tell("removed", open64(path, O_RDONLY));
    tell("path only", open("/dev/sev", O_PATH | O_DIRECTORY));
    tell("almost the device", open("/dev/sev0-of-nobody", O_RDONLY));
    tell("part of it", open("/dev/se", O_RDONLY));
}

static void open_nowhere(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memcpy(page + 4096 - 5, "/dev/", 5);
    tell("path that ends in nothing", open(page + 4096 - 5, O_RDONLY));
    mprotect(page, 4096, PROT_NONE);
    tell("path that cannot be read", open(page, O_RDONLY));
    /* Behind the compiler's back: it knows that a path is not NULL. */
    volatile uintptr_t nowhere = 0;
    tell("no path", open((const char *)nowhere, O_RDONLY));
    nowhere = 8;
    tell("no path either", openat(AT_FDCWD, (const char *)nowhere, O_RDONLY));
    munmap(page, 4096);
}

static void control(void)
{
    int ends[2], count = 0;
    if (pipe(ends) < 0 || write(ends[1], "abc", 3) != 3) exit(2);
    tell("FIONREAD", ioctl(ends[0], FIONREAD, &count));
    printf("%d bytes\n", count);
    tell("FIONREAD to nowhere", ioctl(ends[0], FIONREAD, (void *)8));
    tell("no terminal", ioctl(ends[0], TIOCGWINSZ, &(struct winsize) { 0 }));
    tell("closed", ioctl(999, FIONREAD, &count));
    /* The numbers of KVM's, to what is none. */
    tell("no KVM", ioctl(ends[0], 0xC008AEBAUL, NULL));
    uint64_t launch[3] = { 100 };
    tell("no KVM, a launch", ioctl(ends[0], 0xC008AEBAUL, launch));
    tell("no VM", ioctl(ends[0], 0xAE41UL, 0));
    close(ends[0]);
    close(ends[1]);
    errno = 77;
    int opened = open("/dev/null", O_RDONLY);
    printf("errno after success: %d, descriptor %d\n", errno, opened);
    close(opened);
}

static void *open_and_close(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        int opened = open("/dev/null", O_RDWR);
        ioctl(opened, FIONREAD, &i);
        close(opened);
    }
    return unused;
}

static void *open_for_ever(void *fifo) { return (void *)(intptr_t)open(fifo, O_RDONLY); }

static void thread_and_cancel(void)
{
    pthread_t threads[8], waiting;
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, open_and_close, NULL);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    char fifo[64];
    void *result;
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    mkfifo(fifo, 0600);
    pthread_create(&waiting, NULL, open_for_ever, fifo);
    pthread_cancel(waiting);
    pthread_join(waiting, &result);
    printf("a waiting open can be cancelled: %s\n", result == PTHREAD_CANCELED ? "yes" : "no");
    unlink(fifo);
    fflush(stdout);
}

static void multiply(void)
{
    pid_t child = fork();
    if (child == 0) {
        open_files();
        control();
        _exit(entries("/proc/self/fd"));
    }
    int status;
    waitpid(child, &status, 0);
    printf("child: %x\n", status);
    child = vfork();
    if (child == 0) {
        int opened = open("/dev/null", O_RDONLY);
        _exit(opened < 0);
    }
    waitpid(child, &status, 0);
    printf("vfork: %x\n", status);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    char *arguments[] = { "true", NULL };
    posix_spawn(&child, "/bin/true", &actions, NULL, arguments, environ);
    waitpid(child, &status, 0);
    printf("spawn: %x\n", status);
    fflush(stdout);
}

int main(void)
{
    if (!mkdtemp(directory)) return 2;
    printf("threads: %d, files: %d\n", entries("/proc/self/task") - 2, entries("/proc/self/fd"));
    printf("symbols: %d\n", dlsym(RTLD_DEFAULT, "spsched_open") || dlsym(RTLD_DEFAULT, "spsched_kvm_open")
            || dlsym(RTLD_DEFAULT, "device_open") || dlsym(RTLD_DEFAULT, "settings") || dlsym(RTLD_DEFAULT, "next"));
    open_files();
    open_nowhere();
    control();
    thread_and_cancel();
    multiply();
    closefrom(3);
    open_files();
    control();
    multiply();
    printf("threads: %d, files: %d\n", entries("/proc/self/task") - 2, entries("/proc/self/fd"));
    rmdir(directory);
    return 0;
}
