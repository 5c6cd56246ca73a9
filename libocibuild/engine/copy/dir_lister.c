/* engine/copy/dir_lister.c — listings read ahead by several threads, for a walk that comes after them.
 *
 * A stat costs the kernel more than everything else about a file that has not changed, and directories
 * are independent. Each listing that is read puts those below it into a queue. Whoever needs a listing that
 * nobody has begun reads it himself, so the walk never waits for a thread that is not there.
 */
#include "base/threads.h"
#include "engine/copy/dir_listing.h"

#define MOST_HELPERS     15
#define DIRS_TO_START_AT 8 /* waiting: fewer are not worth a thread */

struct ob_dir_lister {
	const ob_context_scan *scan;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	ob_dir_listing **queue;
	size_t head, len, cap;
	unsigned helpers, most_helpers;
	bool stop;
	pthread_t threads[MOST_HELPERS];
};

static ocib_errc open_and_read(const ob_context_scan *scan, ob_dir_listing *listing,
			       ocib_error **err)
{
	ocib_errc r = ob_dir_listing_open(scan, listing, err);

	return r ? r : ob_dir_listing_read(scan, listing, err);
}

/* Under lock. What does not fit in the queue is read by the walk itself. */
static void enqueue(ob_dir_lister *l, ob_dir_listing *listing)
{
	if (l->len == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		ob_dir_listing **grown = reallocarray(l->queue, cap, sizeof(ob_dir_listing *));

		if (!grown)
			return;
		l->queue = grown;
		l->cap = cap;
	}
	l->queue[l->len++] = listing;
	(void)pthread_cond_signal(&l->work);
}

/* With the lock held, which is given back meanwhile. */
static void list_one(ob_dir_lister *l, ob_dir_listing *listing)
{
	listing->status = OB_LISTING_TAKEN;
	(void)pthread_mutex_unlock(&l->lock);
	listing->code = open_and_read(l->scan, listing, &listing->error);
	(void)pthread_mutex_lock(&l->lock);
	for (size_t i = 0; !listing->code && i < listing->files.len; i++)
		if (listing->below[i])
			enqueue(l, listing->below[i]);
	listing->status = OB_LISTING_DONE;
	(void)pthread_cond_broadcast(&l->done);
}

/* Under lock: the first in the queue that nobody has begun, or NULL. */
static ob_dir_listing *take_next(ob_dir_lister *l)
{
	while (l->head < l->len) {
		ob_dir_listing *listing = l->queue[l->head++];

		if (listing->status == OB_LISTING_NEW)
			return listing;
	}
	return NULL;
}

static void *help(void *arg)
{
	ob_dir_lister *l = arg;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		ob_dir_listing *listing = take_next(l);

		if (listing)
			list_one(l, listing);
		else
			(void)pthread_cond_wait(&l->work, &l->lock);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Under lock. */
static void start_helpers(ob_dir_lister *l)
{
	while (l->helpers < l->most_helpers && l->len - l->head >= DIRS_TO_START_AT) {
		if (ob_thread_start(&l->threads[l->helpers], help, l) != 0)
			l->most_helpers = l->helpers;
		else
			l->helpers++;
	}
}

ocib_errc ob_dir_lister_wait(ob_dir_lister *l, ob_dir_listing *listing, ocib_error **err)
{
	(void)pthread_mutex_lock(&l->lock);
	if (listing->status == OB_LISTING_NEW)
		list_one(l, listing);
	start_helpers(l);
	/* Another thread has it: rather do something else than sleep. */
	while (listing->status != OB_LISTING_DONE) {
		ob_dir_listing *other = take_next(l);

		if (other)
			list_one(l, other);
		else
			(void)pthread_cond_wait(&l->done, &l->lock);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return listing->code ? (ob_error_move(err, &listing->error), listing->code) : OCIB_OK;
}

ocib_errc ob_dir_lister_new(const ob_context_scan *scan, ob_dir_lister **out, ocib_error **err)
{
	ob_dir_lister *l = calloc(1, sizeof(*l));
	uint32_t jobs = ob_context_jobs(scan->ctx);

	if (!l)
		return ob_fail_nomem(err);
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_cond_init(&l->work, NULL);
	(void)pthread_cond_init(&l->done, NULL);
	l->scan = scan;
	l->most_helpers = jobs - 1 < MOST_HELPERS ? jobs - 1 : MOST_HELPERS;
	*out = l;
	return OCIB_OK;
}

ob_dir_lister *ob_dir_lister_free(ob_dir_lister *l)
{
	if (!l)
		return NULL;
	(void)pthread_mutex_lock(&l->lock);
	l->stop = true;
	(void)pthread_cond_broadcast(&l->work);
	(void)pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < l->helpers; i++)
		(void)pthread_join(l->threads[i], NULL);
	(void)pthread_cond_destroy(&l->done);
	(void)pthread_cond_destroy(&l->work);
	(void)pthread_mutex_destroy(&l->lock);
	free(l->queue);
	free(l);
	return NULL;
}
