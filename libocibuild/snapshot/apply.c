/* snapshot/apply.c — a layer's entries, one after the other, onto a tree.
 *
 * Invariants: a parent is found inside the root (tree_place.h); the last name is never followed; what is in
 * the way of a new thing is removed first, except a directory in the way of a directory, which stays and
 * takes the new attributes. A whiteout removes what lower layers had there and keeps what this layer has
 * already put there, whatever the order of entries. Times of directories are set when all is in them.
 */
#include "snapshot/apply.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "base/fds.h"
#include "base/map.h"
#include "base/paths.h"
#include "base/strings.h"
#include "snapshot/tree_place.h"

#define COPY_SIZE     ((size_t)256 * 1024)
#define PROGRESS_STEP ((uint64_t)4 << 20)

typedef struct dir_time {
	char *path;
	struct timespec mtime;
} dir_time;

typedef struct apply_state {
	const ob_apply_options *options;
	ob_tar_reader *tar;
	ob_tree_place place;
	ob_map *unpacked; /* paths this layer has put there; values are not used */
	dir_time *times;
	size_t time_count, time_cap;
	uint8_t *copy;
	uint64_t reported;
} apply_state;

static void apply_state_done(apply_state *s)
{
	ob_tree_place_done(&s->place);
	(void)ob_map_free(s->unpacked);
	for (size_t i = 0; i < s->time_count; i++)
		free(s->times[i].path);
	free(s->times);
	free(s->copy);
}

/* Does the kernel or overlayfs keep something of its own in this attribute? Then no layer sets it. */
static bool xattr_is_internal(const char *name)
{
	return ob_str_starts(name, "user.overlay.") || ob_str_starts(name, "trusted.overlay.") ||
	       ob_str_eq(name, "security.selinux");
}

static ocib_errc set_xattrs(int fd, const ob_entry *entry, ocib_error **err)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const ob_xattr *x = &entry->xattrs[i];

		if (xattr_is_internal(x->name))
			continue;
		if (fsetxattr(fd, x->name, x->value, x->len, 0) == 0 || errno == ENOTSUP)
			continue;
		/* trusted.* and security.* are for real root; capabilities must not get lost silently. */
		if (errno == EPERM && !ob_str_eq(x->name, "security.capability"))
			continue;
		return ob_fail_errno(err, "set attribute '%s' of '%s'", x->name, entry->path);
	}
	return OCIB_OK;
}

static struct timespec mtime_of(const ob_entry *entry)
{
	return (struct timespec){.tv_sec = entry->mtime_sec, .tv_nsec = (long)entry->mtime_nsec};
}

/* Owner, mode, attributes and, unless it is a directory's, time. */
static ocib_errc set_attributes(const apply_state *s, int fd, const ob_entry *entry,
				ocib_error **err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(entry)};
	ocib_errc r;

	if (s->options->keep_owner && fchown(fd, entry->uid, entry->gid) < 0)
		return ob_fail_errno(err, "give '%s' to %u:%u", entry->path, entry->uid,
				     entry->gid);
	if (fchmod(fd, entry->mode & 07777) < 0)
		return ob_fail_errno(err, "set the mode of '%s'", entry->path);
	r = set_xattrs(fd, entry, err);
	if (r == OCIB_OK && entry->type != OB_ENTRY_DIR && futimens(fd, times) < 0)
		r = ob_fail_errno(err, "set the time of '%s'", entry->path);
	return r;
}

/* The same for what cannot be opened: symbolic links, devices, pipes. */
static ocib_errc set_attributes_at(const apply_state *s, int dirfd, const char *name,
				   const ob_entry *entry, ocib_error **err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(entry)};

	if (s->options->keep_owner &&
	    fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "give '%s' to %u:%u", entry->path, entry->uid,
				     entry->gid);
	if (entry->type != OB_ENTRY_SYMLINK && fchmodat(dirfd, name, entry->mode & 07777, 0) < 0)
		return ob_fail_errno(err, "set the mode of '%s'", entry->path);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "set the time of '%s'", entry->path);
	return OCIB_OK;
}

