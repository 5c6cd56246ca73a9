/* snapshot/diff_lower.c — the merged view of the lower directories, as far as a diff asks for it.
 *
 * A directory of the merged tree is made of the layers that have a directory there, down to the first
 * that hides the rest: by a file, a whiteout or an opaque mark. Knowing that set for a directory, its
 * children are looked for in those layers only; in a directory that is new nothing is looked for at all.
 */
#include "snapshot/diff_lower.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/paths.h"
#include "base/strings.h"
#include "snapshot/diff_entry.h"

#define COMPARE_BLOCK 65536

void ob_lower_done(ob_lower *lower)
{
	free(lower->dirs);
	*lower = (ob_lower){0};
}

ocib_errc ob_lower_root(const ob_diff_options *options, ob_lower *out, ocib_error **err)
{
	out->dirs = calloc(options->lower_count ? options->lower_count : 1, sizeof(*out->dirs));
	if (!out->dirs)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < options->lower_count; i++)
		out->dirs[out->dir_count++] = i;
	out->exists = out->dir_count > 0;
	return OCIB_OK;
}

bool ob_dir_is_opaque(int fd, bool userxattr)
{
	char value[2];
	const char *name = userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";

	return fgetxattr(fd, name, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* 0, or -1 with errno; ENOENT also where a parent is no directory. */
static int stat_in_layer(int layer_fd, const char *path, struct stat *st)
{
	if (fstatat(layer_fd, path, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno == ENOTDIR)
		errno = ENOENT;
	if (errno != ENAMETOOLONG)
		return -1;
	ob_autofd int fd = ob_fs_resolve(layer_fd, path, O_PATH | O_NOFOLLOW, 0);
	return fd < 0 ? -1 : fstat(fd, st);
}

static bool hides_below(int layer_fd, const char *path, bool userxattr)
{
	ob_autofd int fd = ob_fs_resolve(layer_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	return fd >= 0 && ob_dir_is_opaque(fd, userxattr);
}

ocib_errc ob_lower_find(const ob_diff_options *options, const ob_lower *parent, const char *path,
			ob_lower *out, ocib_error **err)
{
	if (!parent->dir_count)
		return OCIB_OK;
	out->dirs = calloc(parent->dir_count, sizeof(*out->dirs));
	if (!out->dirs)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < parent->dir_count; i++) {
		size_t layer = parent->dirs[i];
		int fd = options->lower_fds[layer];
		struct stat st;

		if (stat_in_layer(fd, path, &st) < 0) {
			if (errno == ENOENT)
				continue;
			return ob_fail_errno(err, "look up '%s' in the layers below", path);
		}
		if (ob_stat_is_whiteout(&st))
			break;
		if (!out->exists) {
			out->exists = true;
			out->st = st;
			out->layer = layer;
		}
		if (!S_ISDIR(st.st_mode))
			break;
		out->dirs[out->dir_count++] = layer;
		if (i + 1 < parent->dir_count && hides_below(fd, path, options->userxattr))
			break;
	}
	return OCIB_OK;
}

static bool has_same_xattrs(const ob_entry *a, const ob_entry *b)
{
	if (a->xattr_count != b->xattr_count)
		return false;
	for (size_t i = 0; i < a->xattr_count; i++) {
		const ob_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (!ob_str_eq(x->name, y->name) || x->len != y->len ||
		    memcmp(x->value, y->value, x->len) != 0)
			return false;
	}
	return true;
}

static ocib_errc has_same_content(int a, int b, bool *same, ocib_error **err)
{
	ob_autofree char *blocks = malloc(2 * (size_t)COMPARE_BLOCK);
	off_t at = 0;

	if (!blocks)
		return ob_fail_nomem(err);
	for (;;) {
		ssize_t n = ob_pread_full(a, blocks, COMPARE_BLOCK, at);
		ssize_t m = ob_pread_full(b, blocks + COMPARE_BLOCK, COMPARE_BLOCK, at);

		if (n < 0 || m < 0)
			return ob_fail_errno(err, "compare with the layers below");
		*same = n == m && memcmp(blocks, blocks + COMPARE_BLOCK, (size_t)n) == 0;
		if (!*same || n < COMPARE_BLOCK)
			return OCIB_OK;
		at += n;
	}
}

static bool has_same_stat(const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid ||
	    a->st_rdev != b->st_rdev)
		return false;
	if (S_ISDIR(a->st_mode))
		return true;
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What can be read of the lower one without its content, as an entry. */
static ocib_errc read_lower(const ob_lower *lower, int layer_fd, const char *path, int fd,
			    ob_entry *out, ocib_error **err)
{
	ob_autofree char *parent = strndup(path, ob_path_parent_len(path));
	ob_autofd int dir = -1;

	if (!parent)
		return ob_fail_nomem(err);
	dir = ob_fs_resolve(layer_fd, parent, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return ob_fail_errno(err, "open '%s' in the layers below", parent);
	return ob_diff_entry_read(fd, dir, ob_path_base(path), &lower->st, out, err);
}

ocib_errc ob_lower_is_same(const ob_diff_options *options, const ob_lower *lower, const char *path,
			   const struct stat *st, const ob_entry *entry, int fd, bool *same,
			   ocib_error **err)
{
	ob_autodone(ob_entry) below = {0};
	ob_autofd int below_fd = -1;

	*same = false;
	if (!lower->exists || !has_same_stat(st, &lower->st))
		return OCIB_OK;
	int layer_fd = options->lower_fds[lower->layer];
	if (fd >= 0) {
		below_fd = ob_fs_resolve(layer_fd, path, O_RDONLY | O_NOFOLLOW, 0);
		if (below_fd < 0)
			return ob_fail_errno(err, "open '%s' in the layers below", path);
	}
	ocib_errc r = read_lower(lower, layer_fd, path, below_fd, &below, err);
	if (r < 0)
		return r;
	*same = has_same_xattrs(entry, &below) &&
		(!entry->link || ob_str_eq(entry->link, below.link));
	if (!*same || !S_ISREG(st->st_mode) || st->st_mtim.tv_nsec || !st->st_size)
		return OCIB_OK;
	return has_same_content(fd, below_fd, same, err);
}
