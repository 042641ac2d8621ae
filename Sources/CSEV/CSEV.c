// Compiles the header's layout assertions, and its one table.
#include "CSEV.h"

#include <errno.h>
#include <sys/ioctl.h>

const char *csev_firmware_code_name(uint32_t code) {
    switch (code) {
    case (uint32_t)SEV_RET_NO_FW_CALL:
        return "NO_FW_CALL";
#define NAME(number, name, meaning)                                                                                    \
    case number:                                                                                                       \
        return #name;
        SEV_FIRMWARE_CODES(NAME)
#undef NAME
    default:
        return NULL;
    }
}

const char *csev_firmware_code_meaning(uint32_t code) {
    switch (code) {
    case (uint32_t)SEV_RET_NO_FW_CALL:
        return "The kernel failed before it called the firmware.";
#define MEANING(number, name, meaning)                                                                                 \
    case number:                                                                                                       \
        return meaning;
        SEV_FIRMWARE_CODES(MEANING)
#undef MEANING
    default:
        return NULL;
    }
}

int csev_issue(int descriptor, uint32_t command, void *data, uint32_t *firmware_code) {
    struct sev_issue_cmd issued = {
        .cmd = command, .data = (uint64_t)(uintptr_t)data, .error = (uint32_t)SEV_RET_NO_FW_CALL};
    int result = ioctl(descriptor, SEV_ISSUE_CMD, &issued) < 0 ? -errno : 0;
    *firmware_code = issued.error;
    return result;
}
