/* engine/build/step_copy.c — COPY, ADD and WORKDIR: a layer from metadata, and the way around making it.
 *
 * Keys begin with the identity of the base: whatever made that tree, the layer is the same. The exact
 * key is made of what the step takes, file by file; for files of a local context that needs a stat of each
 * and no look at the base, so that a build in which nothing changed parses no layer index. What --from reads
 * is known as a whole by its identity, a URL's file by its digest, a repository by a commit's id: that makes
 * a quick key, which is tried first. A record is
 * written under both. A third, the family key, leaves out what is taken: while there is no record under it,
 * no exact key can be found, and files need not be read before they are written.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/build.h"
#include "engine/build/step_remote.h"
#include "engine/step_key.h"

typedef struct copy_keys {
	uint8_t step[OB_SHA256_LEN]; /* digest of the instruction */
	bool has_quick;
	uint8_t quick[OB_SHA256_LEN];
	uint8_t exact[OB_SHA256_LEN];
	uint8_t family[OB_SHA256_LEN];
} copy_keys;

static ocib_errc make_key(const ob_build *build, const ob_stage_run *stage, const char *kind,
			  const copy_keys *keys, const void *input, size_t len,
			  uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	uint8_t base[OB_SHA256_LEN];
	const ob_key_part parts[] = {
		{build->settings, OB_SHA256_LEN},
		{base, sizeof(base)},
		{keys->step, OB_SHA256_LEN},
		{input, len},
	};
	ocib_errc r = ob_tree_identity(stage->tree, base, err);

	return r == OCIB_OK ? ob_step_key(kind, parts, OB_ARRAY_LEN(parts), out, err) : r;
}

/* --- inputs --- */

/* The context's scan, made by whoever needs it first; the others wait for it. */
static ocib_errc take_scan(ob_build *build, size_t node, ob_context_scan **out, ocib_error **err)
{
	ob_node_run *run = &build->nodes[node];
	ocib_errc r = OCIB_OK;

	(void)pthread_mutex_lock(&run->scan_lock);
	if (!run->scan)
		r = ob_context_scan_new(build->ctx, build->store, &build->plan->nodes[node],
					&run->scan, err);
	*out = run->scan;
	(void)pthread_mutex_unlock(&run->scan_lock);
	return r;
}

/* Does any source need @ref node's files? Inline files and addresses do not. */
static bool reads_node(const ob_copy_op *op)
{
	for (size_t i = 0; i < op->source_count; i++) {
		if (op->sources[i].kind == OB_COPY_PATHS)
			return true;
	}
	return false;
}

static ocib_errc gather(ob_build *build, ob_stage_run *stage, const ob_step *step,
			ob_copy_input *input, ocib_error **err)
{
	*input = (ob_copy_input){
		.plan = build->plan,
		.step = step,
		.store = build->store,
		.base = stage->tree,
		.has_epoch = build->has_epoch,
		.epoch = build->epoch,
	};
	if (step->op != OB_STEP_COPY || !reads_node(&step->copy))
		return OCIB_OK;
	if (build->plan->nodes[step->copy.from].kind == OB_NODE_CONTEXT)
		return take_scan(build, step->copy.from, &input->scan, err);
	input->from = build->nodes[step->copy.from].tree;
	return OCIB_OK;
}

/* --- cache --- */

static ocib_errc quick_key(const ob_build *build, const ob_stage_run *stage,
			   const ob_copy_input *input, const ob_step_remotes *remotes,
			   copy_keys *keys, ocib_error **err)
{
	struct {
		uint8_t from[OB_SHA256_LEN], remotes[OB_SHA256_LEN];
	} known = {0};
	ocib_errc r = OCIB_OK;

	if (input->scan)
		return OCIB_OK;
	if (input->from)
		r = ob_tree_identity(input->from, known.from, err);
	if (r == OCIB_OK && remotes->count)
		r = ob_step_remotes_digest(input->step, remotes, known.remotes, err);
	if (r != OCIB_OK)
		return r;
	keys->has_quick = true;
	return make_key(build, stage, "quick", keys, &known, sizeof(known), keys->quick, err);
}

