/* snapshot/diff.c — an overlay's upper directory as layer entries, in order.
 *
 * The upper is walked with its names sorted, and along with it the lower directories that it covers
 * (lower_dirs.h). What differs from the lower layers becomes an entry; what was only copied up does
 * not. Directories above an entry become entries too, as they are in the upper, right before it: so a
 * directory that is in the upper but has no change of its own and none below leaves no trace.
 *
 * Sameness is BuildKit's: kind, mode, owner, device and capabilities; and for what is no directory size
 * and time, and the content where both times have no fraction of a second.
 */
#include "snapshot/diff.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/paths.h"
#include "base/strings.h"
#include "snapshot/entry_read.h"
#include "snapshot/lower_dirs.h"

/* A directory on the way down; its entry is written when something below it is, at the latest. */
typedef struct level {
	struct level *above;
	const char *path; /* entry path; "" for the root */
	int fd;
	struct stat st;
	bool written;
} level;

typedef struct diff_state {
	const ob_diff_options *options;
	ob_layer_writer *writer;
	ob_map *links; /* "device:inode" of files with several names → path of the first */
} diff_state;

static bool is_skipped(const diff_state *s, const char *path)
{
	for (size_t i = 0; i < s->options->skip_count; i++)
		if (ob_str_eq(s->options->skip[i], path))
			return true;
	return false;
}

/* --- writing entries --- */

static ocib_errc write_level(diff_state *s, level *dir, ocib_error **err)
{
	ob_autodone(ob_entry) entry = {0};
	ocib_errc r;

	if (!dir || dir->written || !dir->path[0])
		return OCIB_OK;
	r = write_level(s, dir->above, err);
	if (r == OCIB_OK)
		r = ob_entry_read_dir(dir->fd, dir->path, &dir->st, &entry, err);
	if (r == OCIB_OK)
		r = ob_layer_writer_add(s->writer, &entry, NULL, err);
	dir->written = r == OCIB_OK;
	return r;
}

/* A mark of its own kind for a path: a whiteout, or an opaque directory. */
static ocib_errc write_mark(diff_state *s, level *dir, ob_entry_type type, const char *path,
			    ocib_error **err)
{
	ob_autodone(ob_entry) entry = {.type = type, .path = strdup(path)};
	ocib_errc r;

	if (!entry.path)
		return ob_fail_nomem(err);
	r = write_level(s, dir, err);
	return r == OCIB_OK ? ob_layer_writer_add(s->writer, &entry, NULL, err) : r;
}

