/* sandbox/mount_target.c — mount points made in the tree itself, taken away after the command.
 *
 * Most mount points are provided by a layer of their own below the image, see mount_plan.c. This is for
 * those the image hides: behind a dangling link, under an opaque directory.
 */
#include "sandbox/mount_target.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/paths.h"

static int open_parent(int rootfd, const char *entry_path)
{
	ob_autofree char *parent = strndup(entry_path, ob_path_parent_len(entry_path));

	if (!parent)
		return -1;
	return ob_fs_resolve(rootfd, parent, O_RDONLY | O_DIRECTORY, 0);
}

/* 0: gone, or no longer ours; -1: should have gone. */
static int remove_one(int parent, const char *name)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return unlinkat(parent, name, 0);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY || errno == EEXIST ? 0 : -1;
	return 0;
}

ocib_errc ob_target_remove(int rootfd, const ob_strlist *made, ob_strlist *left, ocib_error **err)
{
	for (size_t i = made->len; i-- > 0;) {
		const char *path = made->items[i];
		ob_autofd int parent = open_parent(rootfd, path);
		struct stat before;

		if (parent < 0 && errno == ENOENT)
			continue;
		if (parent < 0 || fstat(parent, &before) < 0)
			return ob_fail_errno(err, "open the directory of '%s'", path);
		struct timespec times[2] = {before.st_atim, before.st_mtim};
		if (remove_one(parent, ob_path_base(path)) < 0 && ob_strlist_add(left, path) < 0)
			return ob_fail_nomem(err);
		if (futimens(parent, times) < 0)
			return ob_fail_errno(err, "keep the times of the directory of '%s'", path);
	}
	return OCIB_OK;
}
