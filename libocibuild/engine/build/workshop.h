/* engine/build/workshop.h — what a RUN needs around it: workers, unpacked trees, temporary directories.
 *
 * Thread rule: any thread; each function locks for itself.
 */
#ifndef OB_ENGINE_BUILD_WORKSHOP_H
#define OB_ENGINE_BUILD_WORKSHOP_H

#include <pthread.h>
#include "engine/tree.h"
#include "engine/worker/worker.h"

typedef struct ob_workshop {
	ocib_context *ctx;
	ob_store *store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ob_worker **idle; /**< workers nobody uses */
	size_t idle_count, idle_cap;
	bool rung_told;
	int stop_fd;          /**< eventfd; -1: could not be made */
	char *temp;           /**< temporary directory, relative to the store; NULL until needed */
	uint64_t temp_count;  /**< names given out in it */
	ob_strlist unpacking; /**< chain ids whose trees are being made */
} ob_workshop;

/** Both are borrowed. */
void ob_workshop_init(ob_workshop *shop, ocib_context *ctx, ob_store *store);
/** Ends the workers and removes the temporary directory, whoever owns what is in it. */
void ob_workshop_done(ob_workshop *shop);

/** End with CANCELED what workers are at, now and from now on. */
void ob_workshop_stop(ob_workshop *shop);

/** Remove what builds that were killed have left. */
void ob_workshop_sweep(ob_workshop *shop);

ocib_errc ob_workshop_take(ob_workshop *shop, ob_worker **out, ocib_error **err);
/** Give back for others to use; one whose last request failed is freed. NULL is fine. */
void ob_workshop_return(ob_workshop *shop, ob_worker *worker, ocib_errc result);

/** Make a fresh directory; *path absolute, malloc'ed. */
ocib_errc ob_workshop_new_dir(ob_workshop *shop, char **path, ocib_error **err);

#define OB_TREE_PATH 80 /* room for ob_store_tree_path() */
/**
 * Unpack what is missing of @p tree; its directories are appended to @p lowers, topmost first.
 * @p step: for progress events.
 */
ocib_errc ob_workshop_lowers(ob_workshop *shop, ob_tree *tree, uint32_t step, ob_strlist *lowers,
			     ocib_error **err);

#endif
