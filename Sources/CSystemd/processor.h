// What the processor says of itself. Not /proc/cpuinfo: a sandbox may hide it, and it leaves out what is switched off.
#pragma once

#ifdef __x86_64__
#include <cpuid.h>
#endif

// Whether it can do SEV-SNP, whatever the machine's set-up or the kernel make of it: AMD64 Architecture Programmer's
// Manual, volume 3, CPUID Fn8000_001F_EAX[4].
static inline int linux_processor_has_snp(void) {
#ifdef __x86_64__
    unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid(0x8000001f, &eax, &ebx, &ecx, &edx) && (eax & 1U << 4);
#else
    return 0;
#endif
}
