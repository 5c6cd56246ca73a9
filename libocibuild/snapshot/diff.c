/* snapshot/diff.c — what a step changed, read from overlayfs's upper directory.
 *
 * The upper directory is walked in the order that a layer has. An entry is written when it is new or
 * differs from what lies below; a directory above it is written before it, as the upper directory has
 * it, and a directory with nothing written in it only when it differs itself. What is linked several
 * times in the upper directory was linked by this step: all its names are written, the first with the
 * content, so that they are one file again wherever the layer is unpacked.
 */
#include "snapshot/diff.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/strings.h"
#include "base/strlist.h"
#include "snapshot/diff_entry.h"
#include "snapshot/diff_lower.h"

typedef struct diff {
	const ob_diff_options *options;
	ob_layer_writer *writer;
	ob_map *links; /* inode number to the path it was first written with */
} diff;

static void diff_done(diff *d)
{
	d->links = ob_map_free(d->links);
}

/* A directory of the upper tree, on the way from the root to where the walk is. */
typedef struct level {
	struct level *parent;
	int fd;
	unsigned depth;
	ob_entry entry;
	bool is_written;
	ob_lower lower;
} level;

static void level_done(level *l)
{
	ob_closep(&l->fd);
	ob_entry_done(&l->entry);
	ob_lower_done(&l->lower);
}

static ocib_errc write_parents(diff *d, level *l, ocib_error **err)
{
	if (l->is_written)
		return OCIB_OK;
	ocib_errc r = write_parents(d, l->parent, err);
	if (r < 0)
		return r;
	l->is_written = true;
	return ob_layer_writer_add(d->writer, &l->entry, NULL, err);
}

static bool is_skipped(const diff *d, const char *path)
{
	for (size_t i = 0; i < d->options->skip_count; i++)
		if (ob_str_eq(d->options->skip[i], path))
			return true;
	return false;
}

static ocib_errc write_mark(diff *d, level *l, const char *path, ob_entry_type type,
			    ocib_error **err)
{
	ob_autodone(ob_entry) mark = {.path = strdup(path), .type = type};

	if (!mark.path)
		return ob_fail_nomem(err);
	ocib_errc r = write_parents(d, l, err);
	return r < 0 ? r : ob_layer_writer_add(d->writer, &mark, NULL, err);
}

/* The second and later names of a file refer to the first. */
static ocib_errc make_link(diff *d, const struct stat *st, ob_entry *entry, ocib_error **err)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%" PRIu64, (uint64_t)st->st_ino);
	const char *first = ob_map_get(d->links, key);
	char *copy = strdup(first ? first : entry->path);
	if (!copy)
		return ob_fail_nomem(err);
	if (!first && ob_map_set(d->links, key, copy) < 0) {
		free(copy);
		return ob_fail_nomem(err);
	}
	if (!first)
		return OCIB_OK;
	free(entry->link);
	entry->link = copy;
	entry->type = OB_ENTRY_HARDLINK;
	entry->size = 0;
	return OCIB_OK;
}

