/* base/threads.h — starting a thread of ours inside somebody else's program. */
#ifndef OB_BASE_THREADS_H
#define OB_BASE_THREADS_H

#include <pthread.h>

/**
 * pthread_create with every signal blocked in the new thread: signals belong to the program's threads.
 * @return 0 or an errno.
 */
int ob_thread_start(pthread_t *out, void *(*run)(void *), void *arg);

#endif
