/* base/fds.c — whole reads and writes, atomic replacement, resolving inside a root, locks.
 *
 * Nothing here follows a path that came from outside except ob_fs_resolve(), which leaves the walking to
 * the kernel: RESOLVE_IN_ROOT cannot be raced by a link that is swapped in midway.
 */
#include "base/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

ssize_t ob_read_full(int fd, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t ob_pread_full(int fd, void *data, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int ob_write_full(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

#define READ_STEP 65536

/* How much to ask for next: what is said to be left plus one byte that proves the end. */
static size_t next_read(int fd, size_t have)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size >= have &&
	    (uint64_t)st.st_size - have < READ_STEP)
		return (size_t)st.st_size - have + 1;
	return READ_STEP;
}

ocib_errc ob_read_file(int dirfd, const char *path, ob_buffer *buffer, ocib_error **err)
{
	ob_autofd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t have = 0;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "'%s' does not exist", path);
	if (fd < 0)
		return ob_fail_errno(err, "open '%s'", path);
	for (;;) {
		size_t ask = next_read(fd, have), room = buffer->max - buffer->len;
		char probe, *to = &probe;

		if (ask > room)
			ask = room;
		if (ask && !(to = ob_buffer_reserve(buffer, ask)))
			return ob_buffer_check(buffer, err);
		ssize_t got = ob_read_full(fd, to, ask ? ask : 1);
		if (got < 0)
			return ob_fail_errno(err, "read '%s'", path);
		if (got > 0 && !ask)
			return ob_fail(err, OCIB_ERR_LIMIT, "'%s' is larger than %zu bytes", path,
				       buffer->max);
		if (got == 0)
			break;
		have += (size_t)got;
		buffer->len += (size_t)got;
		buffer->data[buffer->len] = '\0';
	}
	return ob_buffer_check(buffer, err);
}

/* "<path>.tmp-<random>": beside the target, so that rename works. */
static int open_temp_beside(int dirfd, const char *path, mode_t mode, char **out_name)
{
	for (int attempt = 0; attempt < 16; attempt++) {
		ob_autofree char *name = NULL;
		uint64_t random;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -1;
		if (asprintf(&name, "%s.tmp-%016llx", path, (unsigned long long)random) < 0) {
			errno = ENOMEM;
			return -1;
		}
		int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				mode);
		if (fd >= 0)
			*out_name = ob_take_ptr(name);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

ocib_errc ob_write_file_atomic(int dirfd, const char *path, const void *data, size_t len,
			       mode_t mode, ocib_error **err)
{
	ob_autofree char *temp = NULL;
	ob_autofd int fd = open_temp_beside(dirfd, path, mode, &temp);

	if (fd < 0)
		return ob_fail_errno(err, "create a file beside '%s'", path);
	if (ob_write_full(fd, data, len) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
	    renameat(dirfd, temp, dirfd, path) < 0) {
		int saved = errno;

		(void)unlinkat(dirfd, temp, 0);
		errno = saved;
		return ob_fail_errno(err, "write '%s'", path);
	}
	return OCIB_OK;
}

static int open_inside(int rootfd, const char *path, const struct open_how *how)
{
	for (;;) {
		long fd = syscall(SYS_openat2, rootfd, *path ? path : ".", how, sizeof(*how));

		/* EAGAIN: something was renamed while ".." was resolved. */
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			return (int)fd;
	}
}

/*
 * A path that is too long for one system call, walked in pieces. Only in the first piece may a link
 * occur: further down it could not be told from the root.
 */
static int open_long(int rootfd, const char *path, const struct open_how *how)
{
	struct open_how step = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = how->resolve};
	char piece[PATH_MAX];
	ob_autofd int dir = -1;

	while (strlen(path) >= sizeof(piece)) {
		size_t len = sizeof(piece) - 1;

		while (len > 0 && path[len] != '/')
			len--;
		memcpy(piece, path, len);
		piece[len] = '\0';
		int next = len ? open_inside(dir < 0 ? rootfd : dir, piece, &step) : -1;
		if (next < 0)
			return -1;
		ob_closep(&dir);
		dir = next;
		path += len + strspn(path + len, "/");
		step.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	}
	step.flags = how->flags;
	step.mode = how->mode;
	return open_inside(dir, path, &step);
}

int ob_fs_resolve(int rootfd, const char *path, int flags, mode_t mode)
{
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	if (strlen(path) >= PATH_MAX)
		return open_long(rootfd, path, &how);
	return open_inside(rootfd, path, &how);
}

ocib_errc ob_mkdir_parents(int dirfd, const char *path, mode_t mode, ocib_error **err)
{
	ob_autofree char *part = strdup(path);

	if (!part)
		return ob_fail_nomem(err);
	if (mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return OCIB_OK;
	if (errno != ENOENT)
		return ob_fail_errno(err, "create directory '%s'", path);
	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdirat(dirfd, part, mode) < 0 && errno != EEXIST)
			return ob_fail_errno(err, "create directory '%s'", part);
		if (!slash)
			return OCIB_OK;
		*slash = '/';
		if (!slash[1])
			return OCIB_OK;
	}
}

ocib_errc ob_lock_file(int dirfd, const char *name, bool exclusive, bool wait, int *out_fd,
		       ocib_error **err)
{
	struct flock lock = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};
	ob_autofd int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r;

	if (fd < 0)
		return ob_fail_errno(err, "open lock file '%s'", name);
	do {
		r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
	} while (r < 0 && errno == EINTR);
	if (r < 0 && !wait && (errno == EAGAIN || errno == EACCES))
		return ob_fail(err, OCIB_ERR_EXISTS, "'%s' is locked by another process", name);
	if (r < 0)
		return ob_fail_errno(err, "lock '%s'", name);
	*out_fd = ob_take_fd(fd);
	return OCIB_OK;
}
