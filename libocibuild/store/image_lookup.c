/* store/image_lookup.c — an image of the store by what a person types.
 *
 * In Docker's order: a full digest or id, then a name, then the beginning of an id. An image that a build
 * left without a name is found by its digest or by its id, for which the documents among the blobs are
 * searched; that is rare and costs a read of each small blob.
 */
#include "store/store_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "image/reference.h"

#define MIN_PREFIX 4

/** What is looked for, and what was found: a manifest or index whose digest, or whose config's, fits. */
typedef struct lookup {
	ob_store *store;
	const char *prefix; /* hex digits of a digest, from its beginning */
	size_t len;
	ob_descriptor found;
	bool is_unique;
} lookup;

static void lookup_done(lookup *l)
{
	ob_descriptor_done(&l->found);
}

static bool fits(const lookup *l, const ob_digest *digest)
{
	return strncmp(ob_digest_hex(digest), l->prefix, l->len) == 0;
}

/** A descriptor for a document that is in the store. Kinds: NOTFOUND, CORRUPT. */
static ocib_errc describe(ob_store *store, const ob_digest *digest, ob_descriptor *out,
			  ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image document");
	ob_auto(ob_json) json = NULL;
	ob_descriptor d = {.digest = *digest};
	const char *own;
	int kind;
	ocib_errc r = ob_store_read_blob(store, digest, &text, err);

	if (r != OCIB_OK)
		return r;
	kind = ob_document_kind(text.data ? text.data : "", text.len, NULL);
	if (kind < 0)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "%s is not the digest of an image",
			       digest->text);
	r = ob_json_parse(text.data, text.len, &json, err);
	if (r != OCIB_OK)
		return r;
	own = ob_json_get_str(json, "mediaType");
	d.size = text.len;
	d.media_type = strdup(own ? own : kind == 1 ? OB_MEDIA_OCI_INDEX : OB_MEDIA_OCI_MANIFEST);
	if (!d.media_type)
		return ob_fail_nomem(err);
	*out = d;
	return OCIB_OK;
}

ocib_errc ob_store_describe(ob_store *store, const char *digest, ob_descriptor *out,
			    ocib_error **err)
{
	ob_digest parsed;
	ocib_errc r = ob_digest_parse(digest, &parsed, err);

	return r == OCIB_OK ? describe(store, &parsed, out, err) : r;
}

static int take_found(lookup *l, const ob_descriptor *d)
{
	if (l->found.media_type) {
		l->is_unique = l->is_unique && ob_digest_eq(&l->found.digest, &d->digest);
		return 0;
	}
	return ob_descriptor_copy(&l->found, d);
}

/** Is the manifest's config what is looked for? Documents that cannot be read fit nothing. */
static bool config_fits(const lookup *l, const ob_descriptor *d)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_auto(ob_manifest) manifest = NULL;

	return ob_media_is_manifest(d->media_type) &&
	       ob_store_read_blob(l->store, &d->digest, &text, NULL) == OCIB_OK &&
	       ob_manifest_parse(text.data ? text.data : "", text.len, d->media_type, &manifest,
				 NULL) == OCIB_OK &&
	       fits(l, &manifest->config.digest);
}

static ocib_errc search_refs(lookup *l, ocib_error **err)
{
	ob_auto(ob_index) index = NULL;
	ocib_errc r = ob_store_list_refs(l->store, &index, err);

	for (size_t i = 0; r == OCIB_OK && i < index->manifest_count; i++) {
		const ob_descriptor *d = &index->manifests[i];

		if ((fits(l, &d->digest) || config_fits(l, d)) && take_found(l, d) < 0)
			r = ob_fail_nomem(err);
	}
	return r;
}

