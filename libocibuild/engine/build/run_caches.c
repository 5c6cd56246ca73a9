/* engine/build/run_caches.c — see run_mounts.h: the cache mounts of a RUN.
 *
 * A cache is a directory of the store, held by a lock for as long as the command runs. All caches of a
 * RUN are taken before it, in the order of their keys, so that two RUNs cannot wait for each other; the
 * same cache mounted twice is taken once. A directory that does not exist yet is made by a worker, since
 * its owner may be any of a container's users. It begins as another machine left it, where there is a
 * --cache-mount-from that has it; else as a copy of its "from"; else empty.
 */
#include "engine/build/run_mounts.h"
#include <poll.h>
#include <string.h>
#include "base/strings.h"
#include "sandbox/json_bytes.h"

#define WAIT_MS 50 /* between two looks at a locked cache */

void ob_run_caches_release(ob_run_mounts *mounts)
{
	for (size_t i = 0; i < mounts->cache_count; i++)
		(void)ob_cache_dir_free(mounts->caches[i].dir);
	free(mounts->caches);
	mounts->caches = NULL;
	mounts->cache_count = 0;
}

/* What makes two cache mounts one cache: id, and what its directory begins as. */
static ocib_errc cache_key(const ob_run_mounts *mounts, size_t i, ob_digest *out, ocib_error **err)
{
	const ob_step_mount *mount = &mounts->step->run.mounts[i];
	uint8_t key[OB_SHA256_LEN];
	const uint32_t begins_as[] = {mount->mode, mount->uid, mount->gid};
	const ob_key_part parts[] = {
		{mount->id, strlen(mount->id)},
		{begins_as, sizeof(begins_as)},
		{mounts->inputs[i], OB_SHA256_LEN},
	};
	ocib_errc r = ob_step_key("cache mount", parts, OB_ARRAY_LEN(parts), key, err);

	if (r == OCIB_OK)
		ob_digest_from_bytes(out, key);
	return r;
}

/* Also those of a step that will not be executed: they are worth carrying all the same. */
ocib_errc ob_run_caches_note(const ob_run_mounts *mounts, ocib_error **err)
{
	const ob_run_op *run = &mounts->step->run;
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < run->mount_count && r == OCIB_OK; i++) {
		ob_digest key;

		if (run->mounts[i].type != OB_RUN_MOUNT_CACHE)
			continue;
		r = cache_key(mounts, i, &key, err);
		if (r == OCIB_OK)
			r = ob_cache_carry_note(&mounts->build->caches, &key, run->mounts[i].id,
						err);
	}
	return r;
}

static const ob_held_cache *find_cache(const ob_run_mounts *mounts, const ob_digest *key)
{
	for (size_t i = 0; i < mounts->cache_count; i++)
		if (ob_digest_eq(&mounts->caches[i].key, key))
			return &mounts->caches[i];
	return NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const ob_held_cache *left = a, *right = b;

	return strcmp(left->key.text, right->key.text);
}

/* Each cache once, in order; none is held yet. */
static ocib_errc list_caches(ob_run_mounts *mounts, ocib_error **err)
{
	const ob_run_op *run = &mounts->step->run;

	mounts->caches = calloc(run->mount_count + 1, sizeof(*mounts->caches));
	if (!mounts->caches)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < run->mount_count; i++) {
		ob_held_cache cache = {.mount = i};

		if (run->mounts[i].type != OB_RUN_MOUNT_CACHE)
			continue;
		ocib_errc r = cache_key(mounts, i, &cache.key, err);
		if (r < 0)
			return r;
		if (!find_cache(mounts, &cache.key))
			mounts->caches[mounts->cache_count++] = cache;
	}
	qsort(mounts->caches, mounts->cache_count, sizeof(*mounts->caches), compare_keys);
	return OCIB_OK;
}

/* Some time passes, or the build ends. */
static ocib_errc wait_a_moment(const ob_build *build, ocib_error **err)
{
	struct pollfd stop = {.fd = build->shop.stop_fd, .events = POLLIN};

	if (poll(&stop, 1, WAIT_MS) > 0)
		return ob_fail(err, OCIB_ERR_CANCELED, "another step failed");
	return ob_check_canceled(build->ctx, err);
}

static ocib_errc take_cache(const ob_run_mounts *mounts, ob_held_cache *cache, ocib_error **err)
{
	ob_build *build = mounts->build;
	static const ob_cache_sharing sharing[] = {
		[OB_SHARING_UNSET] = OB_CACHE_SHARED,
		[OB_SHARING_SHARED] = OB_CACHE_SHARED,
		[OB_SHARING_PRIVATE] = OB_CACHE_PRIVATE,
		[OB_SHARING_LOCKED] = OB_CACHE_LOCKED,
	};
	const ob_step_mount *mount = &mounts->step->run.mounts[cache->mount];
	ob_auto(ob_json) about = ob_json_object();
	bool told = false;

	ob_json_set_path(about, "id", mount->id);
	ob_json_set_int(about, "mode", mount->mode);
	ob_json_set_int(about, "uid", mount->uid);
	ob_json_set_int(about, "gid", mount->gid);
	for (;;) {
		ocib_errc r = ob_cache_dir_take(build->store, &cache->key, about,
						sharing[mount->sharing], &cache->dir, err);
		if (r < 0 || cache->dir)
			return r;
		if (!told)
			ob_emit_note(build->ctx, "waiting for cache mount '%s': another RUN has it",
				     mount->id);
		told = true;
		r = wait_a_moment(build, err);
		if (r < 0)
			return r;
	}
}

/* What a new cache begins as. */
typedef struct cache_seed {
	char *blob;        /* NULL: nothing */
	ob_digest diff_id; /* unset: it is our own */
	ob_tree_root root;
} cache_seed;

