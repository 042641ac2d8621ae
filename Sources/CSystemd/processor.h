// What the processor says of itself. Not /proc/cpuinfo: a sandbox may hide it, and it leaves out what is switched off.
// Not <cpuid.h> either: as a module it brings half of libc with it, and Swift then takes `timespec` for a part of it.
#pragma once

// Whether it can do SEV-SNP, whatever the machine's set-up or the kernel make of it: AMD64 Architecture Programmer's
// Manual, volume 3, CPUID Fn8000_0000_EAX (the largest function) and Fn8000_001F_EAX[4].
static inline int linux_processor_has_snp(void) {
#ifdef __x86_64__
    unsigned int eax = 0x80000000U, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (eax < 0x8000001FU)
        return 0;
    eax = 0x8000001FU;
    ecx = 0;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (eax & 1U << 4) != 0;
#else
    return 0;
#endif
}