/** A document among the blobs, by its file's name. */
static ocib_errc search_blob(lookup *l, int blobs, const char *name, ocib_error **err)
{
	ob_autodone(ob_descriptor) d = {0};
	ob_digest digest;
	struct stat st;
	ocib_errc r;

	if (!ob_digest_parse_hex(name, &digest) ||
	    fstatat(blobs, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)OB_LIMIT_MANIFEST)
		return OCIB_OK;
	r = describe(l->store, &digest, &d, NULL);
	if (r == OCIB_OK && (fits(l, &digest) || config_fits(l, &d)) && take_found(l, &d) < 0)
		r = OCIB_ERR_NOMEM;
	return r == OCIB_ERR_NOMEM ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc search_blobs(lookup *l, ocib_error **err)
{
	ob_autofd int fd =
		openat(l->store->dirfd, OB_BLOBS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *one;
	ocib_errc r = OCIB_OK;

	if (!dir)
		return ob_fail_errno(err, "read '%s/%s'", l->store->path, OB_BLOBS_DIR);
	(void)ob_take_fd(fd);
	while (r == OCIB_OK && (one = readdir(dir)))
		r = search_blob(l, dirfd(dir), one->d_name, err);
	return r;
}

/** Kinds: NOTFOUND (without detail), INVALID. */
static ocib_errc find_by_id(ob_store *store, const char *hex, ob_descriptor *out, ocib_error **err)
{
	__attribute__((cleanup(lookup_done))) lookup l = {store, hex, strlen(hex), {0}, true};
	ocib_errc r = search_refs(&l, err);

	if (r == OCIB_OK && !l.found.media_type)
		r = ob_store_flush(store, err);
	if (r == OCIB_OK && !l.found.media_type)
		r = search_blobs(&l, err);
	if (r != OCIB_OK)
		return r;
	if (!l.found.media_type)
		return OCIB_ERR_NOTFOUND;
	if (!l.is_unique)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "more than one image has an id that begins "
			       "with '%s'",
			       hex);
	*out = l.found;
	memset(&l.found, 0, sizeof(l.found));
	return OCIB_OK;
}

/** Kinds: NOTFOUND, INVALID. */
static ocib_errc find_by_name(ob_store *store, const char *text, ob_descriptor *out,
			      ocib_error **err)
{
	ob_autodone(ob_reference) ref = {0};
	ob_autofree char *full = NULL;
	ob_auto(ocib_error) why = NULL;
	ocib_errc r =
		ob_store_get_ref(store, text, out, &why); /* exactly: what other tools wrote */

	if (r == OCIB_OK)
		return r;
	if (r != OCIB_ERR_NOTFOUND)
		return ob_error_move(err, &why);
	r = ob_reference_parse(text, &ref, err);
	if (r == OCIB_OK)
		r = ob_reference_default_tag(&ref, err);
	if (r != OCIB_OK)
		return r;
	full = ob_reference_format(&ref);
	return full ? ob_store_get_ref(store, full, out, err) : ob_fail_nomem(err);
}

static bool is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text);
}

ocib_errc ob_store_find_image(ob_store *store, const char *text, ob_descriptor *out,
			      ocib_error **err)
{
	bool is_digest = ob_str_starts(text, "sha256:");
	const char *hex = is_digest ? text + strlen("sha256:") : text;
	size_t len = strlen(hex);
	bool may_be_id = is_hex(hex) && len >= MIN_PREFIX && len <= 64;
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = OCIB_ERR_NOTFOUND;

	if (is_digest && !may_be_id)
		return ob_fail(err, OCIB_ERR_INVALID, "'%.100s' is not a digest", text);
	if (!is_digest && !(may_be_id && len == 64))
		r = find_by_name(store, text, out, &why);
	if (r == OCIB_ERR_NOTFOUND && may_be_id) {
		why = ocib_error_free(why);
		r = find_by_id(store, hex, out, &why);
	}
	if (r == OCIB_ERR_NOTFOUND)
		return ob_fail(err, r, "there is no image '%s' in the store", text);
	return r == OCIB_OK ? r : ob_error_move(err, &why);
}
