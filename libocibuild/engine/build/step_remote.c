/* engine/build/step_remote.c — see step_remote.h.
 *
 * In two parts, so that a step is found in the cache by what its sources are, before they are here: of a
 * repository that is a commit's id, of a file its digest, of which the step itself may know.
 */
#include "engine/build/step_remote.h"
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_url.h"

void ob_step_remotes_done(ob_step_remotes *remotes)
{
	for (size_t i = 0; i < remotes->count; i++) {
		ob_step_remote *one = &remotes->items[i];

		(void)ob_context_scan_free(remotes->inputs[i].scan);
		if (one->temp) /* what remains is for the next sweep */
			(void)ob_remove_tree(ob_store_dirfd(remotes->store), one->temp, NULL);
		free(one->temp);
		free(one->node.dir);
		ob_git_commit_done(&one->commit);
		ob_git_address_done(&one->address);
	}
	free(remotes->items);
	free(remotes->inputs);
	*remotes = (ob_step_remotes){0};
}

static bool is_remote(const ob_copy_source *source)
{
	return source->kind == OB_COPY_URL || source->kind == OB_COPY_GIT;
}

/* Does the step itself say what is behind the URL? */
static bool is_pinned(const ob_step *step, const ob_copy_source *source)
{
	return source->kind == OB_COPY_URL && step->copy.checksum;
}

static ocib_errc begin(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
		       ocib_error **err)
{
	const ob_copy_op *op = &step->copy;
	bool any = false;

	remotes->store = build->store;
	for (size_t i = 0; step->op == OB_STEP_COPY && i < op->source_count; i++)
		any |= is_remote(&op->sources[i]);
	if (!any)
		return OCIB_OK;
	remotes->items = calloc(op->source_count, sizeof(*remotes->items));
	remotes->inputs = calloc(op->source_count, sizeof(*remotes->inputs));
	if (!remotes->items || !remotes->inputs)
		return ob_fail_nomem(err);
	remotes->count = op->source_count;
	return OCIB_OK;
}

/* --- one source --- */

static ocib_errc fetch_file(ob_build *build, const ob_step *step, const ob_copy_source *source,
			    uint32_t event, ob_remote_file *out, ocib_error **err)
{
	const char *checksum = step->copy.checksum;
	ob_digest pinned;
	ocib_errc r = checksum ? ob_digest_parse(checksum, &pinned, err) : OCIB_OK;

	const ob_remote_request request = {
		.url = source->path,
		.pinned = checksum ? &pinned : NULL,
		.secrets = &build->secrets,
		.step = event,
	};
	return r ? r : ob_remote_file_fetch(build->ctx, build->store, &request, out, err);
}

/* What the flags of the instruction say is said of the address, too. */
static ocib_errc read_address(const ob_step *step, const ob_copy_source *source,
			      ob_git_address *out, ocib_error **err)
{
	ocib_errc r = ob_git_address_parse(source->path, out, err);

	if (r)
		return r;
	if (step->copy.keep_git_dir)
		out->keep_git_dir = 1;
	out->commit_time = false; /* only a context's files have the time of their commit */
	if (!step->copy.checksum)
		return OCIB_OK;
	free(out->checksum);
	out->checksum = strdup(step->copy.checksum);
	if (!out->checksum)
		return ob_fail_nomem(err);
	ob_str_lower(out->checksum);
	return OCIB_OK;
}

static ocib_errc make_command(ob_build *build, const ob_step_remote *one, ob_git_command *out,
			      ocib_error **err)
{
	*out = (ob_git_command){
		.ctx = build->ctx, .address = &one->address, .secrets = &build->secrets};
	if (!ob_is_ssh_address(one->address.remote))
		return OCIB_OK;
	return ob_ssh_sockets_agent(&build->ssh, build->ctx, "default", &out->ssh_agent, err);
}

static ocib_errc resolve_git(ob_build *build, const ob_step *step, const ob_copy_source *source,
			     ob_step_remote *one, ocib_error **err)
{
	ob_git_command git;
	ocib_errc r = read_address(step, source, &one->address, err);

	if (!r)
		r = make_command(build, one, &git, err);
	if (!r)
		r = ob_wrap(err, ob_git_resolve(&git, &one->commit, err), "%s",
			    one->address.remote);
	return r;
}

