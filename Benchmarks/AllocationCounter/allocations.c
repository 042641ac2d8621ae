// Preloaded into a program, counts its allocations, so that "none per turn" is measured and not claimed.
//
//     SPSCHEDD_ALLOCATIONS=/path LD_PRELOAD=.../liballocations.so program
//
// The file named is 8 bytes, made before the program starts: the count so far, which anyone may read at any time.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own, so that nothing has to be looked up before the first allocation.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// Until the file is mapped, and in a program without one, counting goes nowhere.
static _Atomic uint64_t nowhere;
static _Atomic uint64_t *allocations = &nowhere;

__attribute__((constructor)) static void map_file(void) {
    const char *path = getenv("SPSCHEDD_ALLOCATIONS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof *allocations, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED)
        return;
    // That it counts at all is seen from the beginning: the file is never zero once this has run.
    atomic_store((_Atomic uint64_t *)shared, atomic_load(&nowhere) + 1);
    allocations = shared;
}

static void count(void) { atomic_fetch_add_explicit(allocations, 1, memory_order_relaxed); }

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count();
    if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment)
        return EINVAL;
    void *result = __libc_memalign(alignment, size);
    if (!result)
        return ENOMEM;
    *memory = result;
    return 0;
}
