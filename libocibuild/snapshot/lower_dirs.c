/* snapshot/lower_dirs.c — what overlayfs would show of the lower layers, a directory at a time. */
#include "snapshot/lower_dirs.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "base/cleanup.h"

void ob_lower_dirs_done(ob_lower_dirs *dirs)
{
	for (size_t i = 0; dirs->owned && i < dirs->len; i++)
		(void)close(dirs->fds[i]);
	if (dirs->owned)
		free(dirs->fds);
	*dirs = (ob_lower_dirs){0};
}

bool ob_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 0 && minor(st->st_rdev) == 0;
}

bool ob_is_opaque(int dirfd, bool userxattr)
{
	char value = 0;

	return fgetxattr(dirfd, userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque",
			 &value, 1) == 1 &&
	       value == 'y';
}

ocib_errc ob_lower_dirs_find(const ob_lower_dirs *dirs, const char *name, struct stat *st,
			     int *fd_index, ocib_error **err)
{
	*fd_index = -1;
	for (size_t i = 0; i < dirs->len; i++) {
		if (fstatat(dirs->fds[i], name, st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return ob_fail_errno(err, "look at '%s' in a lower layer", name);
		}
		if (!ob_is_whiteout(st))
			*fd_index = (int)i;
		return OCIB_OK;
	}
	return OCIB_OK;
}

ocib_errc ob_lower_dirs_enter(const ob_lower_dirs *dirs, const char *name, ob_lower_dirs *out,
			      ocib_error **err)
{
	ob_autodone(ob_lower_dirs) found = {.owned = true, .userxattr = dirs->userxattr};
	bool covered = false;

	found.fds = calloc(dirs->len + 1, sizeof(int));
	if (!found.fds)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < dirs->len && !covered; i++) {
		int fd =
			openat(dirs->fds[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		/* A whiteout or another kind of thing hides what is below it. */
		if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == ENXIO))
			break;
		if (fd < 0)
			return ob_fail_errno(err, "open '%s' in a lower layer", name);
		found.fds[found.len++] = fd;
		covered = ob_is_opaque(fd, dirs->userxattr);
	}
	*out = found;
	found = (ob_lower_dirs){0};
	return OCIB_OK;
}
