/* engine/build/run_commit.c — a finished RUN's changes become a layer, beside the next RUN.
 *
 * Comparing, packing and hashing what a command wrote takes a core for as long as the next command takes
 * another, so where a RUN follows a RUN the commit is done by a second worker on a thread of its own. A
 * stage has at most one commit under way; its thread collects it before it needs the layer: for a
 * COPY, for a cache lookup, before the next commit, at the end.
 *
 * When it is collected, the upper directory becomes trees/<chain id>, so the layer need not be unpacked
 * again. Until then it is used where it is. Nothing else uses it at that moment: the command that stood
 * on it has ended, and the commit that compares with it has not begun.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/fds.h"
#include "base/strings.h"
#include "base/threads.h"
#include "engine/build/build.h"

struct ob_run_commit {
	ob_build *build;
	ob_run_commit_input input;
	ob_step_span span;
	ob_tree *parent; /* referenced */
	char *upper;
	bool threaded;
	pthread_t thread;
	/* what came out */
	ocib_errc result;
	ocib_error *err;
	ob_layer_result layer;
	ob_step_record record;
};

void ob_run_commit_input_done(ob_run_commit_input *input)
{
	free(input->dir);
	ob_strlist_done(&input->lowers);
	ob_strlist_done(&input->stubs);
	*input = (ob_run_commit_input){0};
}

static ob_run_commit *commit_free(ob_run_commit *commit)
{
	if (!commit)
		return NULL;
	ob_run_commit_input_done(&commit->input);
	(void)ob_tree_free(commit->parent);
	free(commit->upper);
	(void)ocib_error_free(commit->err);
	ob_layer_result_done(&commit->layer);
	ob_step_record_done(&commit->record);
	free(commit);
	return NULL;
}

const char *ob_run_commit_upper(const ob_run_commit *commit)
{
	return commit ? commit->upper : NULL;
}

/* The worker writes blob and index to temporary files; both get their place in the store here. */
static ocib_errc write_layer(ob_run_commit *commit, ob_worker *worker, ocib_error **err)
{
	ob_build *build = commit->build;
	ob_auto(ob_blob_writer) blob = NULL;
	ob_autofree char *blob_path = NULL, *index_path = NULL;
	ob_diff_request request = {
		.upper = commit->upper,
		.lowers = &commit->input.lowers,
		.skip = &commit->input.stubs,
		.writer = build->writer,
		.step = commit->span.id,
	};
	uint64_t entries = 0;

	ocib_errc r = ob_blob_writer_open(build->store, &blob, err);
	if (r < 0)
		return r;
	blob_path = ob_str_printf("%s/%s", ob_store_path(build->store), ob_blob_writer_path(blob));
	index_path = ob_str_printf("%s/index", commit->input.dir);
	if (!blob_path || !index_path)
		return ob_fail_nomem(err);
	request.blob_path = blob_path;
	request.index_path = index_path;
	r = ob_worker_diff(worker, &request, &commit->layer, &entries, err);
	if (r == OCIB_OK)
		r = ob_blob_writer_commit_trusted(blob, &commit->layer.descriptor.digest, err);
	if (r == OCIB_OK)
		r = ob_store_adopt_layer_index(build->store, &commit->layer.diff_id, index_path,
					       err);
	return r;
}

static ocib_errc do_commit(ob_run_commit *commit, ocib_error **err)
{
	ob_build *build = commit->build;
	ob_worker *worker = NULL;

	ocib_errc r = ob_workshop_take(&build->shop, &worker, err);
	if (r < 0)
		return r;
	r = write_layer(commit, worker, err);
	ob_workshop_return(&build->shop, worker, r);
	if (r == OCIB_OK)
		r = ob_step_record_of_layer(&commit->layer, ob_tree_chain_id(commit->parent),
					    &commit->record, err);
	if (r == OCIB_OK)
		r = ob_step_record_save(build->store, commit->input.key, &commit->record, err);
	return r < 0 ? ob_wrap(err, r, "write the layer of '%s'", commit->input.step->text) : r;
}

static void *commit_main(void *arg)
{
	ob_run_commit *commit = arg;

	commit->result = do_commit(commit, &commit->err);
	ob_build_release(commit->build, commit->input.key);
	(void)ob_span_end(commit->build->ctx, &commit->span, commit->result);
	return NULL;
}

static ocib_errc commit_new(ob_build *build, ob_stage_run *stage, ob_run_commit_input *input,
			    ob_run_commit **out, ocib_error **err)
{
	ob_run_commit *commit = calloc(1, sizeof(*commit));

	if (!commit)
		return ob_fail_nomem(err);
	commit->upper = ob_str_printf("%s/upper", input->dir);
	if (!commit->upper) {
		(void)commit_free(commit);
		return ob_fail_nomem(err);
	}
	commit->build = build;
	commit->input = *input;
	commit->span = input->span;
	commit->parent = ob_tree_ref(stage->tree);
	*input = (ob_run_commit_input){0};
	*out = commit;
	return OCIB_OK;
}

ocib_errc ob_run_commit_begin(ob_build *build, ob_stage_run *stage, ob_run_commit_input *input,
			      bool beside, ocib_error **err)
{
	ocib_errc r = commit_new(build, stage, input, &stage->pending, err);

	if (r < 0)
		return r;
	if (beside)
		stage->pending->threaded =
			ob_thread_start(&stage->pending->thread, commit_main, stage->pending) == 0;
	if (!stage->pending->threaded)
		(void)commit_main(stage->pending);
	return OCIB_OK;
}

/* Keep the upper directory as the layer's unpacked tree. Where that cannot be had (another build was
 * first, or the directory has an owner whose permission a rename needs), the blob serves as well. */
static void keep_tree(ob_build *build, const ob_run_commit *commit, const ob_tree *tree)
{
	char path[OB_TREE_PATH];

	ob_store_tree_path(ob_tree_chain_id(tree), path);
	(void)renameat2(AT_FDCWD, commit->upper, ob_store_dirfd(build->store), path,
			RENAME_NOREPLACE);
}

static ocib_errc use_layer(ob_build *build, ob_stage_run *stage, ob_run_commit *commit,
			   ocib_error **err)
{
	ob_auto(ob_tree) tree = NULL;

	ocib_errc r = ob_tree_new_child(stage->tree, &commit->layer, &tree, err);
	if (r < 0)
		return r;
	keep_tree(build, commit, tree);
	return ob_stage_take_layer(stage, &tree, commit->record.created, err);
}

ocib_errc ob_run_commit_collect(ob_build *build, ob_stage_run *stage, ocib_error **err)
{
	ob_run_commit *commit = ob_take_ptr(stage->pending);
	ocib_errc r;

	if (!commit)
		return OCIB_OK;
	if (commit->threaded)
		(void)pthread_join(commit->thread, NULL);
	r = commit->result;
	if (r < 0)
		(void)ob_error_move(err, &commit->err);
	else
		r = use_layer(build, stage, commit, err);
	(void)commit_free(commit);
	return r;
}
