/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * What libspsched-preload needs of the helpers and no VMM does. Not exported.
 */
#ifndef SPSCHED_KVM_PRIVATE_H
#define SPSCHED_KVM_PRIVATE_H

#include <stdbool.h>

/* Whether a KVM_MEMORY_ENCRYPT_OP with this argument takes turns: never for an argument that points nowhere. */
bool spsched_kvm_takes_turns(const void *command);

#endif
