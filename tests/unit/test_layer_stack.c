/* tests/unit/test_layer_stack.c — layers on layers: lookup, resolution, lists and walks. */
#include "layer_fixture.h"
#include "layer/layer_stack.h"
#include "base/paths.h"

#define LAYERS 8

/* A stack with the indexes it borrows. */
typedef struct layers {
	ob_layer_index *indexes[LAYERS];
	ob_layer_stack *stack;
} layers;

static void layers_done(layers *l)
{
	for (size_t i = 0; i < LAYERS; i++)
		ob_layer_index_free(l->indexes[i]);
	ob_layer_stack_free(l->stack);
}

static void push(layers *l, ob_layer_index *index)
{
	if (!l->stack)
		l->stack = ob_layer_stack_new();
	l->indexes[ob_layer_stack_len(l->stack)] = index;
	assert_int_equal(ob_layer_stack_push(l->stack, index), 0);
}

/* "-" for nothing, "0d" for a directory of layer 0, "1?" for an implied one of layer 1 … */
static const char *describe(const ob_found *found, char out[8])
{
	if (!found->exists)
		return "-";
	(void)snprintf(out, 8, "%zu%c", found->layer,
		       found->entry ? "?fdlhcbpwo"[found->entry->type] : '?');
	return out;
}

static void assert_at(const layers *l, const char *path, const char *what)
{
	ob_found found = ob_layer_stack_lookup(l->stack, path);
	char text[8];

	if (!ob_str_eq(describe(&found, text), what))
		fail_msg("'%s' is %s and not %s", path, describe(&found, text), what);
}

static int write_down(const char *path, const ob_found *found, void *arg)
{
	char text[8];

	ob_buffer_printf(arg, "%s%s:%s", ((ob_buffer *)arg)->len ? " " : "", path,
			 describe(found, text));
	return 0;
}

static void assert_tree(const layers *l, bool deep, const char *dir, const char *expected)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(65536, "a listing");

	ob_buffer_append_str(&got, "");
	assert_int_equal(
		(deep ? ob_layer_stack_walk : ob_layer_stack_list)(l->stack, dir, write_down, &got),
		0);
	assert_string_equal(got.data, expected);
}

TEST(stack__empty_one_has_a_root)
{
	ob_autodone(layers) l = {.stack = ob_layer_stack_new()};

	assert_at(&l, "", "0?");
	assert_at(&l, "a", "-");
	assert_tree(&l, true, "", "");
}

TEST(stack__upper_entry_wins)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d .", "d etc", "f etc/a", "f etc/b"));
	push(&l, T_INDEX("d etc 0700", "f etc/a"));
	assert_at(&l, "", "0d");
	assert_at(&l, "etc", "1d");
	assert_at(&l, "etc/a", "1f");
	assert_at(&l, "etc/b", "0f");
	assert_at(&l, "etc/c", "-");
	assert_at(&l, "etc/a/x", "-");
	assert_tree(&l, true, "", "etc:1d etc/a:1f etc/b:0f");
}

TEST(stack__implied_parent_takes_its_properties_from_below)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d etc", "f etc/a", "f opt"));
	push(&l, T_INDEX("f etc/b", "f new/deep/x", "f opt/y"));
	assert_at(&l, "etc", "0d");
	assert_at(&l, "new", "1?");
	assert_at(&l, "new/deep", "1?");
	assert_at(&l, "opt", "1?"); /* a file below cannot be it */
	assert_tree(&l, true, "",
		    "etc:0d etc/a:0f etc/b:1f new:1? new/deep:1? new/deep/x:1f opt:1? opt/y:1f");
	assert_tree(&l, false, "", "etc:0d new:1? opt:1?");
}

TEST(stack__whiteout_hides_a_whole_subtree)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d a", "d a/b", "f a/b/c", "f a-", "f z"));
	push(&l, T_INDEX("w a", "w z"));
	assert_at(&l, "a", "-");
	assert_at(&l, "a/b", "-");
	assert_at(&l, "a/b/c", "-");
	assert_at(&l, "a-", "0f");
	assert_at(&l, "z", "-");
	assert_tree(&l, true, "", "a-:0f");
	assert_tree(&l, true, "a", "");
}

