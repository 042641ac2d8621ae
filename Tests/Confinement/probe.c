/*
 * usage: confinement-probe denied | open
 *
 * Issues ioctls on /dev/null in every way that a process of this machine has, and looks at the errors: SEV_ISSUE_CMD
 * must fail with EPERM (`denied`) or as any other does there, with ENOTTY (`open`). Commands that differ from it in one
 * bit, and those of KVM, must get through in both cases.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ioctl_32 = 54, ioctl_x32 = 0x40000000 + 514, ioctl_64_as_x32 = 0x40000000 + 16 };
static const unsigned int issue = 0xC0105300u;
static const unsigned int launch = 0xC008AEBAu;
static int device, failures, checks;

static void expect(const char *way, unsigned long long command, int error, int wanted)
{
    checks++;
    if (error == wanted) return;
    failures++;
    printf("%s: command %#llx failed with %s, not %s\n", way, command, strerrorname_np(error),
        strerrorname_np(wanted));
}

static int of_system_call(long number, unsigned long long command)
{
    char argument[64] = { 0 };
    return syscall(number, device, command, argument) < 0 ? errno : 0;
}

static sigjmp_buf no_32_bit_calls;
static void has_none(int signal_number)
{
    (void)signal_number;
    siglongjmp(no_32_bit_calls, 1);
}

/* As a 32-bit program calls: 64-bit ones can, too. -1: this kernel has no such calls. */
static int of_32_bit_call(unsigned int command)
{
#ifdef __x86_64__
    struct sigaction action = { .sa_handler = has_none }, before;
    sigaction(SIGSEGV, &action, &before);
    long result = -1;
    int exists = sigsetjmp(no_32_bit_calls, 1) == 0;
    if (exists)
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"((long)ioctl_32), "b"((long)device), "c"((long)command), "d"(0L)
                         : "memory", "r8", "r9", "r10", "r11");
    sigaction(SIGSEGV, &before, NULL);
    return exists ? (int)-result : -1;
#else
    (void)command;
    return -1;
#endif
}

int main(int count, char **arguments)
{
    int is_denied = count == 2 && strcmp(arguments[1], "denied") == 0;
    if (!is_denied && !(count == 2 && strcmp(arguments[1], "open") == 0)) {
        fputs("usage: confinement-probe denied | open\n", stderr);
        return 64;
    }
    device = open("/dev/null", O_RDWR | O_CLOEXEC);
    int of_issue = is_denied ? EPERM : ENOTTY;
    expect("ioctl", issue, of_system_call(SYS_ioctl, issue), of_issue);
    /* The kernel drops the upper half. */
    for (int bit = 32; bit < 64; bit++) {
        unsigned long long command = issue | 1ull << bit;
        expect("ioctl", command, of_system_call(SYS_ioctl, command), of_issue);
        command = launch | 1ull << bit;
        expect("ioctl", command, of_system_call(SYS_ioctl, command), ENOTTY);
    }
    for (int bit = 0; bit < 32; bit++) {
        unsigned long long command = issue ^ 1u << bit;
        expect("ioctl", command, of_system_call(SYS_ioctl, command), ENOTTY);
    }
    expect("ioctl", launch, of_system_call(SYS_ioctl, launch), ENOTTY);

    int error_as_x32, error = of_32_bit_call(issue), has_32_bit_calls = error >= 0;
    if (has_32_bit_calls) {
        expect("32-bit ioctl", issue, error, of_issue);
        expect("32-bit ioctl", launch, of_32_bit_call(launch), ENOTTY);
    }
    /* A kernel without x32 knows no such call; a filter comes before that. */
    error = of_system_call(ioctl_x32, issue);
    if (is_denied || error != ENOSYS) expect("x32 ioctl", issue, error, is_denied ? EPERM : ENOTTY);
    /* Linux before 5.4 took the 64-bit number with the x32 bit, too; later ones know no such call. */
    error_as_x32 = of_system_call(ioctl_64_as_x32, issue);
    if (is_denied && error_as_x32 != ENOSYS) expect("x32 ioctl", issue, error_as_x32, EPERM);
    printf("%d of %d checks%s\n", checks - failures, checks, !has_32_bit_calls ? ", none of 32-bit programs" : "");
    return failures ? 1 : 0;
}
