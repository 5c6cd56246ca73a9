/* engine/build/step_run.c — RUN: a command in a root file system made of the layers below it.
 *
 * The command gets an overlay over the unpacked trees, with an upper directory of its own in the
 * build's temporary directory; what is in it afterwards is the layer. Everything that is only there for
 * the command (here-document files, certificates, /etc/hosts) is a mount and leaves no trace.
 *
 * In a chain of RUNs a command starts while the layer of the one before it is still being written. Only
 * where the cache knows this step must it wait: whether the record holds depends on that layer.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/build.h"
#include "engine/build/output_lines.h"
#include "engine/build/run_mounts.h"
#include "engine/step_key.h"

#define HEREDOC_DIR "/dev/pipes"

/* --- key --- */

static ocib_errc strlist_digest(const ob_strlist *list, uint8_t out[OB_SHA256_LEN],
				ocib_error **err)
{
	ob_autofree ob_key_part *parts = calloc(list->len + 1, sizeof(*parts));

	if (!parts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < list->len; i++)
		parts[i] = (ob_key_part){list->items[i], strlen(list->items[i])};
	return ob_step_key("list", parts, list->len, out, err);
}

static ocib_errc ulimits_list(const ob_build *build, ob_strlist *out, ocib_error **err)
{
	for (const char *const *one = build->options.ulimits; one && *one; one++) {
		if (ob_strlist_add(out, *one) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc run_key(const ob_build *build, const ob_stage_run *stage, const ob_step *step,
			 const ob_run_mounts *mounts, uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	ob_autodone(ob_strlist) ulimits = {0};
	uint8_t digest[OB_SHA256_LEN], hosts[OB_SHA256_LEN], limits[OB_SHA256_LEN];
	const uint64_t shm_size = build->options.shm_size;
	char platform[128];
	const ob_key_part parts[] = {
		{build->settings, OB_SHA256_LEN},
		{platform, sizeof(platform)},
		{stage->key, OB_SHA256_LEN},
		{digest, OB_SHA256_LEN},
		{hosts, OB_SHA256_LEN},
		{limits, OB_SHA256_LEN},
		{&shm_size, sizeof(shm_size)},
		{mounts->inputs, step->run.mount_count * sizeof(*mounts->inputs)},
	};
	/* Without inputs the key is what it was before there were mounts. */
	size_t count = OB_ARRAY_LEN(parts) - !mounts->has_inputs;

	/* What a machine of another kind makes of a command is another layer. */
	memset(platform, 0, sizeof(platform));
	ob_platform_format(&build->plan->nodes[stage->node].platform, platform);
	ocib_errc r = ob_step_digest(step, digest, err);
	if (r == OCIB_OK)
		r = strlist_digest(&build->extra_hosts, hosts, err);
	if (r == OCIB_OK)
		r = ulimits_list(build, &ulimits, err);
	if (r == OCIB_OK)
		r = strlist_digest(&ulimits, limits, err);
	if (r == OCIB_OK)
		r = ob_step_key("run", parts, count, out, err);
	return r;
}

/* --- the specification --- */

static ocib_errc add_heredocs(const ob_run_op *op, ob_run_spec *spec, ocib_error **err)
{
	if (!op->file_count)
		return OCIB_OK;
	spec->mounts = calloc(op->file_count, sizeof(*spec->mounts));
	if (!spec->mounts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < op->file_count; i++) {
		const ob_heredoc *file = &op->files[i];
		ob_mount *mount = &spec->mounts[spec->mount_count++];

		*mount = (ob_mount){.kind = OB_MOUNT_FILE, .mode = 0755, .read_only = true};
		mount->target = ob_str_printf(HEREDOC_DIR "/%s", file->name);
		mount->data = malloc(file->len + 1);
		if (!mount->target || !mount->data)
			return ob_fail_nomem(err);
		memcpy(mount->data, file->content, file->len);
		mount->data_len = file->len;
	}
	return OCIB_OK;
}

/* Proxies and the like: for the process, unknown to the key. */
static int add_env(ob_strlist *env, const ob_run_op *op)
{
	if (ob_strlist_copy(env, &op->env) < 0)
		return -1;
	for (size_t i = 0; i < op->secret_env.len; i++) {
		const char *pair = op->secret_env.items[i];
		const char *equals = strchr(pair, '=');
		ob_autofree char *key = equals ? strndup(pair, (size_t)(equals - pair)) : NULL;

		if (!key || ob_env_set(env, key, equals + 1) < 0)
			return -1;
	}
	return 0;
}

static ocib_errc make_spec(const ob_build *build, const ob_step *step, const char *dir,
			   ob_run_spec **out, ocib_error **err)
{
	const ob_run_op *op = &step->run;
	ob_auto(ob_run_spec) spec = ob_run_spec_new();

	if (!spec)
		return ob_fail_nomem(err);
	spec->upper = ob_str_printf("%s/upper", dir);
	spec->work = ob_str_printf("%s/work", dir);
	spec->cwd = strdup(op->cwd && *op->cwd ? op->cwd : "/");
	spec->user = strdup(op->user ? op->user : "");
	if (!spec->upper || !spec->work || !spec->cwd || !spec->user)
		return ob_fail_nomem(err);
	if (ob_strlist_copy(&spec->argv, &op->argv) < 0 || add_env(&spec->env, op) < 0 ||
	    ob_strlist_copy(&spec->extra_hosts, &build->extra_hosts) < 0)
		return ob_fail_nomem(err);
	if (op->hostname && !(spec->hostname = strdup(op->hostname)))
		return ob_fail_nomem(err);
	spec->network = op->network;
	spec->insecure = op->insecure;
	spec->shm_size = build->options.shm_size;
	spec->init_env = true;
	ocib_errc r =
		ob_run_spec_set_platform(spec, &build->plan->nodes[step->stage].platform, err);
	if (r == OCIB_OK)
		r = ulimits_list(build, &spec->ulimits, err);
	if (r == OCIB_OK)
		r = add_heredocs(op, spec, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(spec);
	return r;
}

/* Decided once in a stage, by its base: a RUN that installs certificates must not change the next. */
static ocib_errc add_ca(ob_build *build, ob_stage_run *stage, ob_run_spec *spec, ocib_error **err)
{
	if (!stage->ca_decided) {
		size_t base = build->plan->nodes[stage->node].base;
		ocib_errc r = ob_ca_bundle_wanted(&build->ca, build->nodes[base].tree,
						  &stage->ca_mounted, err);
		if (r < 0)
			return r;
		stage->ca_decided = true;
	}
	return stage->ca_mounted ? ob_ca_bundle_add(&build->ca, spec, err) : OCIB_OK;
}

/* --- execution --- */

/* What happened to the command, and the end of what it said. */
static ocib_errc command_failed(const ob_step *step, const ob_run_status *status,
				const ob_strlist *tail, ocib_error **err)
{
	ob_autodone(ob_buffer) command = OB_BUFFER_INIT(OB_LIMIT_EXPANSION, "command");
	ob_autodone(ob_buffer) hint = OB_BUFFER_INIT(OB_LIMIT_EXPANSION, "output");
	ocib_error *made = NULL;
	int code = status->exited ? status->status : 128 + status->status;

	for (size_t i = 0; i < step->run.argv.len; i++)
		ob_buffer_printf(&command, "%s%s", i ? " " : "", step->run.argv.items[i]);
	(void)ob_fail(&made, OCIB_ERR_COMMAND,
		      status->exited ? "process \"%s\" did not complete successfully: exit code: %d"
				     : "process \"%s\" was killed by signal %d",
		      command.data ? command.data : "", status->status);
	ob_error_set_exit_status(&made, code);
	for (size_t i = 0; i < tail->len; i++)
		ob_buffer_printf(&hint, "%s  %s", i ? "\n" : "its last lines of output:\n",
				 tail->items[i]);
	if (tail->len && ob_buffer_check(&hint, NULL) == OCIB_OK)
		ob_error_set_hint(&made, "%s", hint.data);
	return ob_error_move(err, &made);
}

static ocib_errc run_command(ob_build *build, const ob_step *step, const ob_run_spec *spec,
			     ob_worker *worker, uint32_t event, ob_strlist *stubs, ocib_error **err)
{
	ob_autodone(ob_output_lines) lines = {0};
	ob_autodone(ob_run_status) status = {0};

	ob_output_lines_init(&lines, build->ctx, event);
	ocib_errc r = ob_worker_run(worker, spec, ob_output_lines_add, &lines, &status, err);
	ob_output_lines_finish(&lines);
	if (r < 0)
		return r;
	if (!status.exited || status.status != 0)
		return command_failed(step, &status, &lines.tail, err);
	*stubs = status.stubs;
	status.stubs = (ob_strlist){0};
	return OCIB_OK;
}

static ocib_errc prepare(ob_build *build, ob_stage_run *stage, const ob_step *step,
			 ob_run_commit_input *commit, ob_run_spec **spec, ocib_error **err)
{
	const char *pending = ob_run_commit_upper(stage->pending);

	ocib_errc r = ob_workshop_new_dir(&build->shop, &commit->dir, err);
	if (r == OCIB_OK)
		r = make_spec(build, step, commit->dir, spec, err);
	if (r == OCIB_OK)
		r = add_ca(build, stage, *spec, err);
	if (r < 0)
		return r;
	if (pending && ob_strlist_add(&(*spec)->lowers, pending) < 0)
		return ob_fail_nomem(err);
	return ob_workshop_lowers(&build->shop, stage->tree, commit->span.id, &(*spec)->lowers,
				  err);
}

static bool next_is_run(const ob_build *build, const ob_stage_run *stage)
{
	const ob_node *node = &build->plan->nodes[stage->node];

	return stage->next + 1 < node->step_count && node->steps[stage->next + 1].op == OB_STEP_RUN;
}

static ocib_errc run_with_worker(ob_build *build, const ob_step *step, const ob_run_spec *spec,
				 ob_run_commit_input *commit, ocib_error **err)
{
	ob_worker *worker = NULL;

	ocib_errc r = ob_workshop_take(&build->shop, &worker, err);
	if (r < 0)
		return r;
	r = run_command(build, step, spec, worker, commit->span.id, &commit->stubs, err);
	/* A command that failed leaves a worker as good as one that did not. */
	ob_workshop_return(&build->shop, worker, r == OCIB_ERR_COMMAND ? OCIB_OK : r);
	return r;
}

/* What the mounts hold is let go of as soon as the command has ended. */
static ocib_errc run_with_mounts(ob_build *build, ob_run_mounts *mounts, ob_run_spec *spec,
				 ob_run_commit_input *commit, ocib_error **err)
{
	ocib_errc r = ob_run_mounts_add(mounts, commit->span.id, spec, err);

	if (r == OCIB_OK)
		r = run_with_worker(build, commit->step, spec, commit, err);
	ob_run_mounts_release(mounts);
	return r;
}

static ocib_errc execute(ob_build *build, ob_stage_run *stage, ob_run_mounts *mounts,
			 ob_run_commit_input *commit, ocib_error **err)
{
	ob_auto(ob_run_spec) spec = NULL;

	ocib_errc r = prepare(build, stage, commit->step, commit, &spec, err);
	if (r == OCIB_OK)
		r = run_with_mounts(build, mounts, spec, commit, err);
	if (r == OCIB_OK)
		r = ob_run_commit_collect(build, stage, err);
	/* Asked again, as the layers below have their final places only now. */
	if (r == OCIB_OK)
		r = ob_workshop_lowers(&build->shop, stage->tree, commit->span.id, &commit->lowers,
				       err);
	return r;
}

/* *done when the cache had it. */
static ocib_errc from_cache(ob_build *build, ob_stage_run *stage, const ob_step *step,
			    const uint8_t key[OB_SHA256_LEN], bool *done, ocib_error **err)
{
	ob_autodone(ob_step_record) record = {0};

	if (stage->no_cache || !ob_step_record_exists(build->store, key))
		return OCIB_OK;
	ocib_errc r = ob_run_commit_collect(build, stage, err);
	if (r == OCIB_OK)
		r = ob_step_record_find(build->store, key, ob_tree_chain_id(stage->tree), done,
					&record, err);
	if (r == OCIB_OK && *done)
		r = ob_step_use_record(build, stage, step, &record, err);
	if (r == OCIB_OK && *done)
		memcpy(stage->key, key, OB_SHA256_LEN);
	return r;
}

/* Not in the cache: do it. On success the commit has the claim. */
static ocib_errc run_anew(ob_build *build, ob_stage_run *stage, ob_run_mounts *mounts,
			  ob_run_commit_input *commit, ocib_error **err)
{
	const ob_step *step = commit->step;

	commit->span = ob_build_span(build, step);
	ob_span_start(build->ctx, &commit->span);
	ocib_errc r = execute(build, stage, mounts, commit, err);
	if (r < 0 &&
	    r != OCIB_ERR_CANCELED) /* whatever kept it from running, this is what it was */
		(void)ob_source_locate(&build->dockerfile->source, &step->at, r, err);
	if (r < 0)
		return ob_span_end(build->ctx, &commit->span, r);
	memcpy(stage->key, commit->key, OB_SHA256_LEN);
	return ob_run_commit_begin(build, stage, commit, next_is_run(build, stage), err);
}

ocib_errc ob_step_do_run(ob_build *build, ob_stage_run *stage, const ob_step *step,
			 ocib_error **err)
{
	ob_autodone(ob_run_commit_input) commit = {.step = step};
	ob_autodone(ob_run_mounts) mounts = {0};
	uint8_t key[OB_SHA256_LEN];
	bool done = false;

	ocib_errc r = ob_run_mounts_look(build, step, &mounts, err);
	if (r == OCIB_OK)
		r = run_key(build, stage, step, &mounts, key, err);
	if (r < 0)
		return r;
	if (!ob_build_claim(build, key))
		return ob_fail(err, OCIB_ERR_CANCELED, "another step failed");
	memcpy(commit.key, key, OB_SHA256_LEN);
	r = from_cache(build, stage, step, key, &done, err);
	if (r == OCIB_OK && !done)
		r = run_anew(build, stage, &mounts, &commit, err);
	if (r < 0 || done)
		ob_build_release(build, key);
	return r;
}
