/* layer/write_behind.c — see write_behind.h.
 *
 * A ring of blocks and two counters that only grow: blocks filled by the caller, blocks written by the
 * thread. Counters, stop and failure are under the lock; a block belongs to the caller until it is
 * counted as filled, and to the thread until it is counted as written.
 */
#include "layer/write_behind.h"
#include <string.h>
#include "base/threads.h"

#define BLOCKS     4
#define BLOCK_SIZE (1U << 20)

struct ob_write_behind {
	ob_writer *inner;
	uint8_t *blocks[BLOCKS]; /* made when first needed */
	size_t lens[BLOCKS];
	size_t fill; /* bytes in the caller's block */
	bool threaded, started;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t filled, written;
	bool stop;
	ocib_errc failed;
	ocib_error *error;
};

ocib_errc ob_write_behind_new(ob_writer *inner, bool threaded, ob_write_behind **out,
			      ocib_error **err)
{
	ob_write_behind *behind = calloc(1, sizeof(*behind));

	if (!behind)
		return ob_fail_nomem(err);
	behind->inner = inner;
	behind->threaded = threaded;
	pthread_mutex_init(&behind->lock, NULL);
	pthread_cond_init(&behind->changed, NULL);
	*out = behind;
	return OCIB_OK;
}

/* Write the oldest filled block. Called with the lock held, which is given up meanwhile. */
static void write_next(ob_write_behind *behind)
{
	size_t slot = behind->written % BLOCKS;
	ocib_error *error = NULL;

	pthread_mutex_unlock(&behind->lock);
	ocib_errc r =
		ob_writer_write(behind->inner, behind->blocks[slot], behind->lens[slot], &error);
	pthread_mutex_lock(&behind->lock);
	if (r) {
		behind->failed = r;
		behind->error = error;
	}
	behind->written++;
	pthread_cond_broadcast(&behind->changed);
}

static void *run(void *arg)
{
	ob_write_behind *behind = arg;

	pthread_mutex_lock(&behind->lock);
	while (!behind->failed && !(behind->stop && behind->written == behind->filled)) {
		if (behind->written < behind->filled)
			write_next(behind);
		else
			pthread_cond_wait(&behind->changed, &behind->lock);
	}
	pthread_mutex_unlock(&behind->lock);
	return NULL;
}

static ocib_errc report(ob_write_behind *behind, ocib_error **err)
{
	ocib_errc r = behind->failed;

	/* The first one to ask gets the error; it stays failed. */
	if (r && behind->error)
		(void)ob_error_move(err, &behind->error);
	else if (r)
		(void)ob_fail(err, r, "an earlier write failed");
	return r;
}

/* Hand the caller's block over. */
static void submit(ob_write_behind *behind)
{
	pthread_mutex_lock(&behind->lock);
	behind->lens[behind->filled % BLOCKS] = behind->fill;
	behind->filled++;
	behind->fill = 0;
	if (behind->threaded && !behind->started)
		behind->started = ob_thread_start(&behind->thread, run, behind) == 0;
	if (behind->started) {
		pthread_cond_broadcast(&behind->changed);
	} else {
		while (!behind->failed && behind->written < behind->filled)
			write_next(behind);
	}
	pthread_mutex_unlock(&behind->lock);
}

/* Wait for a block that is free. */
static ocib_errc wait_for_block(ob_write_behind *behind, ocib_error **err)
{
	pthread_mutex_lock(&behind->lock);
	while (!behind->failed && behind->filled - behind->written == BLOCKS)
		pthread_cond_wait(&behind->changed, &behind->lock);
	ocib_errc r = report(behind, err);
	pthread_mutex_unlock(&behind->lock);
	return r;
}

ocib_errc ob_write_behind_reserve(ob_write_behind *behind, uint8_t **room, size_t *len,
				  ocib_error **err)
{
	uint8_t **block;

	if (behind->fill == BLOCK_SIZE)
		submit(behind);
	if (behind->fill == 0) {
		ocib_errc r = wait_for_block(behind, err);

		if (r)
			return r;
	}
	block = &behind->blocks[behind->filled % BLOCKS];
	if (!*block && !(*block = malloc(BLOCK_SIZE)))
		return ob_fail_nomem(err);
	*room = *block + behind->fill;
	*len = BLOCK_SIZE - behind->fill;
	return OCIB_OK;
}

void ob_write_behind_commit(ob_write_behind *behind, size_t len)
{
	behind->fill += len;
}

ocib_errc ob_write_behind_write(ob_write_behind *behind, const void *data, size_t len,
				ocib_error **err)
{
	const uint8_t *from = data;

	while (len > 0) {
		uint8_t *room;
		size_t part;
		ocib_errc r = ob_write_behind_reserve(behind, &room, &part, err);

		if (r)
			return r;
		if (part > len)
			part = len;
		memcpy(room, from, part);
		ob_write_behind_commit(behind, part);
		from += part;
		len -= part;
	}
	return OCIB_OK;
}

static void stop_thread(ob_write_behind *behind)
{
	if (!behind->started)
		return;
	pthread_mutex_lock(&behind->lock);
	behind->stop = true;
	pthread_cond_broadcast(&behind->changed);
	pthread_mutex_unlock(&behind->lock);
	pthread_join(behind->thread, NULL);
	behind->started = false;
}

ocib_errc ob_write_behind_finish(ob_write_behind *behind, ocib_error **err)
{
	if (!behind->started)
		behind->threaded = false;
	if (behind->fill > 0)
		submit(behind);
	stop_thread(behind);
	return report(behind, err);
}

ob_write_behind *ob_write_behind_free(ob_write_behind *behind)
{
	if (!behind)
		return NULL;
	pthread_mutex_lock(&behind->lock);
	behind->failed = OCIB_ERR_CANCELED; /* whatever is still to be written */
	pthread_mutex_unlock(&behind->lock);
	stop_thread(behind);
	for (size_t i = 0; i < BLOCKS; i++)
		free(behind->blocks[i]);
	pthread_cond_destroy(&behind->changed);
	pthread_mutex_destroy(&behind->lock);
	(void)ocib_error_free(behind->error);
	free(behind);
	return NULL;
}
