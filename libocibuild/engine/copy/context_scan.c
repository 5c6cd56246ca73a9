/* engine/copy/context_scan.c — a local context while a build lasts: its root, its patterns, its digests.
 *
 * Files are opened from the root by one openat2 that follows no link and leaves no directory, so whatever
 * is swapped in meanwhile, nothing outside the context is read. A file that is not what it was when
 * it was found is an error: the layer's key would not be that of its content.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include "base/strings.h"
#include "engine/copy/context_source.h"

ocib_errc ob_context_scan_new(ocib_context *ctx, ob_store *store, const ob_node *node,
			      ob_context_scan **out, ocib_error **err)
{
	ob_auto(ob_context_scan) scan = calloc(1, sizeof(*scan));
	struct timespec now;

	if (!scan)
		return ob_fail_nomem(err);
	scan->ctx = ctx;
	scan->store = store;
	scan->node = node;
	(void)pthread_mutex_init(&scan->lock, NULL);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	scan->opened_sec = now.tv_sec;
	scan->rootfd = open(node->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan->rootfd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "the build context '%s' is not a directory",
			       node->dir);
	if (scan->rootfd < 0)
		return ob_fail_errno(err, "open the build context '%s'", node->dir);
	ocib_errc r = node->is_temporary ? OCIB_OK
					 : ob_stat_cache_open(store, node->dir, &scan->cache, err);
	if (r)
		return r;
	*out = ob_take_ptr(scan);
	return OCIB_OK;
}

ob_context_scan *ob_context_scan_free(ob_context_scan *scan)
{
	if (!scan)
		return NULL;
	if (scan->cache)
		ob_stat_cache_save(scan->cache);
	ob_stat_cache_free(scan->cache);
	(void)pthread_mutex_destroy(&scan->lock);
	if (scan->rootfd >= 0)
		(void)close(scan->rootfd);
	free(scan);
	return NULL;
}

static bool is_same(const ob_copy_file *file, const struct stat *st)
{
	const ob_file_stamp *stamp = &file->stamp;

	return S_ISREG(st->st_mode) && stamp->dev == st->st_dev && stamp->ino == st->st_ino &&
	       file->size == (uint64_t)st->st_size && stamp->mtime_sec == st->st_mtim.tv_sec &&
	       stamp->mtime_nsec == st->st_mtim.tv_nsec && stamp->ctime_sec == st->st_ctim.tv_sec &&
	       stamp->ctime_nsec == st->st_ctim.tv_nsec;
}

static ocib_errc fail_changed(const ob_copy_file *file, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' changed while the build was reading it",
		       file->path);
}

ocib_errc ob_context_check_file(const ob_copy_file *file, int fd, ocib_error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ob_fail_errno(err, "stat '%s'", file->path);
	return is_same(file, &st) ? OCIB_OK : fail_changed(file, err);
}

int ob_context_open(const ob_context_scan *scan, const char *path, int flags)
{
	int more = O_CLOEXEC | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NOCTTY);
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | more),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, scan->rootfd, *path ? path : ".", &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

ocib_errc ob_context_open_file(const ob_context_scan *scan, const ob_copy_file *file, int *out_fd,
			       ocib_error **err)
{
	ob_autofd int fd = ob_context_open(scan, file->path, O_RDONLY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return fail_changed(file, err);
	if (fd < 0)
		return ob_fail_errno(err, "open '%s' of the build context", file->path);
	ocib_errc r = ob_context_check_file(file, fd, err);
	if (r)
		return r;
	*out_fd = ob_take_fd(fd);
	return OCIB_OK;
}

/*
 * What an image is for and can carry: capabilities and what users set. Labels and lists of the host's own
 * security mean nothing elsewhere.
 */
static bool is_kept(const char *name)
{
	return ob_str_eq(name, "security.capability") ||
	       (ob_str_starts(name, "user.") && !ob_str_starts(name, "user.overlay."));
}

static ocib_errc read_xattr(int fd, const char *name, ob_copy_file *file, ocib_error **err)
{
	ssize_t len = fgetxattr(fd, name, NULL, 0);
	ob_autofree uint8_t *value = len >= 0 ? malloc((size_t)len + 1) : NULL;
	ob_entry entry = {.xattrs = file->xattrs, .xattr_count = file->xattr_count};

	if (len < 0)
		return errno == ENODATA ? OCIB_OK
					: ob_fail_errno(err, "read attribute '%s' of '%s'", name,
							file->path);
	if (!value)
		return ob_fail_nomem(err);
	len = fgetxattr(fd, name, value, (size_t)len);
	if (len < 0)
		return fail_changed(file, err);
	int r = ob_entry_add_xattr(&entry, name, value, (size_t)len);
	file->xattrs = entry.xattrs;
	file->xattr_count = entry.xattr_count;
	return r < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

ocib_errc ob_context_read_xattrs(int fd, ob_copy_file *file, ocib_error **err)
{
	char names[65536]; /* XATTR_LIST_MAX */
	ssize_t len = flistxattr(fd, names, sizeof(names));

	if (len < 0 && errno != ENOTSUP)
		return ob_fail_errno(err, "list the attributes of '%s'", file->path);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ocib_errc r = is_kept(name) ? read_xattr(fd, name, file, err) : OCIB_OK;

		if (r)
			return r;
	}
	return OCIB_OK;
}
