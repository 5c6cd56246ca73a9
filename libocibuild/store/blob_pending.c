/* store/blob_pending.c — documents that are written, but not yet under their names.
 *
 * A build ends with a handful of small documents, and each fsync waits for the disk: 2 ms and more on a
 * busy one. So a document is written to a temporary file and stays there, found by this store object
 * alone, until something is to refer to it: then all are started on their way to disk, all are waited
 * for (the first wait does nearly all the work) and all get their names. A blob under its name is
 * complete, as always; a process that is killed before leaves temporary files.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include "base/fds.h"

#define MAX_PENDING 64 /* each holds a descriptor open */

struct ob_pending_blob {
	ob_digest digest;
	char *path; /* temporary, relative to the store */
	int fd;     /* for fsync */
};

/** Called with the lock held, as all static functions here. */
static struct ob_pending_blob *find(const ob_store *store, const ob_digest *digest)
{
	for (size_t i = 0; i < store->pending_count; i++)
		if (ob_digest_eq(&store->pending[i].digest, digest))
			return &store->pending[i];
	return NULL;
}

int ob_store_open_pending(ob_store *store, const ob_digest *digest)
{
	const struct ob_pending_blob *pending;
	int fd = -1;

	(void)pthread_mutex_lock(&store->lock);
	pending = find(store, digest);
	if (pending)
		fd = openat(store->dirfd, pending->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	(void)pthread_mutex_unlock(&store->lock);
	return fd;
}

bool ob_store_is_pending(ob_store *store, const ob_digest *digest)
{
	bool found;

	(void)pthread_mutex_lock(&store->lock);
	found = find(store, digest) != NULL;
	(void)pthread_mutex_unlock(&store->lock);
	return found;
}

/** Make room for one more, take over path and fd. */
static int append(ob_store *store, const ob_digest *digest, char **path, int *fd)
{
	struct ob_pending_blob *more =
		reallocarray(store->pending, store->pending_count + 1, sizeof(*more));

	if (!more)
		return -1;
	store->pending = more;
	more[store->pending_count++] =
		(struct ob_pending_blob){*digest, ob_take_ptr(*path), ob_take_fd(*fd)};
	return 0;
}

ocib_errc ob_store_add_pending(ob_store *store, const ob_digest *digest, const void *data,
			       size_t len, ocib_error **err)
{
	ob_autofree char *path = NULL;
	ob_autofd int fd = -1;
	bool is_full;
	int r;
	ocib_errc code = ob_store_temp_name(store, &path, err);

	if (code != OCIB_OK)
		return code;
	fd = openat(store->dirfd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || ob_write_full(fd, data, len) < 0) {
		code = ob_fail_errno(err, "write '%s/%s'", store->path, path);
		(void)unlinkat(store->dirfd, path, 0);
		return code;
	}
	(void)pthread_mutex_lock(&store->lock);
	r = find(store, digest) ? 0 : append(store, digest, &path, &fd);
	is_full = store->pending_count >= MAX_PENDING;
	(void)pthread_mutex_unlock(&store->lock);
	if (path) /* another thread was faster, or there is no memory */
		(void)unlinkat(store->dirfd, path, 0);
	if (r < 0)
		return ob_fail_nomem(err);
	return is_full ? ob_store_flush(store, err) : OCIB_OK;
}

static int place(ob_store *store, const struct ob_pending_blob *blob)
{
	char to[OB_STORE_PATH_LEN];

	ob_store_object_path(OB_BLOBS_DIR, &blob->digest, to);
	return fsync(blob->fd) < 0 ? -1 : ob_store_rename_blob(store, blob->path, to);
}

ocib_errc ob_store_flush(ob_store *store, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	(void)pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < store->pending_count; i++)
		(void)sync_file_range(store->pending[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	while (r == OCIB_OK && store->pending_count) {
		struct ob_pending_blob *last = &store->pending[store->pending_count - 1];

		if (place(store, last) < 0) {
			r = ob_fail_errno(err, "write blob %s to '%s'", last->digest.text,
					  store->path);
			break;
		}
		(void)close(last->fd);
		free(last->path);
		store->pending_count--;
	}
	(void)pthread_mutex_unlock(&store->lock);
	return r;
}

void ob_store_drop_pending(ob_store *store)
{
	for (size_t i = 0; i < store->pending_count; i++) {
		(void)close(store->pending[i].fd);
		free(store->pending[i].path);
	}
	free(store->pending);
	store->pending = NULL;
	store->pending_count = 0;
}
