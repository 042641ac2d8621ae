/*
 * deny_sev_ioctl(): keeps SEV_ISSUE_CMD from the calling thread, and from all that it starts or becomes. For VMMs that
 * install filters themselves: call it before other threads are made. Filters add up, and the most restrictive wins.
 */
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

/* _IOWR('S', 0, struct sev_issue_cmd) of include/uapi/linux/psp-sev.h */
#define DENY_SEV_ISSUE_CMD 0xC0105300u
/* ioctl(2) of 64-bit programs, of x32 programs and of 32-bit programs: arch/x86/entry/syscalls */
#define DENY_SEV_IOCTL_64 16u
#define DENY_SEV_IOCTL_X32 514u
#define DENY_SEV_IOCTL_32 54u
#define DENY_SEV_X32_BIT 0x40000000u

/* The kernel takes the low 32 bits of the command alone. A comparison of all 64 would be passed by a command with any
 * higher bit set. */
#define DENY_SEV_COMMAND (offsetof(struct seccomp_data, args) + 1 * sizeof(__u64))

static struct sock_filter deny_sev_instructions[] = {
    /*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    /*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 2),
    /*  2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    /*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENY_SEV_IOCTL_32, 4, 6),
    /*  4 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    /*  5 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~DENY_SEV_X32_BIT),
    /*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENY_SEV_IOCTL_64, 1, 0),
    /*  7 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENY_SEV_IOCTL_X32, 0, 2),
    /*  8 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DENY_SEV_COMMAND),
    /*  9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENY_SEV_ISSUE_CMD, 1, 0),
    /* 10 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    /* 11 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */),
};

/* Returns 0, or -1 with errno set: then nothing has changed but that programs gain no privileges any more. */
static inline int deny_sev_ioctl(void)
{
    struct sock_fprog filter = {
        .len = sizeof deny_sev_instructions / sizeof *deny_sev_instructions, .filter = deny_sev_instructions
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
