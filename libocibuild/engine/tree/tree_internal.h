/* engine/tree/tree_internal.h — what a tree is made of, for the files of this folder only. */
#ifndef OB_ENGINE_TREE_INTERNAL_H
#define OB_ENGINE_TREE_INTERNAL_H

#include <pthread.h>
#include "engine/tree.h"

struct ob_tree {
	unsigned references; /* atomic */
	ob_store *store;     /* borrowed */
	size_t layer_count;  /* with what is below */
	ob_digest chain_id;
	pthread_mutex_t lock; /* for what is loaded late: index and stack */
	ob_layer_stack *stack;

	/* Either the layers of an image (NULL for scratch) … */
	ob_image_source *image;
	/* … or one layer on a parent. */
	ob_tree *parent;
	ob_layer_result layer;
};

/** The node that layer @p i belongs to: its own, or an image. */
ob_tree *ob_tree_node_of_layer(ob_tree *tree, size_t i);
/** Index of layer @p i; loaded at the first call and borrowed. */
ocib_errc ob_tree_layer_index(ob_tree *tree, size_t i, const ob_layer_index **out,
			      ocib_error **err);

#endif
