/* engine/copy/copy_job.c — the two phases of COPY, ADD and WORKDIR; see engine/copy.h.
 *
 * Preparing looks at sources only: what they name and what is in it. With the step and the chain of its
 * base that is all that determines the layer, so the digest is made of it, and a step that is cached
 * never loads a layer index of its base. The destination is resolved when the layer is written.
 *
 * As with BuildKit, times of modification are not in the digest but for files from URLs: a fresh checkout
 * of the same files is the same input. Under an epoch they are, as far as they are not clamped to it, for then the same
 * input has to give the same bytes.
 */
#include <string.h>
#include <time.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/chmod_text.h"
#include "engine/copy/context_source.h"
#include "engine/copy/copy_inside.h"

static ocib_errc new_job(ocib_context *ctx, const ob_copy_input *input, ob_copy_job **out,
			 ocib_error **err)
{
	ob_auto(ob_copy_job) job = calloc(1, sizeof(*job));
	struct timespec now;

	if (!job)
		return ob_fail_nomem(err);
	job->ctx = ctx;
	job->input = *input;
	job->input.base = ob_tree_ref(input->base);
	job->input.from = ob_tree_ref(input->from);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	job->now = input->has_epoch ? input->epoch : now.tv_sec;
	*out = ob_take_ptr(job);
	return OCIB_OK;
}

ob_copy_job *ob_copy_job_free(ob_copy_job *job)
{
	if (!job)
		return NULL;
	ob_target_tree_free(job->target);
	for (size_t i = 0; i < job->match_count; i++) {
		free(job->matches[i].name);
		free(job->matches[i].root);
		ob_copy_files_done(&job->matches[i].files);
	}
	free(job->matches);
	ob_blob_writer_free(job->spool);
	ob_tree_reader_free(job->base_reader);
	for (size_t i = 0; job->checkouts && i < ob_job_op(job)->source_count; i++)
		ob_copy_source_reader_free(job->checkouts[i]);
	free(job->checkouts);
	ob_copy_source_reader_free(job->source);
	ob_tree_free(job->input.from);
	ob_tree_free(job->input.base);
	free(job);
	return NULL;
}

/* --- the digest --- */

#define DIGEST_BUFFER 65536 /* many small pieces are hashed together */

typedef struct digest_stream {
	ob_hash *hash;
	ob_buffer pending;
} digest_stream;

static void put_bytes(digest_stream *d, const void *data, size_t len)
{
	if (d->pending.len + len > DIGEST_BUFFER) {
		ob_hash_update(d->hash, d->pending.data, d->pending.len);
		ob_buffer_clear(&d->pending);
	}
	ob_buffer_append(&d->pending, data, len);
}

static void put_number(digest_stream *d, uint64_t number)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	put_bytes(d, bytes, sizeof(bytes));
}

/* Length first, so that no two lists of texts are the same bytes. */
static void put_counted(digest_stream *d, const void *data, size_t len)
{
	put_number(d, len);
	put_bytes(d, data, len);
}

static void put_text(digest_stream *d, const char *text)
{
	put_counted(d, text ? text : "", text ? strlen(text) : 0);
}

static void put_file(const ob_copy_job *job, digest_stream *d, const ob_copy_file *file,
		     size_t root_len)
{
	const ob_copy_input *input = &job->input;

	put_text(d, file->path + root_len);
	put_number(d, (uint64_t)file->type | (uint64_t)file->implied << 8 |
			      (uint64_t)file->mode << 16 | (uint64_t)file->group << 32);
	if (file->link)
		put_text(d, file->link);
	if (file->type == OB_ENTRY_CHAR || file->type == OB_ENTRY_BLOCK)
		put_number(d, (uint64_t)file->dev_major << 32 | file->dev_minor);
	if (ob_job_op(job)->keep_owner)
		put_number(d, (uint64_t)file->uid << 32 | file->gid);
	if (input->has_epoch)
		put_number(d, (uint64_t)(file->mtime_sec < input->epoch ? file->mtime_sec
									: input->epoch));
	put_number(d, file->xattr_count);
	for (size_t i = 0; i < file->xattr_count; i++) {
		put_text(d, file->xattrs[i].name);
		put_counted(d, file->xattrs[i].value, file->xattrs[i].len);
	}
	if (file->type == OB_ENTRY_FILE)
		put_bytes(d, file->digest, sizeof(file->digest));
}

static void put_remote(digest_stream *d, const ob_remote_file *file)
{
	put_number(d, (uint64_t)file->mtime);
	put_bytes(d, file->digest.bytes, sizeof(file->digest.bytes));
}

/* Inline files are in the step's own digest, like all else that is written in the Dockerfile. */
static ocib_errc make_digest(ob_copy_job *job, ocib_error **err)
{
	ob_auto(ob_hash) hash = NULL;
	ob_autodone(ob_buffer) pending = OB_BUFFER_INIT(SIZE_MAX - 1, "the digest's input");
	ocib_errc r = ob_hash_new(&hash, err);

	if (r)
		return r;
	digest_stream d = {hash, pending};
	for (size_t i = 0; i < job->match_count; i++) {
		const ob_copy_match *match = &job->matches[i];

		put_text(&d, match->name);
		put_number(&d, match->files.len);
		for (size_t j = 0; j < match->files.len; j++)
			put_file(job, &d, &match->files.items[j], strlen(match->root));
		if (match->remote)
			put_remote(&d, match->remote);
	}
	pending = d.pending;
	r = ob_buffer_check(&pending, err);
	if (r)
		return r;
	ob_hash_update(hash, pending.data, pending.len);
	ob_hash_final(hash, job->digest);
	return OCIB_OK;
}

