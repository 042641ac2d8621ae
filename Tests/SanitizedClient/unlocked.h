/* Makes what is compiled after it take no lock: the races that ThreadSanitizer must find in libspsched. */
#define _GNU_SOURCE
#include <pthread.h>

#define pthread_mutex_lock(lock) ((void)(lock))
#define pthread_mutex_unlock(lock) ((void)(lock))