static ocib_errc diff_file(diff *d, level *l, const char *name, const struct stat *st,
			   ob_entry *entry, const ob_lower *lower, ocib_error **err)
{
	ob_autofd int fd = -1;
	bool is_same = false;

	if (S_ISREG(st->st_mode)) {
		fd = openat(l->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return ob_fail_errno(err, "open '%s'", entry->path);
	}
	ocib_errc r = ob_diff_entry_read(fd, l->fd, name, st, entry, err);
	if (r < 0 || !entry->type)
		return r;
	if (st->st_nlink == 1)
		r = ob_lower_is_same(d->options, lower, entry->path, st, entry, fd, &is_same, err);
	else
		r = make_link(d, st, entry, err);
	if (r < 0 || is_same)
		return r;
	r = write_parents(d, l, err);
	if (r < 0)
		return r;
	if (entry->type != OB_ENTRY_FILE || !entry->size)
		return ob_layer_writer_add(d->writer, entry, NULL, err);
	return ob_layer_writer_add_fd(d->writer, entry, fd, err);
}

static ocib_errc diff_children(diff *d, level *l, ocib_error **err);

static ocib_errc diff_dir(diff *d, level *parent, const char *name, const struct stat *st,
			  ob_entry *entry, ob_lower *lower, ocib_error **err)
{
	ob_autodone(level) l = {.parent = parent, .depth = parent->depth + 1, .entry = *entry};
	bool is_same = false;

	l.lower = *lower;
	*entry = (ob_entry){0};
	*lower = (ob_lower){0};
	l.fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l.fd < 0)
		return ob_fail_errno(err, "open '%s'", l.entry.path);
	if (l.depth > OB_LIMIT_PATH_DEPTH)
		return ob_fail(err, OCIB_ERR_LIMIT, "directories are nested more than %d deep",
			       OB_LIMIT_PATH_DEPTH);
	ocib_errc r = ob_diff_entry_read(l.fd, parent->fd, name, st, &l.entry, err);
	if (r == OCIB_OK && l.lower.exists)
		r = ob_lower_is_same(d->options, &l.lower, l.entry.path, st, &l.entry, l.fd,
				     &is_same, err);
	bool is_opaque = l.lower.dir_count > 0 && ob_dir_is_opaque(l.fd, d->options->userxattr);
	if (r == OCIB_OK && (is_opaque || (!is_same && !is_skipped(d, l.entry.path))))
		r = write_parents(d, &l, err);
	if (r == OCIB_OK && is_opaque) {
		r = write_mark(d, &l, l.entry.path, OB_ENTRY_OPAQUE, err);
		ob_lower_done(&l.lower);
	}
	return r < 0 ? r : diff_children(d, &l, err);
}

static ocib_errc diff_child(diff *d, level *l, const char *name, ocib_error **err)
{
	ob_autodone(ob_entry) entry = {0};
	ob_autodone(ob_lower) lower = {0};
	struct stat st;

	entry.path = *l->entry.path ? ob_str_printf("%s/%s", l->entry.path, name) : strdup(name);
	if (!entry.path)
		return ob_fail_nomem(err);
	if (d->options->check && d->options->check(d->options->arg))
		return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "stat '%s'", entry.path);
	ocib_errc r = ob_lower_find(d->options, &l->lower, entry.path, &lower, err);
	if (r < 0)
		return r;
	if (ob_stat_is_whiteout(&st))
		return lower.exists ? write_mark(d, l, entry.path, OB_ENTRY_WHITEOUT, err)
				    : OCIB_OK;
	if (S_ISDIR(st.st_mode))
		return diff_dir(d, l, name, &st, &entry, &lower, err);
	if (is_skipped(d, entry.path))
		return OCIB_OK;
	return diff_file(d, l, name, &st, &entry, &lower, err);
}

static ocib_errc list_names(int fd, ob_strlist *names, ocib_error **err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autodir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *one;

	if (!dir) {
		ocib_errc r = ob_fail_errno(err, "read directory");

		ob_closep(&copy);
		return r;
	}
	while (errno = 0, (one = readdir(dir))) {
		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, ".."))
			continue;
		if (ob_strlist_add(names, one->d_name) < 0)
			return ob_fail_nomem(err);
	}
	if (errno)
		return ob_fail_errno(err, "read directory");
	ob_strlist_sort(names);
	return OCIB_OK;
}

static ocib_errc diff_children(diff *d, level *l, ocib_error **err)
{
	ob_autodone(ob_strlist) names = {0};
	ocib_errc r = list_names(l->fd, &names, err);

	if (r < 0)
		return ob_wrap(err, r, "changes in '/%s'", l->entry.path);
	for (size_t i = 0; i < names.len && r == OCIB_OK; i++)
		r = diff_child(d, l, names.items[i], err);
	return r;
}

ocib_errc ob_snapshot_diff(int upper_fd, const ob_diff_options *options, ob_layer_writer *writer,
			   ocib_error **err)
{
	ob_autodone(diff) d = {.options = options, .writer = writer, .links = ob_map_new(free)};
	/* The root counts as written: what it is like is not for a layer to say. */
	ob_autodone(level) root = {.is_written = true, .fd = -1};

	root.entry.path = strdup("");
	root.fd = fcntl(upper_fd, F_DUPFD_CLOEXEC, 0);
	if (!d.links || !root.entry.path)
		return ob_fail_nomem(err);
	if (root.fd < 0)
		return ob_fail_errno(err, "open the upper directory");
	ocib_errc r = ob_lower_root(options, &root.lower, err);
	return r < 0 ? r : diff_children(&d, &root, err);
}
