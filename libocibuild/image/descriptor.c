/* image/descriptor.c — descriptors, and what their media types mean.
 *
 * A descriptor is what every check of a transfer rests on, so it is read strictly: the digest must be
 * one, the size must be there and within OB_LIMIT_BLOB. Members that are not modelled are kept and
 * written back, which is what lets an image on a base with foreign layers (urls) stay valid.
 */
#include "image/descriptor.h"
#include <inttypes.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "image/go_json.h"

static const char *const KNOWN[] = {"mediaType", "digest",       "size", "annotations",
				    "platform",  "artifactType", NULL};

static const struct {
	const char *media_type;
	ob_compression compression;
} LAYER_TYPES[] = {
	{OB_MEDIA_OCI_LAYER, OB_COMPRESSION_NONE},
	{OB_MEDIA_OCI_LAYER_GZIP, OB_COMPRESSION_GZIP},
	{OB_MEDIA_OCI_LAYER_ZSTD, OB_COMPRESSION_ZSTD},
	{OB_MEDIA_DOCKER_LAYER_GZIP, OB_COMPRESSION_GZIP},
	{"application/vnd.docker.image.rootfs.diff.tar", OB_COMPRESSION_NONE},
	{"application/vnd.docker.image.rootfs.diff.tar.zstd", OB_COMPRESSION_ZSTD},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", OB_COMPRESSION_GZIP},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar", OB_COMPRESSION_NONE},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", OB_COMPRESSION_NONE},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", OB_COMPRESSION_GZIP},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", OB_COMPRESSION_ZSTD},
};

bool ob_media_is_index(const char *media_type)
{
	return ob_str_eq(media_type, OB_MEDIA_OCI_INDEX) ||
	       ob_str_eq(media_type, OB_MEDIA_DOCKER_INDEX);
}

bool ob_media_is_manifest(const char *media_type)
{
	return ob_str_eq(media_type, OB_MEDIA_OCI_MANIFEST) ||
	       ob_str_eq(media_type, OB_MEDIA_DOCKER_MANIFEST);
}

bool ob_media_is_layer(const char *media_type)
{
	ob_compression ignored;

	return ob_media_layer_compression(media_type, &ignored);
}

const char *ob_media_layer(ob_compression compression)
{
	switch (compression) {
	case OB_COMPRESSION_NONE: return OB_MEDIA_OCI_LAYER;
	case OB_COMPRESSION_ZSTD: return OB_MEDIA_OCI_LAYER_ZSTD;
	case OB_COMPRESSION_GZIP: break;
	}
	return OB_MEDIA_OCI_LAYER_GZIP;
}

bool ob_media_layer_compression(const char *media_type, ob_compression *out)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(LAYER_TYPES); i++) {
		if (!ob_str_eq(media_type, LAYER_TYPES[i].media_type))
			continue;
		*out = LAYER_TYPES[i].compression;
		return true;
	}
	return false;
}

void ob_descriptor_done(ob_descriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->artifact_type);
	ob_strlist_done(&descriptor->annotations);
	(void)ob_json_free(descriptor->rest);
	memset(descriptor, 0, sizeof(*descriptor));
}

int ob_descriptor_copy(ob_descriptor *to, const ob_descriptor *from)
{
	ob_autodone(ob_descriptor) copy = *from;

	copy.media_type = from->media_type ? strdup(from->media_type) : NULL;
	copy.artifact_type = from->artifact_type ? strdup(from->artifact_type) : NULL;
	copy.rest = from->rest ? ob_json_copy(from->rest) : NULL;
	memset(&copy.annotations, 0, sizeof(copy.annotations));
	if ((from->media_type && !copy.media_type) ||
	    (from->artifact_type && !copy.artifact_type) || (from->rest && !copy.rest) ||
	    ob_strlist_copy(&copy.annotations, &from->annotations) < 0)
		return -1;
	*to = copy;
	memset(&copy, 0, sizeof(copy));
	return 0;
}

static ocib_errc read_digest(const ob_json *json, ob_digest *out, ocib_error **err)
{
	const char *text = ob_json_get_str(json, "digest");

	if (!text)
		return ob_fail(err, OCIB_ERR_CORRUPT, "a descriptor has no digest");
	return ob_digest_parse(text, out, err);
}

static ocib_errc read_size(const ob_json *json, const ob_digest *digest, uint64_t *out,
			   ocib_error **err)
{
	int64_t size;

	if (!ob_json_get_i64(json, "size", &size) || size < 0)
		return ob_fail(err, OCIB_ERR_CORRUPT, "the descriptor of %s has no valid size",
			       digest->text);
	if ((uint64_t)size > OB_LIMIT_BLOB)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "the descriptor of %s says %" PRId64 " bytes; the limit is %llu",
			       digest->text, size, OB_LIMIT_BLOB);
	*out = (uint64_t)size;
	return OCIB_OK;
}

static ocib_errc read_platform(const ob_json *json, ob_descriptor *out, ocib_error **err)
{
	const ob_json *platform;
	ocib_errc r = ob_go_json_read_object(json, "platform", &platform, err);

	if (r != OCIB_OK || !platform)
		return r;
	out->has_platform = true;
	return ob_platform_from_json(platform, &out->platform, err);
}

ocib_errc ob_descriptor_from_json(const ob_json *json, ob_descriptor *out, ocib_error **err)
{
	ob_autodone(ob_descriptor) d = {0};
	ocib_errc r;

	if (!ob_json_is_object(json))
		return ob_fail(err, OCIB_ERR_CORRUPT, "a descriptor is not an object");
	r = read_digest(json, &d.digest, err);
	if (r == OCIB_OK)
		r = read_size(json, &d.digest, &d.size, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "mediaType", &d.media_type, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "artifactType", &d.artifact_type, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_map(json, "annotations", &d.annotations, err);
	if (r == OCIB_OK)
		r = read_platform(json, &d, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_rest(json, KNOWN, &d.rest, err);
	if (r == OCIB_OK && !d.media_type)
		r = ob_fail(err, OCIB_ERR_CORRUPT, "the descriptor of %s has no media type",
			    d.digest.text);
	if (r != OCIB_OK)
		return r;
	*out = d;
	memset(&d, 0, sizeof(d));
	return OCIB_OK;
}

ob_json *ob_descriptor_to_json(const ob_descriptor *d)
{
	ob_json *json = ob_json_object();
	const ob_json *value;
	const char *key;

	ob_json_set_str(json, "mediaType", d->media_type);
	ob_json_set_str(json, "digest", d->digest.text);
	ob_json_set_int(json, "size", (int64_t)d->size);
	if (d->annotations.len)
		ob_json_set(json, "annotations", ob_go_json_map(&d->annotations));
	if (d->has_platform)
		ob_json_set(json, "platform", ob_platform_to_json(&d->platform));
	ob_json_set_str(json, "artifactType", d->artifact_type);
	ob_json_foreach (d->rest, key, value)
		ob_json_set(json, key, ob_json_copy(value));
	return json;
}

const char *ob_descriptor_annotation(const ob_descriptor *descriptor, const char *key)
{
	return ob_env_get(&descriptor->annotations, key);
}
