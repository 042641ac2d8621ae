// What both floors begin with: a listening SOCK_SEQPACKET socket in an epoll set, and a line that says so.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Ready connections that one epoll_wait reports: more than the benchmarks have clients at once.
#define EVENTS_MAX 128

static void fail(const char *attempt) {
    perror(attempt);
    exit(1);
}

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
        fail("epoll_ctl");
}

static int listen_at(const char *path, int epoll) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "%s: longer than a socket's path may be\n", path);
        exit(1);
    }
    strcpy(address.sun_path, path);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        fail(path);
    watch(epoll, listener);
    puts("listening");
    fflush(stdout);
    return listener;
}
