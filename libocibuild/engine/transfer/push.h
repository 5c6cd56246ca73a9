/* engine/transfer/push.h — an image into a registry: blobs in parallel, then manifests. */
#ifndef OB_ENGINE_PUSH_H
#define OB_ENGINE_PUSH_H

#include <ocibuild/transfer.h>
#include "engine/source/blob_fetch.h"

typedef struct ob_push_request {
	ocib_context *ctx;
	ob_store *store;  /**< has the documents, and the blobs that the registry has not */
	ob_store *memory; /**< remembers which repositories have a blob; often the same */
	ob_registry_set *registries;
	ob_blob_fetcher *fetcher;  /**< brings into store what is missing */
	ob_blob_place place;       /**< where the fetcher may look beside known repositories */
	const ob_descriptor *root; /**< manifest or index */
	const ob_reference *destination; /**< with tag or digest */
	uint32_t step;                   /**< of progress events */
} ob_push_request;

/**
 * Blobs that the registry has are skipped, those that it has in another known repository are
 * mounted, the rest is uploaded, four at once. The manifest comes last, so a reader never sees an
 * image in part. Events may come from several threads: a pump must run. Kinds: NETWORK, PROTOCOL,
 * NOTFOUND (a blob), …
 */
ocib_errc ob_push_image(const ob_push_request *request, ocib_transfer_result *result,
			ocib_error **err);

#endif