TEST(stack__entries_of_the_same_layer_survive_their_whiteout)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d a 0700", "f a/old", "f b"));
	push(&l, T_INDEX("w a", "f a/new", "w b", "d b", "f b/x"));
	assert_at(&l, "a", "1?"); /* the directory below is gone, with its mode */
	assert_at(&l, "a/old", "-");
	assert_at(&l, "a/new", "1f");
	assert_at(&l, "b", "1d");
	assert_tree(&l, true, "", "a:1? a/new:1f b:1d b/x:1f");
}

TEST(stack__opaque_hides_what_is_below_but_not_the_directory)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d a 0700", "f a/old", "d a/sub", "f a/sub/x"));
	push(&l, T_INDEX("o a", "f a/new"));
	push(&l, T_INDEX("f a/sub/y"));
	assert_at(&l, "a", "0d");
	assert_at(&l, "a/old", "-");
	assert_at(&l, "a/new", "1f");
	assert_at(&l, "a/sub", "2?");
	assert_at(&l, "a/sub/x", "-");
	assert_tree(&l, true, "", "a:0d a/new:1f a/sub:2? a/sub/y:2f");
	assert_tree(&l, false, "a", "a/new:1f a/sub:2?");
	assert_tree(&l, false, "a/sub", "a/sub/y:2f");
}

TEST(stack__opaque_root_hides_everything)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d .", "f a", "d b", "f b/c"));
	push(&l, T_INDEX("o .", "f b/d"));
	assert_at(&l, "", "0d");
	assert_at(&l, "a", "-");
	assert_at(&l, "b", "1?");
	assert_at(&l, "b/c", "-");
	assert_tree(&l, true, "", "b:1? b/d:1f");
}

TEST(stack__other_than_a_directory_replaces_the_subtree_for_good)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d a", "f a/old", "d c", "f c/old"));
	push(&l, T_INDEX("f a", "l c /tmp"));
	assert_at(&l, "a", "1f");
	assert_at(&l, "a/old", "-");
	assert_tree(&l, true, "", "a:1f c:1l");
	assert_tree(&l, false, "a", "");
	push(&l, T_INDEX("d a", "f a/new", "f c/new"));
	assert_at(&l, "a", "2d");
	assert_at(&l, "a/old", "-");
	assert_at(&l, "a/new", "2f");
	assert_at(&l, "c", "2?");
	assert_tree(&l, true, "", "a:2d a/new:2f c:2? c/new:2f");
}

TEST(stack__whiteout_in_the_middle_layer)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d a", "f a/x", "f a/y"));
	push(&l, T_INDEX("w a/x"));
	push(&l, T_INDEX("f a/z"));
	push(&l, T_INDEX("f a/x"));
	assert_at(&l, "a", "0d");
	assert_at(&l, "a/x", "3f");
	assert_at(&l, "a/y", "0f");
	assert_tree(&l, true, "", "a:0d a/x:3f a/y:0f a/z:2f");
}

TEST(stack__hard_links_are_their_targets)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("f a", "h b a", "h c b", "h dangling none", "h e f", "h f e"));
	push(&l, T_INDEX("h d a", "f b"));
	ob_found found = ob_layer_stack_lookup(l.stack, "c");
	assert_string_equal(found.entry->path, "a");
	found = ob_layer_stack_lookup(l.stack, "d"); /* into the layer below */
	assert_string_equal(found.entry->path, "a");
	assert_int_equal(found.layer, 0);
	assert_at(&l, "dangling", "0h");
	assert_at(&l, "e", "0h"); /* a loop */
	assert_tree(&l, true, "", "a:0f b:1f c:0f d:0f dangling:0h e:0h f:0h");
}

static void assert_resolves(const layers *l, const char *path, bool follow, const char *to,
			    const char *what)
{
	ob_autofree char *got = NULL;
	ob_found found;
	char text[8];

	ASSERT_OK(ob_layer_stack_resolve(l->stack, path, follow, &got, &found, &t_err));
	assert_string_equal(got, to);
	assert_string_equal(describe(&found, text), what);
}

