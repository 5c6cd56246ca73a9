/* engine/build/run_mounts.c — see run_mounts.h.
 *
 * A cache is a directory of the store, held by a lock for as long as the command runs. All caches of a
 * RUN are taken before it, in the order of their keys, so that two RUNs cannot wait for each other; the
 * same cache mounted twice is taken once. A directory that does not exist yet is made by a worker, since
 * its owner may be any of a container's users.
 *
 * What is bound from a stage, an image or a context is a node of the plan, finished by now: an overlay of
 * its trees is shown, with a directory for changes where the command may write.
 */
#include "engine/build/run_mounts.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "base/strings.h"
#include "sandbox/json_bytes.h"

#define WAIT_MS 50 /* between two looks at a locked cache */

void ob_run_mounts_release(ob_run_mounts *mounts)
{
	ob_worker *worker = NULL;

	for (size_t i = 0; i < mounts->cache_count; i++)
		(void)ob_cache_dir_free(mounts->caches[i].dir);
	free(mounts->caches);
	mounts->caches = NULL;
	mounts->cache_count = 0;
	/* What cannot be removed now is removed with the build's other temporary files. */
	if (mounts->scratch.len && ob_workshop_take(&mounts->build->shop, &worker, NULL) == OCIB_OK)
		ob_workshop_return(&mounts->build->shop, worker,
				   ob_worker_remove(worker, &mounts->scratch, NULL));
	ob_strlist_done(&mounts->scratch);
}

void ob_run_mounts_done(ob_run_mounts *mounts)
{
	ob_run_mounts_release(mounts);
	free(mounts->inputs);
	*mounts = (ob_run_mounts){0};
}

/* --- what is mounted --- */

/* A COPY of it would take the same: paths, modes, owners, contents. */
static ocib_errc look_at(ob_build *build, const ob_step *run, const ob_step_mount *mount,
			 uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	ob_copy_source source = {.kind = OB_COPY_PATHS, .path = mount->source, .at = mount->at};
	const ob_step step = {
		.op = OB_STEP_COPY,
		.at = run->at,
		.copy = {.as_mount = true,
			 .keep_owner = true,
			 .unpack = -1,
			 .from = mount->from,
			 .sources = &source,
			 .source_count = 1},
	};
	const ob_copy_input input = {
		.plan = build->plan,
		.step = &step,
		.from = build->nodes[mount->from].tree,
	};
	ob_auto(ob_copy_job) job = NULL;
	ocib_errc r = ob_copy_prepare(build->ctx, &input, &job, err);

	if (r == OCIB_OK)
		ob_copy_job_digest(job, out);
	return r;
}

ocib_errc ob_run_mounts_look(ob_build *build, const ob_step *step, ob_run_mounts *out,
			     ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	*out = (ob_run_mounts){.build = build, .step = step};
	out->inputs = calloc(step->run.mount_count + 1, sizeof(*out->inputs));
	if (!out->inputs)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < step->run.mount_count && r == OCIB_OK; i++) {
		const ob_step_mount *mount = &step->run.mounts[i];

		if (mount->from == OB_NO_NODE)
			continue;
		out->has_inputs = true;
		r = look_at(build, step, mount, out->inputs[i], err);
	}
	return r;
}

/* --- caches --- */

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

