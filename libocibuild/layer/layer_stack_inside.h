/* layer/layer_stack_inside.h — what lookup, resolution and walk of a layer stack share. Private. */
#ifndef OB_LAYER_LAYER_STACK_INSIDE_H
#define OB_LAYER_LAYER_STACK_INSIDE_H

#include "layer/layer_stack.h"

struct ob_layer_stack {
	const ob_layer_index **layers; /* base first; borrowed */
	size_t len, cap;
};

/** What one layer has at one path. */
typedef struct ob_stack_place {
	bool whiteout, opaque;
	const ob_entry *thing; /**< neither: a file, directory, link …; or NULL */
	size_t below; /**< position after all of these: what is below the path, if anything */
} ob_stack_place;

/** @p at: position of the first entry of a path of @p path_len bytes, or of one below it. */
ob_stack_place ob_stack_place_at(const ob_layer_index *index, size_t at, size_t path_len);

/** An existing thing, hard links resolved. */
ob_found ob_stack_found(const ob_layer_stack *stack, const ob_entry *entry, size_t layer);

/**
 * The run of entries in @p layer that are below @p dir; false when there are none. *last: the layers
 * below this one cannot be seen there.
 */
bool ob_stack_content(const ob_layer_stack *stack, size_t layer, const char *dir, size_t *at,
		      size_t *end, bool *last);

#endif
