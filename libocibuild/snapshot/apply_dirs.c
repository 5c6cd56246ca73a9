/* snapshot/apply_dirs.c — the directories of a tree that is being unpacked.
 *
 * Entries come directory by directory, so a few open directories save most of the path walks. Whatever
 * might change where a path leads (a directory or link that goes) empties the cache: the next walk is
 * the kernel's, inside the root.
 *
 * A directory's time is that of its entry, or the one it had before this layer put something into it;
 * it can only be set when nothing more will come.
 */
#include "snapshot/apply_dirs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/paths.h"
#include "base/root_make.h"
#include "base/strings.h"

ocib_errc ob_apply_dirs_init(ob_apply_dirs *dirs, int rootfd, ocib_error **err)
{
	*dirs = (ob_apply_dirs){.rootfd = rootfd, .times = ob_map_new(free)};
	for (size_t i = 0; i < OB_APPLY_CACHED_DIRS; i++)
		dirs->cached[i].fd = -1;
	return dirs->times ? OCIB_OK : ob_fail_nomem(err);
}

static void forget_one(ob_apply_dir *dir)
{
	ob_closep(&dir->fd);
	dir->fd = -1;
	free(dir->path);
	dir->path = NULL;
}

void ob_apply_dirs_forget(ob_apply_dirs *dirs)
{
	for (size_t i = 0; i < OB_APPLY_CACHED_DIRS; i++)
		forget_one(&dirs->cached[i]);
}

void ob_apply_dirs_done(ob_apply_dirs *dirs)
{
	ob_apply_dirs_forget(dirs);
	ob_path_set_done(&dirs->seen);
	dirs->times = ob_map_free(dirs->times);
}

ocib_errc ob_apply_dirs_note_time(ob_apply_dirs *dirs, const char *entry_path,
				  const struct timespec *mtime, bool replace, ocib_error **err)
{
	struct timespec *known = ob_map_get(dirs->times, entry_path);

	if (known) {
		if (replace)
			*known = *mtime;
		return OCIB_OK;
	}
	known = malloc(sizeof(*known));
	if (!known)
		return ob_fail_nomem(err);
	*known = *mtime;
	if (ob_map_set(dirs->times, entry_path, known) < 0) {
		free(known);
		return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc note_seen(ob_apply_dirs *dirs, const char *path, ocib_error **err)
{
	size_t len = strlen(path);
	int is_new = 1;

	while (len > 0 && is_new > 0) {
		is_new = ob_path_set_add(&dirs->seen, path, len);
		while (len > 0 && path[--len] != '/')
			continue;
	}
	return is_new < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc open_dir(ob_apply_dirs *dirs, ob_apply_dir *slot, char *path /* taken */,
			  bool make, ocib_error **err)
{
	static const ob_root_make_options as_root = {0};
	ob_autofree char *owned = path;
	struct stat st;
	int fd = ob_fs_resolve(dirs->rootfd, path, O_PATH | O_DIRECTORY, 0);

	if (fd < 0 && errno == ENOENT && make) {
		ocib_errc r = ob_root_make(dirs->rootfd, path, &as_root, NULL, err);

		if (r < 0)
			return r;
		fd = ob_fs_resolve(dirs->rootfd, path, O_PATH | O_DIRECTORY, 0);
	}
	if (fd < 0 && !make && (errno == ENOENT || errno == ENOTDIR))
		return OCIB_OK;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' is no directory, but has content",
			       path);
	if (fd < 0)
		return ob_fail_errno(err, "open directory '%s'", path);
	slot->fd = fd;
	slot->path = ob_take_ptr(owned);
	if (fstat(fd, &st) < 0)
		return ob_fail_errno(err, "stat directory '%s'", slot->path);
	slot->has_setgid = st.st_mode & S_ISGID;
	ocib_errc r = ob_apply_dirs_note_time(dirs, slot->path, &st.st_mtim, false, err);
	return r < 0 ? r : note_seen(dirs, slot->path, err);
}

static ocib_errc find_parent(ob_apply_dirs *dirs, const char *entry_path, bool make,
			     const ob_apply_dir **out, ocib_error **err)
{
	size_t len = ob_path_parent_len(entry_path), hash = len;

	for (size_t i = 0; i < len; i++)
		hash = hash * 31 + (unsigned char)entry_path[i];
	ob_apply_dir *slot = &dirs->cached[hash % OB_APPLY_CACHED_DIRS];
	*out = NULL;
	if (slot->fd < 0 || strncmp(slot->path, entry_path, len) != 0 || slot->path[len]) {
		char *path = strndup(entry_path, len);

		if (!path)
			return ob_fail_nomem(err);
		forget_one(slot);
		ocib_errc r = open_dir(dirs, slot, path, make, err);
		if (r < 0)
			return r;
	}
	if (slot->fd >= 0)
		*out = slot;
	return OCIB_OK;
}

ocib_errc ob_apply_dirs_parent(ob_apply_dirs *dirs, const char *entry_path,
			       const ob_apply_dir **out, ocib_error **err)
{
	return find_parent(dirs, entry_path, true, out, err);
}

ocib_errc ob_apply_dirs_find(ob_apply_dirs *dirs, const char *entry_path, const ob_apply_dir **out,
			     ocib_error **err)
{
	return find_parent(dirs, entry_path, false, out, err);
}

ocib_errc ob_apply_dirs_set_times(ob_apply_dirs *dirs, ocib_error **err)
{
	size_t count = ob_map_len(dirs->times);

	for (size_t i = 0; i < count; i++) {
		const char *path;
		const struct timespec *mtime = ob_map_at(dirs->times, i, &path);
		struct timespec times[2] = {*mtime, *mtime};
		ob_autofd int fd = ob_fs_resolve(dirs->rootfd, path, O_RDONLY | O_DIRECTORY, 0);

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue; /* the layer itself took it away again */
		if (fd < 0 || futimens(fd, times) < 0)
			return ob_fail_errno(err, "set the time of '%s'", path);
	}
	return OCIB_OK;
}
