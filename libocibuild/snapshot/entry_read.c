/* snapshot/entry_read.c — stat, extended attributes and link targets, read without following anything. */
#include "snapshot/entry_read.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define COMPARE_SIZE ((size_t)64 * 1024)
#define CAPABILITY   "security.capability"
#define FD_PATH      64

static ob_entry_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return OB_ENTRY_DIR;
	case S_IFLNK: return OB_ENTRY_SYMLINK;
	case S_IFCHR: return OB_ENTRY_CHAR;
	case S_IFBLK: return OB_ENTRY_BLOCK;
	case S_IFIFO: return OB_ENTRY_FIFO;
	default: return OB_ENTRY_FILE;
	}
}

void ob_entry_from_stat(ob_entry *entry, const struct stat *st)
{
	entry->type = type_of(st->st_mode);
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	entry->mtime_sec = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		entry->dev_major = major(st->st_rdev);
		entry->dev_minor = minor(st->st_rdev);
	}
}

/* Attributes are read through /proc/self/fd, which works for an O_PATH descriptor of anything. */
static void fd_path(int fd, char out[FD_PATH])
{
	(void)snprintf(out, FD_PATH, "/proc/self/fd/%d", fd);
}

static bool is_wanted(const char *name)
{
	/* Labels of the machine's own policy and overlay's marks are not the step's doing. */
	return !ob_str_starts(name, "user.overlay.") && !ob_str_starts(name, "trusted.overlay.") &&
	       !ob_str_eq(name, "security.selinux") && !ob_str_starts(name, "system.");
}

static ocib_errc add_xattr(const char *file, const char *name, ob_entry *entry, ocib_error **err)
{
	ob_autofree uint8_t *value = NULL;
	ssize_t len = getxattr(file, name, NULL, 0);

	if (len < 0 && errno == ENODATA)
		return OCIB_OK;
	if (len < 0 || (size_t)len > OB_LIMIT_TAR_XATTRS)
		return ob_fail_errno(err, "read attribute '%s' of '%s'", name, entry->path);
	value = malloc((size_t)len + 1);
	if (!value)
		return ob_fail_nomem(err);
	len = getxattr(file, name, value, (size_t)len);
	if (len < 0)
		return ob_fail_errno(err, "read attribute '%s' of '%s'", name, entry->path);
	return ob_entry_add_xattr(entry, name, value, (size_t)len) < 0 ? ob_fail_nomem(err)
								       : OCIB_OK;
}

static ocib_errc read_xattrs(int fd, ob_entry *entry, ocib_error **err)
{
	ob_autofree char *names = NULL;
	char file[FD_PATH];
	ssize_t len;

	fd_path(fd, file);
	len = listxattr(file, NULL, 0);
	if (len == 0 || (len < 0 && errno == ENOTSUP))
		return OCIB_OK;
	if (len < 0)
		return ob_fail_errno(err, "list attributes of '%s'", entry->path);
	names = malloc((size_t)len);
	if (!names)
		return ob_fail_nomem(err);
	len = listxattr(file, names, (size_t)len);
	if (len < 0)
		return ob_fail_errno(err, "list attributes of '%s'", entry->path);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ocib_errc r = is_wanted(name) ? add_xattr(file, name, entry, err) : OCIB_OK;

		if (r != OCIB_OK)
			return r;
	}
	ob_entry_normalize_capability(entry);
	return OCIB_OK;
}

