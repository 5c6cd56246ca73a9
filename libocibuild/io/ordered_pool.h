/* io/ordered_pool.h — jobs done by several threads, collected in the order in which they were given.
 *
 * A ring of slots bounds the memory: the caller fills a free slot, submits it, and collects finished
 * slots oldest first. What a slot holds is the caller's: the pool only knows its number. Threads start
 * at the second job that is outstanding, so small inputs never pay for one; with one thread (or where
 * none can be started) a job is done by the caller when it collects it.
 */
#ifndef OB_IO_ORDERED_POOL_H
#define OB_IO_ORDERED_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

typedef struct ob_ordered_pool ob_ordered_pool;

/**
 * Do the job in @p slot. @p worker (0 the caller, then 1 … threads) is for state per thread: no two
 * calls with one number are ever at the same time.
 */
typedef ocib_errc (*ob_pool_fn)(void *arg, unsigned slot, unsigned worker, ocib_error **err);

ocib_errc ob_ordered_pool_new(unsigned slots, unsigned threads, ob_pool_fn fn, void *arg,
			      ob_ordered_pool **out, ocib_error **err);
/** The number of the next free slot, or -1 when all are in use. */
int ob_ordered_pool_free_slot(const ob_ordered_pool *pool);
bool ob_ordered_pool_is_idle(const ob_ordered_pool *pool); /**< nothing is outstanding */
/** The slot that ob_ordered_pool_free_slot() named is filled. */
void ob_ordered_pool_submit(ob_ordered_pool *pool);
/**
 * The oldest submitted slot once it is done: *slot, or -1 when there is none (or, without @p wait, it is
 * not done yet). The job's error is returned. Then ob_ordered_pool_release() makes it free.
 */
ocib_errc ob_ordered_pool_collect(ob_ordered_pool *pool, bool wait, int *slot, ocib_error **err);
void ob_ordered_pool_release(ob_ordered_pool *pool);
/** Waits for jobs under way; those not begun are dropped. */
ob_ordered_pool *ob_ordered_pool_free(ob_ordered_pool *pool);
OB_DEFINE_AUTO(ob_ordered_pool);

/** How many slots of @p bytes each are right for @p threads: enough to keep them busy, within a budget. */
unsigned ob_pool_slots(unsigned threads, size_t bytes);

#endif
