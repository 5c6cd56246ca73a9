/* image/index.c — image indexes: one descriptor per platform, and which of them fits.
 *
 * Entries that are no images (attestations say platform unknown/unknown) match nothing, so they need no
 * rule of their own.
 */
#include "image/manifest.h"
#include <string.h>
#include "base/limits.h"
#include "image/document.h"
#include "image/go_json.h"

ob_index *ob_index_free(ob_index *index)
{
	if (!index)
		return NULL;
	for (size_t i = 0; i < index->manifest_count; i++)
		ob_descriptor_done(&index->manifests[i]);
	ob_strlist_done(&index->annotations);
	free(index->manifests);
	free(index->media_type);
	free(index);
	return NULL;
}

ocib_errc ob_index_parse(const char *data, size_t len, const char *media_type, ob_index **out,
			 ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	ocib_errc r;

	if (!index)
		return ob_fail_nomem(err);
	r = ob_document_parse(data, len, media_type, OB_DOCUMENT_INDEX, &json, &index->media_type,
			      err);
	if (r == OCIB_OK)
		r = ob_document_read_descriptors(json, "manifests", OB_LIMIT_INDEX_MANIFESTS,
						 &index->manifests, &index->manifest_count, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_map(json, "annotations", &index->annotations, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "image index");
	*out = ob_take_ptr(index);
	return OCIB_OK;
}

ocib_errc ob_index_format(const ob_index *index, ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_json) json = ob_json_object();

	ob_json_set_int(json, "schemaVersion", 2);
	ob_json_set_str(json, "mediaType",
			index->media_type ? index->media_type : OB_MEDIA_OCI_INDEX);
	ob_json_set(json, "manifests",
		    ob_document_descriptors(index->manifests, index->manifest_count));
	if (index->annotations.len)
		ob_json_set(json, "annotations", ob_go_json_map(&index->annotations));
	return ob_go_json_dump(json, out, err);
}

int ob_index_add(ob_index *index, const ob_descriptor *manifest)
{
	return ob_document_add(&index->manifests, &index->manifest_count, manifest);
}

const ob_descriptor *ob_index_find(const ob_index *index, const ob_platform *want)
{
	const ob_descriptor *best = NULL;
	int best_score = -1;

	if (index->manifest_count == 1 && !index->manifests[0].has_platform)
		return &index->manifests[0];
	for (size_t i = 0; i < index->manifest_count; i++) {
		const ob_descriptor *one = &index->manifests[i];
		int score = one->has_platform ? ob_platform_match(want, &one->platform) : -1;

		if (score > best_score) {
			best = one;
			best_score = score;
		}
	}
	return best;
}
