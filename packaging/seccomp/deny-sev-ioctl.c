/*
 * usage: deny-sev-ioctl PROGRAM [ARGUMENT...]
 *
 * Runs a VMM from which the one ioctl of /dev/sev, SEV_ISSUE_CMD (0xC0105300), is kept: it fails with EPERM there and
 * in all that it starts, whatever the descriptor and however it was come by. Every other call passes. VMMs launch with
 * ioctls of KVM, which take the descriptor of /dev/sev as an argument; that stays possible.
 *
 * Not for QEMU, which asks SEV_PLATFORM_STATUS once as it starts and gives up when it is refused.
 *
 * Plain C, without a library: cc -O2 -o deny-sev-ioctl deny-sev-ioctl.c
 */
#include "deny-sev-ioctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    if (count < 2) {
        fputs("usage: deny-sev-ioctl PROGRAM [ARGUMENT...]\n", stderr);
        return 64;
    }
    if (deny_sev_ioctl() < 0) {
        fprintf(stderr, "deny-sev-ioctl: the kernel takes no filter: %s. %s was not started\n", strerror(errno),
            arguments[1]);
        return 71;
    }
    execvp(arguments[1], arguments + 1);
    fprintf(stderr, "deny-sev-ioctl: could not run %s: %s\n", arguments[1], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
