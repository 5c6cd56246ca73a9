/* engine/build/run_trees.c — the unpacked trees that a RUN stands on.
 *
 * A tree is a layer unpacked as overlayfs has it, under trees/<chain id> in the store; those of a
 * stack, topmost first, are the lower directories of a RUN. They are made when the first RUN above them
 * is executed, by a worker, and appear complete or not at all. Two threads that want the same one do
 * not both make it: its chain id is in ob_workshop.unpacking while one of them does.
 *
 * Blobs that are not here yet are fetched side by side, while the first of them are unpacked already.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/strings.h"
#include "engine/build/fetch_layers.h"
#include "engine/build/workshop.h"

/* What unpacking one tree after the other goes on with. */
typedef struct unpacking {
	ob_workshop *shop;
	ob_tree *tree;
	uint32_t step;
	ob_worker *worker;     /* taken at the first need */
	ob_layer_fetch *fetch; /* begun at the first need */
	ob_strlist lowers;     /* below the tree to come, topmost first */
} unpacking;

/* Claim the making of a tree, after waiting for whoever is at it; false: it exists by now. */
static bool claim_tree(ob_workshop *shop, const ob_digest *chain_id)
{
	bool claimed = false;

	(void)pthread_mutex_lock(&shop->lock);
	while (ob_strlist_contains(&shop->unpacking, chain_id->text))
		(void)pthread_cond_wait(&shop->changed, &shop->lock);
	if (!ob_store_has_tree(shop->store, chain_id)) {
		/* Without memory to say so, two may do it; the second finds it done. */
		(void)ob_strlist_add(&shop->unpacking, chain_id->text);
		claimed = true;
	}
	(void)pthread_mutex_unlock(&shop->lock);
	return claimed;
}

static void release_tree(ob_workshop *shop, const ob_digest *chain_id)
{
	(void)pthread_mutex_lock(&shop->lock);
	for (size_t i = 0; i < shop->unpacking.len; i++) {
		if (ob_str_eq(shop->unpacking.items[i], chain_id->text)) {
			ob_strlist_remove(&shop->unpacking, i);
			break;
		}
	}
	(void)pthread_cond_broadcast(&shop->changed);
	(void)pthread_mutex_unlock(&shop->lock);
}

static ocib_errc begin(unpacking *u, size_t layer, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	/* People make room by removing all trees, and their directory with them. */
	(void)mkdirat(ob_store_dirfd(u->shop->store), "trees", 0755);
	if (!u->fetch)
		r = ob_layer_fetch_begin(u->shop->store, u->tree, layer, u->step, &u->fetch, err);
	if (r == OCIB_OK && !u->worker)
		r = ob_workshop_take(u->shop, &u->worker, err);
	return r == OCIB_OK ? ob_layer_fetch_wait(u->fetch, layer, err) : r;
}

static ocib_errc unpack_layer(unpacking *u, size_t layer, const char *target, ocib_error **err)
{
	const char *store = ob_store_path(u->shop->store);
	const ob_descriptor *descriptor = ob_tree_descriptor(u->tree, layer);
	ob_autofree char *temp = NULL, *blob = NULL, *index = NULL;
	ob_unpack_request request = {.target = target, .lowers = &u->lowers, .step = u->step};
	char id[13];

	ocib_errc r = begin(u, layer, err);
	if (r == OCIB_OK)
		r = ob_workshop_new_dir(u->shop, &temp, err);
	if (r < 0)
		return r;
	blob = ob_str_printf("%s/blobs/sha256/%s", store, ob_digest_hex(&descriptor->digest));
	if (!blob)
		return ob_fail_nomem(err);
	index = ob_tree_index_path(u->tree, layer);
	(void)snprintf(id, sizeof(id), "%.12s", ob_digest_hex(&descriptor->digest));
	request.blob = blob;
	request.index = index;
	request.temp = temp;
	request.diff_id = ob_tree_diff_id(u->tree, layer);
	request.id = id;
	r = ob_worker_unpack(u->worker, &request, err);
	return r < 0 ? ob_wrap(err, r, "unpack layer %s", descriptor->digest.text) : OCIB_OK;
}

static ocib_errc ensure_tree(unpacking *u, size_t layer, const char *target, ocib_error **err)
{
	ob_digest chain_id;

	ob_tree_chain_id_at(u->tree, layer + 1, &chain_id);
	if (ob_store_has_tree(u->shop->store, &chain_id) || !claim_tree(u->shop, &chain_id))
		return OCIB_OK;
	ocib_errc r = unpack_layer(u, layer, target, err);
	release_tree(u->shop, &chain_id);
	return r;
}

static ocib_errc tree_path(const unpacking *u, size_t layer, char **out, ocib_error **err)
{
	char relative[OB_TREE_PATH];
	ob_digest chain_id;

	ob_tree_chain_id_at(u->tree, layer + 1, &chain_id);
	ob_store_tree_path(&chain_id, relative);
	*out = ob_str_printf("%s/%s", ob_store_path(u->shop->store), relative);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

static int insert_first(ob_strlist *list, const char *text)
{
	if (ob_strlist_add(list, text) < 0)
		return -1;
	char *added = list->items[list->len - 1];
	memmove(list->items + 1, list->items, (list->len - 1) * sizeof(*list->items));
	list->items[0] = added;
	return 0;
}

static ocib_errc unpack_all(unpacking *u, ocib_error **err)
{
	for (size_t i = 0; i < ob_tree_layer_count(u->tree); i++) {
		ob_autofree char *path = NULL;

		ocib_errc r = tree_path(u, i, &path, err);
		if (r == OCIB_OK)
			r = ensure_tree(u, i, path, err);
		if (r < 0)
			return r;
		if (insert_first(&u->lowers, path) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

ocib_errc ob_workshop_lowers(ob_workshop *shop, ob_tree *tree, uint32_t step, ob_strlist *lowers,
			     ocib_error **err)
{
	unpacking u = {.shop = shop, .tree = tree, .step = step};

	ocib_errc r = unpack_all(&u, err);
	ob_workshop_return(shop, u.worker, r);
	(void)ob_layer_fetch_free(u.fetch);
	if (r == OCIB_OK && ob_strlist_copy(lowers, &u.lowers) < 0)
		r = ob_fail_nomem(err);
	ob_strlist_done(&u.lowers);
	return r;
}