static void cache_seed_done(cache_seed *seed)
{
	free(seed->blob);
}

/* Elsewhere, as another machine left it; where that fails it begins as if there were none. */
static ocib_errc seed_from_elsewhere(const ob_run_mounts *mounts, const ob_held_cache *cache,
				     uint32_t event, cache_seed *seed, ocib_error **err)
{
	ob_build *build = mounts->build;
	const char *id = mounts->step->run.mounts[cache->mount].id;
	ob_auto(ocib_error) why = NULL;
	ob_cache_found found;

	if (!ob_cache_carry_find(&build->caches, &cache->key, &found))
		return OCIB_OK;
	ocib_errc r =
		ob_cache_carry_fetch(&found, event, &seed->blob, &seed->diff_id, &seed->root, &why);
	if (r == OCIB_ERR_CANCELED || r == OCIB_ERR_NOMEM)
		return ob_error_move(err, &why);
	if (r < 0)
		ob_emit_warning(build->ctx, NULL, 0, "cache mount '%s' begins empty: %s", id,
				ocib_error_message(why));
	else
		ob_emit_note(build->ctx, "cache mount '%s' comes from '%s'", id,
			     found.source->name);
	return OCIB_OK;
}

/* The layer of a "from"; it is the only one of its node. */
static ocib_errc seed_from_node(const ob_run_mounts *mounts, const ob_step_mount *mount,
				cache_seed *seed, ocib_error **err)
{
	const ob_build *build = mounts->build;

	if (mount->from == OB_NO_NODE)
		return OCIB_OK;
	const ob_descriptor *layer = ob_tree_descriptor(build->nodes[mount->from].tree, 0);
	seed->blob = ob_str_printf("%s/blobs/sha256/%s", ob_store_path(build->store),
				   ob_digest_hex(&layer->digest));
	return seed->blob ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc unpack_cache(ob_run_mounts *mounts, const ob_held_cache *cache,
			      const cache_seed *seed, ocib_error **err)
{
	ob_workshop *shop = &mounts->build->shop;
	ob_autofree char *temp = NULL;
	ob_worker *worker = NULL;
	ob_unpack_request request = {
		.target = ob_cache_dir_path(cache->dir),
		.root = &seed->root,
		.blob = seed->blob,
		.diff_id = ob_digest_is_set(&seed->diff_id) ? &seed->diff_id : NULL,
	};

	ocib_errc r = ob_workshop_new_dir(shop, &temp, err);
	if (r == OCIB_OK)
		r = ob_workshop_take(shop, &worker, err);
	if (r < 0)
		return r;
	request.temp = temp;
	r = ob_worker_unpack(worker, &request, err);
	ob_workshop_return(shop, worker, r);
	return r;
}

static bool is_final(ocib_errc r)
{
	return r == OCIB_OK || r == OCIB_ERR_CANCELED || r == OCIB_ERR_NOMEM;
}

/* *done where what came from elsewhere was unpacked. */
static ocib_errc make_from_elsewhere(ob_run_mounts *mounts, const ob_held_cache *cache,
				     uint32_t event, bool *done, ocib_error **err)
{
	ob_autodone(cache_seed) seed = {0};
	ob_auto(ocib_error) why = NULL;

	ocib_errc r = seed_from_elsewhere(mounts, cache, event, &seed, err);
	if (r < 0 || !seed.blob)
		return r;
	r = unpack_cache(mounts, cache, &seed, &why);
	*done = r == OCIB_OK;
	if (is_final(r))
		return r < 0 ? ob_error_move(err, &why) : r;
	ob_emit_warning(mounts->build->ctx, NULL, 0, "cache mount '%s' begins empty: %s",
			mounts->step->run.mounts[cache->mount].id, ocib_error_message(why));
	return OCIB_OK;
}

static ocib_errc make_cache(ob_run_mounts *mounts, const ob_held_cache *cache, uint32_t event,
			    ocib_error **err)
{
	const ob_step_mount *mount = &mounts->step->run.mounts[cache->mount];
	ob_autodone(cache_seed) seed = {
		.root = {.mode = mount->mode, .uid = mount->uid, .gid = mount->gid},
	};
	bool done = false;

	ocib_errc r = make_from_elsewhere(mounts, cache, event, &done, err);
	if (r < 0 || done)
		return r;
	r = seed_from_node(mounts, mount, &seed, err);
	if (r == OCIB_OK)
		r = unpack_cache(mounts, cache, &seed, err);
	return r < 0 ? ob_wrap(err, r, "make cache mount '%s'", mount->id) : OCIB_OK;
}

ocib_errc ob_run_caches_hold(ob_run_mounts *mounts, uint32_t event, ocib_error **err)
{
	ocib_errc r = list_caches(mounts, err);

	for (size_t i = 0; i < mounts->cache_count && r == OCIB_OK; i++) {
		ob_held_cache *cache = &mounts->caches[i];

		r = take_cache(mounts, cache, err);
		if (r == OCIB_OK && !ob_cache_dir_exists(cache->dir))
			r = make_cache(mounts, cache, event, err);
	}
	return r;
}

ocib_errc ob_run_caches_find(const ob_run_mounts *mounts, size_t mount, const ob_cache_dir **out,
			     ocib_error **err)
{
	ob_digest key;
	ocib_errc r = cache_key(mounts, mount, &key, err);
	if (r != OCIB_OK)
		return r;

	const ob_held_cache *cache = find_cache(mounts, &key);
	if (!cache)
		return ob_fail(err, OCIB_ERR_INVALID, "cache mount '%s' is not held",
			       mounts->step->run.mounts[mount].id);
	*out = cache->dir;
	return OCIB_OK;
}