/* The first name of a file with several is the file, the others are links to it. */
static ocib_errc find_first_name(diff_state *s, const char *path, const struct stat *st,
				 const char **first, ocib_error **err)
{
	char key[64];
	char *kept;

	*first = NULL;
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return OCIB_OK;
	(void)snprintf(key, sizeof(key), "%jx:%jx", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
	*first = ob_map_get(s->links, key);
	if (*first)
		return OCIB_OK;
	kept = strdup(path);
	if (!kept || ob_map_set(s->links, key, kept) < 0) {
		free(kept);
		return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc write_hard_link(diff_state *s, const char *path, const char *first,
				 const struct stat *st, ocib_error **err)
{
	ob_autodone(ob_entry) entry = {0};

	ob_entry_from_stat(&entry, st);
	entry.type = OB_ENTRY_HARDLINK;
	entry.size = 0;
	entry.path = strdup(path);
	entry.link = strdup(first);
	if (!entry.path || !entry.link)
		return ob_fail_nomem(err);
	return ob_layer_writer_add(s->writer, &entry, NULL, err);
}

static ocib_errc write_thing(diff_state *s, level *dir, const char *name, const char *path,
			     const struct stat *st, ocib_error **err)
{
	ob_autodone(ob_entry) entry = {0};
	ob_autofd int fd = -1;
	const char *first = NULL;
	ocib_errc r = write_level(s, dir, err);

	if (r == OCIB_OK)
		r = find_first_name(s, path, st, &first, err);
	if (r == OCIB_OK && first)
		return write_hard_link(s, path, first, st, err);
	if (r == OCIB_OK)
		r = ob_entry_read_at(dir->fd, name, path, st, &entry, &fd, err);
	if (r != OCIB_OK)
		return r;
	if (entry.type == OB_ENTRY_FILE && entry.size)
		return ob_layer_writer_add_fd(s->writer, &entry, fd, err);
	return ob_layer_writer_add(s->writer, &entry, NULL, err);
}

/* --- the walk --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static ocib_errc read_names(int dirfd, const char *path, ob_strlist *names, ocib_error **err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		ocib_errc r = ob_fail_errno(err, "read directory '%s'", path);

		ob_closep(&fd);
		return r;
	}
	errno = 0;
	for (struct dirent *one = readdir(dir); one; one = readdir(dir)) {
		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, ".."))
			continue;
		if (ob_strlist_add(names, one->d_name) < 0)
			return ob_fail_nomem(err);
		errno = 0;
	}
	if (errno)
		return ob_fail_errno(err, "read directory '%s'", path);
	if (names->len)
		qsort(names->items, names->len, sizeof(char *), compare_names);
	return OCIB_OK;
}

static ocib_errc walk(diff_state *s, level *dir, const ob_lower_dirs *lowers, ocib_error **err);

static ocib_errc diff_dir(diff_state *s, level *above, const ob_lower_dirs *lowers,
			  const char *name, const char *path, const struct stat *st, bool same,
			  ocib_error **err)
{
	ob_autodone(ob_lower_dirs) below = {0};
	level dir = {.above = above, .path = path, .fd = -1, .st = *st};
	ob_autofd int fd = openat(above->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	ocib_errc r = OCIB_OK;

	if (fd < 0)
		return ob_fail_errno(err, "open directory '%s'", path);
	dir.fd = fd;
	if (!same)
		r = write_level(s, &dir, err);
	if (r == OCIB_OK)
		r = ob_lower_dirs_enter(lowers, name, &below, err);
	if (r == OCIB_OK && below.len && ob_is_opaque(fd, s->options->userxattr)) {
		r = write_mark(s, &dir, OB_ENTRY_OPAQUE, path, err);
		/* Nothing of the lower layers is visible in here any more. */
		ob_lower_dirs_done(&below);
	}
	return r == OCIB_OK ? walk(s, &dir, &below, err) : r;
}

static ocib_errc diff_name(diff_state *s, level *dir, const ob_lower_dirs *lowers, const char *name,
			   ocib_error **err)
{
	ob_autofree char *path = ob_str_printf("%s%s%s", dir->path, dir->path[0] ? "/" : "", name);
	struct stat st, lower;
	bool same = false;
	int at = -1;
	ocib_errc r;

	if (!path)
		return ob_fail_nomem(err);
	if (is_skipped(s, path))
		return OCIB_OK;
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "look at '%s'", path);
	r = ob_lower_dirs_find(lowers, name, &lower, &at, err);
	if (r != OCIB_OK)
		return r;
	if (ob_is_whiteout(&st))
		return at < 0 ? OCIB_OK : write_mark(s, dir, OB_ENTRY_WHITEOUT, path, err);
	if (S_ISSOCK(st.st_mode))
		return OCIB_OK;
	if (at >= 0)
		r = ob_entry_is_same(dir->fd, &st, lowers->fds[at], &lower, name, &same, err);
	if (r != OCIB_OK)
		return r;
	if (S_ISDIR(st.st_mode))
		return diff_dir(s, dir, lowers, name, path, &st, same, err);
	return same ? OCIB_OK : write_thing(s, dir, name, path, &st, err);
}

static unsigned depth_of(const level *dir)
{
	unsigned depth = 0;

	for (; dir; dir = dir->above)
		depth++;
	return depth;
}

static ocib_errc walk(diff_state *s, level *dir, const ob_lower_dirs *lowers, ocib_error **err)
{
	ob_autodone(ob_strlist) names = {0};
	ocib_errc r = read_names(dir->fd, dir->path, &names, err);

	/* Each level holds descriptors and a frame of the stack. */
	if (r == OCIB_OK && depth_of(dir) > OB_LIMIT_TREE_DEPTH)
		r = ob_fail(err, OCIB_ERR_LIMIT, "directories more than %d deep at '%.100s…'",
			    OB_LIMIT_TREE_DEPTH, dir->path);
	for (size_t i = 0; i < names.len && r == OCIB_OK; i++)
		r = diff_name(s, dir, lowers, names.items[i], err);
	return r;
}

ocib_errc ob_snapshot_diff(int upper_fd, const ob_diff_options *options, ob_layer_writer *writer,
			   ocib_error **err)
{
	ob_autofree int *fds = calloc(options->lower_count + 1, sizeof(int));
	ob_lower_dirs lowers = {
		.fds = fds, .len = options->lower_count, .userxattr = options->userxattr};
	diff_state s = {.options = options, .writer = writer, .links = ob_map_new(free)};
	level root = {.path = "", .fd = upper_fd};
	ocib_errc r;

	if (!fds || !s.links) {
		(void)ob_map_free(s.links);
		return ob_fail_nomem(err);
	}
	memcpy(fds, options->lower_fds, options->lower_count * sizeof(int));
	r = walk(&s, &root, &lowers, err);
	(void)ob_map_free(s.links);
	return r;
}
