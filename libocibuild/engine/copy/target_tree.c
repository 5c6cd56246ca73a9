/* engine/copy/target_tree.c — see target_tree.h.
 *
 * Nodes are found by path in a hash table and never leave it; what was replaced from above is marked as
 * gone and comes back when something is put there again. A node hides what the base has below its path
 * when it is no directory, or a directory that is new ("fresh"): so whether the base may be asked about a
 * path is decided by the nodes on the way to it.
 */
#include "engine/copy/target_tree.h"
#include <string.h>
#include "base/arena.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/path_resolve.h"

struct ob_target_tree {
	const ob_layer_stack *base;
	ob_target_node **nodes;
	size_t len, cap;
	uint32_t *slots; /* node number + 1 */
	size_t slot_count;
	ob_arena memory; /* nodes and texts */
	const ob_target_node *last_hider;
};

ob_target_tree *ob_target_tree_new(const ob_layer_stack *base)
{
	ob_target_tree *tree = calloc(1, sizeof(*tree));

	if (tree)
		tree->base = base;
	return tree;
}

static void clear_node(ob_target_node *node)
{
	if (node->extra)
		ob_entry_done(node->extra);
	free(node->extra);
}

ob_target_tree *ob_target_tree_free(ob_target_tree *tree)
{
	if (!tree)
		return NULL;
	for (size_t i = 0; i < tree->len; i++)
		clear_node(tree->nodes[i]);
	free(tree->nodes);
	free(tree->slots);
	ob_arena_done(&tree->memory);
	free(tree);
	return NULL;
}

/* --- the table --- */

static uint64_t hash_path(const char *path, size_t len)
{
	uint64_t hash = len;

	for (; len; path += 8) {
		uint64_t word = 0;
		size_t part = len < 8 ? len : 8;

		memcpy(&word, path, part);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
		len -= part;
	}
	return hash ^ hash >> 32;
}

/* The slot of the first len bytes of path, or the empty one where they belong. */
static size_t find_slot(const ob_target_tree *tree, const char *path, size_t len)
{
	size_t mask = tree->slot_count - 1, at = (size_t)hash_path(path, len) & mask;

	for (; tree->slots[at]; at = (at + 1) & mask) {
		const char *other = tree->nodes[tree->slots[at] - 1]->path;

		if (strncmp(other, path, len) == 0 && !other[len])
			break;
	}
	return at;
}

static ob_target_node *find_node(const ob_target_tree *tree, const char *path, size_t len)
{
	if (!tree->slot_count)
		return NULL;
	uint32_t slot = tree->slots[find_slot(tree, path, len)];
	return slot ? tree->nodes[slot - 1] : NULL;
}

static int grow_slots(ob_target_tree *tree)
{
	ob_target_tree grown = *tree;

	grown.slot_count = tree->slot_count ? tree->slot_count * 2 : 64;
	grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
	if (!grown.slots)
		return -1;
	for (size_t i = 0; i < tree->len; i++) {
		const char *path = tree->nodes[i]->path;

		grown.slots[find_slot(&grown, path, strlen(path))] = (uint32_t)i + 1;
	}
	free(tree->slots);
	*tree = grown;
	return 0;
}

static ob_target_node *add_node(ob_target_tree *tree, const char *path)
{
	if ((tree->len + 1) * 4 > tree->slot_count * 3 && grow_slots(tree) < 0)
		return NULL;
	if (tree->len == tree->cap) {
		size_t cap = tree->cap ? tree->cap * 2 : 64;
		ob_target_node **grown = reallocarray(tree->nodes, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		tree->nodes = grown;
		tree->cap = cap;
	}
	size_t len = strlen(path);
	ob_target_node *node = ob_arena_alloc(&tree->memory, sizeof(*node));
	if (!node)
		return NULL;
	node->path = ob_arena_text(&tree->memory, path, len);
	if (!node->path)
		return NULL;
	size_t slot = find_slot(tree, path, len);
	tree->nodes[tree->len++] = node;
	tree->slots[slot] = (uint32_t)tree->len;
	return node;
}

char *ob_target_text(ob_target_tree *tree, const char *text)
{
	return ob_arena_text(&tree->memory, text, strlen(text));
}

/* --- looking --- */

static bool hides_what_is_below(const ob_target_node *node)
{
	return !node->gone && (node->fresh || node->type != OB_ENTRY_DIR);
}

/* Does a node above the path keep the base from being seen there? */
static bool hides_base(ob_target_tree *tree, const char *path)
{
	const ob_target_node *hider = tree->last_hider;

	/* Nearly always it is the new directory that the last one was in, too. */
	if (hider && hides_what_is_below(hider) && ob_path_is_below(path, hider->path) &&
	    strlen(path) > strlen(hider->path))
		return true;
	for (size_t len = strlen(path); len > 0;) {
		while (len > 0 && path[len - 1] != '/')
			len--;
		len -= len > 0;
		hider = find_node(tree, path, len);
		if (hider && hides_what_is_below(hider)) {
			tree->last_hider = hider;
			return true;
		}
	}
	return false;
}

static ob_found look_in_base(ob_target_tree *tree, const char *path)
{
	if (tree->base && !hides_base(tree, path))
		return ob_layer_stack_lookup(tree->base, path);
	/* The root is always there. */
	return (ob_found){.exists = !*path};
}

ob_target_view ob_target_look(ob_target_tree *tree, const char *path)
{
	ob_target_node *node = find_node(tree, path, strlen(path));
	ob_target_view view = {0};

	if (node && !node->gone)
		return (ob_target_view){.type = node->type, .node = node};
	view.base = look_in_base(tree, path);
	if (view.base.exists)
		view.type = view.base.entry ? view.base.entry->type : OB_ENTRY_DIR;
	return view;
}

static ocib_errc look(void *arg, const char *path, ob_path_kind *kind, const char **link,
		      ocib_error **err)
{
	ob_target_view view = ob_target_look(arg, path);

	(void)err;
	switch ((int)view.type) {
	case 0: *kind = OB_PATH_NOTHING; break;
	case OB_ENTRY_DIR: *kind = OB_PATH_DIR; break;
	case OB_ENTRY_SYMLINK:
		*kind = OB_PATH_LINK;
		*link = view.node ? view.node->link : view.base.entry->link;
		break;
	default: *kind = OB_PATH_OTHER;
	}
	return OCIB_OK;
}

ocib_errc ob_target_resolve(ob_target_tree *tree, const char *root, const char *path,
			    char **resolved, ocib_error **err)
{
	return ob_path_resolve(look, tree, root, path, resolved, err);
}

/* --- changing --- */

static void remove_below(ob_target_tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->len; i++) {
		ob_target_node *node = tree->nodes[i];

		if (ob_path_is_below(node->path, path) && !ob_str_eq(node->path, path))
			node->gone = true;
	}
}

