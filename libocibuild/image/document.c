/* image/document.c — manifests and indexes as documents: telling them apart, their descriptor lists.
 *
 * A document's type is agreed on by three witnesses: the media type it was delivered with, the one it
 * carries, and its members. Those that speak must agree. Anything but a known type as delivered
 * ("application/json" from a plain web server) is no witness.
 */
#include "image/document.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "image/go_json.h"
#include "image/manifest.h"

#define SCHEMA1 "application/vnd.docker.distribution.manifest.v1+"

static bool is_image_document(const char *media_type)
{
	return ob_media_is_index(media_type) || ob_media_is_manifest(media_type);
}

static bool has(const ob_json *json, const char *key)
{
	const ob_json *value = ob_json_get(json, key);

	return value && !ob_json_is_null(value);
}

/** By its members alone; -1: neither, or both. An image configuration has a "config" too: no descriptor. */
static int kind_by_shape(const ob_json *json)
{
	bool index = has(json, "manifests");
	bool manifest = has(json, "layers") ||
			ob_json_get_str(ob_json_get(json, "config"), "digest") != NULL;

	if (index)
		return manifest || has(json, "config") ? -1 : OB_DOCUMENT_INDEX;
	return manifest ? OB_DOCUMENT_MANIFEST : -1;
}

int ob_document_kind(const char *data, size_t len, const char *media_type)
{
	ob_auto(ob_json) json = NULL;
	const char *own;

	if (media_type && is_image_document(media_type))
		return ob_media_is_index(media_type);
	if (len > OB_LIMIT_MANIFEST || ob_json_parse(data, len, &json, NULL) != OCIB_OK)
		return -1;
	own = ob_json_get_str(json, "mediaType");
	return own && is_image_document(own) ? ob_media_is_index(own) : kind_by_shape(json);
}

static ocib_errc check_schema(const ob_json *json, const char *media_type, ocib_error **err)
{
	int64_t version = 0;

	if (!ob_json_is_object(json))
		return ob_fail(err, OCIB_ERR_CORRUPT, "not a JSON object");
	(void)ob_json_get_i64(json, "schemaVersion", &version);
	if (version == 1 || (media_type && ob_str_starts(media_type, SCHEMA1))) {
		ob_fail(err, OCIB_ERR_UNSUPPORTED,
			"Docker image manifest schema 1 is not supported");
		ob_error_set_hint(
			err, "push the image again with a current tool, which writes schema 2");
		return OCIB_ERR_UNSUPPORTED;
	}
	if (version != 2)
		return ob_fail(err, OCIB_ERR_CORRUPT, "'schemaVersion' is not 2");
	return OCIB_OK;
}

static ocib_errc check_shape(const ob_json *json, ob_document_type type, ocib_error **err)
{
	static const char *const NOT_IN[][4] = {
		[OB_DOCUMENT_MANIFEST] = {"manifests", "fsLayers", NULL},
		[OB_DOCUMENT_INDEX] = {"layers", "config", "fsLayers", NULL},
	};

	for (const char *const *key = NOT_IN[type]; *key; key++)
		if (has(json, *key))
			return ob_fail(
				err, OCIB_ERR_CORRUPT,
				"ambiguous: it has '%s', which belongs to another kind of document",
				*key);
	return OCIB_OK;
}

/** The media type all witnesses agree on. */
static ocib_errc agree(const ob_json *json, const char *delivered, ob_document_type type,
		       char **out, ocib_error **err)
{
	static const char *const DEFAULTS[] = {[OB_DOCUMENT_MANIFEST] = OB_MEDIA_OCI_MANIFEST,
					       [OB_DOCUMENT_INDEX] = OB_MEDIA_OCI_INDEX};
	ob_autofree char *own = NULL;
	ocib_errc r = ob_go_json_read_text(json, "mediaType", &own, err);

	if (r != OCIB_OK)
		return r;
	if (delivered && !is_image_document(delivered))
		delivered = NULL;
	if (own && delivered && !ob_str_eq(own, delivered))
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "delivered as '%s', but it says it is '%.100s'", delivered, own);
	if (!own) {
		own = strdup(delivered ? delivered : DEFAULTS[type]);
		if (!own)
			return ob_fail_nomem(err);
	}
	if (!is_image_document(own) || ob_media_is_index(own) != (type == OB_DOCUMENT_INDEX))
		return ob_fail(err, OCIB_ERR_CORRUPT, "its media type is '%.100s'", own);
	*out = ob_take_ptr(own);
	return OCIB_OK;
}

ocib_errc ob_document_parse(const char *data, size_t len, const char *media_type,
			    ob_document_type type, ob_json **out, char **out_media_type,
			    ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ocib_errc r;

	if (len > OB_LIMIT_MANIFEST)
		return ob_fail(err, OCIB_ERR_LIMIT, "%zu bytes; the limit is %llu", len,
			       OB_LIMIT_MANIFEST);
	r = ob_json_parse(data, len, &json, err);
	if (r == OCIB_OK)
		r = check_schema(json, media_type, err);
	if (r == OCIB_OK)
		r = check_shape(json, type, err);
	if (r == OCIB_OK)
		r = agree(json, media_type, type, out_media_type, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(json);
	return r;
}

ocib_errc ob_document_read_descriptors(const ob_json *json, const char *key, size_t max,
				       ob_descriptor **out, size_t *count, ocib_error **err)
{
	const ob_json *array;
	ocib_errc r = ob_go_json_read_array(json, key, max, &array, err);
	size_t len;

	if (r != OCIB_OK || !array || ob_json_len(array) == 0)
		return r;
	len = ob_json_len(array);
	*out = calloc(len, sizeof(**out));
	if (!*out)
		return ob_fail_nomem(err);
	for (; r == OCIB_OK && *count < len; *count += r == OCIB_OK)
		r = ob_descriptor_from_json(ob_json_at(array, *count), &(*out)[*count], err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "'%s', number %zu", key, *count + 1);
}

ob_json *ob_document_descriptors(const ob_descriptor *descriptors, size_t count)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < count; i++)
		ob_json_push(array, ob_descriptor_to_json(&descriptors[i]));
	return array;
}

int ob_document_add(ob_descriptor **descriptors, size_t *count, const ob_descriptor *one)
{
	ob_descriptor *more = reallocarray(*descriptors, *count + 1, sizeof(*more));

	if (!more)
		return -1;
	*descriptors = more;
	if (ob_descriptor_copy(&more[*count], one) < 0)
		return -1;
	(*count)++;
	return 0;
}
