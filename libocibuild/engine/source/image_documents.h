/* engine/source/image_documents.h — manifests and indexes by descriptor, and the choice of a
 * platform.
 */
#ifndef OB_ENGINE_IMAGE_DOCUMENTS_H
#define OB_ENGINE_IMAGE_DOCUMENTS_H

#include "engine/source/blob_fetch.h"
#include "image/manifest.h"

/**
 * Read a manifest or index: from the store, a layout, or its registry, from where it is put into
 * the store. Kinds: NOTFOUND, NETWORK, PROTOCOL, CORRUPT, LIMIT.
 */
ocib_errc ob_image_document_read(ob_store *store, ob_registry_set *registries,
				 const ob_blob_place *place, const ob_descriptor *descriptor,
				 ob_buffer *out, ocib_error **err);

/**
 * Fetch what @p reference names now (tag or digest) into the store. Kinds: as above, UNSUPPORTED (a
 * format of before 2016).
 */
ocib_errc ob_image_document_fetch(ob_store *store, ob_registry_set *registries,
				  const ob_reference *reference, ob_descriptor *out,
				  ocib_error **err);

/**
 * Go from @p root to the manifest for @p platform through any indexes. *descriptor (empty)
 * receives its descriptor. Kinds: NOTFOUND (naming the platforms there are), UNSUPPORTED, CORRUPT,
 * and those of reading.
 */
ocib_errc ob_image_document_choose(ob_store *store, ob_registry_set *registries,
				   const ob_blob_place *place, const ob_descriptor *root,
				   const ob_platform *platform, ob_descriptor *descriptor,
				   ob_manifest **out, ocib_error **err);

#endif