/* Reset a node for its new meaning; what is remembered is what it says about the base. */
static void reset_node(ob_target_node *node, ob_entry_type type, bool fresh, bool opaque)
{
	char *path = node->path;

	clear_node(node);
	*node = (ob_target_node){.path = path, .type = type, .fresh = fresh, .opaque = opaque};
}

ocib_errc ob_target_put(ob_target_tree *tree, const char *path, const ob_target_view *view,
			ob_entry_type type, ob_target_node **out, ocib_error **err)
{
	/* Without one in view there may still be one that is gone. */
	ob_target_node *node = view->node ? view->node : find_node(tree, path, strlen(path));
	bool merges = type == OB_ENTRY_DIR && view->type == OB_ENTRY_DIR;
	bool fresh = !merges, opaque = false;

	if (merges && view->node) {
		fresh = view->node->fresh;
		opaque = view->node->opaque;
	} else if (fresh && type == OB_ENTRY_DIR) {
		/* The base may still have a directory here, under what it was replaced by before. */
		ob_found below = look_in_base(tree, path);

		opaque = below.exists && (!below.entry || below.entry->type == OB_ENTRY_DIR);
	}
	if (view->type == OB_ENTRY_DIR && !merges)
		remove_below(tree, path);
	if (!node)
		node = add_node(tree, path);
	if (!node)
		return ob_fail_nomem(err);
	reset_node(node, type, fresh, opaque);
	*out = node;
	return OCIB_OK;
}

static ocib_errc make_dir(ob_target_tree *tree, const char *path, const ob_new_dirs *how,
			  ocib_error **err)
{
	ob_target_view view = ob_target_look(tree, path);
	ob_target_node *node = NULL;

	if (view.type == OB_ENTRY_DIR)
		return OCIB_OK;
	if (view.type)
		return ob_fail(err, OCIB_ERR_SYNTAX, "'/%s' is not a directory", path);
	ocib_errc r = ob_target_put(tree, path, &view, OB_ENTRY_DIR, &node, err);
	if (r)
		return r;
	node->mode = how->mode;
	node->uid = how->uid;
	node->gid = how->gid;
	node->mtime_sec = how->mtime_sec;
	return OCIB_OK;
}

ocib_errc ob_target_make_dirs(ob_target_tree *tree, const char *path, const ob_new_dirs *how,
			      ocib_error **err)
{
	ob_autofree char *part = strdup(path);

	if (!part)
		return ob_fail_nomem(err);
	for (size_t len = 0; part[len];) {
		len += part[len] == '/';
		len += strcspn(part + len, "/");
		char cut = part[len];
		part[len] = '\0';
		ocib_errc r = make_dir(tree, part, how, err);
		part[len] = cut;
		if (r)
			return r;
	}
	return OCIB_OK;
}

/* --- the result --- */

static int by_path(const void *a, const void *b)
{
	return ob_path_compare((*(ob_target_node *const *)a)->path,
			       (*(ob_target_node *const *)b)->path);
}

ocib_errc ob_target_sorted(const ob_target_tree *tree, ob_target_node ***out, size_t *count,
			   ocib_error **err)
{
	ob_autofree ob_target_node **nodes = calloc(tree->len + 1, sizeof(*nodes));
	size_t len = 0;
	bool is_sorted = true;

	if (!nodes)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < tree->len; i++) {
		if (tree->nodes[i]->gone)
			continue;
		nodes[len++] = tree->nodes[i];
		is_sorted = is_sorted && (len < 2 || by_path(&nodes[len - 2], &nodes[len - 1]) < 0);
	}
	/* One directory copied gives them in order already. */
	if (!is_sorted)
		qsort(nodes, len, sizeof(*nodes), by_path);
	*out = ob_take_ptr(nodes);
	*count = len;
	return OCIB_OK;
}
