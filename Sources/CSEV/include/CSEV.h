// What /dev/sev takes: include/uapi/linux/psp-sev.h of Linux 6.11 and newer. Spelled out here because the header that
// Debian 12 installs ends before SNP.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "CSEV_KVM.h"

// _IOWR('S', 0, struct sev_issue_cmd), as is checked below.
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
    // The highest that this header knows.
    SEV_COMMAND_MAX = SNP_VLEK_LOAD,
};

struct sev_issue_cmd {
    uint32_t cmd;
    uint64_t data;
    uint32_t error;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_issue_cmd) == 16, "the size is part of the ioctl's number");
_Static_assert(SEV_ISSUE_CMD == _IOWR('S', 0, struct sev_issue_cmd), "the ioctl's number");
_Static_assert(offsetof(struct sev_issue_cmd, cmd) == 0, "packed");
_Static_assert(offsetof(struct sev_issue_cmd, data) == 4, "packed");
_Static_assert(offsetof(struct sev_issue_cmd, error) == 12, "packed");

// The outcome of SEV_PLATFORM_STATUS.
struct sev_user_data_status {
    uint8_t api_major;
    uint8_t api_minor;
    // 0 uninitialised, 1 initialised, 2 working: guests run.
    uint8_t state;
    // Bit 0: the platform has an owner other than itself. Bit 8: SEV-ES is initialised.
    uint32_t flags;
    uint8_t build;
    uint32_t guest_count;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_status) == 12, "the kernel copies 12 bytes");
_Static_assert(offsetof(struct sev_user_data_status, api_minor) == 1, "packed");
_Static_assert(offsetof(struct sev_user_data_status, state) == 2, "packed");
_Static_assert(offsetof(struct sev_user_data_status, flags) == 3, "packed");
_Static_assert(offsetof(struct sev_user_data_status, build) == 7, "packed");
_Static_assert(offsetof(struct sev_user_data_status, guest_count) == 8, "packed");

// SEV_PEK_CSR: where the certificate signing request goes. With a length that is too short, the one that is needed
// comes back.
struct sev_user_data_pek_csr {
    uint64_t address;
    uint32_t length;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_pek_csr) == 12, "the kernel copies 12 bytes");
_Static_assert(offsetof(struct sev_user_data_pek_csr, length) == 8, "packed");

struct sev_user_data_pek_cert_import {
    uint64_t pek_cert_address;
    uint32_t pek_cert_len;
    uint64_t oca_cert_address;
    uint32_t oca_cert_len;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_pek_cert_import) == 24, "the kernel copies 24 bytes");
_Static_assert(offsetof(struct sev_user_data_pek_cert_import, pek_cert_len) == 8, "packed");
_Static_assert(offsetof(struct sev_user_data_pek_cert_import, oca_cert_address) == 12, "packed");
_Static_assert(offsetof(struct sev_user_data_pek_cert_import, oca_cert_len) == 20, "packed");

struct sev_user_data_pdh_cert_export {
    uint64_t pdh_cert_address;
    uint32_t pdh_cert_len;
    uint64_t cert_chain_address;
    uint32_t cert_chain_len;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_pdh_cert_export) == 24, "the kernel copies 24 bytes");
_Static_assert(offsetof(struct sev_user_data_pdh_cert_export, pdh_cert_len) == 8, "packed");
_Static_assert(offsetof(struct sev_user_data_pdh_cert_export, cert_chain_address) == 12, "packed");
_Static_assert(offsetof(struct sev_user_data_pdh_cert_export, cert_chain_len) == 20, "packed");

// SEV_GET_ID, deprecated: an identifier of 64 bytes for each of two sockets.
struct sev_user_data_get_id {
    uint8_t socket1[64];
    uint8_t socket2[64];
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_get_id) == 128, "the kernel copies 128 bytes");
_Static_assert(offsetof(struct sev_user_data_get_id, socket2) == 64, "packed");

struct sev_user_data_get_id2 {
    uint64_t address;
    uint32_t length;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_get_id2) == 12, "the kernel copies 12 bytes");
