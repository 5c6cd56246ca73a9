/* engine/build/recompress.h — a layer's tar in another packing. */
#ifndef OB_ENGINE_BUILD_RECOMPRESS_H
#define OB_ENGINE_BUILD_RECOMPRESS_H

#include "layer/layer_writer.h"
#include "store/store.h"

/** @p old is in the store; *out describes the new blob, in the store, too. */
ocib_errc ob_recompress_layer(ob_store *store, const ob_descriptor *old, const ob_digest *diff_id,
			      const ob_layer_writer_options *options, ob_descriptor *out,
			      ocib_error **err);

#endif
