/* layer/layer_stack_walk.c — lists and walks the merged tree, in order, with one look at each entry.
 *
 * A directory is a run of entries in each layer that can be seen there; they are merged by the name of
 * the next child. A child's own content is a part of each run, cut out by its end, so that going down
 * into it, or passing it by, never searches a layer from its beginning again.
 *
 * Levels and runs are stacks on the heap: a tree may be deeper than a thread's stack.
 */
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/layer_stack_inside.h"

/* The part of a layer that is below a directory and not yet visited. Uppermost layers come first. */
typedef struct run {
	size_t layer, at, end;
} run;

typedef struct level {
	size_t first; /* of its runs */
	size_t path_len;
} level;

typedef struct walker {
	const ob_layer_stack *stack;
	run *runs;
	size_t run_len, run_cap;
	level *levels;
	size_t level_len, level_cap;
	ob_buffer path; /* of the child at hand */
} walker;

static void walker_done(walker *w)
{
	free(w->runs);
	free(w->levels);
	ob_buffer_done(&w->path);
}

static int add_run(walker *w, size_t layer, size_t at, size_t end)
{
	if (w->run_len == w->run_cap) {
		size_t cap = w->run_cap ? w->run_cap * 2 : 64;
		run *grown = reallocarray(w->runs, cap, sizeof(*grown));

		if (!grown)
			return -1;
		w->runs = grown;
		w->run_cap = cap;
	}
	w->runs[w->run_len++] = (run){layer, at, end};
	return 0;
}

/* The level of w->path, whose runs are those from first on. */
static int enter_level(walker *w, size_t first)
{
	if (w->level_len == w->level_cap) {
		size_t cap = w->level_cap ? w->level_cap * 2 : 16;
		level *grown = reallocarray(w->levels, cap, sizeof(*grown));

		if (!grown)
			return -1;
		w->levels = grown;
		w->level_cap = cap;
	}
	w->levels[w->level_len++] = (level){first, w->path.len};
	return 0;
}

static const char *run_path(const walker *w, const run *r)
{
	return w->stack->layers[r->layer]->entries[r->at].path;
}

/* The order of two children of one directory; each ends at a slash or at the end. */
static int compare_child(const char *a, const char *b)
{
	for (; *a && *a != '/' && *a == *b; a++, b++)
		;
	bool a_ends = !*a || *a == '/', b_ends = !*b || *b == '/';

	if (a_ends || b_ends)
		return b_ends - a_ends;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* Append the next child's name to w->path; false when the level is done. */
static bool next_child(walker *w, const level *at)
{
	size_t skip = at->path_len ? at->path_len + 1 : 0;
	const char *name = NULL;

	for (size_t i = at->first; i < w->run_len; i++) {
		if (w->runs[i].at == w->runs[i].end)
			continue;
		const char *candidate = run_path(w, &w->runs[i]) + skip;

		if (!name || compare_child(candidate, name) < 0)
			name = candidate;
	}
	w->path.len = at->path_len;
	if (!name)
		return false;
	if (skip)
		ob_buffer_append_char(&w->path, '/');
	ob_buffer_append(&w->path, name, strcspn(name, "/"));
	return true;
}

/* A child while its layers are gone through from the top. */
typedef struct child {
	ob_found found;
	bool metadata_open; /* a layer below may say what the child is */
	bool content_open;  /* a layer below may have something below the child */
} child;

/* Take one layer's part of the child; what is below it becomes a run of the child's own. */
static int merge_layer(walker *w, child *c, size_t layer, size_t at, size_t end)
{
	const ob_layer_index *index = w->stack->layers[layer];
	ob_stack_place place = ob_stack_place_at(index, at, w->path.len);
	bool is_other = place.thing && place.thing->type != OB_ENTRY_DIR;
	bool is_parent = place.opaque || place.below < end;

	if (c->metadata_open && place.thing && (!is_other || !c->found.exists)) {
		c->found = (ob_found){true, place.thing, layer};
		c->metadata_open = false;
	} else if (c->metadata_open && is_parent && !c->found.exists) {
		c->found = (ob_found){.exists = true, .layer = layer};
	}
	if (is_other || place.whiteout)
		c->metadata_open = false;
	if (is_other)
		c->content_open = false;
	if (c->content_open && place.below < end && add_run(w, layer, place.below, end) < 0)
		return -1;
	if (place.whiteout || place.opaque)
		c->content_open = false;
	return 0;
}

/* Find out what w->path is from the runs of its parent, and move them past it. */
static int merge_child(walker *w, const level *at, child *c)
{
	size_t last = w->run_len;

	*c = (child){.metadata_open = true, .content_open = true};
	for (size_t i = at->first; i < last; i++) {
		run r = w->runs[i];

		if (r.at == r.end || !ob_path_is_below(run_path(w, &r), w->path.data))
			continue;
		size_t end =
			ob_layer_index_subtree_end(w->stack->layers[r.layer], r.at, w->path.data);

		w->runs[i].at = end;
		if ((c->metadata_open || c->content_open) &&
		    merge_layer(w, c, r.layer, r.at, end) < 0)
			return -1;
	}
	if (c->found.entry)
		c->found = ob_stack_found(w->stack, c->found.entry, c->found.layer);
	return 0;
}

static int start(walker *w, const char *dir)
{
	bool last = false;

	/* Also of an empty string: from here on path.data is one. */
	ob_buffer_append_str(&w->path, dir);
	if (ob_buffer_check(&w->path, NULL))
		return -1;
	for (size_t layer = w->stack->len; layer-- > 0 && !last;) {
		size_t at, end;

		if (ob_stack_content(w->stack, layer, dir, &at, &end, &last) &&
		    add_run(w, layer, at, end) < 0)
			return -1;
	}
	return enter_level(w, 0);
}

static int visit_all(walker *w, bool deep, ob_layer_stack_visit visit, void *arg)
{
	while (w->level_len > 0) {
		level at = w->levels[w->level_len - 1];
		size_t own = w->run_len;
		child c;

		if (!next_child(w, &at)) {
			w->run_len = at.first;
			w->level_len--;
			continue;
		}
		if (ob_buffer_check(&w->path, NULL) || merge_child(w, &at, &c) < 0)
			return -1;
		int r = c.found.exists ? visit(w->path.data, &c.found, arg) : 0;
		if (r)
			return r;
		if (!deep)
			w->run_len = own;
		else if (w->run_len > own && enter_level(w, own) < 0)
			return -1;
	}
	return 0;
}

static int walk_tree(const ob_layer_stack *stack, const char *dir, bool deep,
		     ob_layer_stack_visit visit, void *arg)
{
	ob_autodone(walker)
		w = {.stack = stack, .path = OB_BUFFER_INIT(OB_LIMIT_TAR_NAME + 1, "a path")};

	return start(&w, dir) < 0 ? -1 : visit_all(&w, deep, visit, arg);
}

int ob_layer_stack_list(const ob_layer_stack *stack, const char *dir, ob_layer_stack_visit visit,
			void *arg)
{
	return walk_tree(stack, dir, false, visit, arg);
}

int ob_layer_stack_walk(const ob_layer_stack *stack, const char *dir, ob_layer_stack_visit visit,
			void *arg)
{
	return walk_tree(stack, dir, true, visit, arg);
}