_Static_assert(offsetof(struct sev_user_data_get_id2, length) == 8, "packed");

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
_Static_assert(offsetof(struct sev_user_data_snp_status, api_minor) == 1, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, state) == 2, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, rmp_flags) == 3, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, build_id) == 4, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_status, flags) == 8, "packed");
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
_Static_assert(offsetof(struct sev_user_data_snp_config, reported_tcb) == 0, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_config, flags) == 8, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_config, reserved) == 12, "packed");

struct sev_user_data_snp_vlek_load {
    // 16: the size of this struct.
    uint32_t len;
    uint8_t vlek_wrapped_version;
    uint8_t reserved[3];
    uint64_t vlek_wrapped_address;
} __attribute__((packed));

_Static_assert(sizeof(struct sev_user_data_snp_vlek_load) == 16, "the kernel insists on 16");
_Static_assert(offsetof(struct sev_user_data_snp_vlek_load, vlek_wrapped_version) == 4, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_vlek_load, reserved) == 5, "packed");
_Static_assert(offsetof(struct sev_user_data_snp_vlek_load, vlek_wrapped_address) == 8, "packed");

// What `vlek_wrapped_address` points to: opaque, and of exactly this size.
#define SEV_VLEK_HASHSTICK_BYTES 432

// The longest certificate blob that the kernel takes or gives (SEV_FW_BLOB_MAX_SIZE).
#define SEV_BLOB_BYTES_MAX 0x4000