void ob_copy_job_digest(const ob_copy_job *job, uint8_t out[OB_SHA256_LEN])
{
	memcpy(out, job->digest, OB_SHA256_LEN);
}

/* --- preparing --- */

static ocib_errc open_source(ob_copy_job *job, ocib_error **err)
{
	if (job->input.scan)
		return ob_context_source_new(job->input.scan, &job->source, err);
	if (job->input.from)
		return ob_tree_source_new(job->input.from, &job->source, err);
	return OCIB_OK;
}

static ocib_errc hash_contents(ob_copy_job *job, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < job->match_count && !r; i++) {
		ob_copy_match *match = &job->matches[i];

		if (match->scan)
			r = ob_context_hash_files(match->scan, &match->files, err);
		if (r)
			r = ob_copy_locate(job, &match->from->at, r, err);
	}
	return r;
}

/* Contents that were read while they were written have their digests already; the others get theirs. */
static ocib_errc finish_digest(ob_copy_job *job, ocib_error **err)
{
	ocib_errc r = hash_contents(job, err);

	return r ? r : make_digest(job, err);
}

ocib_errc ob_copy_prepare(ocib_context *ctx, const ob_copy_input *input, ob_copy_job **out,
			  ocib_error **err)
{
	ob_auto(ob_copy_job) job = NULL;
	ocib_errc r = ob_check_canceled(ctx, err);

	if (!r)
		r = new_job(ctx, input, &job, err);
	if (!r)
		r = open_source(job, err);
	if (!r)
		r = ob_copy_find_matches(job, err);
	if (!r && !input->defer_contents)
		r = finish_digest(job, err);
	if (r)
		return r;
	*out = ob_take_ptr(job);
	return OCIB_OK;
}

ocib_errc ob_workdir_prepare(ocib_context *ctx, const ob_copy_input *input, ob_copy_job **out,
			     ocib_error **err)
{
	ob_auto(ob_copy_job) job = NULL;
	ocib_errc r = ob_check_canceled(ctx, err);

	if (!r)
		r = new_job(ctx, input, &job, err);
	if (!r)
		r = make_digest(job, err);
	if (r)
		return r;
	*out = ob_take_ptr(job);
	return OCIB_OK;
}

/* --- writing --- */

static ocib_errc make_workdir(ob_copy_job *job, ocib_error **err)
{
	const ob_workdir_op *op = &job->input.step->workdir;
	ob_new_dirs how = {.mode = 0755, .mtime_sec = job->now};
	ob_autofree char *path = NULL;
	ocib_errc r = OCIB_OK;

	if (op->user && *op->user)
		r = ob_tree_lookup_owner(job->input.base, op->user, &how.uid, &how.gid, err);
	if (!r)
		r = ob_target_resolve(job->target, "", op->path, &path, err);
	return r ? r : ob_target_make_dirs(job->target, path, &how, err);
}

static ocib_errc place_matches(ob_copy_job *job, ocib_error **err)
{
	const ob_copy_op *op = ob_job_op(job);
	ocib_errc r = OCIB_OK;

	job->has_mode = op->chmod && ob_chmod_is_octal(op->chmod, &job->mode);
	if (op->chown) {
		job->has_owner = true;
		r = ob_tree_lookup_owner(job->input.base, op->chown, &job->uid, &job->gid, err);
	}
	for (size_t i = 0; i < job->match_count && !r; i++) {
		r = ob_copy_place(job, &job->matches[i], err);
		if (r)
			r = ob_copy_locate(job, &job->matches[i].from->at, r, err);
	}
	return r;
}

static ocib_errc make_target(ob_copy_job *job, ocib_error **err)
{
	const ob_step *step = job->input.step;
	ocib_errc r = OCIB_OK;

	/* --link makes a layer that knows nothing of what it will lie on. */
	if (step->op == OB_STEP_WORKDIR || !step->copy.link)
		r = ob_tree_stack(job->input.base, &job->base, err);
	if (r)
		return r;
	job->target = ob_target_tree_new(job->base);
	if (!job->target)
		return ob_fail_nomem(err);
	r = step->op == OB_STEP_WORKDIR ? make_workdir(job, err) : place_matches(job, err);
	return ob_copy_locate(job, &step->at, r, err);
}

ocib_errc ob_copy_write(ocib_context *ctx, ob_copy_job *job, ob_layer_writer *writer,
			ocib_error **err)
{
	ocib_errc r = ob_check_canceled(ctx, err);

	if (!r)
		r = make_target(job, err);
	if (!r)
		r = ob_copy_write_target(job, writer, err);
	if (!r && job->input.defer_contents)
		r = finish_digest(job, err);
	return r;
}
