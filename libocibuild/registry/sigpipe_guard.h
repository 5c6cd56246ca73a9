/* registry/sigpipe_guard.h — no SIGPIPE from this thread for a while, and no signal handler
 * touched.
 *
 * OpenSSL may write to a socket the peer has closed. The signal is blocked in this thread only; one
 * that arose meanwhile is taken out of the queue before the mask is restored.
 */
#ifndef OB_REGISTRY_SIGPIPE_GUARD_H
#define OB_REGISTRY_SIGPIPE_GUARD_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

typedef struct ob_sigpipe_guard {
	sigset_t old;
	bool was_pending;
} ob_sigpipe_guard;

static inline void ob_sigpipe_guard_init(ob_sigpipe_guard *guard)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	guard->was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &set, &guard->old);
}

static inline void ob_sigpipe_guard_done(ob_sigpipe_guard *guard)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (!guard->was_pending && sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &guard->old, NULL);
}

#endif
