/* engine/source/layout_source.c — which image of a layout is meant.
 *
 * Layouts name images in three ways: the plain tag (Skopeo, umoci), a whole reference, or a tag
 * with the reference in containerd's annotation (BuildKit). A tag is looked for in all of them.
 * Without a tag it is "latest", or the only image there is.
 */
#include "engine/source/layout_source.h"
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/source/archive_source.h"

#define ANNOTATION_REF_NAME   "org.opencontainers.image.ref.name"
#define ANNOTATION_IMAGE_NAME "io.containerd.image.name"

void ob_layout_source_done(ob_layout_source *source)
{
	ob_descriptor_done(&source->root);
	if (source->layout)
		(void)ocib_store_close(source->layout);
	if (source->temp)
		(void)ob_remove_tree(ob_store_dirfd(source->store), source->temp, NULL);
	free(source->temp);
	*source = (ob_layout_source){0};
}

/* Does a name in a layout, plain tag or whole reference, say @p tag? */
static bool name_says(const char *name, const char *tag)
{
	const char *colon = name ? strrchr(name, ':') : NULL;

	return name && (ob_str_eq(name, tag) ||
			(colon && !strchr(colon, '/') && ob_str_eq(colon + 1, tag)));
}

static const ob_descriptor *find_tag(const ob_index *index, const char *tag)
{
	static const char *const keys[] = {ANNOTATION_REF_NAME, ANNOTATION_IMAGE_NAME};

	for (size_t i = 0; i < index->manifest_count; i++) {
		const char *name =
			ob_descriptor_annotation(&index->manifests[i], ANNOTATION_REF_NAME);

		if (name && ob_str_eq(name, tag))
			return &index->manifests[i];
	}
	for (size_t k = 0; k < OB_ARRAY_LEN(keys); k++) {
		for (size_t i = 0; i < index->manifest_count; i++) {
			const ob_descriptor *one = &index->manifests[i];

			if (name_says(ob_descriptor_annotation(one, keys[k]), tag))
				return one;
		}
	}
	return NULL;
}

static const ob_descriptor *find_digest(const ob_index *index, const ob_digest *digest)
{
	for (size_t i = 0; i < index->manifest_count; i++) {
		if (ob_digest_eq(&index->manifests[i].digest, digest))
			return &index->manifests[i];
	}
	return NULL;
}

/* Names there are, for the error; long lists are cut. */
static void list_names(const ob_index *index, ob_buffer *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < index->manifest_count && shown < 10; i++) {
		const char *name =
			ob_descriptor_annotation(&index->manifests[i], ANNOTATION_REF_NAME);

		if (!name)
			continue;
		ob_buffer_printf(out, "%s'%.128s'", shown++ ? ", " : "", name);
	}
}

static ocib_errc fail_missing(const ob_index *index, const ob_image_name *name, ocib_error **err)
{
	ob_autodone(ob_buffer) names = OB_BUFFER_INIT(4 * OB_KIB, "names");
	const char *what = ob_digest_is_set(&name->digest) ? name->digest.text
			   : name->tag                     ? name->tag
							   : "latest";

	list_names(index, &names);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no image '%s' in '%s'; there %s%s", what,
		       name->path, names.len ? "is " : "are no names",
		       names.data ? names.data : "");
}

static ocib_errc find_root(ob_store *layout, const ob_image_name *name, ob_descriptor *out,
			   ocib_error **err)
{
	ob_auto(ob_index) index = NULL;
	const ob_descriptor *found;

	ocib_errc rc = ob_store_list_refs(layout, &index, err);
	if (rc)
		return rc;
	if (ob_digest_is_set(&name->digest)) {
		found = find_digest(index, &name->digest);
		if (!found && ob_store_has_blob(layout, &name->digest))
			return ob_store_describe(layout, name->digest.text, out, err);
	} else {
		found = find_tag(index, name->tag ? name->tag : "latest");
		if (!found && !name->tag && index->manifest_count == 1)
			found = &index->manifests[0];
	}
	if (!found)
		return fail_missing(index, name, err);
	return ob_descriptor_copy(out, found) ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc open_archive(ocib_context *ctx, const ob_image_name *name,
			      ob_layout_source *source, ocib_error **err)
{
	ocib_errc rc = ob_store_new_temp_dir(source->store, &source->temp, err);
	if (rc)
		return rc;
	ob_autofree char *dir = ob_str_printf("%s/%s", ob_store_path(source->store), source->temp);
	if (!dir)
		return ob_fail_nomem(err);
	if (name->place == OB_PLACE_DOCKER_ARCHIVE)
		rc = ob_docker_archive_unpack(ctx, name, dir, &source->layout, &source->root, err);
	else
		rc = ob_oci_archive_unpack(ctx, name->path, dir, &source->layout, err);
	if (!rc && name->place == OB_PLACE_OCI_ARCHIVE)
		rc = find_root(source->layout, name, &source->root, err);
	return rc;
}

ocib_errc ob_layout_source_open(ocib_context *ctx, ob_store *store, const ob_image_name *name,
				ob_layout_source *out, ocib_error **err)
{
	ob_autodone(ob_layout_source) source = {.store = store};
	ocib_errc rc;

	if (name->place == OB_PLACE_LAYOUT) {
		rc = ob_layout_open(name->path, false, &source.layout, err);
		if (!rc)
			rc = find_root(source.layout, name, &source.root, err);
	} else {
		rc = open_archive(ctx, name, &source, err);
	}
	if (rc)
		return rc;
	*out = source;
	source = (ob_layout_source){0};
	return OCIB_OK;
}
