/* io/ordered_pool.c — see ordered_pool.h.
 *
 * Three counters describe the ring: jobs submitted, taken by a thread, and released. They only grow; a
 * job's slot is its number modulo the slots. submitted and released are the caller's alone; taken and
 * the slots' results are under the lock.
 */
#include "io/ordered_pool.h"
#include "base/limits.h"
#include "base/threads.h"

#define MEMORY_BUDGET (32 * OB_MIB) /* of one pool's slots */

typedef struct job_result {
	bool done;
	ocib_errc code;
	ocib_error *error;
} job_result;

typedef struct worker_arg {
	ob_ordered_pool *pool;
	unsigned number;
} worker_arg;

struct ob_ordered_pool {
	ob_pool_fn fn;
	void *arg;
	unsigned slots, threads, started;
	pthread_t *ids;
	worker_arg *workers;

	uint64_t released; /* the caller's */
	bool start_failed;

	pthread_mutex_t lock;
	pthread_cond_t work; /* something was submitted, or stop */
	pthread_cond_t done; /* a result came */
	uint64_t submitted, taken;
	bool stop;
	job_result *results;
};

unsigned ob_pool_slots(unsigned threads, size_t bytes)
{
	uint64_t most = MEMORY_BUDGET / bytes;
	uint64_t wanted = threads <= 1 ? 1 : 2 * (uint64_t)threads + 2;

	if (wanted > most)
		wanted = most;
	return wanted ? (unsigned)wanted : 1;
}

ocib_errc ob_ordered_pool_new(unsigned slots, unsigned threads, ob_pool_fn fn, void *arg,
			      ob_ordered_pool **out, ocib_error **err)
{
	ob_ordered_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return ob_fail_nomem(err);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->done, NULL);
	ob_auto(ob_ordered_pool) owned = pool;
	pool->fn = fn;
	pool->arg = arg;
	pool->slots = slots;
	/* More threads than slots could never all be busy. */
	pool->threads = threads <= 1 || slots <= 1 ? 0 : threads < slots ? threads : slots;
	pool->results = calloc(slots, sizeof(*pool->results));
	pool->ids = calloc(pool->threads + 1, sizeof(*pool->ids));
	pool->workers = calloc(pool->threads + 1, sizeof(*pool->workers));
	if (!pool->results || !pool->ids || !pool->workers)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(owned);
	return OCIB_OK;
}

int ob_ordered_pool_free_slot(const ob_ordered_pool *pool)
{
	if (pool->submitted - pool->released == pool->slots)
		return -1;
	return (int)(pool->submitted % pool->slots);
}

bool ob_ordered_pool_is_idle(const ob_ordered_pool *pool)
{
	return pool->submitted == pool->released;
}

/* Without the lock; the slot of a taken job is the taker's until it says done. */
static void run_job(ob_ordered_pool *pool, uint64_t job, unsigned worker)
{
	unsigned slot = (unsigned)(job % pool->slots);
	ocib_error *error = NULL;
	ocib_errc code = pool->fn(pool->arg, slot, worker, &error);

	pthread_mutex_lock(&pool->lock);
	pool->results[slot] = (job_result){true, code, error};
	pthread_cond_signal(&pool->done);
	pthread_mutex_unlock(&pool->lock);
}

static void *work(void *arg)
{
	worker_arg *self = arg;
	ob_ordered_pool *pool = self->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->stop && pool->taken == pool->submitted)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->stop)
			break;
		uint64_t job = pool->taken++;
		pthread_mutex_unlock(&pool->lock);
		run_job(pool, job, self->number);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* As many as can be had: a machine that allows fewer threads is slower and no failure. */
static void start_threads(ob_ordered_pool *pool)
{
	while (pool->started < pool->threads && !pool->start_failed) {
		worker_arg *worker = &pool->workers[pool->started];

		*worker = (worker_arg){pool, pool->started + 1};
		if (ob_thread_start(&pool->ids[pool->started], work, worker) != 0)
			pool->start_failed = true;
		else
			pool->started++;
	}
}

void ob_ordered_pool_submit(ob_ordered_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->submitted++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	if (pool->submitted - pool->released >= 2)
		start_threads(pool);
}

ocib_errc ob_ordered_pool_collect(ob_ordered_pool *pool, bool wait, int *slot, ocib_error **err)
{
	uint64_t job = pool->released;
	job_result *result = &pool->results[job % pool->slots];

	*slot = -1;
	if (job == pool->submitted)
		return OCIB_OK;
	pthread_mutex_lock(&pool->lock);
	if (wait && pool->taken == job && !pool->started) {
		pool->taken++;
		pthread_mutex_unlock(&pool->lock);
		run_job(pool, job, 0);
		pthread_mutex_lock(&pool->lock);
	}
	while (wait && !result->done)
		pthread_cond_wait(&pool->done, &pool->lock);
	bool done = result->done;
	pthread_mutex_unlock(&pool->lock);
	if (!done)
		return OCIB_OK;
	*slot = (int)(job % pool->slots);
	return result->code ? ob_error_move(err, &result->error), result->code : OCIB_OK;
}

void ob_ordered_pool_release(ob_ordered_pool *pool)
{
	job_result *result = &pool->results[pool->released % pool->slots];

	result->error = ocib_error_free(result->error);
	result->done = false;
	pool->released++;
}

ob_ordered_pool *ob_ordered_pool_free(ob_ordered_pool *pool)
{
	if (!pool)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->ids[i], NULL);
	for (unsigned i = 0; pool->results && i < pool->slots; i++)
		ocib_error_free(pool->results[i].error);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->results);
	free(pool->workers);
	free(pool->ids);
	free(pool);
	return NULL;
}
