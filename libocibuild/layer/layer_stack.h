/* layer/layer_stack.h — the merged view of a stack of layer indexes: an image's tree as metadata.
 *
 * Answers what is at a path after whiteouts, follows symlinks inside the root, lists directories.
 * Holds references to nothing: the indexes are borrowed and outlive the stack.
 */
#ifndef OB_LAYER_LAYER_STACK_H
#define OB_LAYER_LAYER_STACK_H

#include "layer/layer_index.h"

typedef struct ob_layer_stack ob_layer_stack;

ob_layer_stack *ob_layer_stack_new(void);
ob_layer_stack *ob_layer_stack_free(ob_layer_stack *stack);
OB_DEFINE_AUTO(ob_layer_stack);
int ob_layer_stack_push(ob_layer_stack *stack, const ob_layer_index *index); /**< base first */
size_t ob_layer_stack_len(const ob_layer_stack *stack);

/** An entry and the layer it is in. A directory that exists only as a parent of entries has entry NULL. */
typedef struct ob_found {
	bool exists;
	const ob_entry
		*entry; /**< hard links are resolved to their target's entry, if there is one */
	size_t layer;   /**< index into the stack */
} ob_found;

/** Exact entry path, no symlink followed. */
ob_found ob_layer_stack_lookup(const ob_layer_stack *stack, const char *entry_path);
/**
 * Resolve an image path inside the root: symlinks in parents always, in the last component where
 * @p follow_last. *resolved gets the entry path (malloc'ed) even where the last components do not exist
 * (then found->exists is false). A trailing slash follows the last component as well. Kinds: LIMIT (too
 * many symlinks), INVALID (a parent is no directory).
 */
ocib_errc ob_layer_stack_resolve(const ob_layer_stack *stack, const char *path, bool follow_last,
				 char **resolved, ob_found *found, ocib_error **err);

/** Children of a directory in order; the callback's non-zero stops and is returned; -1: no memory. */
typedef int (*ob_layer_stack_visit)(const char *entry_path, const ob_found *found, void *arg);
int ob_layer_stack_list(const ob_layer_stack *stack, const char *dir, ob_layer_stack_visit visit,
			void *arg);
/** The whole subtree below @p dir (itself not included), parents first, ob_path_compare order. */
int ob_layer_stack_walk(const ob_layer_stack *stack, const char *dir, ob_layer_stack_visit visit,
			void *arg);

#endif