TEST(stack__resolves_symlinks_inside_the_root)
{
	ob_autodone(layers) l = {.stack = NULL};

	push(&l, T_INDEX("d usr", "d usr/lib", "f usr/lib/x", "l lib usr/lib", "l abs /usr/lib",
			 "l up ../../../usr", "l usr/back ../lib/x", "l gone /nowhere/at/all"));
	assert_resolves(&l, "/", true, "", "0?");
	assert_resolves(&l, "", true, "", "0?");
	assert_resolves(&l, "/lib/x", true, "usr/lib/x", "0f");
	assert_resolves(&l, "lib/x", false, "usr/lib/x", "0f");
	assert_resolves(&l, "/abs", true, "usr/lib", "0d");
	assert_resolves(&l, "/abs", false, "abs", "0l");
	assert_resolves(&l, "/abs/", false, "usr/lib", "0d");
	assert_resolves(&l, "/up/lib/./x", true, "usr/lib/x", "0f");
	assert_resolves(&l, "/usr/back", true, "usr/lib/x", "0f");
	assert_resolves(&l, "/lib/../x", true, "usr/x", "-"); /* ".." is of where the link leads */
	assert_resolves(&l, "/gone", true, "nowhere/at/all", "-");
	assert_resolves(&l, "/gone/more", true, "nowhere/at/all/more", "-");
	assert_resolves(&l, "/new/../../usr//lib/", true, "usr/lib", "0d");
	assert_resolves(&l, "../../usr", true, "usr", "0d");
}

TEST(stack__resolve_ends_loops_and_files)
{
	ob_autodone(layers) l = {.stack = NULL};
	ob_autofree char *got = NULL;
	ob_found found;

	push(&l, T_INDEX("l a b", "l b a", "f file", "l self self/x"));
	ASSERT_ERROR(ob_layer_stack_resolve(l.stack, "/a", true, &got, &found, &t_err),
		     OCIB_ERR_LIMIT, "symbolic links");
	ASSERT_ERROR(ob_layer_stack_resolve(l.stack, "/self", true, &got, &found, &t_err),
		     OCIB_ERR_LIMIT, "symbolic links");
	ASSERT_ERROR(ob_layer_stack_resolve(l.stack, "/file/x", true, &got, &found, &t_err),
		     OCIB_ERR_INVALID, "'/file' is not a directory");
	assert_resolves(&l, "/a", false, "a", "0l");
	assert_null(got);
}

static int stop_at_second(const char *path, const ob_found *found, void *arg)
{
	(void)path;
	(void)found;
	return ++*(int *)arg == 2 ? 42 : 0;
}

TEST(stack__visitor_stops_the_walk)
{
	ob_autodone(layers) l = {.stack = NULL};
	int count = 0;

	push(&l, T_INDEX("f a", "f b", "f c"));
	assert_int_equal(ob_layer_stack_walk(l.stack, "", stop_at_second, &count), 42);
	assert_int_equal(count, 2);
}

/* The plain way: apply the layers one after another to a list of paths. */
#define PATHS 40

typedef struct model {
	const char *paths[PATHS];
	char kinds[PATHS]; /* 0 nothing, 'd', 'f' */
} model;

static void model_remove(model *m, const char *path, bool itself, const ob_layer_index *keep)
{
	(void)keep;
	for (size_t i = 0; i < PATHS && m->paths[i]; i++) {
		if (ob_path_is_below(m->paths[i], path) &&
		    (itself || !ob_str_eq(m->paths[i], path)))
			m->kinds[i] = 0;
	}
}

static void model_set(model *m, const char *path, char kind)
{
	for (size_t i = 0; i < PATHS && m->paths[i]; i++) {
		if (ob_str_eq(m->paths[i], path))
			m->kinds[i] = kind;
		else if (ob_path_is_below(path, m->paths[i]) && m->paths[i][0])
			m->kinds[i] = 'd';
	}
}