// The firmware's answers, of Linux 6.11 to 6.19: code, name without its prefix, meaning. There is none for "busy".
#define SEV_FIRMWARE_CODES(CODE) \
    CODE(0x00, SUCCESS, "The command was done.") \
    CODE(0x01, INVALID_PLATFORM_STATE, \
         "The platform is not in a state that allows this command; SNP may not be initialised.") \
    CODE(0x02, INVALID_GUEST_STATE, "The guest is not in a state that allows this command.") \
    CODE(0x03, INVALID_CONFIG, "The platform's configuration does not allow this command.") \
    CODE(0x04, INVALID_LEN, "A buffer is too short; the length needed is returned with the command.") \
    CODE(0x05, ALREADY_OWNED, "The platform has an owner already.") \
    CODE(0x06, INVALID_CERTIFICATE, "A certificate is not valid.") \
    CODE(0x07, POLICY_FAILURE, "The guest's policy does not allow this command.") \
    CODE(0x08, INACTIVE, "The guest is not active: it has no address space identifier.") \
    CODE(0x09, INVALID_ADDRESS, "An address is not valid or not aligned.") \
    CODE(0x0A, BAD_SIGNATURE, "A signature does not verify.") \
    CODE(0x0B, BAD_MEASUREMENT, "The measurement differs from the expected one.") \
    CODE(0x0C, ASID_OWNED, "The address space identifier belongs to another guest.") \
    CODE(0x0D, INVALID_ASID, "The address space identifier is out of range or reserved for another kind of guest.") \
    CODE(0x0E, WBINVD_REQUIRED, "Caches must be written back on every CPU first.") \
    CODE(0x0F, DFFLUSH_REQUIRED, "The data fabric must be flushed first.") \
    CODE(0x10, INVALID_GUEST, "There is no such guest context.") \
    CODE(0x11, INVALID_COMMAND, "The firmware does not know this command.") \
    CODE(0x12, ACTIVE, "The guest is active; deactivate it first.") \
    CODE(0x13, HWSEV_RET_PLATFORM, "A hardware platform error; the platform itself is safe.") \
    CODE(0x14, HWSEV_RET_UNSAFE, "A hardware error after which the platform is unsafe; reset the machine.") \
    CODE(0x15, UNSUPPORTED, "The firmware does not support this feature.") \
    CODE(0x16, INVALID_PARAM, \
         "A parameter is not valid; for a CPUID page, the firmware has put its own values into it.") \
    CODE(0x17, RESOURCE_LIMIT, "The firmware has no resources left for this command.") \
    CODE(0x18, SECURE_DATA_INVALID, "A part of the firmware's protected data failed its integrity check.") \
    CODE(0x19, INVALID_PAGE_SIZE, "A page has another size than the reverse map table says.") \
    CODE(0x1A, INVALID_PAGE_STATE, "A page is not in the state that this command needs.") \
    CODE(0x1B, INVALID_MDATA_ENTRY, "A metadata entry is not valid.") \
    CODE(0x1C, INVALID_PAGE_OWNER, "A page belongs to another guest.") \
    CODE(0x1D, AEAD_OFLOW, "A message counter would overflow; the guest's key can be used no more.") \
    CODE(0x1F, EXIT_RING_BUFFER, "The firmware left its ring buffer mode.") \
    CODE(0x20, RMP_INIT_REQUIRED, "The reverse map table must be initialised first.") \
    CODE(0x21, BAD_SVN, "The security version is older than the committed one.") \
    CODE(0x22, BAD_VERSION, "The version is older than the committed one.") \
    CODE(0x23, SHUTDOWN_REQUIRED, "The platform must be shut down first.") \
    CODE(0x24, UPDATE_FAILED, "The firmware update failed.") \
    CODE(0x25, RESTORE_REQUIRED, "The committed firmware must be restored first.") \
    CODE(0x26, RMP_INITIALIZATION_FAILED, "The reverse map table could not be initialised.") \
    CODE(0x27, INVALID_KEY, "The key that was asked for is not valid or not there.") \
    CODE(0x28, SHUTDOWN_INCOMPLETE, "The shutdown did not finish.") \
    CODE(0x30, INCORRECT_BUFFER_LENGTH, "A buffer has not the length that this command needs.") \
    CODE(0x31, EXPAND_BUFFER_LENGTH_REQUEST, \
         "The firmware needs a longer buffer; the command is to be given again with one.") \
    CODE(0x32, SPDM_REQUEST, "The firmware asks for an SPDM exchange with a device before it goes on.") \
    CODE(0x33, SPDM_ERROR, "The SPDM exchange with a device failed.") \
    CODE(0x35, SEV_STATUS_ERR_IN_DEV_CONN, "A device could not be connected.") \
    CODE(0x36, SEV_STATUS_INVALID_DEV_CTX, "The context of a device is not valid.") \
    CODE(0x37, SEV_STATUS_INVALID_TDI_CTX, "The context of a device interface is not valid.") \
    CODE(0x38, SEV_STATUS_INVALID_TDI, "The device interface is not valid.") \
    CODE(0x39, SEV_STATUS_RECLAIM_REQUIRED, "Pages must be reclaimed first.") \
    CODE(0x3A, IN_USE, "What the command is about is in use.") \
    CODE(0x3B, SEV_STATUS_INVALID_DEV_STATE, "The device is not in a state that allows this command.") \
    CODE(0x3C, SEV_STATUS_INVALID_TDI_STATE, "The device interface is not in a state that allows this command.") \
    CODE(0x3D, SEV_STATUS_DEV_CERT_CHANGED, "The device's certificate has changed.") \
    CODE(0x3E, SEV_STATUS_RESYNC_REQ, "The device must be synchronised again.") \
    CODE(0x3F, SEV_STATUS_RESPONSE_TOO_LARGE, "The answer is larger than its buffer.")

enum sev_firmware_code {
    // The kernel never called the firmware.
    SEV_RET_NO_FW_CALL = -1,
#define SEV_FIRMWARE_CODE(code, name, meaning) SEV_RET_##name = code,
    SEV_FIRMWARE_CODES(SEV_FIRMWARE_CODE)
#undef SEV_FIRMWARE_CODE
};

// The name of a code without its prefix, and its meaning as a sentence; NULL for a code that is not in the table.
const char *csev_firmware_code_name(uint32_t code);
const char *csev_firmware_code_meaning(uint32_t code);

// Issues one command of SEV_ISSUE_CMD. `data` is what the command takes and gives, or NULL. 0, or -errno;
// `*firmware_code` is the kernel's `error` field in both cases, and SEV_RET_NO_FW_CALL if the kernel left it alone.
int csev_issue(int descriptor, uint32_t command, void *data, uint32_t *firmware_code);

// Whether KVM knows KVM_SEV_SNP_ENABLE_REQ_CERTS, asked of an open /dev/kvm: 0 if so, or -errno (-ENXIO if not).
int csev_kvm_has_request_certificates(int kvm);
