// Compiles the header's layout assertions, and its one table.
#include "CSEV.h"
#include "CSEV_KVM.h"

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

int csev_kvm_has_request_certificates(int kvm) {
    // struct kvm_device_attr of include/uapi/linux/kvm.h, and _IOW(KVMIO, 0xe3, struct kvm_device_attr).
    struct {
        uint32_t flags, group;
        uint64_t attribute, address;
    } asked = {.group = CSEV_KVM_GRP_SEV, .attribute = CSEV_KVM_SEV_SNP_REQ_CERTS};
    _Static_assert(sizeof asked == 24, "the size is part of the ioctl's number");
    return ioctl(kvm, 0x4018AEE3UL, &asked) < 0 ? -errno : 0;
}
