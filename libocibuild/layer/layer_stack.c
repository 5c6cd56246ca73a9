/* layer/layer_stack.c — what is at a path when layers lie on each other; see layer_stack.h.
 *
 * Only layers at and above some floor can be seen at a path. The rules (docs/internals/whiteouts.md):
 * in layer L, a whiteout at the path or at a parent, an opaque mark at a parent, or a parent that is no
 * directory, hides the layers below L; and below a parent that is no directory L itself has nothing.
 * A path that only parents entries is a directory whose properties come from the layers below, if they
 * are not hidden and have a directory there.
 *
 * So a lookup goes through the layers from the top, and in each through the parents from the root. It
 * narrows the part of the index in which it searches, and leaves a layer that has nothing there early.
 */
#include "layer/layer_stack.h"
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/layer_stack_inside.h"

ob_layer_stack *ob_layer_stack_new(void)
{
	return calloc(1, sizeof(ob_layer_stack));
}

ob_layer_stack *ob_layer_stack_free(ob_layer_stack *stack)
{
	if (stack)
		free(stack->layers);
	free(stack);
	return NULL;
}

int ob_layer_stack_push(ob_layer_stack *stack, const ob_layer_index *index)
{
	if (stack->len == stack->cap) {
		size_t cap = stack->cap ? stack->cap * 2 : 16;
		const ob_layer_index **grown = reallocarray(stack->layers, cap, sizeof(*grown));

		if (!grown)
			return -1;
		stack->layers = grown;
		stack->cap = cap;
	}
	stack->layers[stack->len++] = index;
	return 0;
}

size_t ob_layer_stack_len(const ob_layer_stack *stack)
{
	return stack->len;
}

