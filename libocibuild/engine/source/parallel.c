/* engine/source/parallel.c — threads that take the next number until there is none.
 *
 * The calling thread works too, so where no thread can be started everything is done all the same.
 */
#include "engine/source/parallel.h"
#include <stdbool.h>
#include "base/threads.h"

#define MAX_THREADS 16

typedef struct parallel_run {
	ob_parallel_task task;
	void *arg;
	size_t count, next;
	pthread_mutex_t lock;
	ocib_errc failed;
	ocib_error *error;
} parallel_run;

static bool take_next(parallel_run *run, size_t *out)
{
	pthread_mutex_lock(&run->lock);
	bool more = !run->failed && run->next < run->count;
	if (more)
		*out = run->next++;
	pthread_mutex_unlock(&run->lock);
	return more;
}

static void *work(void *arg)
{
	parallel_run *run = arg;
	size_t i;

	while (take_next(run, &i)) {
		ob_auto(ocib_error) failure = NULL;
		ocib_errc rc = run->task(i, run->arg, &failure);

		if (!rc)
			continue;
		pthread_mutex_lock(&run->lock);
		if (!run->failed) {
			run->failed = rc;
			(void)ob_error_move(&run->error, &failure);
		}
		pthread_mutex_unlock(&run->lock);
	}
	return NULL;
}

ocib_errc ob_parallel(size_t count, uint32_t threads, ob_parallel_task task, void *arg,
		      ocib_error **err)
{
	parallel_run run = {.task = task, .arg = arg, .count = count};
	pthread_t started[MAX_THREADS];
	size_t n = 0;

	pthread_mutex_init(&run.lock, NULL);
	while (n + 1 < count && n + 1 < threads && n < MAX_THREADS &&
	       ob_thread_start(&started[n], work, &run) == 0)
		n++;
	(void)work(&run);
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(started[i], NULL);
	pthread_mutex_destroy(&run.lock);
	return run.failed ? ob_error_move(err, &run.error) : OCIB_OK;
}
