/* snapshot/apply_entry.c — one entry of a layer made in a directory.
 *
 * Only the last component is touched here, in a directory that was resolved inside the root, and never
 * through a link: new things are made exclusively, and what is in the way goes first. Directories are
 * merged. Attributes come in the order that the kernel's side effects ask for: owner, extended
 * attributes (both clear set-id bits or capabilities), mode, time.
 */
#include "snapshot/apply_entry.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/paths.h"
#include "snapshot/kept_xattr.h"

#define SET_IDS (S_ISUID | S_ISGID)

static void ob_printf(3, 4) warn(const ob_apply *a, const char *path, const char *format, ...)
{
	char what[256], text[512];
	va_list args;

	if (!a->options->warning)
		return;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	(void)snprintf(text, sizeof(text), "'%s': %s", path, what);
	a->options->warning(text, a->options->arg);
}

ocib_errc ob_apply_remove(ob_apply *a, int dirfd, const char *name, ocib_error **err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? OCIB_OK : ob_fail_errno(err, "stat '%s'", name);
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) {
		/* The directory may be one of the open ones, and is about to be made anew. */
		ob_autofd int keep = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);

		if (keep < 0)
			return ob_fail_errno(err, "keep a directory open");
		ob_apply_dirs_forget(&a->dirs);
		return ob_remove_tree(keep, name, err);
	}
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return ob_fail_errno(err, "remove '%s'", name);
	return OCIB_OK;
}

static ocib_errc fail_owner(const ob_entry *entry, ocib_error **err)
{
	if (errno != EINVAL)
		return ob_fail_errno(err, "set the owner");
	ob_fail(err, OCIB_ERR_DENIED, "owner %u:%u is outside the ids that may be used here",
		entry->uid, entry->gid);
	ob_error_set_hint(err, "give your user a larger range in /etc/subuid and /etc/subgid");
	return OCIB_ERR_DENIED;
}

/* What cannot be kept here: a file system without extended attributes, a privileged namespace. */
static bool may_lose_xattr(const char *name)
{
	return errno == ENOTSUP || (errno == EPERM && !ob_str_eq(name, "security.capability"));
}

/* With an fd, or by directory and name for what cannot be opened. */
static ocib_errc set_xattrs(const ob_apply *a, const ob_entry *entry, int fd, int dirfd,
			    const char *name, ocib_error **err)
{
	char path[64 + 256];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const ob_xattr *x = &entry->xattrs[i];

		if (!ob_xattr_is_kept(x->name))
			continue;
		int r = fd >= 0 ? fsetxattr(fd, x->name, x->value, x->len, 0)
				: lsetxattr(path, x->name, x->value, x->len, 0);
		if (r == 0)
			continue;
		if (!may_lose_xattr(x->name))
			return ob_fail_errno(err, "set attribute '%s'", x->name);
		warn(a, entry->path, "attribute '%s' cannot be kept here", x->name);
	}
	return OCIB_OK;
}

static bool owner_is_set(const ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir)
{
	return !a->options->keep_owner || (!entry->uid && !entry->gid && !dir->has_setgid);
}

/* Content, leaving holes where whole buffers are zero. */
static ocib_errc write_content(const ob_apply *a, const ob_entry *entry, int fd, ocib_error **err)
{
	off_t at = 0;
	bool ends_in_hole = false;

	for (;;) {
		size_t got = 0;
		ocib_errc r = ob_tar_reader_read(a->tar, a->buffer, OB_APPLY_BUFFER, &got, err);

		if (r < 0 || !got)
			return r < 0 || !ends_in_hole || ftruncate(fd, at) == 0
				       ? r
				       : ob_fail_errno(err, "set the size");
		ends_in_hole = got >= 65536 && a->buffer[0] == 0 &&
			       memcmp(a->buffer, a->buffer + 1, got - 1) == 0;
		if (ends_in_hole && lseek(fd, (off_t)got, SEEK_CUR) < 0)
			return ob_fail_errno(err, "leave a hole");
		if (!ends_in_hole && ob_write_full(fd, a->buffer, got) < 0)
			return ob_fail_errno(err, "write");
		at += (off_t)got;
		if (a->options->progress &&
		    a->options->progress(entry->tar_offset + (uint64_t)at, a->options->arg))
			return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	}
}

static ocib_errc make_file(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			   const char *name, ocib_error **err)
{
	const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
	ob_autofd int fd = openat(dir->fd, name, flags, entry->mode & 01777);

	if (fd < 0)
		return ob_fail_errno(err, "make the file");
	ocib_errc r = entry->size ? write_content(a, entry, fd, err) : OCIB_OK;
	if (r < 0)
		return r;
	if (!owner_is_set(a, entry, dir) && fchown(fd, entry->uid, entry->gid) < 0)
		return fail_owner(entry, err);
	r = entry->xattr_count ? set_xattrs(a, entry, fd, -1, name, err) : OCIB_OK;
	if (r < 0)
		return r;
	if ((entry->mode & SET_IDS) && fchmod(fd, entry->mode) < 0)
		return ob_fail_errno(err, "set the mode");
	struct timespec times[2] = {{entry->mtime_sec, entry->mtime_nsec},
				    {entry->mtime_sec, entry->mtime_nsec}};
	if (futimens(fd, times) < 0)
		return ob_fail_errno(err, "set the time");
	return OCIB_OK;
}

static ocib_errc set_dir_xattrs(const ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
				const char *name, ocib_error **err)
{
	ob_autofd int fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return ob_fail_errno(err, "open the directory");
	return set_xattrs(a, entry, fd, -1, name, err);
}

