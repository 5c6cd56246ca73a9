/* image/manifest.h — image manifest and image index, OCI and Docker v2 (image-spec manifest.md, image-index.md). */
#ifndef OB_IMAGE_MANIFEST_H
#define OB_IMAGE_MANIFEST_H

#include "image/descriptor.h"

typedef struct ob_manifest {
	char *media_type;
	ob_descriptor config;
	ob_descriptor *layers; /**< base first */
	size_t layer_count;
	ob_strlist annotations;
	char *artifact_type; /**< or NULL */
} ob_manifest;

typedef struct ob_index {
	char *media_type;
	ob_descriptor *manifests;
	size_t manifest_count;
	ob_strlist annotations;
} ob_index;

ob_manifest *ob_manifest_free(ob_manifest *manifest);
ob_index *ob_index_free(ob_index *index);
OB_DEFINE_AUTO(ob_manifest);
OB_DEFINE_AUTO(ob_index);

/** Kinds: CORRUPT, LIMIT, UNSUPPORTED (schema 1). @p media_type may be NULL: taken from the document. */
ocib_errc ob_manifest_parse(const char *data, size_t len, const char *media_type, ob_manifest **out,
			    ocib_error **err);
ocib_errc ob_index_parse(const char *data, size_t len, const char *media_type, ob_index **out,
			 ocib_error **err);
/** Tells what a document is by its media type or its shape: 1 index, 0 manifest, -1 neither. */
int ob_document_kind(const char *data, size_t len, const char *media_type);
/** Compact JSON, ready to be hashed and stored. */
ocib_errc ob_manifest_format(const ob_manifest *manifest, ob_buffer *out, ocib_error **err);
ocib_errc ob_index_format(const ob_index *index, ob_buffer *out, ocib_error **err);
int ob_manifest_add_layer(ob_manifest *manifest,
			  const ob_descriptor *layer); /**< copies; -1: no memory */
int ob_index_add(ob_index *index, const ob_descriptor *manifest);
/** The best match for @p want; NULL when none. Entries without platform match only when alone. */
const ob_descriptor *ob_index_find(const ob_index *index, const ob_platform *want);

#endif
