/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * What launches a confidential VM on KVM, and how its attestation requests reach a VMM: arch/x86/include/uapi/asm/kvm.h
 * and include/uapi/linux/kvm.h of Linux 7.0. Spelled out here because the headers that Debian 12 installs end before
 * SNP, and under names of their own because a VMM may include newer ones beside. libspsched is built with this file.
 */
#ifndef CSEV_KVM_H
#define CSEV_KVM_H

#include <stddef.h>
#include <stdint.h>

/* _IOWR(0xAE, 0xba, unsigned long), on a VM's descriptor; the argument points to struct csev_kvm_cmd. */
#define CSEV_KVM_MEMORY_ENCRYPT_OP 0xC008AEBAU
/* _IO(0xAE, 0x01) on /dev/kvm, _IO(0xAE, 0x41) on a VM; _IO(0xAE, 0x03) on either. */
#define CSEV_KVM_CREATE_VM 0xAE01U
#define CSEV_KVM_CREATE_VCPU 0xAE41U
#define CSEV_KVM_CHECK_EXTENSION 0xAE03U

/* KVM_HAS_DEVICE_ATTR of /dev/kvm says with these whether requests for certificates can reach the VMM. */
#define CSEV_KVM_GRP_SEV 1
#define CSEV_KVM_SEV_SNP_REQ_CERTS 2

/* The machine type of KVM_CREATE_VM. */
#define CSEV_KVM_X86_SNP_VM 4

enum csev_kvm_command {
    CSEV_KVM_SEV_LAUNCH_START = 2,
    CSEV_KVM_SEV_LAUNCH_UPDATE_DATA = 3,
    CSEV_KVM_SEV_LAUNCH_UPDATE_VMSA = 4,
    CSEV_KVM_SEV_LAUNCH_SECRET = 5,
    CSEV_KVM_SEV_LAUNCH_MEASURE = 6,
    CSEV_KVM_SEV_LAUNCH_FINISH = 7,
    CSEV_KVM_SEV_INIT2 = 22,
    CSEV_KVM_SEV_SNP_LAUNCH_START = 100,
    CSEV_KVM_SEV_SNP_LAUNCH_UPDATE = 101,
    CSEV_KVM_SEV_SNP_LAUNCH_FINISH = 102,
    /* Linux 7.0; before any vCPU is made. */
    CSEV_KVM_SEV_SNP_ENABLE_REQ_CERTS = 103,
};

struct csev_kvm_cmd {
    uint32_t id;
    uint32_t pad0;
    uint64_t data;
    /* The firmware's code. */
    uint32_t error;
    /* A descriptor of /dev/sev, in the caller's own table. */
    uint32_t sev_fd;
};

_Static_assert(sizeof(struct csev_kvm_cmd) == 24, "the kernel copies 24 bytes");
_Static_assert(offsetof(struct csev_kvm_cmd, data) == 8, "aligned");
_Static_assert(offsetof(struct csev_kvm_cmd, error) == 16, "no padding");
_Static_assert(offsetof(struct csev_kvm_cmd, sev_fd) == 20, "no padding");

struct csev_kvm_init {
    uint64_t vmsa_features;
    uint32_t flags;
    uint16_t ghcb_version;
    uint16_t pad1;
    uint32_t pad2[8];
};

_Static_assert(sizeof(struct csev_kvm_init) == 48, "the kernel copies 48 bytes");
_Static_assert(offsetof(struct csev_kvm_init, flags) == 8, "no padding");
_Static_assert(offsetof(struct csev_kvm_init, ghcb_version) == 12, "no padding");

/* Of legacy SEV. */
struct csev_kvm_launch_update_data {
    uint64_t uaddr;
    uint32_t len;
    uint32_t pad0;
};

_Static_assert(sizeof(struct csev_kvm_launch_update_data) == 16, "the kernel copies 16 bytes");
_Static_assert(offsetof(struct csev_kvm_launch_update_data, len) == 8, "no padding");

struct csev_kvm_snp_launch_start {
    uint64_t policy;
    uint8_t gosvw[16];
    uint16_t flags;
    uint8_t pad0[6];
    uint64_t pad1[4];
};