static ocib_errc note_dir_time(apply_state *s, const ob_entry *entry, ocib_error **err)
{
	if (s->time_count == s->time_cap) {
		size_t cap = s->time_cap ? 2 * s->time_cap : 256;
		dir_time *grown = reallocarray(s->times, cap, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		s->times = grown;
		s->time_cap = cap;
	}
	dir_time *one = &s->times[s->time_count];
	*one = (dir_time){.path = strdup(entry->path), .mtime = mtime_of(entry)};
	if (!one->path)
		return ob_fail_nomem(err);
	s->time_count++;
	return OCIB_OK;
}

/* Remove what is at a place; absent is fine. */
static ocib_errc remove_place(apply_state *s, int dirfd, const char *name, ocib_error **err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return OCIB_OK;
	if (errno != EISDIR && errno != EPERM)
		return ob_fail_errno(err, "remove '%s'", name);
	/* A parent that is remembered may be in there. The given fd is the remembered one: keep it. */
	ob_autofd int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return ob_fail_errno(err, "keep the directory of '%s'", name);
	ob_tree_place_done(&s->place);
	return ob_remove_tree(fd, name, err);
}

/* --- one function per type of entry --- */

static ocib_errc write_content(apply_state *s, int fd, const ob_entry *entry, ocib_error **err)
{
	for (;;) {
		size_t got = 0;
		ocib_errc r = ob_tar_reader_read(s->tar, s->copy, COPY_SIZE, &got, err);

		if (r != OCIB_OK)
			return r;
		if (!got)
			return OCIB_OK;
		if (ob_write_full(fd, s->copy, got) < 0)
			return ob_fail_errno(err, "write '%s'", entry->path);
	}
}

static ocib_errc put_file(apply_state *s, int dirfd, const char *name, const ob_entry *entry,
			  ocib_error **err)
{
	ob_autofd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ocib_errc r;

	if (fd < 0)
		return ob_fail_errno(err, "make '%s'", entry->path);
	r = write_content(s, fd, entry, err);
	return r == OCIB_OK ? set_attributes(s, fd, entry, err) : r;
}

static ocib_errc put_dir(apply_state *s, int dirfd, const char *name, const ob_entry *entry,
			 ocib_error **err)
{
	ob_autofd int fd = -1;
	ocib_errc r;

	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
		return ob_fail_errno(err, "make directory '%s'", entry->path);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return ob_fail_errno(err, "open directory '%s'", entry->path);
	r = set_attributes(s, fd, entry, err);
	return r == OCIB_OK ? note_dir_time(s, entry, err) : r;
}

static ocib_errc put_symlink(apply_state *s, int dirfd, const char *name, const ob_entry *entry,
			     ocib_error **err)
{
	if (symlinkat(entry->link, dirfd, name) < 0)
		return ob_fail_errno(err, "make symbolic link '%s'", entry->path);
	return set_attributes_at(s, dirfd, name, entry, err);
}

static ocib_errc put_hard_link(apply_state *s, int dirfd, const char *name, const ob_entry *entry,
			       ocib_error **err)
{
	ob_tree_place target = OB_TREE_PLACE_INIT(s->place.rootfd);
	const char *target_name = NULL;
	int target_dir = -1;
	ocib_errc r =
		ob_tree_place_open(&target, entry->link, false, &target_dir, &target_name, err);

	if (r == OCIB_OK && linkat(target_dir, target_name, dirfd, name, 0) < 0) {
		if (errno == ENOENT)
			r = ob_fail(err, OCIB_ERR_CORRUPT,
				    "'%s' is a hard link to '%s', which is not there", entry->path,
				    entry->link);
		else
			r = ob_fail_errno(err, "link '%s' to '%s'", entry->path, entry->link);
	}
	ob_tree_place_done(&target);
	return r;
}

static ocib_errc put_special(apply_state *s, int dirfd, const char *name, const ob_entry *entry,
			     ocib_error **err)
{
	mode_t type = entry->type == OB_ENTRY_CHAR    ? S_IFCHR
		      : entry->type == OB_ENTRY_BLOCK ? S_IFBLK
						      : S_IFIFO;

	if (mknodat(dirfd, name, type | 0600, makedev(entry->dev_major, entry->dev_minor)) < 0) {
		/* In a user namespace no device can be made, and none could be used. The layer itself keeps
		 * it; only this working copy goes without. */
		if (errno == EPERM && type != S_IFIFO)
			return OCIB_OK;
		return ob_fail_errno(err, "make special file '%s'", entry->path);
	}
	return set_attributes_at(s, dirfd, name, entry, err);
}

/* --- whiteouts --- */

/* Remove what lower layers have in a directory and this layer has not unpacked. */
static ocib_errc empty_lower(apply_state *s, const char *dir, ocib_error **err)
{
	ob_autofd int fd = ob_fs_resolve(s->place.rootfd, *dir ? dir : ".",
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	ob_autodir DIR *stream = NULL;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? OCIB_OK
			       : ob_fail_errno(err, "open directory '%s'", dir);
	stream = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	if (!stream)
		return ob_fail_errno(err, "read directory '%s'", dir);
	for (struct dirent *one = readdir(stream); one; one = readdir(stream)) {
		ob_autofree char *path = ob_str_printf("%s%s%s", dir, *dir ? "/" : "", one->d_name);
		ocib_errc r = OCIB_OK;

		if (!path)
			return ob_fail_nomem(err);
		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, ".."))
			continue;
		if (!ob_map_get(s->unpacked, path))
			r = ob_remove_tree(fd, one->d_name, err);
		else if (one->d_type == DT_DIR)
			r = empty_lower(s, path, err);
		if (r != OCIB_OK)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc apply_whiteout(apply_state *s, const ob_entry *entry, ocib_error **err)
{
	ob_auto(ocib_error) missing = NULL;
	const char *name = NULL;
	int dirfd = -1;
	ocib_errc r;

	if (entry->type == OB_ENTRY_OPAQUE || ob_map_get(s->unpacked, entry->path)) {
		ob_tree_place_done(&s->place);
		return empty_lower(s, entry->path, err);
	}
	r = ob_tree_place_open(&s->place, entry->path, false, &dirfd, &name, &missing);
	if (r == OCIB_ERR_NOTFOUND || r == OCIB_ERR_CORRUPT)
		return OCIB_OK; /* it deletes what is not there */
	if (r != OCIB_OK)
		return ob_error_move(err, &missing);
	return remove_place(s, dirfd, name, err);
}

/* --- the loop --- */

/* Remember a path and its parents as this layer's. */
static ocib_errc note_unpacked(apply_state *s, const char *path, ocib_error **err)
{
	ob_autofree char *one = strdup(path);

	if (!one)
		return ob_fail_nomem(err);
	while (*one && !ob_map_get(s->unpacked, one)) {
		if (ob_map_set(s->unpacked, one, s) < 0)
			return ob_fail_nomem(err);
		one[ob_path_parent_len(one)] = '\0';
	}
	return OCIB_OK;
}

static ocib_errc apply_root(apply_state *s, const ob_entry *entry, ocib_error **err)
{
	ocib_errc r = set_attributes(s, s->place.rootfd, entry, err);

	return r == OCIB_OK ? note_dir_time(s, entry, err) : r;
}

/* Clear the place unless a directory comes to a directory. */
static ocib_errc clear_place(apply_state *s, const ob_entry *entry, int *dirfd, const char **name,
			     ocib_error **err)
{
	struct stat st;

	if (fstatat(*dirfd, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? OCIB_OK : ob_fail_errno(err, "look at '%s'", entry->path);
	if (S_ISDIR(st.st_mode) && entry->type == OB_ENTRY_DIR)
		return OCIB_OK;
	ocib_errc r = remove_place(s, *dirfd, *name, err);
	return r == OCIB_OK ? ob_tree_place_open(&s->place, entry->path, true, dirfd, name, err)
			    : r;
}

static ocib_errc put_entry(apply_state *s, const ob_entry *entry, ocib_error **err)
{
	const char *name = NULL;
	int dirfd = -1;
	ocib_errc r = ob_tree_place_open(&s->place, entry->path, true, &dirfd, &name, err);

	if (r == OCIB_OK)
		r = clear_place(s, entry, &dirfd, &name, err);
	if (r != OCIB_OK)
		return r;
	switch (entry->type) {
	case OB_ENTRY_FILE: return put_file(s, dirfd, name, entry, err);
	case OB_ENTRY_DIR: return put_dir(s, dirfd, name, entry, err);
	case OB_ENTRY_SYMLINK: return put_symlink(s, dirfd, name, entry, err);
	case OB_ENTRY_HARDLINK: return put_hard_link(s, dirfd, name, entry, err);
	case OB_ENTRY_CHAR:
	case OB_ENTRY_BLOCK:
	case OB_ENTRY_FIFO: return put_special(s, dirfd, name, entry, err);
	case OB_ENTRY_WHITEOUT:
	case OB_ENTRY_OPAQUE: break;
	}
	return apply_whiteout(s, entry, err);
}

static ocib_errc apply_entry(apply_state *s, const ob_entry *entry, ocib_error **err)
{
	ocib_errc r;

	if (entry->type == OB_ENTRY_WHITEOUT || entry->type == OB_ENTRY_OPAQUE)
		return apply_whiteout(s, entry, err);
	if (!entry->path[0])
		return apply_root(s, entry, err);
	r = put_entry(s, entry, err);
	return r == OCIB_OK ? note_unpacked(s, entry->path, err) : r;
}

static void report(apply_state *s, const ob_entry *entry)
{
	uint64_t now = entry->tar_offset + entry->size;

	if (s->options->progress && now >= s->reported + PROGRESS_STEP) {
		s->reported = now;
		s->options->progress(now, s->options->arg);
	}
}

static ocib_errc set_dir_times(apply_state *s, ocib_error **err)
{
	for (size_t i = s->time_count; i-- > 0;) {
		const dir_time *one = &s->times[i];
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, one->mtime};
		ob_autofd int fd =
			ob_fs_resolve(s->place.rootfd, *one->path ? one->path : ".",
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

		/* A later entry may have replaced it by something else. */
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (fd < 0 || futimens(fd, times) < 0)
			return ob_fail_errno(err, "set the time of '%s'", one->path);
	}
	return OCIB_OK;
}

static ocib_errc apply_all(apply_state *s, ocib_error **err)
{
	for (;;) {
		const ob_entry *entry = NULL;
		ocib_errc r = ob_tar_reader_next(s->tar, &entry, err);

		if (r != OCIB_OK)
			return r;
		if (!entry)
			return set_dir_times(s, err);
		r = apply_entry(s, entry, err);
		if (r != OCIB_OK)
			return r;
		report(s, entry);
	}
}

ocib_errc ob_snapshot_apply(ob_tar_reader *tar, int rootfd, const ob_apply_options *options,
			    ocib_error **err)
{
	apply_state s = {
		.options = options,
		.tar = tar,
		.place = OB_TREE_PLACE_INIT(rootfd),
		.unpacked = ob_map_new(NULL),
		.copy = malloc(COPY_SIZE),
	};
	ocib_errc r = s.unpacked && s.copy ? apply_all(&s, err) : ob_fail_nomem(err);

	apply_state_done(&s);
	return r;
}
