/* store/store_check.c — fsck: what the store says of itself, held against what is there.
 *
 * First everything that refers to blobs is read and noted: names, documents, step records. Then each
 * blob is hashed, so that a damaged one can be told together with the images it damages. Nothing is
 * changed. What is no problem: blobs that nothing refers to (the next prune's business), and folders
 * under tmp/ whose owner is gone (the next writer sweeps them).
 */
#include "store/store_check.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define MAX_DEPTH 4

ocib_errc ob_check_tell(ob_store_check_run *run, ocib_error **err, const char *format, ...)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "problem");
	va_list args;
	ocib_errc r;

	va_start(args, format);
	ob_buffer_vprintf(&text, format, args);
	va_end(args);
	r = ob_buffer_check(&text, err);
	if (r != OCIB_OK)
		return r;
	run->problems++;
	if (run->each && run->each(text.data, run->user))
		return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	return OCIB_OK;
}

static void free_blob(void *value)
{
	ob_checked_blob *blob = value;

	ob_strlist_done(&blob->users);
	free(blob);
}

ocib_errc ob_check_use(ob_store_check_run *run, const ob_descriptor *d, const char *user,
		       bool may_be_absent, ocib_error **err)
{
	ob_checked_blob *blob = ob_map_get(run->blobs, d->digest.text);

	if (!blob) {
		blob = calloc(1, sizeof(*blob));
		if (!blob || ob_map_set(run->blobs, d->digest.text, blob) < 0) {
			free(blob);
			return ob_fail_nomem(err);
		}
		blob->size = d->size;
		blob->may_be_absent = may_be_absent;
	}
	if (blob->users.len && ob_str_eq(blob->users.items[blob->users.len - 1], user))
		return OCIB_OK;
	return ob_strlist_add(&blob->users, user) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

ocib_errc ob_check_each_name(ob_store_check_run *run, const char *folder, ob_check_name_fn one,
			     ocib_error **err)
{
	ob_autofd int fd = openat(run->store->dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	ocib_errc r = OCIB_OK;

	if (fd < 0 && errno == ENOENT)
		return OCIB_OK;
	if (!dir)
		return ob_fail_errno(err, "read '%s/%s'", run->store->path, folder);
	(void)ob_take_fd(fd);
	while (r == OCIB_OK && (entry = readdir(dir))) {
		if (ob_str_eq(entry->d_name, ".") || ob_str_eq(entry->d_name, ".."))
			continue;
		r = ob_check_canceled(run->ctx, err);
		if (r == OCIB_OK)
			r = one(run, dirfd(dir), entry->d_name, err);
	}
	return r;
}

static ocib_errc check_document(ob_store_check_run *run, const ob_descriptor *d, const char *image,
				unsigned depth, ocib_error **err);

/** "image 'a': why" as a problem; the error is used up. */
static ocib_errc tell_error(ob_store_check_run *run, const char *image, const ob_descriptor *d,
			    const ocib_error *why, ocib_error **err)
{
	return ob_check_tell(run, err, "image '%s': %s: %s", image, d->digest.text,
			     ocib_error_message(why));
}

static ocib_errc check_index(ob_store_check_run *run, const ob_descriptor *d, const char *image,
			     const ob_buffer *text, unsigned depth, ocib_error **err)
{
	ob_auto(ob_index) index = NULL;
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = OCIB_OK;

	if (ob_index_parse(text->data, text->len, d->media_type, &index, &why) != OCIB_OK)
		return tell_error(run, image, d, why, err);
	for (size_t i = 0; r == OCIB_OK && i < index->manifest_count; i++)
		r = check_document(run, &index->manifests[i], image, depth - 1, err);
	return r;
}

static ocib_errc check_manifest(ob_store_check_run *run, const ob_descriptor *d, const char *image,
				const ob_buffer *text, ocib_error **err)
{
	ob_auto(ob_manifest) m = NULL;
	ob_auto(ocib_error) why = NULL;
	ocib_errc r;

	if (ob_manifest_parse(text->data, text->len, d->media_type, &m, &why) != OCIB_OK)
		return tell_error(run, image, d, why, err);
	r = ob_check_use(run, &m->config, image, false, err);
	for (size_t i = 0; r == OCIB_OK && i < m->layer_count; i++) {
		const ob_json *urls =
			m->layers[i].rest ? ob_json_get(m->layers[i].rest, "urls") : NULL;

		r = ob_check_use(run, &m->layers[i], image, ob_json_len(urls) > 0, err);
	}
	return r;
}

static ocib_errc check_document(ob_store_check_run *run, const ob_descriptor *d, const char *image,
				unsigned depth, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image document");
	ocib_errc r = ob_check_use(run, d, image, false, err);

	/* One that is missing or damaged is told with the blobs. */
	if (r != OCIB_OK || ob_store_read_blob(run->store, &d->digest, &text, NULL) != OCIB_OK ||
	    !text.len)
		return r;
	if (ob_document_kind(text.data, text.len, d->media_type) != 1)
		return check_manifest(run, d, image, &text, err);
	if (depth == 0)
		return ob_check_tell(run, err,
				     "image '%s': indexes are nested more than %d levels deep",
				     image, MAX_DEPTH);
	return check_index(run, d, image, &text, depth, err);
}

ocib_errc ob_check_images(ob_store_check_run *run, ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) why = NULL;
	const ob_json *manifests;
	ocib_errc r = ob_store_read_index(run->store, &json, &why);

	if (r == OCIB_ERR_CORRUPT || r == OCIB_ERR_LIMIT)
		return ob_check_tell(run, err, "%s", ocib_error_message(why));
	if (r != OCIB_OK)
		return ob_error_move(err, &why);
	manifests = ob_json_get(json, "manifests");
	for (size_t i = 0; r == OCIB_OK && i < ob_json_len(manifests); i++) {
		ob_autodone(ob_descriptor) d = {0};
		ob_auto(ocib_error) bad = NULL;
		const char *name;

		if (ob_descriptor_from_json(ob_json_at(manifests, i), &d, &bad) != OCIB_OK) {
			r = ob_check_tell(run, err, OB_INDEX_FILE ": entry %zu: %s", i + 1,
					  ocib_error_message(bad));
			continue;
		}
		name = ob_descriptor_annotation(&d, OB_ANNOTATION_REF_NAME);
		r = check_document(run, &d, name ? name : d.digest.text, MAX_DEPTH, err);
	}
	return r;
}

ocib_errc ocib_store_check(ocib_context *ctx, ocib_store *store, ocib_store_problem_fn each,
			   void *user, uint64_t *problems, ocib_error **err)
{
	ob_auto(ob_map) blobs = ob_map_new(free_blob);
	ob_store_check_run run = {ctx, store, each, user, 0, blobs};
	ocib_errc r;

	if (!blobs)
		return ob_fail_nomem(err);
	r = ob_store_flush(store, err);
	if (r == OCIB_OK)
		r = ob_check_images(&run, err);
	if (r == OCIB_OK && !store->is_layout)
		r = ob_check_caches(&run, err);
	if (r == OCIB_OK)
		r = ob_check_blobs(&run, err);
	if (r == OCIB_OK && !store->is_layout)
		r = ob_check_litter(&run, err);
	if (r == OCIB_OK && problems)
		*problems = run.problems;
	return r;
}
