/* engine/transfer/import_tree.c — one pass over a tarball, whatever order it has.
 *
 * A layer has its entries sorted, a tarball as they were found. So the tar is read once to list it,
 * and content is read again in the layer's order: from the tar itself where it is a plain file,
 * else from a spool, a file without a name that the content goes through.
 *
 * Hard links: in a tar the first name that came holds the content; in a layer it must be the first
 * in order. Names of one file are therefore a group, and its first name in order gets the content.
 * Of a name that comes twice the later one counts, as unpacking has it.
 */
#include "engine/transfer/import_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/paths.h"
#include "layer/tar_reader.h"

/* In data_offset of an entry: the rest is a place in the spool, not in the input. */
#define IN_SPOOL (1ULL << 63)

/* One member of the tar. */
typedef struct member {
	ob_entry entry;
	size_t group; /* index of the member that holds the content; itself for most */
	size_t first; /* of a group's holder: the live member whose path is first, plus 1 */
	bool is_linked;
} member;

typedef struct listing {
	ocib_context *ctx;
	ob_import_tree *tree;
	member *items;
	size_t len, cap;
	ob_map *by_path; /* path → index + 1 of the newest member of that name */
} listing;

static void listing_done(listing *list)
{
	for (size_t i = 0; i < list->len; i++)
		ob_entry_done(&list->items[i].entry);
	free(list->items);
	ob_map_free(list->by_path);
}

void ob_import_tree_done(ob_import_tree *tree)
{
	ob_layer_index_free(tree->index);
	if (tree->spool >= 0)
		(void)close(tree->spool);
}

/* ---- Reading. ---- */

static ocib_errc spool_content(ob_import_tree *tree, ob_store *store, ob_tar_reader *tar,
			       ob_entry *entry, ocib_error **err)
{
	ob_auto(ob_writer) to = NULL;
	uint64_t copied = 0;

	if (tree->spool < 0)
		tree->spool =
			openat(ob_store_dirfd(store), "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (tree->spool < 0)
		return ob_fail_errno(err, "a temporary file in '%s/tmp'", ob_store_path(store));
	ocib_errc rc = ob_writer_open_fd(tree->spool, &to, err);
	if (!rc)
		rc = ob_stream_copy(ob_tar_reader_content(tar), to, &copied, err);
	if (rc)
		return rc;
	entry->data_offset = IN_SPOOL | tree->spooled;
	tree->spooled += copied;
	return copied == entry->size ? OCIB_OK
				     : ob_fail(err, OCIB_ERR_CORRUPT,
					       "'%s' ends before its content", entry->path);
}

static ocib_errc grow(listing *list, ocib_error **err)
{
	size_t cap = list->cap ? 2 * list->cap : 1024;
	member *items;

	if (list->len < list->cap)
		return OCIB_OK;
	if (list->len == OB_LIMIT_LAYER_ENTRIES)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d entries", OB_LIMIT_LAYER_ENTRIES);
	items = realloc(list->items, cap * sizeof(*items));
	if (!items)
		return ob_fail_nomem(err);
	list->items = items;
	list->cap = cap;
	return OCIB_OK;
}

static ocib_errc join_group(listing *list, member *one, ocib_error **err)
{
	size_t target = (uintptr_t)ob_map_get(list->by_path, one->entry.link);

	if (!target)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "'%s' is a hard link to '%s', which did not come before",
			       one->entry.path, one->entry.link);
	one->group = list->items[target - 1].group;
	one->is_linked = true;
	list->items[one->group].is_linked = true;
	return OCIB_OK;
}

static ocib_errc add_member(listing *list, ob_store *store, ob_tar_reader *tar,
			    const ob_entry *entry, ocib_error **err)
{
	ocib_errc rc = grow(list, err);

	if (rc)
		return rc;
	member *one = &list->items[list->len];
	*one = (member){.group = list->len};
	if (ob_entry_copy(&one->entry, entry))
		return ob_fail_nomem(err);
	list->len++;
	ob_entry_normalize_capability(&one->entry);
	bool has_content = entry->type == OB_ENTRY_FILE && entry->size;
	if (has_content && !(list->tree->is_plain && entry->data_offset))
		rc = spool_content(list->tree, store, tar, &one->entry, err);
	else if (entry->type == OB_ENTRY_HARDLINK)
		rc = join_group(list, one, err);
	/* A mark takes no name away from what is in the same tar. */
	if (!rc && !ob_entry_is_mark(entry) &&
	    ob_map_set(list->by_path, one->entry.path, (void *)(uintptr_t)list->len))
		return ob_fail_nomem(err);
	return rc;
}

