/* snapshot/diff_entry.c — a file on disk as a layer entry.
 *
 * Ids are taken as stat() gives them: this runs in the user namespace of the step, so they are the
 * image's. So are file capabilities, which the kernel translates for who may read them; a version that
 * names a namespace's root is brought to the plain one all the same.
 */
#include "snapshot/diff_entry.h"
#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/limits.h"
#include "snapshot/kept_xattr.h"

#define PROC_PATH (sizeof("/proc/self/fd//") + 11 + NAME_MAX)

static ssize_t list_xattrs(int fd, const char *path, char *list, size_t size)
{
	return fd >= 0 ? flistxattr(fd, list, size) : llistxattr(path, list, size);
}

static ssize_t get_xattr(int fd, const char *path, const char *name, void *value, size_t size)
{
	return fd >= 0 ? fgetxattr(fd, name, value, size) : lgetxattr(path, name, value, size);
}

static ocib_errc read_xattr(int fd, const char *path, const char *name, ob_entry *entry,
			    ocib_error **err)
{
	char small[512];
	ob_autofree char *large = NULL;
	ssize_t len = get_xattr(fd, path, name, small, sizeof(small));

	if (len < 0 && errno == ERANGE) {
		large = malloc(XATTR_SIZE_MAX);
		if (!large)
			return ob_fail_nomem(err);
		len = get_xattr(fd, path, name, large, XATTR_SIZE_MAX);
	}
	if (len < 0 && errno == ENODATA)
		return OCIB_OK;
	if (len < 0)
		return ob_fail_errno(err, "read attribute '%s'", name);
	if (ob_entry_add_xattr(entry, name, large ? large : small, (size_t)len) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

ocib_errc ob_diff_entry_read_xattrs(int fd, int dirfd, const char *name, ob_entry *entry,
				    ocib_error **err)
{
	char small[1024], path[PROC_PATH];
	ob_autofree char *large = NULL;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	ssize_t len = list_xattrs(fd, path, small, sizeof(small));
	if (len < 0 && errno == ERANGE) {
		large = malloc(XATTR_LIST_MAX);
		if (!large)
			return ob_fail_nomem(err);
		len = list_xattrs(fd, path, large, XATTR_LIST_MAX);
	}
	if (len < 0)
		return errno == ENOTSUP ? OCIB_OK : ob_fail_errno(err, "list attributes");
	const char *list = large ? large : small;
	for (const char *one = list; one < list + len; one += strlen(one) + 1) {
		ocib_errc r =
			ob_xattr_is_kept(one) ? read_xattr(fd, path, one, entry, err) : OCIB_OK;
		if (r < 0)
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
		return ob_fail_errno(err, "read link");
	entry->link = strndup(target, (size_t)len);
	return entry->link ? OCIB_OK : ob_fail_nomem(err);
}

static ob_entry_type type_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: return OB_ENTRY_FILE;
	case S_IFDIR: return OB_ENTRY_DIR;
	case S_IFLNK: return OB_ENTRY_SYMLINK;
	case S_IFCHR: return OB_ENTRY_CHAR;
	case S_IFBLK: return OB_ENTRY_BLOCK;
	case S_IFIFO: return OB_ENTRY_FIFO;
	default: return (ob_entry_type)0;
	}
}

ocib_errc ob_diff_entry_read(int fd, int dirfd, const char *name, const struct stat *st,
			     ob_entry *entry, ocib_error **err)
{
	entry->type = type_of(st);
	if (!entry->type)
		return OCIB_OK;
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mtime_sec = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (entry->type == OB_ENTRY_FILE)
		entry->size = (uint64_t)st->st_size;
	if (entry->type == OB_ENTRY_CHAR || entry->type == OB_ENTRY_BLOCK) {
		entry->dev_major = major(st->st_rdev);
		entry->dev_minor = minor(st->st_rdev);
	}
	ocib_errc r =
		entry->type == OB_ENTRY_SYMLINK ? read_link(dirfd, name, entry, err) : OCIB_OK;
	return r < 0 ? r : ob_diff_entry_read_xattrs(fd, dirfd, name, entry, err);
}
