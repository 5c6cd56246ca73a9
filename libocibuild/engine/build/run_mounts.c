/* engine/build/run_mounts.c — see run_mounts.h.
 *
 * A cache is a directory of the store, held by a lock for as long as the command runs. All caches of a
 * RUN are taken before it, in the order of their keys, so that two RUNs cannot wait for each other; the
 * same cache mounted twice is taken once. A directory that does not exist yet is made by a worker, since
 * its owner may be any of a container's users.
 */
#include "engine/build/run_mounts.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "base/strings.h"
#include "sandbox/json_bytes.h"

#define WAIT_MS 50 /* between two looks at a locked cache */

void ob_run_mounts_done(ob_run_mounts *held)
{
	for (size_t i = 0; i < held->cache_count; i++)
		(void)ob_cache_dir_free(held->caches[i].dir);
	free(held->caches);
	*held = (ob_run_mounts){0};
}

/* --- caches --- */

/* What makes two cache mounts one cache: id, and what its directory begins as. */
static ocib_errc cache_key(const ob_step_mount *mount, ob_digest *out, ocib_error **err)
{
	uint8_t key[OB_SHA256_LEN];
	const uint32_t begins_as[] = {mount->mode, mount->uid, mount->gid};
	const ob_key_part parts[] = {
		{mount->id, strlen(mount->id)},
		{begins_as, sizeof(begins_as)},
	};
	ocib_errc r = ob_step_key("cache mount", parts, OB_ARRAY_LEN(parts), key, err);

	if (r == OCIB_OK)
		ob_digest_from_bytes(out, key);
	return r;
}

static ob_held_cache *find_cache(const ob_run_mounts *held, const ob_digest *key)
{
	for (size_t i = 0; i < held->cache_count; i++)
		if (ob_digest_eq(&held->caches[i].key, key))
			return &held->caches[i];
	return NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const ob_held_cache *left = a, *right = b;

	return strcmp(left->key.text, right->key.text);
}

/* Each cache once, in order; none is held yet. */
static ocib_errc list_caches(const ob_run_op *run, ob_run_mounts *held, ocib_error **err)
{
	held->caches = calloc(run->mount_count + 1, sizeof(*held->caches));
	if (!held->caches)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < run->mount_count; i++) {
		const ob_step_mount *mount = &run->mounts[i];
		ob_held_cache cache = {.mount = mount};

		if (mount->type != OB_RUN_MOUNT_CACHE)
			continue;
		ocib_errc r = cache_key(mount, &cache.key, err);
		if (r < 0)
			return r;
		if (!find_cache(held, &cache.key))
			held->caches[held->cache_count++] = cache;
	}
	qsort(held->caches, held->cache_count, sizeof(*held->caches), compare_keys);
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

