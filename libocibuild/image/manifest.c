/* image/manifest.c — image manifests: one config and the layers under it.
 *
 * OCI's and Docker's schema 2 are one format with two sets of media types. A document that is both a
 * manifest and an index (it has "manifests" as well as layers) is refused: two readers could see two
 * different images behind one digest (CVE-2021-41190). Annotations are the only extension that is
 * carried; a manifest that is moved is moved as bytes and never written anew.
 */
#include "image/manifest.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "image/document.h"
#include "image/go_json.h"

ob_manifest *ob_manifest_free(ob_manifest *manifest)
{
	if (!manifest)
		return NULL;
	for (size_t i = 0; i < manifest->layer_count; i++)
		ob_descriptor_done(&manifest->layers[i]);
	ob_descriptor_done(&manifest->config);
	ob_strlist_done(&manifest->annotations);
	free(manifest->layers);
	free(manifest->media_type);
	free(manifest->artifact_type);
	free(manifest);
	return NULL;
}

static ocib_errc read_config(const ob_json *json, ob_manifest *m, ocib_error **err)
{
	const ob_json *config = ob_json_get(json, "config");
	ocib_errc r;

	if (!config)
		return ob_fail(err, OCIB_ERR_CORRUPT, "there is no 'config'");
	r = ob_descriptor_from_json(config, &m->config, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "config");
}

ocib_errc ob_manifest_parse(const char *data, size_t len, const char *media_type, ob_manifest **out,
			    ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ob_manifest) m = calloc(1, sizeof(*m));
	ocib_errc r;

	if (!m)
		return ob_fail_nomem(err);
	r = ob_document_parse(data, len, media_type, OB_DOCUMENT_MANIFEST, &json, &m->media_type,
			      err);
	if (r == OCIB_OK)
		r = read_config(json, m, err);
	if (r == OCIB_OK)
		r = ob_document_read_descriptors(json, "layers", OB_LIMIT_MANIFEST_LAYERS,
						 &m->layers, &m->layer_count, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_map(json, "annotations", &m->annotations, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "artifactType", &m->artifact_type, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "image manifest");
	*out = ob_take_ptr(m);
	return OCIB_OK;
}

ocib_errc ob_manifest_format(const ob_manifest *manifest, ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_json) json = ob_json_object();

	ob_json_set_int(json, "schemaVersion", 2);
	ob_json_set_str(json, "mediaType",
			manifest->media_type ? manifest->media_type : OB_MEDIA_OCI_MANIFEST);
	ob_json_set_str(json, "artifactType", manifest->artifact_type);
	ob_json_set(json, "config", ob_descriptor_to_json(&manifest->config));
	ob_json_set(json, "layers",
		    ob_document_descriptors(manifest->layers, manifest->layer_count));
	if (manifest->annotations.len)
		ob_json_set(json, "annotations", ob_go_json_map(&manifest->annotations));
	return ob_go_json_dump(json, out, err);
}

int ob_manifest_add_layer(ob_manifest *manifest, const ob_descriptor *layer)
{
	return ob_document_add(&manifest->layers, &manifest->layer_count, layer);
}