static ocib_errc read_members(listing *list, ob_store *store, ob_tar_reader *tar, ocib_error **err)
{
	const ob_entry *entry = NULL;

	for (;;) {
		ocib_errc rc = ob_check_canceled(list->ctx, err);
		if (!rc)
			rc = ob_tar_reader_next(tar, &entry, err);
		if (rc || !entry)
			return rc;
		rc = add_member(list, store, tar, entry, err);
		if (rc)
			return rc;
	}
}

/* ---- Sorting out. ---- */

static bool is_live(const listing *list, size_t i)
{
	const ob_entry *entry = &list->items[i].entry;

	return ob_entry_is_mark(entry) ||
	       (uintptr_t)ob_map_get(list->by_path, entry->path) == i + 1;
}

/* For each group the live member that is first in order. */
static void find_first_names(listing *list)
{
	for (size_t i = 0; i < list->len; i++) {
		member *holder = &list->items[list->items[i].group];

		if (!list->items[i].is_linked || !is_live(list, i))
			continue;
		if (!holder->first ||
		    ob_path_compare(list->items[i].entry.path,
				    list->items[holder->first - 1].entry.path) < 0)
			holder->first = i + 1;
	}
}

/* What the holder is, under another path. */
static int copy_as(const ob_entry *holder, const char *path, ob_entry *out)
{
	if (ob_entry_copy(out, holder))
		return -1;
	free(out->path);
	out->path = strdup(path);
	return out->path ? 0 : -1;
}

/*
 * What member @p i is in the layer: itself, the holder under its name, or a link to the
 * first name.
 */
static int make_entry(const listing *list, size_t i, ob_entry *out)
{
	const member *one = &list->items[i], *holder = &list->items[one->group];

	if (!one->is_linked)
		return ob_entry_copy(out, &one->entry);
	if (holder->first == i + 1)
		return copy_as(&holder->entry, one->entry.path, out);
	if (copy_as(&holder->entry, one->entry.path, out))
		return -1;
	out->type = OB_ENTRY_HARDLINK;
	out->size = out->data_offset = 0;
	free(out->link);
	out->link = strdup(list->items[holder->first - 1].entry.path);
	return out->link ? 0 : -1;
}

static ocib_errc settle(listing *list, ocib_error **err)
{
	ob_import_tree *tree = list->tree;

	tree->index = ob_layer_index_new();
	if (!tree->index)
		return ob_fail_nomem(err);
	find_first_names(list);
	for (size_t i = 0; i < list->len; i++) {
		ob_entry entry = {0};

		if (!is_live(list, i))
			continue;
		if (make_entry(list, i, &entry) || ob_layer_index_take(tree->index, &entry)) {
			ob_entry_done(&entry);
			return ob_fail_nomem(err);
		}
	}
	return ob_layer_index_settle(tree->index, err);
}

/* ---- The whole. ---- */

/* Is it a file, read from its start, whose first bytes are not those of a packed one? */
static bool is_plain_tar(int fd)
{
	char head[512];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0 &&
	       ob_pread_full(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       !memcmp(head + 257, "ustar", 5);
}

static ocib_errc read_tree(listing *list, ob_store *store, int fd, const char *name,
			   ocib_error **err)
{
	const ob_tar_reader_options options = {.strict = true,
					       .whiteouts = true,
					       .any_archive = !list->tree->is_plain,
					       .what = name};
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) tar = NULL;

	ocib_errc rc = ob_reader_open_fd(fd, &input, err);
	if (!rc)
		rc = ob_tar_reader_open(input, &options, &tar, err);
	if (!rc)
		rc = read_members(list, store, tar, err);
	return rc ? rc : settle(list, err);
}

ocib_errc ob_import_tree_read(ocib_context *ctx, ob_store *store, int fd, const char *name,
			      ob_import_tree *out, ocib_error **err)
{
	*out = (ob_import_tree){.input = fd, .spool = -1, .is_plain = is_plain_tar(fd)};
	ob_autodone(listing) list = {.ctx = ctx, .tree = out, .by_path = ob_map_new(NULL)};

	return list.by_path ? read_tree(&list, store, fd, name, err) : ob_fail_nomem(err);
}

ocib_errc ob_import_tree_content(const ob_import_tree *tree, const ob_entry *entry, ob_reader **out,
				 ocib_error **err)
{
	bool spooled = entry->data_offset & IN_SPOOL;

	return ob_reader_open_range(spooled ? tree->spool : tree->input, false,
				    entry->data_offset & ~IN_SPOOL, entry->size, out, err);
}
