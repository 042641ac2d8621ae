/*
 * usage: confinement-oci allow | errno PROGRAM [ARGUMENT...]
 *
 * Does what a container's runtime does with the rules for ioctl(2) of a seccomp profile, with the same library: reads
 * `action index value valueTwo` from each line of standard input, all compared by SCMP_CMP_MASKED_EQ; takes the default
 * action for ioctl alone, lets every other call pass, and runs the program.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, int error)
{
    fprintf(stderr, "confinement-oci: %s: %s\n", what, strerror(-error));
    return 1;
}

int main(int count, char **arguments)
{
    if (count < 3) return fail("usage: confinement-oci allow | errno PROGRAM [ARGUMENT...]", -EINVAL);
    int denies = strcmp(arguments[1], "errno") == 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = seccomp_arch_add(filter, SCMP_ARCH_X86);
    if (result == 0) result = seccomp_arch_add(filter, SCMP_ARCH_X32);
    if (result < 0) return fail("no architecture", result);
    /* Of a profile that denies by default only ioctl is of interest here. */
    if (denies) {
        seccomp_release(filter);
        filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        seccomp_arch_add(filter, SCMP_ARCH_X86);
        seccomp_arch_add(filter, SCMP_ARCH_X32);
        for (int number = 0; number < 600; number++) {
            char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
            if (name == NULL) continue;
            if (strcmp(name, "ioctl") != 0)
                seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name), 0);
        }
    }
    char action[32];
    unsigned index, rules = 0;
    unsigned long long value, value_two;
    while (scanf("%31s %u %llu %llu", action, &index, &value, &value_two) == 4) {
        uint32_t does = strcmp(action, "SCMP_ACT_ALLOW") == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
        struct scmp_arg_cmp comparison = SCMP_CMP(index, SCMP_CMP_MASKED_EQ, value, value_two);
        result = seccomp_rule_add_array(filter, does, SCMP_SYS(ioctl), 1, &comparison);
        if (result < 0) return fail("a rule was refused", result);
        rules++;
    }
    if (rules == 0) return fail("no rules", -EINVAL);
    result = seccomp_load(filter);
    if (result < 0) return fail("the kernel refused the filter", result);
    execv(arguments[2], arguments + 2);
    return fail(arguments[2], -errno);
}