/* The layer that a cache begins as; it is the only one of its node. */
static ocib_errc find_seed(const ob_run_mounts *mounts, const ob_step_mount *mount, char **blob,
			   ocib_error **err)
{
	const ob_build *build = mounts->build;

	if (mount->from == OB_NO_NODE)
		return OCIB_OK;
	const ob_descriptor *layer = ob_tree_descriptor(build->nodes[mount->from].tree, 0);
	*blob = ob_str_printf("%s/blobs/sha256/%s", ob_store_path(build->store),
			      ob_digest_hex(&layer->digest));
	return *blob ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc make_cache(ob_run_mounts *mounts, const ob_held_cache *cache, ocib_error **err)
{
	ob_workshop *shop = &mounts->build->shop;
	const ob_step_mount *mount = &mounts->step->run.mounts[cache->mount];
	const ob_tree_root root = {.mode = mount->mode, .uid = mount->uid, .gid = mount->gid};
	ob_unpack_request request = {.target = ob_cache_dir_path(cache->dir), .root = &root};
	ob_autofree char *temp = NULL, *blob = NULL;
	ob_worker *worker = NULL;

	ocib_errc r = find_seed(mounts, mount, &blob, err);
	if (r == OCIB_OK)
		r = ob_workshop_new_dir(shop, &temp, err);
	if (r == OCIB_OK)
		r = ob_workshop_take(shop, &worker, err);
	if (r < 0)
		return r;
	request.temp = temp;
	request.blob = blob;
	r = ob_worker_unpack(worker, &request, err);
	ob_workshop_return(shop, worker, r);
	return r < 0 ? ob_wrap(err, r, "make cache mount '%s'", mount->id) : OCIB_OK;
}

static ocib_errc hold_caches(ob_run_mounts *mounts, ocib_error **err)
{
	ocib_errc r = list_caches(mounts, err);

	for (size_t i = 0; i < mounts->cache_count && r == OCIB_OK; i++) {
		ob_held_cache *cache = &mounts->caches[i];

		r = take_cache(mounts, cache, err);
		if (r == OCIB_OK && !ob_cache_dir_exists(cache->dir))
			r = make_cache(mounts, cache, err);
	}
	return r;
}

/* --- the specification --- */

/* What the mounts of one RUN are made of. */
typedef struct mount_maker {
	ob_run_mounts *mounts;
	ob_run_spec *spec;
	uint32_t event;
	size_t i; /* the mount at hand */
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
	const ob_secret *secret = ob_secrets_find(&m->mounts->build->secrets, mount->id);
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

/* All of it, or the part that is looked up inside it. */
static ocib_errc set_inside(const ob_step_mount *mount, ob_mount *out, ocib_error **err)
{
	if (ob_str_eq(mount->source, "/"))
		return OCIB_OK;
	out->inside = strdup(mount->source);
	return out->inside ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc make_cache_mount(const mount_maker *m, const ob_step_mount *mount,
				  ocib_error **err)
{
	ob_mount *out = next_mount(m, mount, OB_MOUNT_BIND);
	ob_digest key;
	ocib_errc r = out ? cache_key(m->mounts, m->i, &key, err) : ob_fail_nomem(err);

	if (r < 0)
		return r;
	const ob_held_cache *cache = find_cache(m->mounts, &key);
	if (!cache)
		return ob_fail(err, OCIB_ERR_INVALID, "cache mount '%s' is not held", mount->id);
	out->source = strdup(ob_cache_dir_path(cache->dir));
	return out->source ? set_inside(mount, out, err) : ob_fail_nomem(err);
}

/* Where the command may write, a directory takes it, and goes with the step. */
static ocib_errc add_scratch(const mount_maker *m, ob_mount *out, ocib_error **err)
{
	ob_autofree char *dir = NULL;
	ocib_errc r = ob_workshop_new_dir(&m->mounts->build->shop, &dir, err);

	if (r < 0)
		return r;
	out->upper = ob_str_printf("%s/upper", dir);
	out->work = ob_str_printf("%s/work", dir);
	if (!out->upper || !out->work || ob_strlist_add(&m->mounts->scratch, dir) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc make_bind(const mount_maker *m, const ob_step_mount *mount, ocib_error **err)
{
	ob_build *build = m->mounts->build;
	ob_mount *out = next_mount(m, mount, OB_MOUNT_TREE);
	ocib_errc r = out ? set_inside(mount, out, err) : ob_fail_nomem(err);

	if (r == OCIB_OK)
		r = ob_workshop_lowers(&build->shop, build->nodes[mount->from].tree, m->event,
				       &out->lowers, err);
	if (r == OCIB_OK && !mount->read_only)
		r = add_scratch(m, out, err);
	return r;
}

static ocib_errc fail_ssh(const ob_step_mount *mount, ocib_error **err)
{
	ocib_errc r =
		ob_fail(err, OCIB_ERR_NOTFOUND, "the step requires ssh agent '%s'", mount->id);

	ob_error_set_hint(err, "give it with --ssh %s, or --ssh %s=SOCKET or --ssh %s=KEYFILE",
			  mount->id, mount->id, mount->id);
	return r;
}

static ocib_errc make_ssh(const mount_maker *m, const ob_step_mount *mount, ocib_error **err)
{
	ob_build *build = m->mounts->build;
	const char *path = NULL;
	ob_mount *out;
	ocib_errc r = ob_ssh_sockets_get(&build->ssh, &build->shop, mount, &path, err);

	if (r == OCIB_OK && !path && mount->required)
		r = fail_ssh(mount, err);
	if (r < 0 || !path)
		return r;
	out = next_mount(m, mount, OB_MOUNT_SOCKET);
	if (!out)
		return ob_fail_nomem(err);
	out->mode = mount->mode & 0777;
	out->uid = mount->uid;
	out->gid = mount->gid;
	out->source = strdup(path);
	return out->source ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc (*const makers[])(const mount_maker *m, const ob_step_mount *mount,
				   ocib_error **err) = {
	[OB_RUN_MOUNT_BIND] = make_bind,   [OB_RUN_MOUNT_CACHE] = make_cache_mount,
	[OB_RUN_MOUNT_TMPFS] = make_tmpfs, [OB_RUN_MOUNT_SECRET] = make_secret,
	[OB_RUN_MOUNT_SSH] = make_ssh,
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

ocib_errc ob_run_mounts_add(ob_run_mounts *mounts, uint32_t event, ob_run_spec *spec,
			    ocib_error **err)
{
	const ob_run_op *run = &mounts->step->run;
	mount_maker m = {.mounts = mounts, .spec = spec, .event = event};
	ob_mount *grown;

	if (!run->mount_count)
		return OCIB_OK;
	grown = reallocarray(spec->mounts, spec->mount_count + run->mount_count, sizeof(*grown));
	if (!grown)
		return ob_fail_nomem(err);
	spec->mounts = grown;
	ocib_errc r = hold_caches(mounts, err);
	for (; m.i < run->mount_count && r == OCIB_OK; m.i++) {
		const ob_step_mount *mount = &run->mounts[m.i];

		r = makers[mount->type](&m, mount, err);
		if (r < 0)
			r = ob_source_locate(&mounts->build->dockerfile->source, &mount->at, r,
					     err);
	}
	sort_mounts(spec);
	return r;
}
