/* engine/build/rootfs_dir.c — a merged tree as files below a directory that may exist and hold others.
 *
 * Paths are resolved inside the directory whatever links lie in it. What is there under a name is
 * replaced, directories are merged. Everything belongs to whoever we are, as with BuildKit; modes and
 * times are the image's, those of directories set last, as writing into them changes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/paths.h"
#include "engine/build/rootfs_sink.h"

typedef struct late_dir {
	char *path;
	uint32_t mode;
	int64_t mtime;
} late_dir;

typedef struct dir_sink {
	ob_rootfs_sink base;
	int fd;
	late_dir *dirs; /* parents before children */
	size_t count, cap;
} dir_sink;

static ocib_errc fail_at(const ob_entry *entry, ocib_error **err)
{
	return ob_fail_errno(err, "write '%s'", entry->path);
}

/* The directory that @p path is in. */
static int open_parent(const dir_sink *sink, const char *path)
{
	size_t len = ob_path_parent_len(path);
	ob_autofree char *parent = strndup(path, len);

	return parent ? ob_fs_resolve(sink->fd, len ? parent : ".", O_PATH | O_DIRECTORY, 0) : -1;
}

static int remember_dir(dir_sink *sink, const ob_entry *entry)
{
	if (sink->count == sink->cap) {
		size_t cap = sink->cap ? 2 * sink->cap : 64;
		late_dir *grown = reallocarray(sink->dirs, cap, sizeof(*grown));

		if (!grown)
			return -1;
		sink->dirs = grown;
		sink->cap = cap;
	}
	char *path = strdup(entry->path);
	if (!path)
		return -1;
	sink->dirs[sink->count++] = (late_dir){path, entry->mode, entry->mtime_sec};
	return 0;
}

static int add_dir(dir_sink *sink, int parent, const char *name, const ob_entry *entry)
{
	struct stat st;

	if (mkdirat(parent, name, 0700) < 0) {
		if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		if (!S_ISDIR(st.st_mode) &&
		    (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0700) < 0))
			return -1;
	}
	return remember_dir(sink, entry);
}

static ocib_errc add_file(int parent, const char *name, const ob_entry *entry, ob_reader *content,
			  ocib_error **err)
{
	ob_autofd int fd =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ob_auto(ob_writer) writer = NULL;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = entry->mtime_sec}};

	if (fd < 0)
		return fail_at(entry, err);
	if (content) {
		ocib_errc r = ob_writer_open_fd(fd, &writer, err);
		if (r == OCIB_OK)
			r = ob_stream_copy(content, writer, NULL, err);
		if (r == OCIB_OK)
			r = ob_writer_finish(writer, err);
		if (r < 0)
			return r;
	}
	if (fchmod(fd, entry->mode) < 0 || futimens(fd, times) < 0)
		return fail_at(entry, err);
	return OCIB_OK;
}

static int add_hard_link(const dir_sink *sink, int parent, const char *name, const ob_entry *entry)
{
	ob_autofd int other = open_parent(sink, entry->link);

	return other < 0 ? -1 : linkat(other, ob_path_base(entry->link), parent, name, 0);
}

static int add_node(int parent, const char *name, const ob_entry *entry, mode_t kind)
{
	return mknodat(parent, name, kind | entry->mode,
		       makedev(entry->dev_major, entry->dev_minor));
}

static ocib_errc dir_add(ob_rootfs_sink *self, const ob_entry *entry, ob_reader *content,
			 ocib_error **err)
{
	dir_sink *sink = (dir_sink *)self;
	const char *name = ob_path_base(entry->path);
	ob_autofd int parent = open_parent(sink, entry->path);
	int done = -1;

	if (parent < 0)
		return fail_at(entry, err);
	if (entry->type != OB_ENTRY_DIR && unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return fail_at(entry, err);
	switch (entry->type) {
	case OB_ENTRY_FILE: return add_file(parent, name, entry, content, err);
	case OB_ENTRY_DIR: done = add_dir(sink, parent, name, entry); break;
	case OB_ENTRY_SYMLINK: done = symlinkat(entry->link, parent, name); break;
	case OB_ENTRY_HARDLINK: done = add_hard_link(sink, parent, name, entry); break;
	case OB_ENTRY_CHAR: done = add_node(parent, name, entry, S_IFCHR); break;
	case OB_ENTRY_BLOCK: done = add_node(parent, name, entry, S_IFBLK); break;
	case OB_ENTRY_FIFO: done = add_node(parent, name, entry, S_IFIFO); break;
	case OB_ENTRY_WHITEOUT:
	case OB_ENTRY_OPAQUE: done = 0; break; /* not in a merged tree */
	}
	return done < 0 ? fail_at(entry, err) : OCIB_OK;
}

static ocib_errc dir_finish(ob_rootfs_sink *self, ocib_error **err)
{
	dir_sink *sink = (dir_sink *)self;

	while (sink->count) {
		late_dir *dir = &sink->dirs[--sink->count];
		ob_autofree char *path = dir->path;
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = dir->mtime}};
		ob_autofd int fd = ob_fs_resolve(sink->fd, path, O_RDONLY | O_DIRECTORY, 0);

		if (fd < 0 || futimens(fd, times) < 0 || fchmod(fd, dir->mode) < 0)
			return ob_fail_errno(err, "set mode and time of '%s'", path);
	}
	return OCIB_OK;
}

static void dir_destroy(ob_rootfs_sink *self)
{
	dir_sink *sink = (dir_sink *)self;

	for (size_t i = 0; i < sink->count; i++)
		free(sink->dirs[i].path);
	free(sink->dirs);
	if (sink->fd >= 0)
		(void)close(sink->fd);
	free(sink);
}

ocib_errc ob_rootfs_sink_open_dir(const char *path, ob_rootfs_sink **out, ocib_error **err)
{
	static const ob_rootfs_sink_ops ops = {dir_add, dir_finish, dir_destroy};
	ob_auto(ob_rootfs_sink) base = calloc(1, sizeof(dir_sink));
	dir_sink *sink = (dir_sink *)base;

	if (!base)
		return ob_fail_nomem(err);
	base->ops = &ops;
	sink->fd = -1;
	ocib_errc r = ob_mkdir_parents(AT_FDCWD, path, 0777, err);
	if (r < 0)
		return r;
	sink->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sink->fd < 0)
		return ob_fail_errno(err, "open '%s'", path);
	*out = ob_take_ptr(base);
	return OCIB_OK;
}
