/* snapshot/apply.c — unpack a layer's tar into a directory.
 *
 * Entry by entry in the tar's order. A whiteout, and an opaque mark for all that is in its directory,
 * removes what lower layers have there and spares what this layer has brought. The root's own entry is passed over, as everybody does: what the root is like is
 * for who makes the tree to say.
 */
#include "snapshot/apply.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/paths.h"
#include "base/strings.h"
#include "snapshot/apply_entry.h"

static void ob_apply_done(ob_apply *a)
{
	ob_apply_dirs_done(&a->dirs);
	free(a->buffer);
}

static ocib_errc empty_dir(ob_apply *a, int fd /* taken */, const char *path, ocib_error **err);

/* What a lower layer may have at a name: goes unless this layer made it; a directory it made is looked into. */
static ocib_errc empty_child(ob_apply *a, int dirfd, const char *dir_path, const char *name,
			     ocib_error **err)
{
	ob_autofree char *path = ob_str_printf("%s%s%s", dir_path, *dir_path ? "/" : "", name);

	if (!path)
		return ob_fail_nomem(err);
	if (!ob_path_set_has(&a->dirs.seen, path, strlen(path)))
		return ob_apply_remove(a, dirfd, name, err);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return OCIB_OK; /* a file of this layer */
	return empty_dir(a, fd, path, err);
}

static ocib_errc empty_dir(ob_apply *a, int fd, const char *path, ocib_error **err)
{
	ob_autodir DIR *dir = fdopendir(fd);
	const struct dirent *one;

	if (!dir) {
		(void)close(fd);
		return ob_fail_errno(err, "read directory '%s'", path);
	}
	while (errno = 0, (one = readdir(dir))) {
		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, ".."))
			continue;
		ocib_errc r = empty_child(a, dirfd(dir), path, one->d_name, err);
		if (r < 0)
			return r;
	}
	return errno ? ob_fail_errno(err, "read directory '%s'", path) : OCIB_OK;
}

static ocib_errc apply_whiteout(ob_apply *a, const ob_entry *entry, ocib_error **err)
{
	ob_autofree char *parent = strndup(entry->path, ob_path_parent_len(entry->path));
	const ob_apply_dir *dir = NULL;
	ocib_errc r;

	if (!parent)
		return ob_fail_nomem(err);
	r = ob_apply_dirs_find(&a->dirs, entry->path, &dir, err);
	if (r < 0 || !dir)
		return r;
	return empty_child(a, dir->fd, parent, ob_path_base(entry->path), err);
}

static ocib_errc apply_opaque(ob_apply *a, const ob_entry *entry, ocib_error **err)
{
	int fd = ob_fs_resolve(a->dirs.rootfd, *entry->path ? entry->path : ".",
			       O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return OCIB_OK;
	if (fd < 0)
		return ob_fail_errno(err, "open directory '%s'", entry->path);
	return empty_dir(a, fd, entry->path, err);
}

static ocib_errc apply_one(ob_apply *a, const ob_entry *entry, ocib_error **err)
{
	ocib_errc r;

	switch (entry->type) {
	case OB_ENTRY_WHITEOUT: r = apply_whiteout(a, entry, err); break;
	case OB_ENTRY_OPAQUE: r = apply_opaque(a, entry, err); break;
	default: r = *entry->path ? ob_apply_entry(a, entry, err) : OCIB_OK; break;
	}
	return r < 0 && r != OCIB_ERR_CANCELED ? ob_wrap(err, r, "unpack '%s'", entry->path) : r;
}

ocib_errc ob_snapshot_apply(ob_tar_reader *tar, int rootfd, const ob_apply_options *options,
			    ocib_error **err)
{
	ob_autodone(ob_apply) a = {.tar = tar, .options = options};
	ocib_errc r = ob_apply_dirs_init(&a.dirs, rootfd, err);

	a.buffer = malloc(OB_APPLY_BUFFER);
	if (r == OCIB_OK && !a.buffer)
		r = ob_fail_nomem(err);
	while (r == OCIB_OK) {
		const ob_entry *entry = NULL;

		r = ob_tar_reader_next(tar, &entry, err);
		if (r < 0 || !entry)
			break;
		if (options->progress && options->progress(entry->tar_offset, options->arg))
			return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
		r = apply_one(&a, entry, err);
	}
	return r < 0 ? r : ob_apply_dirs_set_times(&a.dirs, err);
}
