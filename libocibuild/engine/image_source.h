/* engine/image_source.h — an image wherever it is, as much of it as is needed.
 *
 * Resolving a name reads its manifest and config. Layer indexes come from the store, from the
 * hidden index in the blob by HTTP range, or by streaming the blob once; blobs are fetched on
 * demand. Thread rule: one ob_image_sources and its images may be used by several threads.
 */
#ifndef OB_ENGINE_IMAGE_SOURCE_H
#define OB_ENGINE_IMAGE_SOURCE_H

#include "base/context.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "layer/layer_index.h"
#include "registry/registry.h"
#include "store/store.h"

/** All that images of one build share: the store, credentials, connections by repository. */
typedef struct ob_image_sources ob_image_sources;
typedef struct ob_image_source ob_image_source;

ocib_errc ob_image_sources_new(ocib_context *ctx, ob_store *store,
			       const ob_registry_options *options, ob_image_sources **out,
			       ocib_error **err);
ob_image_sources *ob_image_sources_free(ob_image_sources *sources); /**< frees its images too */
OB_DEFINE_AUTO(ob_image_sources);
ob_store *ob_image_sources_store(const ob_image_sources *sources);
/**
 * Connections and credentials, for a push by the same call. Borrowed;
 * engine/source/registry_set.h.
 */
struct ob_registry_set *ob_image_sources_registries(const ob_image_sources *sources);

/**
 * @param name a reference ("python:3.11"), or "oci-layout://DIR[:TAG|@DIGEST]", "oci:DIR[:TAG]",
 *        "docker-image://NAME", "docker://NAME", "oci-archive:FILE[:TAG]", "docker-archive:FILE".
 * @param pull look in the registry first even when the store has the name.
 * @param out  borrowed from @p sources; one object per (name, platform).
 * Kinds: NOTFOUND (nowhere, or not for that platform), NETWORK, PROTOCOL, DENIED (offline), INVALID
 * (name), UNSUPPORTED (no image, or a manifest of before schema 2), CORRUPT.
 */
ocib_errc ob_image_source_resolve(ob_image_sources *sources, const char *name,
				  const ob_platform *platform, bool pull, ob_image_source **out,
				  ocib_error **err);
/** Full reference, or what was given. */
const char *ob_image_source_name(const ob_image_source *image);
const ob_config *ob_image_source_config(const ob_image_source *image);
const ob_manifest *ob_image_source_manifest(const ob_image_source *image);
/** Digest of the manifest itself. */
const ob_digest *ob_image_source_digest(const ob_image_source *image);
/**
 * Registry repository ("library/python") and domain it came from; NULL when from the store or a
 * layout.
 */
const ob_reference *ob_image_source_origin(const ob_image_source *image);

/** Index of layer @p i, borrowed from the image; fetched or scanned at the first call. */
ocib_errc ob_image_source_layer_index(ob_image_source *image, size_t i, const ob_layer_index **out,
				      ocib_error **err);
/**
 * Path of a file with the serialised index of layer @p i, made without reading the layer;
 * malloc'ed, NULL where there is none. It may be no more than a claim of the image's author: good
 * for inflating a blob on all cores where the result is verified.
 */
char *ob_image_source_index_path(ob_image_source *image, size_t i);
/**
 * Is layer @p i's index no more than a claim of the image's author? Then *digest is the claim's. It is
 * none once an index was made here, from content that has the diff id.
 */
bool ob_image_source_index_claim(ob_image_source *image, size_t i, ob_digest *digest);
/** Make sure that layer @p i's blob is in the store. @p step: for progress events, 0 if none. */
ocib_errc ob_image_source_fetch_layer(ob_image_source *image, size_t i, uint32_t step,
				      ocib_error **err);
/**
 * Small files (passwd, group) and others: bytes [offset, offset+len) of the unpacked tar of layer
 * i, by range where the index has members, else after fetching the blob.
 */
ocib_errc ob_image_source_read(ob_image_source *image, size_t i, const ob_entry *entry,
			       ob_buffer *out, ocib_error **err);
/** Bytes received from networks so far, for reports. */
uint64_t ob_image_sources_received(const ob_image_sources *sources);

#endif
