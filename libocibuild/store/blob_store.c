/* store/blob_store.c — blobs by digest: is it there, open it, read a document, write one.
 *
 * A file under blobs/sha256 is complete from the moment it has its name. Its content is not hashed again
 * when it is opened (fsck does that); only its size is compared, which catches what a crash of the machine
 * can do to a file on any journaling file system. Documents are small and are verified each time.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include "base/fds.h"
#include "base/limits.h"

bool ob_store_has_blob(ob_store *store, const ob_digest *digest)
{
	char path[OB_STORE_PATH_LEN];
	struct stat st;

	ob_store_object_path(OB_BLOBS_DIR, digest, path);
	return ob_store_is_pending(store, digest) ||
	       (fstatat(store->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode));
}

ocib_errc ob_store_open_blob(ob_store *store, const ob_digest *digest, uint64_t size, int *out_fd,
			     ocib_error **err)
{
	char path[OB_STORE_PATH_LEN];
	struct stat st;
	ob_autofd int fd = -1;

	ob_store_object_path(OB_BLOBS_DIR, digest, path);
	fd = ob_store_open_pending(store, digest);
	if (fd < 0)
		fd = openat(store->dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "blob %s is not in '%s'", digest->text,
			       store->path);
	if (fd < 0 && errno != ELOOP)
		return ob_fail_errno(err, "open '%s/%s'", store->path, path);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return ob_fail_errno(err, "stat '%s/%s'", store->path, path);
	if (fd < 0 || !S_ISREG(st.st_mode))
		return ob_fail(err, OCIB_ERR_CORRUPT, "blob %s in '%s' is not a regular file",
			       digest->text, store->path);
	if (size != UINT64_MAX && (uint64_t)st.st_size != size)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "blob %s in '%s' has %" PRIu64 " bytes instead of %" PRIu64,
			       digest->text, store->path, (uint64_t)st.st_size, size);
	*out_fd = ob_take_fd(fd);
	return OCIB_OK;
}

ocib_errc ob_store_read_blob(ob_store *store, const ob_digest *digest, ob_buffer *out,
			     ocib_error **err)
{
	ob_autofd int fd = -1;
	ob_auto(ob_reader) reader = NULL;
	ob_digest actual;
	size_t start = out->len;
	ocib_errc r = ob_store_open_blob(store, digest, UINT64_MAX, &fd, err);

	if (r == OCIB_OK)
		r = ob_reader_open_fd(fd, &reader, err);
	if (r == OCIB_OK)
		r = ob_reader_read_all(reader, out, err);
	if (r != OCIB_OK)
		return r;
	ob_digest_of(&actual, out->data ? out->data + start : "", out->len - start);
	if (!ob_digest_eq(&actual, digest))
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "blob %s in '%s' is damaged: its content has digest %s",
			       digest->text, store->path, actual.text);
	return OCIB_OK;
}

ocib_errc ob_store_write_blob(ob_store *store, const void *data, size_t len, ob_digest *out,
			      ocib_error **err)
{
	ob_autofd int fd = -1;
	ob_digest digest;
	ocib_errc r = OCIB_OK;

	ob_digest_of(&digest, data, len);
	if (ob_store_open_blob(store, &digest, len, &fd, NULL) != OCIB_OK)
		r = ob_store_add_pending(store, &digest, data, len, err);
	if (r == OCIB_OK)
		*out = digest;
	return r;
}
