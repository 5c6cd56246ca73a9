/* engine/copy/context_list.c — what stat says of one file of a context, or of all in one directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "engine/copy/context_source.h"

#define YOUNG_S 2 /* no file system's clock is coarser */

static ob_entry_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return OB_ENTRY_FILE;
	case S_IFDIR: return OB_ENTRY_DIR;
	case S_IFLNK: return OB_ENTRY_SYMLINK;
	case S_IFCHR: return OB_ENTRY_CHAR;
	case S_IFBLK: return OB_ENTRY_BLOCK;
	case S_IFIFO: return OB_ENTRY_FIFO;
	default: return (ob_entry_type)0;
	}
}

/* All but path, link and xattrs. */
static void fill_from_stat(const ob_context_scan *scan, ob_copy_file *file, const struct stat *st)
{
	file->type = type_of(st->st_mode);
	file->owns_xattrs = true;
	file->mode = st->st_mode & 07777;
	file->size = file->type == OB_ENTRY_FILE ? (uint64_t)st->st_size : 0;
	file->mtime_sec = st->st_mtim.tv_sec;
	if (file->type == OB_ENTRY_CHAR || file->type == OB_ENTRY_BLOCK) {
		file->dev_major = major(st->st_rdev);
		file->dev_minor = minor(st->st_rdev);
	}
	file->stamp = (ob_file_stamp){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mtime_sec = st->st_mtim.tv_sec,
		.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.ctime_sec = st->st_ctim.tv_sec,
		.ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
		.links = (uint32_t)st->st_nlink,
		.is_young = st->st_ctim.tv_sec >= scan->opened_sec - YOUNG_S,
	};
}

static ocib_errc read_link(int dirfd, const char *name, ob_arena *texts, ob_copy_file *file,
			   ocib_error **err)
{
	char target[4096];
	ssize_t len = readlinkat(dirfd, name, target, sizeof(target));

	if (len < 0)
		return ob_fail_errno(err, "read link '%s'", file->path);
	if ((size_t)len == sizeof(target))
		return ob_fail(err, OCIB_ERR_LIMIT, "the target of link '%s' is too long",
			       file->path);
	file->link = ob_arena_text(texts, target, (size_t)len);
	return file->link ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_context_read_file(const ob_context_scan *scan, int dirfd, const char *name,
			       const char *path, ob_arena *texts, ob_copy_file *file,
			       ocib_error **err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? OCIB_OK
				       : ob_fail_errno(err, "stat '%s' of the build context", path);
	file->path = ob_arena_text(texts, path, strlen(path));
	if (!file->path)
		return ob_fail_nomem(err);
	fill_from_stat(scan, file, &st);
	return file->type == OB_ENTRY_SYMLINK ? read_link(dirfd, name, texts, file, err) : OCIB_OK;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const ob_copy_file *)a)->path, ((const ob_copy_file *)b)->path);
}

static ocib_errc add_name(const ob_context_scan *scan, int fd, const char *name, ob_buffer *path,
			  ob_arena *texts, ob_copy_files *files, ocib_error **err)
{
	ob_autodone(ob_copy_file) file = {0};

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return OCIB_OK;
	/* The directory is in the path already. */
	size_t dir_len = path->len;
	ob_buffer_append_str(path, name);
	ocib_errc r = ob_buffer_check(path, err);
	if (!r)
		r = ob_context_read_file(scan, fd, name, path->data, texts, &file, err);
	path->len = dir_len;
	if (r || !file.type)
		return r;
	return ob_copy_files_take(files, &file) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

ocib_errc ob_context_list_dir(const ob_context_scan *scan, int fd /* taken */, const char *dir,
			      ob_arena *texts, ob_copy_files *files, ocib_error **err)
{
	ob_autodone(ob_buffer) path =
		OB_BUFFER_INIT(OB_LIMIT_TAR_NAME, "a path of the build context");
	ob_autodir DIR *stream = fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		(void)close(fd);
		return ob_fail_nomem(err);
	}
	if (*dir)
		ob_buffer_printf(&path, "%s/", dir);
	while (errno = 0, (entry = readdir(stream))) {
		ocib_errc r = add_name(scan, fd, entry->d_name, &path, texts, files, err);

		if (r)
			return r;
	}
	if (errno)
		return ob_fail_errno(err, "read directory '%s' of the build context", dir);
	if (files->len > 1)
		qsort(files->items, files->len, sizeof(*files->items), by_path);
	return OCIB_OK;
}
