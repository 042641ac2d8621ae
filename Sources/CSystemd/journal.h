// sd_journal_sendv(3). The caller sends CODE_FILE, CODE_LINE and CODE_FUNC itself: the macros would name this header.
#pragma once

#ifndef SD_JOURNAL_SUPPRESS_LOCATION
#define SD_JOURNAL_SUPPRESS_LOCATION
#endif
#include <systemd/sd-journal.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Sends one record, lines of `NAME=value` (systemd's "Native Journal Protocol"), and waits until journald has taken it.
//
// journald looks up a sender's unit while the sender lives: a record of a process that has ended since belongs
// to no unit, and `journalctl -u` does not show it. Nothing wakes a sender when its datagram is read, so it looks every
// 5 ms, for a second at most. Returns 0, or -errno if it was not sent.
static inline int linux_journal_send_last(const char *record, size_t length) {
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -errno;
    int result = 0, unread = 1;
    if (sendto(descriptor, record, length, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&journal,
            sizeof journal) < 0)
        result = -errno;
    const useconds_t moment = 5000;
    for (int moments = 0; result == 0 && unread > 0 && moments < 200; moments++) {
        usleep(moment);
        if (ioctl(descriptor, TIOCOUTQ, &unread) < 0)
            break;
    }
    close(descriptor);
    // It has been read: a few moments more, in which the sender is looked up.
    for (int moments = 0; result == 0 && moments < 4; moments++)
        usleep(moment);
    return result;
}
