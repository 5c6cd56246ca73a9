/* engine/build/fetch_layers.h — a tree's blobs into the store, several at once. */
#ifndef OB_ENGINE_BUILD_FETCH_LAYERS_H
#define OB_ENGINE_BUILD_FETCH_LAYERS_H

#include "engine/tree.h"

typedef struct ob_layer_fetch ob_layer_fetch;

/** Begin with layer @p first and those above it, in the background. Both are borrowed. */
ocib_errc ob_layer_fetch_begin(ob_store *store, ob_tree *tree, size_t first, uint32_t step,
			       ob_layer_fetch **out, ocib_error **err);
/** Wait until blob @p layer is in the store. */
ocib_errc ob_layer_fetch_wait(ob_layer_fetch *fetch, size_t layer, ocib_error **err);
ob_layer_fetch *ob_layer_fetch_free(ob_layer_fetch *fetch); /**< waits for what is under way */
OB_DEFINE_AUTO(ob_layer_fetch);

/** All of a tree's blobs. */
ocib_errc ob_layer_fetch_all(ob_store *store, ob_tree *tree, uint32_t step, ocib_error **err);
/** Are all of them there already? */
bool ob_layer_fetch_is_done(ob_store *store, const ob_tree *tree);

#endif