static ocib_errc look_up(ob_build *build, ob_stage_run *stage, const uint8_t key[OB_SHA256_LEN],
			 bool *found, ob_step_record *record, ocib_error **err)
{
	*found = false;
	if (stage->no_cache)
		return OCIB_OK;
	return ob_step_record_find(build->store, key, ob_tree_chain_id(stage->tree), found, record,
				   err);
}

/* A layer that the exact key found, or that was just made, is to be found the quick way next time. */
static ocib_errc remember_quick(ob_build *build, const copy_keys *keys,
				const ob_step_record *record, ocib_error **err)
{
	return keys->has_quick ? ob_step_record_save(build->store, keys->quick, record, err)
			       : OCIB_OK;
}

/* The digest of what is taken is known: before writing, or after it where contents were not read before. */
static ocib_errc exact_key(const ob_build *build, const ob_stage_run *stage, const ob_copy_job *job,
			   copy_keys *keys, ocib_error **err)
{
	uint8_t digest[OB_SHA256_LEN];

	ob_copy_job_digest(job, digest);
	return make_key(build, stage, "copy", keys, digest, sizeof(digest), keys->exact, err);
}

static ocib_errc decide_to_defer(const ob_build *build, const ob_stage_run *stage,
				 ob_copy_input *input, copy_keys *keys, ocib_error **err)
{
	ocib_errc r = make_key(build, stage, "family", keys, NULL, 0, keys->family, err);

	input->defer_contents =
		stage->no_cache || !ob_step_record_exists(build->store, keys->family);
	return r;
}

static ocib_errc save_records(ob_build *build, const copy_keys *keys, const ob_step_record *record,
			      ocib_error **err)
{
	ocib_errc r = ob_step_record_save(build->store, keys->exact, record, err);

	if (r == OCIB_OK)
		r = ob_step_record_save(build->store, keys->family, record, err);
	return r == OCIB_OK ? remember_quick(build, keys, record, err) : r;
}

/* --- writing --- */

/* Files into the layer; what is known of them is not needed any more when it is written. */
static ocib_errc write_entries(ob_build *build, const ob_stage_run *stage, ob_copy_job **job,
			       ob_writer *blob, copy_keys *keys, ob_layer_result *result,
			       ocib_error **err)
{
	ob_auto(ob_layer_writer) layer = NULL;

	ocib_errc r = ob_layer_writer_open(&build->writer, blob, &layer, err);
	if (r == OCIB_OK)
		r = ob_copy_write(build->ctx, *job, layer, err);
	if (r == OCIB_OK)
		r = exact_key(build, stage, *job, keys, err);
	*job = ob_copy_job_free(*job);
	return r == OCIB_OK ? ob_layer_writer_finish(layer, result, err) : r;
}

static ocib_errc write_blob(ob_build *build, const ob_stage_run *stage, ob_copy_job **job,
			    copy_keys *keys, ob_layer_result *result, ocib_error **err)
{
	ob_auto(ob_blob_writer) blob = NULL;

	ocib_errc r = ob_blob_writer_open(build->store, &blob, err);
	if (r == OCIB_OK) /* unhashed: the layer writer knows the digest of what it wrote */
		r = write_entries(build, stage, job, ob_blob_writer_unhashed(blob), keys, result,
				  err);
	if (r == OCIB_OK)
		r = ob_blob_writer_commit_trusted(blob, &result->descriptor.digest, err);
	if (r == OCIB_OK)
		r = ob_store_put_layer_index(build->store, &result->diff_id, result->index, err);
	/* Whoever needs it reads it from there: it may be large, and most builds need it no more. */
	result->index = ob_layer_index_free(result->index);
	return r;
}