/* ob_path_compare() with the first len bytes of b. */
static int compare_prefix(const char *a, const char *b, size_t len)
{
	size_t i = 0;

	while (i < len && a[i] && a[i] == b[i])
		i++;
	if (i == len)
		return a[i] ? 1 : 0;
	if (!a[i])
		return -1;
	if (a[i] == '/' || b[i] == '/')
		return a[i] == '/' ? -1 : 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

/* Is a the first len bytes of b, or below them? */
static bool is_below_prefix(const char *a, const char *b, size_t len)
{
	return len == 0 || (strncmp(a, b, len) == 0 && (a[len] == '/' || !a[len]));
}

/* The part of an index that is still of interest: from the first entry at or after a path. */
typedef struct part {
	const ob_layer_index *index;
	size_t at;
} part;

/* Move the part to the first len bytes of path; false when there is nothing at or below them. */
static bool narrow(part *p, const char *path, size_t len)
{
	size_t low = p->at, high = p->index->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_prefix(p->index->entries[middle].path, path, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	p->at = low;
	return low < p->index->len && is_below_prefix(p->index->entries[low].path, path, len);
}

ob_stack_place ob_stack_place_at(const ob_layer_index *index, size_t at, size_t path_len)
{
	ob_stack_place place = {.below = at};
	const char *path = index->entries[at].path;

	if (path[path_len])
		return place;
	for (; place.below < index->len; place.below++) {
		const ob_entry *entry = &index->entries[place.below];

		if (!ob_str_eq(entry->path, path))
			break;
		if (entry->type == OB_ENTRY_WHITEOUT)
			place.whiteout = true;
		else if (entry->type == OB_ENTRY_OPAQUE)
			place.opaque = true;
		else
			place.thing = entry;
	}
	return place;
}

/* How the parents of a path look in one layer. */
typedef enum parents {
	PARENTS_NOTHING, /* the layer has nothing at or below the path, and says nothing about it */
	PARENTS_OPEN,    /* it may have something; the layers below may be seen */
	PARENTS_HIDE,    /* it may have something; the layers below are hidden */
	PARENTS_BLOCK    /* it has nothing, and the layers below are hidden */
} parents;

/* Look at the root and at each parent in path; with @p whole at path itself too. */
static parents look_at_parents(part *p, const char *path, bool whole)
{
	parents seen = PARENTS_OPEN;
	size_t len = 0;

	for (;;) {
		bool is_last = !path[len];

		if (is_last && !whole)
			return seen;
		if (!narrow(p, path, len))
			return seen == PARENTS_HIDE ? PARENTS_BLOCK : PARENTS_NOTHING;
		ob_stack_place place = ob_stack_place_at(p->index, p->at, len);

		if (place.thing && place.thing->type != OB_ENTRY_DIR)
			return PARENTS_BLOCK;
		if (place.whiteout || place.opaque)
			seen = PARENTS_HIDE;
		if (is_last)
			return seen;
		len += len > 0;
		len += strcspn(path + len, "/");
	}
}

static ob_found lookup_below(const ob_layer_stack *stack, size_t top, const char *path);

/* A hard link is its target: in the same layer, else (some builders do that) in those below. */
static ob_found resolve_hard_link(const ob_layer_stack *stack, ob_found found)
{
	const ob_entry *entry = found.entry;

	for (int hops = 0; entry->type == OB_ENTRY_HARDLINK; hops++) {
		const ob_entry *target =
			ob_layer_index_find(stack->layers[found.layer], entry->link);
		bool is_thing = target && target->type != OB_ENTRY_WHITEOUT &&
				target->type != OB_ENTRY_OPAQUE;

		if (hops == OB_LIMIT_SYMLINKS)
			return found;
		if (!is_thing) {
			ob_found below = lookup_below(stack, found.layer, entry->link);

			return below.entry ? below : found;
		}
		entry = target;
	}
	found.entry = entry;
	return found;
}

ob_found ob_stack_found(const ob_layer_stack *stack, const ob_entry *entry, size_t layer)
{
	ob_found found = {.exists = true, .entry = entry, .layer = layer};

	return entry && entry->type == OB_ENTRY_HARDLINK ? resolve_hard_link(stack, found) : found;
}

/* Lookup in the layers under top. */
static ob_found lookup_below(const ob_layer_stack *stack, size_t top, const char *path)
{
	size_t len = strlen(path);
	ob_found found = {.exists = len == 0};

	for (size_t layer = top; layer-- > 0;) {
		part p = {.index = stack->layers[layer]};
		parents seen = look_at_parents(&p, path, false);

		if (seen == PARENTS_BLOCK)
			return found;
		if (seen == PARENTS_NOTHING || !narrow(&p, path, len)) {
			if (seen == PARENTS_HIDE)
				return found;
			continue;
		}
		ob_stack_place place = ob_stack_place_at(p.index, p.at, len);

		if (place.thing && (place.thing->type == OB_ENTRY_DIR || !found.exists))
			return ob_stack_found(stack, place.thing, layer);
		bool implied = place.opaque ||
			       (place.below < p.index->len &&
				is_below_prefix(p.index->entries[place.below].path, path, len));
		if (implied && !found.exists)
			found = (ob_found){.exists = true, .layer = layer};
		if (place.thing || place.whiteout || seen == PARENTS_HIDE)
			return found;
	}
	return found;
}

ob_found ob_layer_stack_lookup(const ob_layer_stack *stack, const char *entry_path)
{
	return lookup_below(stack, stack->len, entry_path);
}

bool ob_stack_content(const ob_layer_stack *stack, size_t layer, const char *dir, size_t *at,
		      size_t *end, bool *last)
{
	part p = {.index = stack->layers[layer]};
	parents seen = look_at_parents(&p, dir, true);

	*last = seen == PARENTS_HIDE || seen == PARENTS_BLOCK;
	if (seen == PARENTS_NOTHING || seen == PARENTS_BLOCK)
		return false;
	ob_stack_place place = ob_stack_place_at(p.index, p.at, strlen(dir));
	*at = place.below;
	*end = ob_layer_index_subtree_end(p.index, place.below, dir);
	return *at < *end;
}
