/* engine/build/rootfs_write.c — a tree's files in an order that reads each layer once.
 *
 * The merged view lists paths in order, the layers have contents in theirs, and a layer that is one
 * gzip stream can only be read from the beginning. So the view is walked for names, and files are sorted by
 * where their content is. Names of one file then stand side by side: the first is written, the others are
 * links to it.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/rootfs_sink.h"

typedef struct rootfs_file {
	char *path;
	ob_found found;
} rootfs_file;

typedef struct rootfs {
	ocib_context *ctx;
	ob_rootfs_sink *sink;
	const char *folder; /* or NULL */
	rootfs_file *files;
	size_t count, cap;
	ocib_errc result;
	ocib_error *err;
} rootfs;

static void rootfs_done(rootfs *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->files[i].path);
	free(r->files);
	(void)ocib_error_free(r->err);
}

/* Where something of the tree is written. */
static char *place_of(const rootfs *r, const char *path)
{
	return r->folder ? ob_str_printf("%s/%s", r->folder, path) : strdup(path);
}

static ocib_errc add_file(rootfs *r, const char *path, const ob_found *found, ocib_error **err)
{
	if (r->count == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		rootfs_file *grown = reallocarray(r->files, cap, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		r->files = grown;
		r->cap = cap;
	}
	char *copy = place_of(r, path);
	if (!copy)
		return ob_fail_nomem(err);
	r->files[r->count++] = (rootfs_file){copy, *found};
	return OCIB_OK;
}

/* An entry under another path: all else is borrowed, so it is not to be freed. */
static ob_entry renamed(const ob_entry *entry, char *path)
{
	ob_entry copy = *entry;

	copy.path = path;
	return copy;
}

static ocib_errc visit_one(rootfs *r, const char *path, const ob_found *found, ocib_error **err)
{
	static const ob_entry parent = {.type = OB_ENTRY_DIR, .mode = 0755};
	ob_autofree char *copy = place_of(r, path);

	if (!copy)
		return ob_fail_nomem(err);
	if (found->entry && found->entry->type == OB_ENTRY_FILE)
		return add_file(r, path, found, err);
	const ob_entry entry = renamed(found->entry ? found->entry : &parent, copy);
	return r->sink->ops->add(r->sink, &entry, NULL, err);
}

static int visit(const char *path, const ob_found *found, void *arg)
{
	rootfs *r = arg;

	r->result = ob_check_canceled(r->ctx, &r->err);
	if (r->result == OCIB_OK)
		r->result = visit_one(r, path, found, &r->err);
	return r->result < 0 ? 1 : 0;
}

static int compare_places(const void *a, const void *b)
{
	const rootfs_file *x = a, *y = b;
	uint64_t at_x = x->found.entry->tar_offset, at_y = y->found.entry->tar_offset;

	if (x->found.layer != y->found.layer)
		return x->found.layer < y->found.layer ? -1 : 1;
	if (at_x != at_y)
		return at_x < at_y ? -1 : 1;
	return strcmp(x->path, y->path);
}

static ocib_errc write_file(rootfs *r, ob_tree_reader *reader, const rootfs_file *file,
			    ocib_error **err)
{
	const ob_entry entry = renamed(file->found.entry, file->path);
	ob_reader *content = NULL;

	if (entry.size) {
		ocib_errc rc = ob_tree_reader_open(reader, &file->found, &content, err);
		if (rc < 0)
			return rc;
	}
	return r->sink->ops->add(r->sink, &entry, content, err);
}

static ocib_errc write_link(rootfs *r, const rootfs_file *file, const rootfs_file *first,
			    ocib_error **err)
{
	ob_entry entry = renamed(file->found.entry, file->path);

	entry.type = OB_ENTRY_HARDLINK;
	entry.link = first->path;
	entry.size = 0;
	return r->sink->ops->add(r->sink, &entry, NULL, err);
}

static ocib_errc write_files(rootfs *r, ob_tree *tree, ocib_error **err)
{
	ob_auto(ob_tree_reader) reader = NULL;
	const rootfs_file *first = NULL;

	if (r->count)
		qsort(r->files, r->count, sizeof(*r->files), compare_places);
	ocib_errc rc = ob_tree_reader_new(tree, &reader, err);
	for (size_t i = 0; i < r->count && rc == OCIB_OK; i++) {
		const rootfs_file *file = &r->files[i];

		rc = ob_check_canceled(r->ctx, err);
		if (rc < 0)
			break;
		if (first && first->found.entry == file->found.entry) {
			rc = write_link(r, file, first, err);
		} else {
			rc = write_file(r, reader, file, err);
			first = file;
		}
	}
	return rc;
}

static ocib_errc add_folder(const rootfs *r, ocib_error **err)
{
	ob_autofree char *path = strdup(r->folder);
	const ob_entry entry = {.type = OB_ENTRY_DIR, .mode = 0755, .path = path};

	return path ? r->sink->ops->add(r->sink, &entry, NULL, err) : ob_fail_nomem(err);
}

ocib_errc ob_rootfs_write(ocib_context *ctx, ob_tree *tree, const char *folder,
			  ob_rootfs_sink *sink, ocib_error **err)
{
	__attribute__((cleanup(rootfs_done))) rootfs r = {
		.ctx = ctx,
		.sink = sink,
		.folder = folder,
	};
	const ob_layer_stack *stack = NULL;

	ocib_errc rc = ob_tree_stack(tree, &stack, err);
	if (rc == OCIB_OK && folder)
		rc = add_folder(&r, err);
	if (rc < 0)
		return rc;
	if (ob_layer_stack_walk(stack, "", visit, &r) != 0)
		return r.result < 0 ? ob_error_move(err, &r.err) : ob_fail_nomem(err);
	return write_files(&r, tree, err);
}