static ocib_errc check_out(ob_build *build, ob_step_remote *one, ocib_error **err)
{
	ob_autofree char *dir = NULL;
	ob_git_command git;
	ocib_errc r = make_command(build, one, &git, err);

	if (!r)
		r = ob_store_new_temp_dir(build->store, &one->temp, err);
	if (r)
		return r;
	dir = ob_str_printf("%s/%s", ob_store_path(build->store), one->temp);
	if (!dir)
		return ob_fail_nomem(err);
	one->node.kind = OB_NODE_CONTEXT;
	one->node.is_temporary = true;
	r = ob_git_checkout(&git, &one->commit, dir, false, &one->node.dir, NULL, err);
	return ob_wrap(err, r, "%s", one->address.remote);
}

/* --- all of them --- */

/* Called for each remote source under a span of its own; *nothing: there was nothing to do. */
typedef ocib_errc (*visit_source)(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
				  size_t i, uint32_t event, ocib_error **err);

static ocib_errc visit(ob_build *build, const ob_step *step, ob_step_remotes *remotes, size_t i,
		       const char *what, visit_source call, ocib_error **err)
{
	const ob_copy_source *source = &step->copy.sources[i];
	ob_autofree char *shown = ob_url_show(source->path);
	ob_autofree char *text = shown ? ob_str_printf("%s %s", what, shown) : NULL;
	ob_step_span span = {.text = text};

	if (!text)
		return ob_fail_nomem(err);
	ob_span_start(build->ctx, &span);
	ocib_errc r = call(build, step, remotes, i, span.id, err);
	(void)ob_span_end(build->ctx, &span, r);
	return ob_source_locate(&build->plan->dockerfile->source, &source->at, r, err);
}

static ocib_errc resolve_one(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
			     size_t i, uint32_t event, ocib_error **err)
{
	const ob_copy_source *source = &step->copy.sources[i];

	if (source->kind == OB_COPY_URL)
		return fetch_file(build, step, source, event, &remotes->inputs[i].file, err);
	return resolve_git(build, step, source, &remotes->items[i], err);
}

ocib_errc ob_step_remotes_resolve(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
				  ocib_error **err)
{
	ocib_errc r = begin(build, step, remotes, err);

	for (size_t i = 0; i < remotes->count && r == OCIB_OK; i++) {
		const ob_copy_source *source = &step->copy.sources[i];

		if (is_remote(source) && !is_pinned(step, source))
			r = visit(build, step, remotes, i,
				  source->kind == OB_COPY_URL ? "fetching" : "resolving",
				  resolve_one, err);
	}
	return r;
}

static ocib_errc fetch_one(ob_build *build, const ob_step *step, ob_step_remotes *remotes, size_t i,
			   uint32_t event, ocib_error **err)
{
	const ob_copy_source *source = &step->copy.sources[i];
	ob_step_remote *one = &remotes->items[i];

	if (source->kind == OB_COPY_URL)
		return fetch_file(build, step, source, event, &remotes->inputs[i].file, err);
	ocib_errc r = check_out(build, one, err);
	return r ? r
		 : ob_context_scan_new(build->ctx, build->store, &one->node,
				       &remotes->inputs[i].scan, err);
}

ocib_errc ob_step_remotes_fetch(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
				ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < remotes->count && r == OCIB_OK; i++) {
		const ob_copy_source *source = &step->copy.sources[i];

		if (source->kind == OB_COPY_GIT || is_pinned(step, source))
			r = visit(build, step, remotes, i, "fetching", fetch_one, err);
	}
	return r;
}

/* --- the digest --- */

/* What is kept of the repository shows the reference and the tag; files are the commit's. */
static void put_git(ob_buffer *text, const ob_step_remote *one)
{
	const ob_git_commit *commit = &one->commit;

	if (one->address.keep_git_dir == 1)
		ob_buffer_printf(text, "git %s %s", commit->id, commit->ref ? commit->ref : "");
	else
		ob_buffer_printf(text, "git %s", commit->tree);
}

ocib_errc ob_step_remotes_digest(const ob_step *step, const ob_step_remotes *remotes,
				 uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_PLAN, "step key");

	for (size_t i = 0; i < remotes->count; i++) {
		const ob_copy_source *source = &step->copy.sources[i];
		const ob_remote_file *file = &remotes->inputs[i].file;

		if (source->kind == OB_COPY_GIT)
			put_git(&text, &remotes->items[i]);
		else if (source->kind == OB_COPY_URL && !is_pinned(step, source))
			ob_buffer_printf(&text, "url %s %jd", file->digest.text,
					 (intmax_t)file->mtime);
		ob_buffer_append_char(&text, '\n');
	}
	ocib_errc r = ob_buffer_check(&text, err);
	if (!r)
		ob_sha256(text.data ? text.data : "", text.len, out);
	return r;
}
