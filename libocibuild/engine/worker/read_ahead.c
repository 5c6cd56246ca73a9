/* engine/worker/read_ahead.c — a stream read by another thread.
 *
 * Inflating and hashing a layer takes as long as writing its files does; this lets both happen at once.
 * A ring of blocks between two threads: the producer fills the one at head, the consumer empties the one
 * at tail. The producer's error or end comes after all blocks that were filled before it.
 */
#include "engine/worker/read_ahead.h"
#include <errno.h>
#include <string.h>
#include "base/threads.h"

#define BLOCK_SIZE (512 * 1024)
#define BLOCKS     4

typedef struct block {
	uint8_t *data;
	size_t len, used;
} block;

typedef struct read_ahead {
	ob_reader base;
	ob_reader *inner;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	block blocks[BLOCKS];
	size_t head, tail; /* counts of blocks filled and emptied */
	bool is_over;      /* nothing more will be filled */
	bool is_unwanted;  /* nothing more need be filled */
	ocib_errc failed;
	ocib_error *error;
} read_ahead;

/* The next block to fill, NULL when nobody wants more. */
static block *wait_for_room(read_ahead *r)
{
	(void)pthread_mutex_lock(&r->lock);
	while (!r->is_unwanted && r->head - r->tail == BLOCKS)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	block *next = r->is_unwanted ? NULL : &r->blocks[r->head % BLOCKS];
	(void)pthread_mutex_unlock(&r->lock);
	return next;
}

static void hand_over(read_ahead *r, size_t len, ocib_errc failed, ocib_error *error)
{
	(void)pthread_mutex_lock(&r->lock);
	r->blocks[r->head % BLOCKS].len = len;
	r->blocks[r->head % BLOCKS].used = 0;
	if (len)
		r->head++;
	r->failed = failed;
	r->error = error;
	r->is_over = failed < 0 || len < BLOCK_SIZE;
	(void)pthread_cond_signal(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
}

static void *produce(void *arg)
{
	read_ahead *r = arg;

	for (block *b; (b = wait_for_room(r));) {
		ocib_error *error = NULL;
		size_t len = 0;
		ocib_errc failed = ob_reader_read_full(r->inner, b->data, BLOCK_SIZE, &len, &error);

		hand_over(r, failed < 0 ? 0 : len, failed, error);
		if (failed < 0 || len < BLOCK_SIZE)
			break;
	}
	return NULL;
}

/* The block to read from; NULL at the end. */
static block *wait_for_block(read_ahead *r)
{
	(void)pthread_mutex_lock(&r->lock);
	while (r->head == r->tail && !r->is_over)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	block *b = r->head == r->tail ? NULL : &r->blocks[r->tail % BLOCKS];
	(void)pthread_mutex_unlock(&r->lock);
	return b;
}

static ocib_errc read_block(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	read_ahead *r = (read_ahead *)self;
	block *b = wait_for_block(r);

	*got = 0;
	if (!b) {
		if (!r->failed)
			return OCIB_OK;
		/* Told once in full; whoever reads on gets the kind again. */
		return r->error ? ob_error_move(err, &r->error)
				: ob_fail(err, r->failed, "the stream failed before");
	}
	*got = b->len - b->used < cap ? b->len - b->used : cap;
	memcpy(data, b->data + b->used, *got);
	b->used += *got;
	if (b->used == b->len) {
		(void)pthread_mutex_lock(&r->lock);
		r->tail++;
		(void)pthread_cond_signal(&r->changed);
		(void)pthread_mutex_unlock(&r->lock);
	}
	return OCIB_OK;
}

static void destroy(ob_reader *self)
{
	read_ahead *r = (read_ahead *)self;

	if (r->is_started) {
		(void)pthread_mutex_lock(&r->lock);
		r->is_unwanted = true;
		(void)pthread_cond_signal(&r->changed);
		(void)pthread_mutex_unlock(&r->lock);
		(void)pthread_join(r->thread, NULL);
	}
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	for (size_t i = 0; i < BLOCKS; i++)
		free(r->blocks[i].data);
	(void)ob_reader_free(r->inner);
	(void)ocib_error_free(r->error);
	free(r);
}

static const ob_reader_ops ops = {.read = read_block, .destroy = destroy};

ocib_errc ob_reader_open_ahead(ob_reader *inner, ob_reader **out, ocib_error **err)
{
	read_ahead *made = calloc(1, sizeof(*made));
	ob_auto(ob_reader) owned = made ? &made->base : inner;

	if (!made)
		return ob_fail_nomem(err);
	made->base.ops = &ops;
	made->inner = inner;
	(void)pthread_mutex_init(&made->lock, NULL);
	(void)pthread_cond_init(&made->changed, NULL);
	for (size_t i = 0; i < BLOCKS; i++) {
		made->blocks[i].data = malloc(BLOCK_SIZE);
		if (!made->blocks[i].data)
			return ob_fail_nomem(err);
	}
	errno = ob_thread_start(&made->thread, produce, made);
	if (errno)
		return ob_fail_errno(err, "start a thread");
	made->is_started = true;
	*out = ob_take_ptr(owned);
	return OCIB_OK;
}
