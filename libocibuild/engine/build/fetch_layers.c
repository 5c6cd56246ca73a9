/* engine/build/fetch_layers.c — blobs of a tree come over several connections, in order of need.
 *
 * Threads take the next layer nobody is at; the first failure ends the fetching, and whoever waits for a
 * layer gets it. Layers that are in the store already cost a look each, and no thread is started where
 * all of them are.
 */
#include "engine/build/fetch_layers.h"
#include <pthread.h>
#include "base/threads.h"

#define CONNECTIONS 3 /* as docker and containerd do */

struct ob_layer_fetch {
	ob_tree *tree;
	uint32_t step;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t count, next;
	bool *here; /* per layer */
	bool stop;
	ocib_errc result;
	ocib_error *err;
	pthread_t threads[CONNECTIONS];
	size_t started;
};

/* Under the lock: the next layer to fetch; false: there is none. */
static bool next_layer(ob_layer_fetch *fetch, size_t *out)
{
	if (fetch->stop || fetch->result < 0 || fetch->next == fetch->count)
		return false;
	*out = fetch->next++;
	return true;
}

static void *fetch_main(void *arg)
{
	ob_layer_fetch *fetch = arg;
	size_t layer;

	(void)pthread_mutex_lock(&fetch->lock);
	while (next_layer(fetch, &layer)) {
		ob_auto(ocib_error) err = NULL;

		(void)pthread_mutex_unlock(&fetch->lock);
		ocib_errc r = ob_tree_fetch_layer(fetch->tree, layer, fetch->step, &err);
		(void)pthread_mutex_lock(&fetch->lock);
		fetch->here[layer] = r == OCIB_OK;
		if (r < 0 && fetch->result == OCIB_OK) {
			fetch->result = r;
			fetch->err = ob_take_ptr(err);
		}
		(void)pthread_cond_broadcast(&fetch->changed);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	return NULL;
}

static size_t missing_layers(ob_store *store, const ob_tree *tree, size_t first)
{
	size_t missing = 0;

	for (size_t i = first; i < ob_tree_layer_count(tree); i++)
		missing += !ob_store_has_blob(store, &ob_tree_descriptor(tree, i)->digest);
	return missing;
}

bool ob_layer_fetch_is_done(ob_store *store, const ob_tree *tree)
{
	return missing_layers(store, tree, 0) == 0;
}

ocib_errc ob_layer_fetch_begin(ob_store *store, ob_tree *tree, size_t first, uint32_t step,
			       ob_layer_fetch **out, ocib_error **err)
{
	ob_auto(ob_layer_fetch) fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return ob_fail_nomem(err);
	(void)pthread_mutex_init(&fetch->lock, NULL);
	(void)pthread_cond_init(&fetch->changed, NULL);
	fetch->tree = tree;
	fetch->step = step;
	fetch->next = first;
	fetch->count = ob_tree_layer_count(tree);
	fetch->here = calloc(fetch->count + 1, sizeof(*fetch->here));
	if (!fetch->here)
		return ob_fail_nomem(err);
	size_t wanted = missing_layers(store, tree, first);
	while (fetch->started < CONNECTIONS && fetch->started < wanted &&
	       ob_thread_start(&fetch->threads[fetch->started], fetch_main, fetch) == 0)
		fetch->started++;
	*out = ob_take_ptr(fetch);
	return OCIB_OK;
}

ocib_errc ob_layer_fetch_wait(ob_layer_fetch *fetch, size_t layer, ocib_error **err)
{
	ocib_errc r;

	if (!fetch->started)
		return ob_tree_fetch_layer(fetch->tree, layer, fetch->step, err);
	(void)pthread_mutex_lock(&fetch->lock);
	while (!fetch->here[layer] && fetch->result == OCIB_OK)
		(void)pthread_cond_wait(&fetch->changed, &fetch->lock);
	r = fetch->here[layer] ? OCIB_OK : fetch->result;
	if (r < 0 && fetch->err)
		(void)ob_error_move(err, &fetch->err);
	(void)pthread_mutex_unlock(&fetch->lock);
	return r;
}

ob_layer_fetch *ob_layer_fetch_free(ob_layer_fetch *fetch)
{
	if (!fetch)
		return NULL;
	(void)pthread_mutex_lock(&fetch->lock);
	fetch->stop = true;
	(void)pthread_mutex_unlock(&fetch->lock);
	for (size_t i = 0; i < fetch->started; i++)
		(void)pthread_join(fetch->threads[i], NULL);
	(void)pthread_cond_destroy(&fetch->changed);
	(void)pthread_mutex_destroy(&fetch->lock);
	(void)ocib_error_free(fetch->err);
	free(fetch->here);
	free(fetch);
	return NULL;
}

ocib_errc ob_layer_fetch_all(ob_store *store, ob_tree *tree, uint32_t step, ocib_error **err)
{
	ob_auto(ob_layer_fetch) fetch = NULL;

	ocib_errc r = ob_layer_fetch_begin(store, tree, 0, step, &fetch, err);
	for (size_t i = 0; i < ob_tree_layer_count(tree) && r == OCIB_OK; i++)
		r = ob_layer_fetch_wait(fetch, i, err);
	return r;
}
