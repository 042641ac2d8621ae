/*
 * A /dev/sev without a Secure Processor: a character device in user space (CUSE) that takes SEV_ISSUE_CMD as the ccp
 * driver does. One command at a time, first come first served; access modes, errnos and firmware codes as in
 * drivers/crypto/ccp/sev-dev.c; service times and faults from a script, which is read anew for each command.
 *
 *     cuse-sev -f --name=sev [--script=/run/cuse-sev.script]
 *
 * The script has one line for each rule; the last that fits a command holds. COMMAND is its number, or `*`.
 *
 *     COMMAND takes MICROSECONDS
 *     COMMAND fails CODE          the firmware's code: EIO
 *     COMMAND errno NUMBER        the kernel's error, the firmware not called: 16 is a device that was given up
 *     COMMAND dies                ETIMEDOUT once, then EBUSY for every command until the script changes
 *     COMMAND hangs               nothing comes back until the script changes
 *     COMMAND lies BYTES          succeeds, and gives only so many bytes of its answer
 *
 * Every command is told on standard output as it ends, in the order of service, with how many commands were here when
 * it came and the thread that issued it: `NUMBER tid TID mode r|rw errno E code C ahead N`.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE

#include <cuse_lowlevel.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_opt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "CSEV.h"

static const char *script_path = "/run/cuse-sev.script";

/* MARK: The script */

struct rule {
    long microseconds; /* of service */
    long code;         /* of the firmware; 0: success */
    long error;        /* errno without a call of the firmware; 0: none */
    long lies;         /* bytes of the answer that are given; -1: all */
    bool dies, hangs;
};

/* Changes with every change of the script: what hangs or is dead looks at it. */
static long long script_version(void) {
    struct stat status;
    if (stat(script_path, &status) < 0)
        return 0;
    return status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
}

static struct rule rule_for(unsigned command) {
    struct rule rule = {.microseconds = 400, .lies = -1};
    FILE *file = fopen(script_path, "re");
    if (!file)
        return rule;
    char line[128], which[8], verb[8];
    while (fgets(line, sizeof line, file)) {
        long value = 0;
        if (sscanf(line, "%7s %7s %li", which, verb, &value) < 2)
            continue;
        if (strcmp(which, "*") != 0 && strtoul(which, NULL, 10) != command)
            continue;
        if (strcmp(verb, "takes") == 0)
            rule.microseconds = value;
        else if (strcmp(verb, "fails") == 0)
            rule.code = value;
        else if (strcmp(verb, "errno") == 0)
            rule.error = value;
        else if (strcmp(verb, "lies") == 0)
            rule.lies = value;
        else if (strcmp(verb, "dies") == 0)
            rule.dies = true;
        else if (strcmp(verb, "hangs") == 0)
            rule.hangs = true;
    }
    fclose(file);
    return rule;
}

/* MARK: The device */

/* As the driver's sev_cmd_mutex: one command at a time. Unlike it, what waits here can be killed. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long long dead_since; /* the script's version; 0: alive */
static uint64_t reported_tcb = 0xD315000000000004;
static uint32_t status_flags;
static atomic_int here; /* commands in service, or waiting for it */

