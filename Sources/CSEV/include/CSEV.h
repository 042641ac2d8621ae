// What /dev/sev takes: include/uapi/linux/psp-sev.h of Linux 6.11 and newer. Spelled out here because the header that
// Debian 12 installs ends before SNP.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "CSEV_KVM.h"

// _IOWR('S', 0, struct sev_issue_cmd)
#define SEV_ISSUE_CMD 0xC0105300UL

enum sev_platform_command {
    SEV_FACTORY_RESET = 0,
    SEV_PLATFORM_STATUS = 1,
    SEV_PEK_GEN = 2,
    SEV_PEK_CSR = 3,
    SEV_PDH_GEN = 4,
    SEV_PDH_CERT_EXPORT = 5,
    SEV_PEK_CERT_IMPORT = 6,
    SEV_GET_ID = 7,
    SEV_GET_ID2 = 8,
    SNP_PLATFORM_STATUS = 9,
    SNP_COMMIT = 10,
    SNP_SET_CONFIG = 11,
    SNP_VLEK_LOAD = 12,
};

struct sev_issue_cmd {
    uint32_t cmd;
    uint64_t data;
    uint32_t error;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_issue_cmd) == 16, "the size is part of the ioctl's number");
_Static_assert(offsetof(struct sev_issue_cmd, data) == 4, "packed");
_Static_assert(offsetof(struct sev_issue_cmd, error) == 12, "packed");

// The outcome of SNP_PLATFORM_STATUS.
struct sev_user_data_snp_status {
    uint8_t api_major;
    uint8_t api_minor;
    uint8_t state;
    // Bit 0: the reverse map table is initialised.
    uint8_t rmp_flags;
    uint32_t build_id;
    // Bits 0 mask_chip_id, 1 mask_chip_key, 2 vlek_en, 3 feature_info, 4 rapl_dis, 5 ciphertext_hiding_cap,
    // 6 ciphertext_hiding_en.
    uint32_t flags;
    // Guest contexts, those of VMs that are being launched included.
    uint32_t guest_count;
    uint64_t current_tcb;
    uint64_t reported_tcb;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_snp_status) == 32, "the kernel copies 32 bytes");
_Static_assert(offsetof(struct sev_user_data_snp_status, build_id) == 4, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, guest_count) == 12, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, current_tcb) == 16, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, reported_tcb) == 24, "packed");

struct sev_user_data_snp_config {
    uint64_t reported_tcb;
    // Bit 0 mask_chip_id, 1 mask_chip_key.
    uint32_t flags;
    uint8_t reserved[52];
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_snp_config) == 64, "the kernel copies 64 bytes");
_Static_assert(offsetof(struct sev_user_data_snp_config, flags) == 8, "packed");

struct sev_user_data_snp_vlek_load {
    // 16: the size of this struct.
    uint32_t len;
    uint8_t vlek_wrapped_version;
    uint8_t reserved[3];
    uint64_t vlek_wrapped_address;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_snp_vlek_load) == 16, "the kernel insists on 16");
_Static_assert(offsetof(struct sev_user_data_snp_vlek_load, vlek_wrapped_address) == 8, "packed");

// The firmware's answers. There is none for "busy".
enum sev_firmware_code {
    // The kernel never called the firmware.
    SEV_RET_NO_FW_CALL = -1,
    SEV_RET_SUCCESS = 0,
    SEV_RET_INVALID_PLATFORM_STATE = 0x01,
    SEV_RET_INVALID_GUEST_STATE = 0x02,
    SEV_RET_INVALID_CONFIG = 0x03,
    SEV_RET_INVALID_LEN = 0x04,
    SEV_RET_ALREADY_OWNED = 0x05,
    SEV_RET_INVALID_CERTIFICATE = 0x06,
    SEV_RET_POLICY_FAILURE = 0x07,
    SEV_RET_INACTIVE = 0x08,
    SEV_RET_INVALID_ADDRESS = 0x09,
    SEV_RET_BAD_SIGNATURE = 0x0A,
    SEV_RET_BAD_MEASUREMENT = 0x0B,
    SEV_RET_ASID_OWNED = 0x0C,
    SEV_RET_INVALID_ASID = 0x0D,
    SEV_RET_WBINVD_REQUIRED = 0x0E,
    SEV_RET_DFFLUSH_REQUIRED = 0x0F,
    SEV_RET_INVALID_GUEST = 0x10,
    SEV_RET_INVALID_COMMAND = 0x11,
    SEV_RET_ACTIVE = 0x12,
    SEV_RET_HWSEV_RET_PLATFORM = 0x13,
    SEV_RET_HWSEV_RET_UNSAFE = 0x14,
    SEV_RET_UNSUPPORTED = 0x15,
    SEV_RET_INVALID_PARAM = 0x16,
    SEV_RET_RESOURCE_LIMIT = 0x17,
    SEV_RET_SECURE_DATA_INVALID = 0x18,
    SEV_RET_INVALID_PAGE_SIZE = 0x19,
    SEV_RET_INVALID_PAGE_STATE = 0x1A,
    SEV_RET_INVALID_MDATA_ENTRY = 0x1B,
    SEV_RET_INVALID_PAGE_OWNER = 0x1C,
    SEV_RET_AEAD_OFLOW = 0x1D,
    SEV_RET_EXIT_RING_BUFFER = 0x1F,
    SEV_RET_RMP_INIT_REQUIRED = 0x20,
    SEV_RET_BAD_SVN = 0x21,
    SEV_RET_BAD_VERSION = 0x22,
    SEV_RET_SHUTDOWN_REQUIRED = 0x23,
    SEV_RET_UPDATE_FAILED = 0x24,
    SEV_RET_RESTORE_REQUIRED = 0x25,
    SEV_RET_RMP_INITIALIZATION_FAILED = 0x26,
    SEV_RET_INVALID_KEY = 0x27,
    SEV_RET_SHUTDOWN_INCOMPLETE = 0x28,
};

// Issues SNP_PLATFORM_STATUS. 0, or -errno; `*firmware_code` is the kernel's `error` field in both cases.
static inline int csev_snp_platform_status(
    int descriptor, struct sev_user_data_snp_status *status, uint32_t *firmware_code
) {
    struct sev_issue_cmd command = {.cmd = SNP_PLATFORM_STATUS, .data = (uint64_t)(uintptr_t)status};
    int result = ioctl(descriptor, SEV_ISSUE_CMD, &command) < 0 ? -errno : 0;
    *firmware_code = command.error;
    return result;
}
