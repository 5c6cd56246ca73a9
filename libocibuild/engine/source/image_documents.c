/* engine/source/image_documents.c — from a name's descriptor to the manifest of one platform.
 *
 * A document always passes through the store: what a registry sends is written as a blob, so that
 * what was built on it can be looked at later. The media type in a descriptor decides how a
 * document is read; a document that says otherwise about itself is refused by the parser.
 */
#include "engine/source/image_documents.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define MAX_DEPTH 4 /* an index in an index … */

static ocib_errc from_registry(ob_store *store, ob_registry_set *registries,
			       const ob_reference *repository, const char *reference,
			       ob_buffer *text, char **media_type, ob_digest *digest,
			       ocib_error **err)
{
	ob_registry *registry = NULL;
	ocib_errc rc = ob_registry_set_get(registries, repository, false, &registry, err);

	if (!rc)
		rc = ob_registry_get_manifest(registry, reference, text, media_type, digest, err);
	return rc ? rc : ob_store_write_blob(store, text->data, text->len, digest, err);
}

ocib_errc ob_image_document_read(ob_store *store, ob_registry_set *registries,
				 const ob_blob_place *place, const ob_descriptor *descriptor,
				 ob_buffer *out, ocib_error **err)
{
	ob_digest digest;

	if (ob_store_has_blob(store, &descriptor->digest))
		return ob_store_read_blob(store, &descriptor->digest, out, err);
	if (place->layout)
		return ob_store_read_blob(place->layout, &descriptor->digest, out, err);
	if (place->origin)
		return from_registry(store, registries, place->origin, descriptor->digest.text, out,
				     NULL, &digest, err);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "manifest %s is not in the store",
		       descriptor->digest.text);
}

/* The registry's Content-Type is only a hint: what the document says about itself counts. */
static char *document_type(const ob_buffer *text, const char *header)
{
	ob_auto(ob_json) json = NULL;

	if (ob_json_parse(text->data ? text->data : "", text->len, &json, NULL))
		return strdup(header);
	const char *own = ob_json_get_str(json, "mediaType");
	if (own || ob_media_is_index(header) || ob_media_is_manifest(header))
		return strdup(own ? own : header);
	int kind = ob_document_kind(text->data, text->len, NULL);
	return strdup(kind == 1 ? OB_MEDIA_OCI_INDEX : kind == 0 ? OB_MEDIA_OCI_MANIFEST : header);
}

ocib_errc ob_image_document_fetch(ob_store *store, ob_registry_set *registries,
				  const ob_reference *reference, ob_descriptor *out,
				  ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autofree char *header = NULL;
	ob_digest digest;

	ocib_errc rc = from_registry(store, registries, reference,
				     ob_digest_is_set(&reference->digest) ? reference->digest.text
									  : reference->tag,
				     &text, &header, &digest, err);
	if (rc)
		return rc;
	out->media_type = document_type(&text, header);
	out->digest = digest;
	out->size = text.len;
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

/* ---- Platforms. ---- */

static ocib_errc fail_platform(const ob_index *index, const ob_platform *wanted, ocib_error **err)
{
	ob_autodone(ob_buffer) list = OB_BUFFER_INIT(4 * OB_KIB, "platforms");
	char text[128];

	for (size_t i = 0; i < index->manifest_count && i < 24; i++) {
		const ob_descriptor *one = &index->manifests[i];

		/* "unknown" is what attestations say. */
		if (!one->has_platform || ob_str_eq(one->platform.os, "unknown"))
			continue;
		ob_platform_format(&one->platform, text);
		ob_buffer_printf(&list, "%s%s", list.len ? ", " : "", text);
	}
	ob_platform_format(wanted, text);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no image for %s; there is %s", text,
		       list.len ? list.data : "none that names a platform");
}

static ocib_errc step_down(const ob_buffer *text, const ob_platform *platform, ob_descriptor *at,
			   ocib_error **err)
{
	ob_auto(ob_index) index = NULL;
	ob_autodone(ob_descriptor) next = {0};

	ocib_errc rc = ob_index_parse(text->data, text->len, at->media_type, &index, err);
	if (rc)
		return rc;
	const ob_descriptor *found = ob_index_find(index, platform);
	if (!found)
		return fail_platform(index, platform, err);
	if (ob_descriptor_copy(&next, found))
		return ob_fail_nomem(err);
	ob_descriptor_done(at);
	*at = next;
	next = (ob_descriptor){0};
	return OCIB_OK;
}

ocib_errc ob_image_document_choose(ob_store *store, ob_registry_set *registries,
				   const ob_blob_place *place, const ob_descriptor *root,
				   const ob_platform *platform, ob_descriptor *descriptor,
				   ob_manifest **out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autodone(ob_descriptor) at = {0};

	if (ob_descriptor_copy(&at, root))
		return ob_fail_nomem(err);
	for (int depth = 0; depth <= MAX_DEPTH; depth++) {
		ob_buffer_clear(&text);
		ocib_errc rc = ob_image_document_read(store, registries, place, &at, &text, err);
		if (rc)
			return rc;
		if (!text.len || ob_document_kind(text.data, text.len, at.media_type) != 1) {
			rc = ob_manifest_parse(text.data ? text.data : "", text.len, at.media_type,
					       out, err);
			if (rc)
				return ob_wrap(err, rc, "manifest %s", at.digest.text);
			*descriptor = at;
			at = (ob_descriptor){0};
			return OCIB_OK;
		}
		rc = step_down(&text, platform, &at, err);
		if (rc)
			return rc;
	}
	return ob_fail(err, OCIB_ERR_LIMIT, "image indexes are nested more than %d levels deep",
		       MAX_DEPTH);
}
