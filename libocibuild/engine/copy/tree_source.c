/* engine/copy/tree_source.c — the tree of an image or a stage as a source: metadata from layer indexes.
 *
 * Links and attributes are borrowed from the indexes, which the tree keeps. Contents are read only when
 * they are written, in tar order where the order of the layer allows.
 */
#include <string.h>
#include "base/arena.h"
#include "base/buffer.h"
#include "base/paths.h"
#include "base/strings.h"
#include "base/strlist.h"
#include "engine/copy/copy_source.h"

typedef struct tree_source {
	ob_copy_source_reader base;
	ob_tree *tree;
	const ob_layer_stack *stack; /* the tree's */
	ob_tree_reader *reader;      /* made when the first content is read */
	ob_arena texts;              /* paths of all files that were handed out */
} tree_source;

/* All but the path. A directory that no layer describes is as an unpacker makes it. */
static void fill_from_found(ob_copy_file *file, const ob_found *found)
{
	const ob_entry *entry = found->entry;

	file->found = *found;
	file->type = entry ? entry->type : OB_ENTRY_DIR;
	file->mode = entry ? entry->mode : 0755;
	if (!entry)
		return;
	file->uid = entry->uid;
	file->gid = entry->gid;
	file->size = entry->type == OB_ENTRY_FILE ? entry->size : 0;
	file->mtime_sec = entry->mtime_sec;
	file->dev_major = entry->dev_major;
	file->dev_minor = entry->dev_minor;
	file->link = entry->link;
	file->xattrs = entry->xattrs;
	file->xattr_count = entry->xattr_count;
	file->has_digest = entry->has_digest;
	memcpy(file->digest, entry->digest, sizeof(file->digest));
}

static ocib_errc make_file(ob_arena *texts, const char *path, const ob_found *found,
			   ob_copy_file *out, ocib_error **err)
{
	*out = (ob_copy_file){0};
	if (!found->exists)
		return OCIB_OK;
	/* A hard link to what no layer has: a broken image. */
	if (found->entry && found->entry->type == OB_ENTRY_HARDLINK)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "'/%s' is a hard link to '/%s', which is not there", path,
			       found->entry->link);
	out->path = ob_arena_text(texts, path, strlen(path));
	if (!out->path)
		return ob_fail_nomem(err);
	fill_from_found(out, found);
	return OCIB_OK;
}

static ocib_errc tree_lookup(ob_copy_source_reader *self, const char *path, ob_copy_file *out,
			     ocib_error **err)
{
	tree_source *source = (tree_source *)self;
	ob_found found = ob_layer_stack_lookup(source->stack, path);

	return make_file(&source->texts, path, &found, out, err);
}

typedef struct tree_walk {
	ob_arena *texts;
	ob_source_visit visit;
	void *arg;
	ob_buffer skipped; /* a directory whose content is not wanted; with a '/' behind it */
	ocib_errc failed;
	ocib_error **err;
} tree_walk;

static int visit_found(const char *path, const ob_found *found, void *arg)
{
	tree_walk *w = arg;
	ob_autodone(ob_copy_file) file = {0};
	ob_walk_next next = OB_WALK_ENTER;

	if (w->skipped.len && strncmp(path, w->skipped.data, w->skipped.len) == 0)
		return 0;
	w->failed = make_file(w->texts, path, found, &file, w->err);
	if (!w->failed)
		w->failed = w->visit(w->arg, &file, &next, w->err);
	if (w->failed || next == OB_WALK_STOP)
		return 1;
	if (next == OB_WALK_SKIP) {
		ob_buffer_clear(&w->skipped);
		ob_buffer_printf(&w->skipped, "%s/", path);
		w->failed = ob_buffer_check(&w->skipped, w->err);
	}
	return w->failed ? 1 : 0;
}

static ocib_errc tree_walk_below(ob_copy_source_reader *self, const char *dir, bool eager,
				 ob_source_visit visit, void *arg, ocib_error **err)
{
	tree_source *source = (tree_source *)self;
	(void)eager; /* the indexes are in memory */
	ob_autodone(ob_buffer) skipped = OB_BUFFER_INIT(SIZE_MAX - 1, "a path");
	tree_walk w = {.texts = &source->texts,
		       .visit = visit,
		       .arg = arg,
		       .skipped = skipped,
		       .err = err};
	int r = ob_layer_stack_walk(source->stack, dir, visit_found, &w);

	skipped = w.skipped;
	if (w.failed)
		return w.failed;
	return r < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc tree_write(ob_copy_source_reader *self, ob_copy_file *file, const ob_entry *entry,
			    ob_layer_writer *writer, ocib_error **err)
{
	tree_source *source = (tree_source *)self;
	ob_reader *content = NULL;
	ocib_errc r = OCIB_OK;

	if (!file->size)
		return ob_layer_writer_add(writer, entry, NULL, err);
	if (!source->reader)
		r = ob_tree_reader_new(source->tree, &source->reader, err);
	if (!r)
		r = ob_tree_reader_open(source->reader, &file->found, &content, err);
	return r ? r : ob_layer_writer_add(writer, entry, content, err);
}

static int collect_name(const char *path, const ob_found *found, void *arg)
{
	(void)found;
	return ob_strlist_add(arg, ob_path_base(path));
}

static void tree_explain(ob_copy_source_reader *self, const char *path, ocib_error **err)
{
	const tree_source *source = (const tree_source *)self;
	ob_autodone(ob_strlist) names = {0};
	ob_autofree char *parent = strndup(path, ob_path_parent_len(path));

	if (!parent || ob_layer_stack_list(source->stack, parent, collect_name, &names) < 0)
		return;
	const char *nearest =
		ob_nearest(ob_path_base(path), (const char *const *)names.items, names.len);
	if (nearest)
		ob_error_set_hint(err, "did you mean '/%s%s%s'?", parent, *parent ? "/" : "",
				  nearest);
}

static void tree_destroy(ob_copy_source_reader *self)
{
	tree_source *source = (tree_source *)self;

	ob_tree_reader_free(source->reader);
	ob_arena_done(&source->texts);
	ob_tree_free(source->tree);
	free(source);
}

ocib_errc ob_tree_source_new(ob_tree *tree, ob_copy_source_reader **out, ocib_error **err)
{
	static const ob_copy_source_ops ops = {
		tree_lookup, tree_walk_below, tree_write, tree_explain, tree_destroy,
	};
	tree_source *source = calloc(1, sizeof(*source));

	if (!source)
		return ob_fail_nomem(err);
	source->base.ops = &ops;
	ob_auto(ob_copy_source_reader) owned = &source->base;
	source->tree = ob_tree_ref(tree);
	ocib_errc r = ob_tree_stack(tree, &source->stack, err);
	if (r)
		return r;
	*out = ob_take_ptr(owned);
	return OCIB_OK;
}
