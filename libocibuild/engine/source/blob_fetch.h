/* engine/source/blob_fetch.h — make sure that a blob is in the store, from wherever it can be had.
 *
 * Thread rule: any thread; of several that want one blob, one fetches and the others wait for it.
 */
#ifndef OB_ENGINE_BLOB_FETCH_H
#define OB_ENGINE_BLOB_FETCH_H

#include "engine/source/registry_set.h"
#include "store/store.h"

typedef struct ob_blob_fetcher ob_blob_fetcher;

/** All but @p out are borrowed and outlive the fetcher. */
ocib_errc ob_blob_fetcher_new(ocib_context *ctx, ob_store *store, ob_registry_set *registries,
			      ob_blob_fetcher **out, ocib_error **err);
ob_blob_fetcher *ob_blob_fetcher_free(ob_blob_fetcher *fetcher);
OB_DEFINE_AUTO(ob_blob_fetcher);

/** Where a blob may be beside the store and the repositories that are remembered for it. */
typedef struct ob_blob_place {
	ob_store *layout;           /**< or NULL */
	const ob_reference *origin; /**< or NULL */
	bool is_there; /**< the image was found at origin: no other repository is asked */
} ob_blob_place;

/** Kinds: NOTFOUND (nowhere), NETWORK, PROTOCOL, DENIED, CORRUPT. @p step: of progress events. */
ocib_errc ob_blob_fetch(ob_blob_fetcher *fetcher, const ob_blob_place *place,
			const ob_descriptor *blob, uint32_t step, ocib_error **err);
/**
 * Part of a blob, from the store, the layout or by range. Kinds: as above, and UNSUPPORTED (no
 * ranges).
 */
ocib_errc ob_blob_fetch_range(ob_blob_fetcher *fetcher, const ob_blob_place *place,
			      const ob_descriptor *blob, uint64_t offset, uint64_t len,
			      ob_buffer *out, ocib_error **err);

#endif
