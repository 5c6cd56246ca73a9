/* engine/build/run_mounts.c — see run_mounts.h.
 *
 * What is bound from a stage, an image or a context is a node of the plan, finished by now: an overlay of
 * its trees is shown, with a directory for changes where the command may write.
 */
#include "engine/build/run_mounts.h"
#include <string.h>
#include "base/strings.h"

void ob_run_mounts_release(ob_run_mounts *mounts)
{
	ob_worker *worker = NULL;

	ob_run_caches_release(mounts);
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
	return r == OCIB_OK ? ob_run_caches_note(out, err) : r;
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
	const ob_cache_dir *dir = NULL;
	ocib_errc r = out ? ob_run_caches_find(m->mounts, m->i, &dir, err) : ob_fail_nomem(err);

	if (r < 0)
		return r;
	out->source = strdup(ob_cache_dir_path(dir));
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
	ocib_errc r = ob_run_caches_hold(mounts, event, err);
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