static ocib_errc make_layer(ob_build *build, ob_stage_run *stage, const ob_step *step,
			    ob_copy_job **job, copy_keys *keys, ocib_error **err)
{
	ob_autodone(ob_layer_result) result = {0};
	ob_autodone(ob_step_record) record = {0};
	ob_auto(ob_tree) tree = NULL;

	ocib_errc r = write_blob(build, stage, job, keys, &result, err);
	if (r == OCIB_OK)
		r = ob_step_record_of_layer(&result, ob_tree_chain_id(stage->tree), &record, err);
	if (r == OCIB_OK)
		r = save_records(build, keys, &record, err);
	if (r == OCIB_OK)
		r = ob_tree_new_child(stage->tree, &result, &tree, err);
	if (r < 0 && err && ocib_error_line(*err)) /* that says which step it is */
		return r;
	if (r < 0)
		return ob_wrap(err, r, "write the layer of '%s'", step->text);
	return ob_stage_take_layer(stage, &tree, record.created, err);
}

/* --- the step --- */

static ocib_errc prepare(ob_build *build, const ob_copy_input *input, ob_copy_job **job,
			 ocib_error **err)
{
	return input->step->op == OB_STEP_WORKDIR ? ob_workdir_prepare(build->ctx, input, job, err)
						  : ob_copy_prepare(build->ctx, input, job, err);
}

/* Before it began: the event says which step it was. */
static ocib_errc tell_failed(ob_build *build, ob_step_span *span, ocib_errc r)
{
	ob_span_start(build->ctx, span);
	return ob_span_end(build->ctx, span, r);
}

static ocib_errc execute(ob_build *build, ob_stage_run *stage, ob_copy_input *input,
			 ob_step_remotes *remotes, ob_step_span *span, copy_keys *keys,
			 ocib_error **err)
{
	ob_auto(ob_copy_job) job = NULL;
	ob_autodone(ob_step_record) record = {0};
	bool found = false;

	ocib_errc r = decide_to_defer(build, stage, input, keys, err);
	if (r == OCIB_OK)
		r = ob_step_remotes_fetch(build, input->step, remotes, err);
	input->remotes = remotes->inputs;
	if (r == OCIB_OK)
		r = prepare(build, input, &job, err);
	if (r < 0)
		return tell_failed(build, span, r);
	if (!input->defer_contents)
		r = exact_key(build, stage, job, keys, err);
	if (r == OCIB_OK && !input->defer_contents)
		r = look_up(build, stage, keys->exact, &found, &record, err);
	if (r == OCIB_OK && found)
		r = remember_quick(build, keys, &record, err);
	if (r < 0)
		return r;
	if (found)
		return ob_step_use_record(build, stage, input->step, &record, err);
	ob_span_start(build->ctx, span);
	return ob_span_end(build->ctx, span,
			   make_layer(build, stage, input->step, &job, keys, err));
}

static ocib_errc do_copy(ob_build *build, ob_stage_run *stage, const ob_step *step,
			 ocib_error **err)
{
	ob_step_span span = ob_build_span(build, step);
	ob_autodone(ob_step_record) record = {0};
	ob_autodone(ob_step_remotes) remotes = {0};
	copy_keys keys = {0};
	ob_copy_input input;
	bool found = false;

	ocib_errc r = gather(build, stage, step, &input, err);
	if (r == OCIB_OK)
		r = ob_step_digest(step, keys.step, err);
	if (r < 0)
		return r;
	r = ob_step_remotes_resolve(build, step, &remotes, err);
	if (r < 0)
		return tell_failed(build, &span, r);
	r = quick_key(build, stage, &input, &remotes, &keys, err);
	if (r == OCIB_OK && keys.has_quick)
		r = look_up(build, stage, keys.quick, &found, &record, err);
	if (r < 0)
		return r;
	if (found)
		return ob_step_use_record(build, stage, step, &record, err);
	return execute(build, stage, &input, &remotes, &span, &keys, err);
}

ocib_errc ob_step_do_copy(ob_build *build, ob_stage_run *stage, const ob_step *step,
			  ocib_error **err)
{
	ocib_errc r = ob_run_commit_collect(build, stage, err);

	if (r == OCIB_OK)
		r = do_copy(build, stage, step, err);
	if (r == OCIB_OK) /* the next key does not depend on which of ours found the layer */
		r = ob_step_key_of_tree(ob_tree_chain_id(stage->tree), stage->key, err);
	return r;
}