_Static_assert(sizeof(struct csev_kvm_snp_launch_start) == 64, "the kernel copies 64 bytes");
_Static_assert(offsetof(struct csev_kvm_snp_launch_start, gosvw) == 8, "no padding");
_Static_assert(offsetof(struct csev_kvm_snp_launch_start, flags) == 24, "no padding");

enum csev_kvm_page_type {
    CSEV_KVM_SNP_PAGE_TYPE_NORMAL = 1,
    CSEV_KVM_SNP_PAGE_TYPE_ZERO = 3,
    CSEV_KVM_SNP_PAGE_TYPE_UNMEASURED = 4,
    CSEV_KVM_SNP_PAGE_TYPE_SECRETS = 5,
    CSEV_KVM_SNP_PAGE_TYPE_CPUID = 6,
};

/* The kernel moves gfn_start, uaddr (but of zero pages) and len on by what it has done. */
struct csev_kvm_snp_launch_update {
    uint64_t gfn_start;
    uint64_t uaddr;
    uint64_t len;
    uint8_t type;
    uint8_t pad0;
    uint16_t flags;
    uint32_t pad1;
    uint64_t pad2[4];
};

_Static_assert(sizeof(struct csev_kvm_snp_launch_update) == 64, "the kernel copies 64 bytes");
_Static_assert(offsetof(struct csev_kvm_snp_launch_update, uaddr) == 8, "no padding");
_Static_assert(offsetof(struct csev_kvm_snp_launch_update, len) == 16, "no padding");
_Static_assert(offsetof(struct csev_kvm_snp_launch_update, type) == 24, "no padding");
_Static_assert(offsetof(struct csev_kvm_snp_launch_update, flags) == 26, "aligned");

struct csev_kvm_snp_launch_finish {
    uint64_t id_block_uaddr;
    uint64_t id_auth_uaddr;
    uint8_t id_block_en;
    uint8_t auth_key_en;
    uint8_t vcek_disabled;
    uint8_t host_data[32];
    uint8_t pad0[3];
    uint16_t flags;
    uint64_t pad1[4];
};

_Static_assert(sizeof(struct csev_kvm_snp_launch_finish) == 88, "the kernel copies 88 bytes");
_Static_assert(offsetof(struct csev_kvm_snp_launch_finish, id_block_en) == 16, "no padding");
_Static_assert(offsetof(struct csev_kvm_snp_launch_finish, host_data) == 19, "bytes need no alignment");
_Static_assert(offsetof(struct csev_kvm_snp_launch_finish, flags) == 54, "aligned");
_Static_assert(offsetof(struct csev_kvm_snp_launch_finish, pad1) == 56, "aligned");

/* The beginning of struct kvm_run, up to the exit that asks for certificates. */
#define CSEV_KVM_EXIT_SNP_REQ_CERTS 42

struct csev_kvm_req_certs {
    uint64_t gpa;
    uint64_t npages;
    /* 0, ENOSPC, EAGAIN or EIO: positive. */
    uint64_t ret;
};

struct csev_kvm_run {
    uint8_t request_interrupt_window;
    uint8_t immediate_exit;
    uint8_t padding1[6];
    uint32_t exit_reason;
    uint8_t ready_for_interrupt_injection;
    uint8_t if_flag;
    uint16_t flags;
    uint64_t cr8;
    uint64_t apic_base;
    struct csev_kvm_req_certs snp_req_certs;
};

_Static_assert(sizeof(struct csev_kvm_req_certs) == 24, "three numbers");
_Static_assert(offsetof(struct csev_kvm_run, immediate_exit) == 1, "no padding");
_Static_assert(offsetof(struct csev_kvm_run, exit_reason) == 8, "no padding");
_Static_assert(offsetof(struct csev_kvm_run, cr8) == 16, "no padding");
_Static_assert(offsetof(struct csev_kvm_run, snp_req_certs) == 32, "the union of the exits");

/* What a guest reads in the upper half of SW_EXITINFO2 when the host refuses before the firmware was called. */
#define CSEV_SNP_GUEST_VMM_ERR_INVALID_LEN 0x0000000100000000UL
#define CSEV_SNP_GUEST_VMM_ERR_BUSY 0x0000000200000000UL

/* An empty table of certificates: one entry of zeros, which ends the table. */
#define CSEV_SNP_EMPTY_CERTIFICATES 24

#endif
