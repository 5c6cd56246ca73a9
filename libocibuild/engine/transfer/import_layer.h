/* engine/transfer/import_layer.h — a tarball as one layer of the store, as a build would have written it. */
#ifndef OB_ENGINE_IMPORT_LAYER_H
#define OB_ENGINE_IMPORT_LAYER_H

#include "base/context.h"
#include "layer/layer_writer.h"
#include "store/store.h"

/**
 * Read all of @p fd, a tar packed in any way, from its offset on; blob and index go to @p store.
 * @param name for errors.
 * @param step for progress events, 0 if none.
 * Kinds: CORRUPT, LIMIT, CANCELED.
 */
ocib_errc ob_import_layer(ocib_context *ctx, ob_store *store, int fd, const char *name,
			  uint32_t step, const ob_layer_writer_options *options,
			  ob_layer_result *out, ocib_error **err);

#endif
