/* engine/transfer/transfer.h — one image on its way: the source opened, its documents at hand.
 *
 * The same object serves pull, push and copy; what differs is where the source is and what is done
 * with it. Works below a pump: fetching uses several threads.
 */
#ifndef OB_ENGINE_TRANSFER_H
#define OB_ENGINE_TRANSFER_H

#include <ocibuild/transfer.h>
#include "engine/source/blob_fetch.h"
#include "engine/source/image_name.h"
#include "engine/source/layout_source.h"
#include "image/platform.h"

typedef struct ob_transfer {
	ocib_context *ctx;
	ob_store *store; /**< the caller's */
	ob_registry_set *registries;
	ob_platform platform;
	bool all_platforms;

	ob_image_name source;
	ob_layout_source layout;  /* open where the source is a layout or an archive */
	ob_store *temp_layout;    /* made where an image passes through us */
	char *temp;               /* its directory, relative to the store */
	ob_store *work;           /**< borrowed: has the documents, and has or gets the blobs */
	ob_blob_fetcher *fetcher; /**< into work */
	ob_blob_place place;
	ob_descriptor root; /**< manifest, or index with all platforms; without annotations */
	ob_descriptor
		named; /**< what the source's name means: root, or an index that leads there */
	ocib_transfer_result result;
} ob_transfer;

/** Kinds: INVALID (options). */
ocib_errc ob_transfer_init(ob_transfer *t, ocib_context *ctx, ob_store *store,
			   const ocib_transfer_options *options, ocib_error **err);
void ob_transfer_done(ob_transfer *t);

/**
 * Open @p t->source (parsed by the caller) and read all its documents.
 * @param into where an image out of a registry is brought; NULL: a temporary layout.
 * Kinds: NOTFOUND, NETWORK, PROTOCOL, CORRUPT, UNSUPPORTED …
 */
ocib_errc ob_transfer_open(ob_transfer *t, ob_store *into, ocib_error **err);
/** Bring all blobs into work; counts bytes and skipped blobs in the result. */
ocib_errc ob_transfer_fetch(ob_transfer *t, ocib_error **err);

#endif
