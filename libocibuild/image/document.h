/* image/document.h — what manifests and indexes have in common as documents. Only for image/. */
#ifndef OB_IMAGE_DOCUMENT_H
#define OB_IMAGE_DOCUMENT_H

#include "image/descriptor.h"

typedef enum ob_document_type { OB_DOCUMENT_MANIFEST = 0, OB_DOCUMENT_INDEX = 1 } ob_document_type;

/**
 * Parse a document and make sure that it is of @p type and of no other. *media_type receives its media
 * type (malloc'ed). Kinds: CORRUPT, LIMIT, UNSUPPORTED (schema 1).
 */
ocib_errc ob_document_parse(const char *data, size_t len, const char *media_type,
			    ob_document_type type, ob_json **out, char **out_media_type,
			    ocib_error **err);
/** The array @p key; @p out and @p count hold what was read also on failure. */
ocib_errc ob_document_read_descriptors(const ob_json *json, const char *key, size_t max,
				       ob_descriptor **out, size_t *count, ocib_error **err);
ob_json *ob_document_descriptors(const ob_descriptor *descriptors, size_t count);
/** Append a copy; -1: no memory. */
int ob_document_add(ob_descriptor **descriptors, size_t *count, const ob_descriptor *one);

#endif