static void model_apply(model *m, const ob_layer_index *index)
{
	/* Marks speak of the layers below only: first all of them, then what the layer has. */
	for (size_t i = 0; i < index->len; i++) {
		const ob_entry *e = &index->entries[i];

		if (ob_entry_is_mark(e))
			model_remove(m, e->path, e->type == OB_ENTRY_WHITEOUT, index);
		else if (e->type != OB_ENTRY_DIR)
			model_remove(m, e->path, true, index);
	}
	for (size_t i = 0; i < index->len; i++) {
		const ob_entry *e = &index->entries[i];
		size_t parent = ob_path_parent_len(e->path);
		ob_autofree char *dir = strndup(e->path, parent);

		if (!ob_entry_is_mark(e))
			model_set(m, e->path, e->type == OB_ENTRY_DIR ? 'd' : 'f');
		else if (e->type == OB_ENTRY_OPAQUE || parent)
			model_set(m, e->type == OB_ENTRY_OPAQUE ? e->path : dir, 'd');
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static ob_layer_index *random_layer(uint32_t *state, const model *m, size_t count)
{
	for (;;) {
		ob_auto(ob_layer_index) index = ob_layer_index_new();
		size_t entries = 1 + next_random(state) % 6;

		for (size_t i = 0; i < entries; i++) {
			static const char letters[] = "ddffwo";
			ob_autofree char *spec =
				ob_str_printf("%c %s", letters[next_random(state) % 6],
					      m->paths[next_random(state) % count]);
			ob_autofree char *content = NULL;
			ob_entry entry;

			t_parse_entry(spec, &entry, &content);
			entry.tar_offset = i;
			assert_int_equal(ob_layer_index_take(index, &entry), 0);
		}
		if (ob_layer_index_settle(index, NULL) == OCIB_OK)
			return ob_take_ptr(index);
	}
}

typedef struct expectation {
	const model *m;
	size_t next, count;
} expectation;

static int compare_with_model(const char *path, const ob_found *found, void *arg)
{
	expectation *e = arg;

	while (e->next < e->count && !e->m->kinds[e->next])
		e->next++;
	assert_true(e->next < e->count);
	assert_string_equal(path, e->m->paths[e->next]);
	assert_int_equal(!found->entry || found->entry->type == OB_ENTRY_DIR,
			 e->m->kinds[e->next] == 'd');
	e->next++;
	return 0;
}

TEST(stack__agrees_with_layers_applied_one_by_one)
{
	model m = {.paths = {"a", "a/a", "a/a/a", "a/a/b", "a/b", "a/b/a", "a/b/b", "a/b/b/a", "a-",
			     "a-/a", "b", "b/a", "b/a/a", "b/a/a/a", "b/b", "b/b/a", "c", "c/a"}};
	size_t count = 18;
	uint32_t state = 1;

	for (int round = 0; round < 3000; round++) {
		ob_autodone(layers) l = {.stack = NULL};
		size_t depth = 1 + next_random(&state) % LAYERS;

		memset(m.kinds, 0, sizeof(m.kinds));
		for (size_t i = 0; i < depth; i++) {
			push(&l, random_layer(&state, &m, count));
			model_apply(&m, l.indexes[i]);
		}
		expectation e = {.m = &m, .count = count};
		assert_int_equal(ob_layer_stack_walk(l.stack, "", compare_with_model, &e), 0);
		for (; e.next < count; e.next++)
			assert_int_equal(m.kinds[e.next], 0);
		for (size_t i = 0; i < count; i++) {
			ob_found found = ob_layer_stack_lookup(l.stack, m.paths[i]);
			bool is_dir = !found.entry || found.entry->type == OB_ENTRY_DIR;

			assert_int_equal(found.exists, m.kinds[i] != 0);
			if (found.exists)
				assert_int_equal(is_dir, m.kinds[i] == 'd');
		}
	}
}

static int count_visit(const char *path, const ob_found *found, void *arg)
{
	(void)path;
	(void)found;
	++*(size_t *)arg;
	return 0;
}

TEST(stack__wide_directory_over_many_layers_is_listed_once_through)
{
	ob_auto(ob_layer_stack) stack = ob_layer_stack_new();
	ob_layer_index *indexes[20];
	size_t count = 0;

	for (size_t i = 0; i < 20; i++) {
		indexes[i] = ob_layer_index_new();
		for (size_t k = i; k < 100000; k += i ? 20 : 1) {
			ob_entry entry = {.path = ob_str_printf("d/%06zu", k),
					  .type = OB_ENTRY_FILE};

			assert_int_equal(ob_layer_index_take(indexes[i], &entry), 0);
		}
		assert_int_equal(ob_layer_stack_push(stack, indexes[i]), 0);
	}
	assert_int_equal(ob_layer_stack_list(stack, "d", count_visit, &count), 0);
	assert_int_equal(count, 100000);
	count = 0;
	assert_int_equal(ob_layer_stack_walk(stack, "", count_visit, &count), 0);
	assert_int_equal(count, 100001);
	for (size_t i = 0; i < 20; i++)
		ob_layer_index_free(indexes[i]);
}