static ocib_errc take_cache(ob_build *build, ob_held_cache *cache, ocib_error **err)
{
	static const ob_cache_sharing sharing[] = {
		[OB_SHARING_UNSET] = OB_CACHE_SHARED,
		[OB_SHARING_SHARED] = OB_CACHE_SHARED,
		[OB_SHARING_PRIVATE] = OB_CACHE_PRIVATE,
		[OB_SHARING_LOCKED] = OB_CACHE_LOCKED,
	};
	const ob_step_mount *mount = cache->mount;
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

static ocib_errc make_cache(ob_build *build, const ob_held_cache *cache, ocib_error **err)
{
	const ob_step_mount *mount = cache->mount;
	const ob_tree_root root = {.mode = mount->mode, .uid = mount->uid, .gid = mount->gid};
	ob_unpack_request request = {.target = ob_cache_dir_path(cache->dir), .root = &root};
	ob_autofree char *temp = NULL;
	ob_worker *worker = NULL;

	ocib_errc r = ob_workshop_new_dir(&build->shop, &temp, err);
	if (r == OCIB_OK)
		r = ob_workshop_take(&build->shop, &worker, err);
	if (r < 0)
		return r;
	request.temp = temp;
	r = ob_worker_unpack(worker, &request, err);
	ob_workshop_return(&build->shop, worker, r);
	return r < 0 ? ob_wrap(err, r, "make cache mount '%s'", mount->id) : OCIB_OK;
}

static ocib_errc hold_caches(ob_build *build, const ob_run_op *run, ob_run_mounts *held,
			     ocib_error **err)
{
	ocib_errc r = list_caches(run, held, err);

	for (size_t i = 0; i < held->cache_count && r == OCIB_OK; i++) {
		r = take_cache(build, &held->caches[i], err);
		if (r == OCIB_OK && !ob_cache_dir_exists(held->caches[i].dir))
			r = make_cache(build, &held->caches[i], err);
	}
	return r;
}

/* --- the specification --- */

/* What the mounts of one RUN are made of. */
typedef struct mount_maker {
	ob_build *build;
	ob_run_spec *spec;
	const ob_run_mounts *held;
} mount_maker;

/* The next mount of the specification; there is room for it. NULL: no memory. */
static ob_mount *next_mount(const mount_maker *m, const ob_step_mount *mount, ob_mount_kind kind)
{
	ob_mount *out = &m->spec->mounts[m->spec->mount_count];

	*out = (ob_mount){
		.kind = kind, .target = strdup(mount->target), .read_only = mount->read_only};
	m->spec->mount_count += out->target != NULL;
	return out->target ? out : NULL;
}

static ocib_errc make_tmpfs(const mount_maker *m, const ob_step_mount *mount, ocib_error **err)
{
	ob_mount *out = next_mount(m, mount, OB_MOUNT_TMPFS);

	if (!out)
		return ob_fail_nomem(err);
	out->size = mount->size;
	return OCIB_OK;
}

static ocib_errc fail_secret(const ob_step_mount *mount, ocib_error **err)
{
	ocib_errc r = ob_fail(err, OCIB_ERR_NOTFOUND, "the step requires secret '%s'", mount->id);

	ob_error_set_hint(err,
			  "give it with --secret id=%s,src=FILE or --secret id=%s,env=VARIABLE",
			  mount->id, mount->id);
	return r;
}

/* One that was not given is no file and an empty variable, as BuildKit has it. */
static ocib_errc make_secret(const mount_maker *m, const ob_step_mount *mount, ocib_error **err)
{
	const ob_secret *secret = ob_secrets_find(&m->build->secrets, mount->id);
	ob_mount *out;

	if (!secret && mount->required)
		return fail_secret(mount, err);
	if (mount->env && ob_env_set(&m->spec->env, mount->env, secret ? secret->data : "") < 0)
		return ob_fail_nomem(err);
	if (!secret || !mount->target)
		return OCIB_OK;
	out = next_mount(m, mount, OB_MOUNT_FILE);
	if (!out)
		return ob_fail_nomem(err);
	out->read_only = true;
	out->mode = mount->mode & 0777;
	out->uid = mount->uid;
	out->gid = mount->gid;
	out->data = malloc(secret->len + 1);
	if (!out->data)
		return ob_fail_nomem(err);
	memcpy(out->data, secret->data, secret->len);
	out->data_len = secret->len;
	return OCIB_OK;
}

static ocib_errc make_cache_mount(const mount_maker *m, const ob_step_mount *mount,
				  ocib_error **err)
{
	ob_mount *out = next_mount(m, mount, OB_MOUNT_BIND);
	ob_digest key;
	ocib_errc r = out ? cache_key(mount, &key, err) : ob_fail_nomem(err);

	if (r < 0)
		return r;
	out->source = strdup(ob_cache_dir_path(find_cache(m->held, &key)->dir));
	out->inside = ob_str_eq(mount->source, "/") ? NULL : strdup(mount->source);
	if (!out->source || (!out->inside && !ob_str_eq(mount->source, "/")))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc (*const makers[])(const mount_maker *m, const ob_step_mount *mount,
				   ocib_error **err) = {
	[OB_RUN_MOUNT_CACHE] = make_cache_mount,
	[OB_RUN_MOUNT_TMPFS] = make_tmpfs,
	[OB_RUN_MOUNT_SECRET] = make_secret,
};

/* Parents first; of two with one target the later covers the earlier. An insertion sort is stable. */
static void sort_mounts(ob_run_spec *spec)
{
	for (size_t i = 1; i < spec->mount_count; i++) {
		const ob_mount mount = spec->mounts[i];
		size_t at = i;

		for (; at > 0 && strcmp(spec->mounts[at - 1].target, mount.target) > 0; at--)
			spec->mounts[at] = spec->mounts[at - 1];
		spec->mounts[at] = mount;
	}
}

ocib_errc ob_run_mounts_add(ob_build *build, const ob_step *step, ob_run_spec *spec,
			    ob_run_mounts *held, ocib_error **err)
{
	const mount_maker m = {build, spec, held};
	const ob_run_op *run = &step->run;
	ob_mount *grown;

	if (!run->mount_count)
		return OCIB_OK;
	grown = reallocarray(spec->mounts, spec->mount_count + run->mount_count, sizeof(*grown));
	if (!grown)
		return ob_fail_nomem(err);
	spec->mounts = grown;
	ocib_errc r = hold_caches(build, run, held, err);
	for (size_t i = 0; i < run->mount_count && r == OCIB_OK; i++) {
		const ob_step_mount *mount = &run->mounts[i];

		r = makers[mount->type](&m, mount, err);
		if (r < 0)
			r = ob_source_locate(&build->dockerfile->source, &mount->at, r, err);
	}
	sort_mounts(spec);
	return r;
}
