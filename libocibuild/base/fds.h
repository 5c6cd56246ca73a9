/* base/fds.h — files by descriptor: whole reads and writes, atomic replacement, walks that stay inside.
 *
 * Every descriptor is O_CLOEXEC from birth. Inside a tree that came from outside, ob_fs_resolve() is the
 * only way to walk a path: openat2 with RESOLVE_IN_ROOT.
 */
#ifndef OB_BASE_FDS_H
#define OB_BASE_FDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "base/buffer.h"

/** Read until len bytes or end of file; -1 and errno on failure. */
ssize_t ob_read_full(int fd, void *data, size_t len);
ssize_t ob_pread_full(int fd, void *data, size_t len, off_t offset);
int ob_write_full(int fd, const void *data, size_t len);

/** Append a whole file to buffer (its max is the limit). Kinds: NOTFOUND, LIMIT, SYSTEM. */
ocib_errc ob_read_file(int dirfd, const char *path, ob_buffer *buffer, ocib_error **err);

/** Write temp + fsync + rename, so a reader sees the old or the new file and never a part. */
ocib_errc ob_write_file_atomic(int dirfd, const char *path, const void *data, size_t len,
			       mode_t mode, ocib_error **err);

/** Open @p path inside the tree at rootfd; links and ".." never leave it. -1 and errno. */
int ob_fs_resolve(int rootfd, const char *path, int flags, mode_t mode);
/** mkdir -p below dirfd (trusted paths only: our own store). */
ocib_errc ob_mkdir_parents(int dirfd, const char *path, mode_t mode, ocib_error **err);
/** rm -rf of dirfd/name, never following links; absent is fine. chmods directories it cannot enter. */
ocib_errc ob_remove_tree(int dirfd, const char *name, ocib_error **err);

/**
 * OFD write or read lock on a lock file, made if missing. Closing the fd releases it.
 * Kinds: EXISTS when held by another and @p wait is false.
 */
ocib_errc ob_lock_file(int dirfd, const char *name, bool exclusive, bool wait, int *out_fd,
		       ocib_error **err);

#endif
