/* store/blob_writer.c — a blob on its way: a temporary file until its digest is known.
 *
 * Commit is fsync and rename, so that no reference is ever on disk before what it refers to. To make the
 * fsync cheap, the kernel is asked to start writing every few megabytes while the rest is still being
 * produced: at the end hardly anything is left to wait for (250 MB: 2 ms instead of 100). A blob that is
 * there already is replaced by the same bytes, which mends one that was damaged.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"

#define WRITEBACK_STEP (8 * OB_MIB)

struct ob_blob_writer {
	ob_writer base;
	ob_writer unhashed;
	ob_store *store; /* borrowed */
	char *path;      /* relative to the store; NULL once committed */
	int fd;
	ob_hash *hash;
	uint64_t size;    /* what passed base */
	uint64_t started; /* up to where writing to disk was asked for */
};

static ocib_errc append(ob_blob_writer *w, const void *data, size_t len, ocib_error **err)
{
	if (len > OB_LIMIT_BLOB - w->size)
		return ob_fail(err, OCIB_ERR_LIMIT, "a blob of more than %llu bytes",
			       OB_LIMIT_BLOB);
	if (ob_write_full(w->fd, data, len) < 0)
		return ob_fail_errno(err, "write a blob to '%s'", w->store->path);
	w->size += len;
	if (w->size - w->started >= WRITEBACK_STEP) {
		/* A hint; where it cannot be had, fsync does it all. */
		(void)sync_file_range(w->fd, (off_t)w->started, (off_t)(w->size - w->started),
				      SYNC_FILE_RANGE_WRITE);
		w->started = w->size;
	}
	return OCIB_OK;
}

static ocib_errc hashed_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	ob_blob_writer *w = (ob_blob_writer *)self;

	ob_hash_update(w->hash, data, len);
	return append(w, data, len, err);
}

static ocib_errc unhashed_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	char *object = (char *)self - offsetof(ob_blob_writer, unhashed);

	return append((ob_blob_writer *)(void *)object, data, len, err);
}

/** The streams are part of the blob writer, which is freed by its own function. */
static void blob_destroy(ob_writer *self)
{
	(void)self;
}

ocib_errc ob_blob_writer_open(ob_store *store, ob_blob_writer **out, ocib_error **err)
{
	static const ob_writer_ops hashed = {hashed_write, NULL, blob_destroy};
	static const ob_writer_ops unhashed = {unhashed_write, NULL, blob_destroy};
	ob_auto(ob_blob_writer) w = calloc(1, sizeof(*w));
	ob_autofree char *path = NULL;
	ocib_errc r;

	if (!w)
		return ob_fail_nomem(err);
	w->base.ops = &hashed;
	w->unhashed.ops = &unhashed;
	w->store = store;
	w->fd = -1;
	r = ob_hash_new(&w->hash, err);
	if (r == OCIB_OK)
		r = ob_store_temp_name(store, &path, err);
	if (r != OCIB_OK)
		return r;
	w->fd = openat(store->dirfd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (w->fd < 0)
		return ob_fail_errno(err, "create '%s/%s'", store->path, path);
	w->path = ob_take_ptr(path);
	*out = ob_take_ptr(w);
	return OCIB_OK;
}

ob_writer *ob_blob_writer_base(ob_blob_writer *writer)
{
	return &writer->base;
}

ob_writer *ob_blob_writer_unhashed(ob_blob_writer *writer)
{
	return &writer->unhashed;
}

const char *ob_blob_writer_path(const ob_blob_writer *writer)
{
	return writer->path;
}

int ob_blob_writer_fd(ob_blob_writer *writer)
{
	return writer->fd;
}

/** A layout that another tool made need not have the folder for a blob's algorithm. */
int ob_store_rename_blob(ob_store *store, const char *from, const char *to)
{
	if (renameat(store->dirfd, from, store->dirfd, to) == 0)
		return 0;
	if (errno != ENOENT || !store->is_layout ||
	    ob_mkdir_parents(store->dirfd, OB_BLOBS_DIR, 0755, NULL) != OCIB_OK)
		return -1;
	return renameat(store->dirfd, from, store->dirfd, to);
}

ocib_errc ob_blob_writer_commit_trusted(ob_blob_writer *w, const ob_digest *digest,
					ocib_error **err)
{
	char to[OB_STORE_PATH_LEN];

	ob_store_object_path(OB_BLOBS_DIR, digest, to);
	if (fsync(w->fd) < 0 || ob_store_rename_blob(w->store, w->path, to) < 0)
		return ob_fail_errno(err, "write blob %s to '%s'", digest->text, w->store->path);
	free(w->path);
	w->path = NULL;
	return OCIB_OK;
}

ocib_errc ob_blob_writer_commit(ob_blob_writer *w, const ob_digest *expected, uint64_t size,
				ob_digest *out, ocib_error **err)
{
	uint8_t bytes[OB_SHA256_LEN];
	ob_digest digest;
	ocib_errc r;

	ob_hash_final(w->hash, bytes);
	ob_digest_from_bytes(&digest, bytes);
	if (expected && size != UINT64_MAX && size != w->size)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "blob %s: %" PRIu64 " bytes came instead of %" PRIu64,
			       expected->text, w->size, size);
	if (expected && !ob_digest_eq(expected, &digest))
		return ob_fail(err, OCIB_ERR_CORRUPT, "blob %s: what came has digest %s",
			       expected->text, digest.text);
	r = ob_blob_writer_commit_trusted(w, &digest, err);
	if (r == OCIB_OK && out)
		*out = digest;
	return r;
}

ob_blob_writer *ob_blob_writer_free(ob_blob_writer *w)
{
	if (!w)
		return NULL;
	if (w->path)
		(void)unlinkat(w->store->dirfd, w->path, 0);
	if (w->fd >= 0)
		(void)close(w->fd);
	(void)ob_hash_free(w->hash);
	free(w->path);
	free(w);
	return NULL;
}
