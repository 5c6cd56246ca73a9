/* base/threads.c — see threads.h. */
#include "base/threads.h"
#include <signal.h>

int ob_thread_start(pthread_t *out, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r)
		return r;
	r = pthread_create(out, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