static ocib_errc read_link(int dirfd, const char *name, ob_entry *entry, ocib_error **err)
{
	char target[PATH_MAX + 1];
	ssize_t len = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (len < 0)
		return ob_fail_errno(err, "read the link '%s'", entry->path);
	target[len] = '\0';
	entry->link = strdup(target);
	return entry->link ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_entry_read_dir(int fd, const char *path, const struct stat *st, ob_entry *out,
			    ocib_error **err)
{
	ob_entry_from_stat(out, st);
	out->path = strdup(path);
	return out->path ? read_xattrs(fd, out, err) : ob_fail_nomem(err);
}

ocib_errc ob_entry_read_at(int dirfd, const char *name, const char *path, const struct stat *st,
			   ob_entry *out, int *fd, ocib_error **err)
{
	ob_autofd int opened = -1;

	ob_entry_from_stat(out, st);
	out->path = strdup(path);
	if (!out->path)
		return ob_fail_nomem(err);
	if (S_ISLNK(st->st_mode))
		return read_link(dirfd, name, out, err);
	/* Opening a device or a pipe could do something; looking at it does not. */
	opened = openat(dirfd, name,
			(S_ISREG(st->st_mode) ? O_RDONLY : O_PATH) | O_NOFOLLOW | O_CLOEXEC);
	if (opened < 0)
		return ob_fail_errno(err, "open '%s'", path);
	ocib_errc r = read_xattrs(opened, out, err);
	if (r == OCIB_OK && S_ISREG(st->st_mode))
		*fd = ob_take_fd(opened);
	return r;
}

/* --- sameness --- */

static bool same_target(int dirfd, int other_dirfd, const char *name)
{
	char one[PATH_MAX], other[PATH_MAX];
	ssize_t len = readlinkat(dirfd, name, one, sizeof(one));

	return len >= 0 && readlinkat(other_dirfd, name, other, sizeof(other)) == len &&
	       memcmp(one, other, (size_t)len) == 0;
}

static ocib_errc same_bytes(int fd, int other_fd, const char *name, bool *same, ocib_error **err)
{
	ob_autofree char *one = malloc(2 * COMPARE_SIZE);
	char *other = one ? one + COMPARE_SIZE : NULL;
	ssize_t len;

	if (!one)
		return ob_fail_nomem(err);
	do {
		len = ob_read_full(fd, one, COMPARE_SIZE);
		ssize_t other_len = ob_read_full(other_fd, other, COMPARE_SIZE);

		if (len < 0 || other_len < 0)
			return ob_fail_errno(err, "compare '%s'", name);
		*same = len == other_len && memcmp(one, other, (size_t)len) == 0;
	} while (*same && len == (ssize_t)COMPARE_SIZE);
	return OCIB_OK;
}

static ocib_errc same_content(int dirfd, int other_dirfd, const char *name, bool *same,
			      ocib_error **err)
{
	ob_autofd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ob_autofd int other = openat(other_dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || other < 0)
		return ob_fail_errno(err, "open '%s' to compare it", name);
	return same_bytes(fd, other, name, same, err);
}

static bool same_capabilities(int dirfd, int other_dirfd, const char *name)
{
	ob_autofd int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ob_autofd int other = openat(other_dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char file[FD_PATH], other_file[FD_PATH];
	uint8_t value[64], other_value[64];
	ssize_t len, other_len;

	if (fd < 0 || other < 0)
		return false;
	fd_path(fd, file);
	fd_path(other, other_file);
	len = getxattr(file, CAPABILITY, value, sizeof(value));
	other_len = getxattr(other_file, CAPABILITY, other_value, sizeof(other_value));
	if (len < 0 && other_len < 0)
		return true;
	return len == other_len && memcmp(value, other_value, (size_t)len) == 0;
}

ocib_errc ob_entry_is_same(int dirfd, const struct stat *st, int other_dirfd,
			   const struct stat *other, const char *name, bool *same, ocib_error **err)
{
	*same = st->st_mode == other->st_mode && st->st_uid == other->st_uid &&
		st->st_gid == other->st_gid && st->st_rdev == other->st_rdev;
	if (*same && !S_ISLNK(st->st_mode))
		*same = same_capabilities(dirfd, other_dirfd, name);
	if (!*same || S_ISDIR(st->st_mode))
		return OCIB_OK;
	*same = st->st_size == other->st_size && st->st_mtim.tv_sec == other->st_mtim.tv_sec &&
		st->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
	if (!*same || st->st_mtim.tv_nsec)
		return OCIB_OK;
	if (S_ISLNK(st->st_mode))
		*same = same_target(dirfd, other_dirfd, name);
	else if (S_ISREG(st->st_mode) && st->st_size)
		return same_content(dirfd, other_dirfd, name, same, err);
	return OCIB_OK;
}