static void serve(long microseconds) {
    struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

static void hang(void) {
    long long version = script_version();
    while (script_version() == version)
        serve(20000);
}

/* What the firmware would answer: bytes for the user's buffer, or -errno and a code. */
struct outcome {
    int result;
    uint32_t code;
};

static struct outcome run(unsigned command) {
    struct rule rule = rule_for(command);
    if (dead_since && dead_since == script_version())
        return (struct outcome){-EBUSY, (uint32_t)SEV_RET_NO_FW_CALL};
    dead_since = 0;
    if (rule.hangs)
        hang();
    serve(rule.microseconds);
    if (rule.dies) {
        dead_since = script_version();
        return (struct outcome){-ETIMEDOUT, 0};
    }
    if (rule.error)
        return (struct outcome){(int)-rule.error, (uint32_t)SEV_RET_NO_FW_CALL};
    if (rule.code)
        return (struct outcome){-EIO, (uint32_t)rule.code};
    return (struct outcome){0, SEV_RET_SUCCESS};
}

static struct sev_user_data_snp_status snp_status(void) {
    return (struct sev_user_data_snp_status){
        .api_major = 1, .api_minor = 58, .state = 1, .rmp_flags = 1, .build_id = 20, .flags = status_flags,
        .guest_count = 0, .current_tcb = 0xD316000000000004, .reported_tcb = reported_tcb};
}

/* MARK: The ioctl */

/* How sev_ioctl() sees each command: what it copies in and out, and whether it wants a writable descriptor. */
struct shape {
    size_t in, out;
    bool writes;
};

static const struct shape shapes[SEV_COMMAND_MAX + 1] = {
    [SEV_FACTORY_RESET] = {0, 0, true},
    [SEV_PLATFORM_STATUS] = {0, sizeof(struct sev_user_data_status), false},
    [SEV_PEK_GEN] = {0, 0, true},
    [SEV_PEK_CSR] = {sizeof(struct sev_user_data_pek_csr), sizeof(struct sev_user_data_pek_csr), true},
    [SEV_PDH_GEN] = {0, 0, true},
    [SEV_PDH_CERT_EXPORT] = {sizeof(struct sev_user_data_pdh_cert_export), 0, false},
    [SEV_PEK_CERT_IMPORT] = {sizeof(struct sev_user_data_pek_cert_import), 0, true},
    [SEV_GET_ID] = {0, sizeof(struct sev_user_data_get_id), false},
    [SEV_GET_ID2] = {sizeof(struct sev_user_data_get_id2), sizeof(struct sev_user_data_get_id2), false},
    [SNP_PLATFORM_STATUS] = {0, sizeof(struct sev_user_data_snp_status), false},
    /* The kernel has no write check here. */
    [SNP_COMMIT] = {0, 0, false},
    [SNP_SET_CONFIG] = {sizeof(struct sev_user_data_snp_config), 0, true},
    [SNP_VLEK_LOAD] = {sizeof(struct sev_user_data_snp_vlek_load), 0, true},
};

/* FUSE calls it a pid, but it is the thread's. */
static void told(fuse_req_t request, unsigned command, bool is_writable, struct outcome outcome, int ahead) {
    printf("%u tid %d mode %s errno %d code 0x%x ahead %d\n", command, (int)fuse_req_ctx(request)->pid,
           is_writable ? "rw" : "r", -outcome.result, outcome.code, ahead);
    fflush(stdout);
}

/* Carries one command out. `answer` is what the user's struct becomes. */
static struct outcome serve_one(unsigned command, const void *given, unsigned char *answer) {
    const struct shape *shape = &shapes[command];
    struct outcome outcome = run(command);
    if (outcome.result == 0 && command == SNP_SET_CONFIG) {
        const struct sev_user_data_snp_config *config = given;
        reported_tcb = config->reported_tcb ? config->reported_tcb : 0xD316000000000004;
        status_flags = (status_flags & ~3u) | (config->flags & 3u);
    }
    if (outcome.result == 0 && command == SNP_VLEK_LOAD)
        status_flags |= 1u << 2;
    if (outcome.result == 0 && command == SNP_PLATFORM_STATUS) {
        struct sev_user_data_snp_status status = snp_status();
        memcpy(answer, &status, sizeof status);
    } else if (outcome.result == 0 && command == SEV_PLATFORM_STATUS) {
        struct sev_user_data_status status = {.api_major = 1, .api_minor = 58, .state = 1, .build = 20};
        memcpy(answer, &status, sizeof status);
    } else if (shape->in && shape->in == shape->out) {
        memcpy(answer, given, shape->out);
    }
    return outcome;
}

/* What the kernel refuses by itself; 0: nothing. */
static int refusal(unsigned command, const void *given, bool is_writable) {
    if (shapes[command].writes && !is_writable)
        return -EPERM;
    const struct sev_user_data_snp_vlek_load *load = given;
    if (command == SNP_VLEK_LOAD && (load->len != sizeof *load || load->vlek_wrapped_version != 0))
        return -EINVAL;
    return 0;
}

static struct outcome carry_out(fuse_req_t request, unsigned command, const void *given, bool is_writable,
                                unsigned char *answer) {
    int ahead = atomic_fetch_add(&here, 1);
    pthread_mutex_lock(&turn);
    struct outcome outcome = {refusal(command, given, is_writable), (uint32_t)SEV_RET_NO_FW_CALL};
    if (outcome.result == 0)
        outcome = serve_one(command, given, answer);
    told(request, command, is_writable, outcome, ahead);
    atomic_fetch_sub(&here, 1);
    pthread_mutex_unlock(&turn);
    return outcome;
}

static void sev_ioctl(fuse_req_t request, int number, void *argument, struct fuse_file_info *file, unsigned flags,
                      const void *in, size_t in_size, size_t out_size) {
    (void)flags;
    struct iovec command_at = {argument, sizeof(struct sev_issue_cmd)};
    if ((unsigned)number != (unsigned)SEV_ISSUE_CMD) {
        fuse_reply_err(request, EINVAL);
        return;
    }
    if (in_size < sizeof(struct sev_issue_cmd)) {
        fuse_reply_ioctl_retry(request, &command_at, 1, &command_at, 1);
        return;
    }
    struct sev_issue_cmd command;
    memcpy(&command, in, sizeof command);
    if (command.cmd > SEV_COMMAND_MAX) {
        fuse_reply_err(request, EINVAL);
        return;
    }
    const struct shape *shape = &shapes[command.cmd];
    if (in_size < sizeof command + shape->in || out_size < sizeof command + shape->out) {
        /* The kernel side of CUSE copies what we name, or answers EFAULT. */
        struct iovec inward[2] = {command_at, {(void *)(uintptr_t)command.data, shape->in}};
        struct iovec outward[2] = {command_at, {(void *)(uintptr_t)command.data, shape->out}};
        fuse_reply_ioctl_retry(request, inward, shape->in ? 2 : 1, outward, shape->out ? 2 : 1);
        return;
    }
    bool is_writable = file->fh;
    unsigned char reply[sizeof command + sizeof(struct sev_user_data_get_id)] = {0};
    const unsigned char *given = (const unsigned char *)in + sizeof command;
    struct rule rule = rule_for(command.cmd);
    struct outcome outcome = carry_out(request, command.cmd, given, is_writable, reply + sizeof command);
    command.error = outcome.code;
    memcpy(reply, &command, sizeof command);
    size_t answered = outcome.result == 0 ? shape->out : 0;
    if (rule.lies >= 0 && (size_t)rule.lies < answered)
        answered = (size_t)rule.lies;
    /* A negative result becomes the caller's errno, after what we give has been copied out: as the driver does it. */
    fuse_reply_ioctl(request, outcome.result, reply, sizeof command + answered);
}

static void sev_open(fuse_req_t request, struct fuse_file_info *file) {
    /* An ioctl is told its own flags, not those of the open: the handle keeps them. */
    file->fh = (file->flags & O_ACCMODE) != O_RDONLY;
    fuse_reply_open(request, file);
}

static const struct cuse_lowlevel_ops operations = {.open = sev_open, .ioctl = sev_ioctl};

struct options {
    char *name, *script;
};

static const struct fuse_opt option_table[] = {
    {"--name=%s", offsetof(struct options, name), 0},
    {"--script=%s", offsetof(struct options, script), 0},
    FUSE_OPT_END,
};

int main(int count, char **arguments) {
    struct fuse_args parsed = FUSE_ARGS_INIT(count, arguments);
    struct options options = {0};
    if (fuse_opt_parse(&parsed, &options, option_table, NULL) < 0)
        return 64;
    if (options.script)
        script_path = options.script;
    char name[64];
    snprintf(name, sizeof name, "DEVNAME=%s", options.name ? options.name : "sev");
    const char *info_arguments[] = {name};
    struct cuse_info info = {
        .dev_info_argc = 1, .dev_info_argv = info_arguments, .flags = CUSE_UNRESTRICTED_IOCTL};
    return cuse_lowlevel_main(parsed.argc, parsed.argv, &info, &operations, NULL);
}
