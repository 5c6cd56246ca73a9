/* engine/build/step_cache.h — cache keys of steps, and what the store remembers under them. */
#ifndef OB_ENGINE_BUILD_STEP_CACHE_H
#define OB_ENGINE_BUILD_STEP_CACHE_H

#include "layer/layer_writer.h"
#include "store/store.h"

/** One part of a key. */
typedef struct ob_key_part {
	const void *data;
	size_t len;
} ob_key_part;

/** SHA-256 over @p kind and the parts, each preceded by its length. */
ocib_errc ob_step_key(const char *kind, const ob_key_part *parts, size_t count,
		      uint8_t out[OB_SHA256_LEN], ocib_error **err);
/** The key of a tree that no step made: an image's, or nothing's (chain id not set). */
ocib_errc ob_step_key_of_tree(const ob_digest *chain_id, uint8_t out[OB_SHA256_LEN],
			      ocib_error **err);

/** What a step made, and on what. */
typedef struct ob_step_record {
	ob_digest diff_id;
	ob_digest parent;         /**< chain id below; not set for scratch */
	ob_descriptor descriptor; /**< of the blob */
	char *created;            /**< RFC 3339 */
} ob_step_record;
void ob_step_record_done(ob_step_record *record);
/** Of a layer that was just made on @p parent (a chain id); created now. */
ocib_errc ob_step_record_of_layer(const ob_layer_result *layer, const ob_digest *parent,
				  ob_step_record *out, ocib_error **err);
/** What a record says as a layer, to put on a tree; the index is left to be read when asked for. */
ocib_errc ob_step_record_to_layer(const ob_step_record *record, ob_layer_result *out,
				  ocib_error **err);

/** Is there a record at all, whatever it stands on? */
bool ob_step_record_exists(ob_store *store, const uint8_t key[OB_SHA256_LEN]);
/**
 * The record under @p key if it was made on @p parent and its blob and index still exist.
 * *found is false otherwise. Kinds: NOMEM.
 */
ocib_errc ob_step_record_find(ob_store *store, const uint8_t key[OB_SHA256_LEN],
			      const ob_digest *parent, bool *found, ob_step_record *out,
			      ocib_error **err);
ocib_errc ob_step_record_save(ob_store *store, const uint8_t key[OB_SHA256_LEN],
			      const ob_step_record *record, ocib_error **err);

#endif