static ocib_errc make_dir(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			  const char *name, ocib_error **err)
{
	const struct timespec mtime = {entry->mtime_sec, entry->mtime_nsec};
	bool is_new = mkdirat(dir->fd, name, entry->mode & 01777) == 0;

	if (!is_new && errno != EEXIST)
		return ob_fail_errno(err, "make the directory");
	if ((!is_new || !owner_is_set(a, entry, dir)) && a->options->keep_owner &&
	    fchownat(dir->fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_owner(entry, err);
	ocib_errc r = entry->xattr_count ? set_dir_xattrs(a, entry, dir, name, err) : OCIB_OK;
	if (r < 0)
		return r;
	if ((!is_new || dir->has_setgid || (entry->mode & SET_IDS)) &&
	    fchmodat(dir->fd, name, entry->mode, 0) < 0)
		return ob_fail_errno(err, "set the mode");
	return ob_apply_dirs_note_time(&a->dirs, entry->path, &mtime, true, err);
}

/* Owner, attributes, mode and time of what cannot be opened. */
static ocib_errc finish_special(const ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
				const char *name, ocib_error **err)
{
	struct timespec times[2] = {{entry->mtime_sec, entry->mtime_nsec},
				    {entry->mtime_sec, entry->mtime_nsec}};

	if (!owner_is_set(a, entry, dir) &&
	    fchownat(dir->fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_owner(entry, err);
	ocib_errc r = entry->xattr_count ? set_xattrs(a, entry, -1, dir->fd, name, err) : OCIB_OK;
	if (r < 0)
		return r;
	if (entry->type != OB_ENTRY_SYMLINK && (entry->mode & SET_IDS) &&
	    fchmodat(dir->fd, name, entry->mode, 0) < 0)
		return ob_fail_errno(err, "set the mode");
	if (utimensat(dir->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "set the time");
	return OCIB_OK;
}

static ocib_errc make_symlink(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			      const char *name, ocib_error **err)
{
	if (symlinkat(entry->link, dir->fd, name) < 0)
		return ob_fail_errno(err, "make the link");
	return finish_special(a, entry, dir, name, err);
}

/* A device that may not be made is left out of the tree; the layer itself still has it. A character
 * device 0:0 is never made: it would hide what is below instead of being there. */
static ocib_errc make_node(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			   const char *name, ocib_error **err)
{
	mode_t type = entry->type == OB_ENTRY_CHAR    ? S_IFCHR
		      : entry->type == OB_ENTRY_BLOCK ? S_IFBLK
						      : S_IFIFO;
	dev_t device = type == S_IFIFO ? 0 : makedev(entry->dev_major, entry->dev_minor);

	if (type == S_IFCHR && !device) {
		warn(a, entry->path, "a character device 0:0 is left out");
		return OCIB_OK;
	}
	if (mknodat(dir->fd, name, type | (entry->mode & 01777), device) < 0) {
		if (errno != EPERM || type == S_IFIFO)
			return ob_fail_errno(err, "make the device");
		warn(a, entry->path, "devices cannot be made here, it is left out");
		return OCIB_OK;
	}
	return finish_special(a, entry, dir, name, err);
}

static ocib_errc make_hardlink(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			       const char *name, ocib_error **err)
{
	const ob_apply_dir *from = NULL;
	/* Looking up the other directory may take the place of this one among the open ones. */
	ob_autofd int here = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);

	if (here < 0)
		return ob_fail_errno(err, "keep a directory open");
	ocib_errc r = ob_apply_dirs_find(&a->dirs, entry->link, &from, err);
	if (r < 0)
		return r;
	if (!from)
		return ob_fail(err, OCIB_ERR_CORRUPT, "links to '%s', which does not exist",
			       entry->link);
	if (linkat(from->fd, ob_path_base(entry->link), here, name, 0) == 0)
		return OCIB_OK;
	if (errno == ENOENT || errno == EPERM)
		return ob_fail(err, OCIB_ERR_CORRUPT, "links to '%s', which %s", entry->link,
			       errno == ENOENT ? "does not exist" : "cannot be linked to");
	return ob_fail_errno(err, "link to '%s'", entry->link);
}

typedef ocib_errc (*maker)(ob_apply *a, const ob_entry *entry, const ob_apply_dir *dir,
			   const char *name, ocib_error **err);

static maker find_maker(ob_entry_type type)
{
	switch (type) {
	case OB_ENTRY_FILE: return make_file;
	case OB_ENTRY_DIR: return make_dir;
	case OB_ENTRY_SYMLINK: return make_symlink;
	case OB_ENTRY_HARDLINK: return make_hardlink;
	default: return make_node;
	}
}

/* Is something else than a directory to be merged in the way? */
static bool is_in_the_way(const ob_entry *entry, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return entry->type != OB_ENTRY_DIR || !S_ISDIR(st.st_mode);
}

ocib_errc ob_apply_entry(ob_apply *a, const ob_entry *entry, ocib_error **err)
{
	const char *name = ob_path_base(entry->path);
	const ob_apply_dir *dir = NULL;

	if (entry->type == OB_ENTRY_HARDLINK && ob_str_eq(entry->link, entry->path))
		return OCIB_OK;
	ocib_errc r = ob_apply_dirs_parent(&a->dirs, entry->path, &dir, err);
	if (r < 0)
		return r;
	if (ob_path_set_add(&a->dirs.seen, entry->path, strlen(entry->path)) < 0)
		return ob_fail_nomem(err);
	if (is_in_the_way(entry, dir->fd, name)) {
		r = ob_apply_remove(a, dir->fd, name, err);
		if (r == OCIB_OK)
			r = ob_apply_dirs_parent(&a->dirs, entry->path, &dir, err);
		if (r < 0)
			return r;
	}
	return find_maker(entry->type)(a, entry, dir, name, err);
}
