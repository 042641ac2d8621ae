/* What the tests of libspsched need and Swift cannot import: record sockets with descriptors, signals, fork. */
#ifndef CSPSCHED_TESTING_H
#define CSPSCHED_TESTING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* The library's own codec: private to it and its tests. */
#include "../../../Sources/libspsched/spsched_wire.h"
#include "spsched.h"
#include "spsched_kvm.h"

/* A listening record socket; -errno. */
int testing_listen(const char *path);

/* A connection; -ETIMEDOUT if none came. */
int testing_accept(int listener, int timeout_ms);

/* Two connected record sockets; 0 or -errno. */
int testing_pair(int ends[2]);

/* One record: its length, 0 after a hang-up, -ETIMEDOUT if none came. */
long testing_receive(int descriptor, void *buffer, size_t size, int timeout_ms);

/* One record, with a descriptor unless `passed` is negative: 0, or -errno. */
int testing_send(int descriptor, const void *bytes, size_t size, int passed);

/* Installs a handler that only counts, without SA_RESTART: its signal interrupts. */
void testing_count_signals(int signal);
unsigned testing_signals_counted(void);

/* Lets the calling thread take signals: threads that a dispatch queue makes, and their children, do not. */
void testing_take_signals(void);

/* A real VM's descriptor if this host has KVM; otherwise one of something else, which answers as no VM does. */
int testing_kvm_vm(void);

/* The system call: its result, or -errno. */
int testing_ioctl(int descriptor, unsigned long request, void *argument);

/* Calls every function in a child process. Returns how many did not refuse; negative if the child died. */
int testing_misuse_after_fork(struct spsched *client);

/* Issues a launch command in a child process, which closes the handle too: the child's result, negative; -EDOM if it
 * died. */
int testing_launch_in_child(struct spsched_kvm *kvm, int vm_fd);

#endif
