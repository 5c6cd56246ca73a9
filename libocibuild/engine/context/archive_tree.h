/* engine/context/archive_tree.h — a tarball of the store as a tree of one layer. */
#ifndef OB_ENGINE_ARCHIVE_TREE_H
#define OB_ENGINE_ARCHIVE_TREE_H

#include "engine/tree.h"

/**
 * @param digest of the tarball, a blob of the store; the same one is unpacked once.
 * @param name for errors.
 * @param step for progress events, 0 if none.
 * Kinds: CORRUPT, LIMIT, CANCELED.
 */
ocib_errc ob_archive_tree_open(ocib_context *ctx, ob_store *store, const ob_digest *digest,
			       const char *name, uint32_t step, ob_tree **out, ocib_error **err);

#endif
