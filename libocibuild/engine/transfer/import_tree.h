/* engine/transfer/import_tree.h — a root file system tarball as sorted entries with content at
 * hand.
 */
#ifndef OB_ENGINE_IMPORT_TREE_H
#define OB_ENGINE_IMPORT_TREE_H

#include "base/context.h"
#include "layer/layer_index.h"
#include "store/store.h"

typedef struct ob_import_tree {
	ob_layer_index *index; /**< in the order in which a layer has them */
	int input;             /* borrowed */
	int spool; /* unlinked file with content that cannot be read from the input again, or -1 */
	uint64_t spooled;
	bool is_plain; /* the input is a file that is an unpacked tar */
} ob_import_tree;

/**
 * Read all of @p fd, a tar packed in any way, from its offset on. @p name is for errors.
 * Kinds: CORRUPT, LIMIT, CANCELED.
 */
ocib_errc ob_import_tree_read(ocib_context *ctx, ob_store *store, int fd, const char *name,
			      ob_import_tree *out, ocib_error **err);
void ob_import_tree_done(ob_import_tree *tree);
/** Content of a file of the index; *out is to be freed. */
ocib_errc ob_import_tree_content(const ob_import_tree *tree, const ob_entry *entry, ob_reader **out,
				 ocib_error **err);

#endif
