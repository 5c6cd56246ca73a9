/* store/store_copy.c — images between stores and layouts.
 *
 * In the order of references: layers and config, then their manifest, then the index; so that whatever
 * moment the copy ends at, what is at the destination is complete in itself. Blobs are shared with the
 * source where the file system can (reflink) and copied in the kernel where it cannot. They are never
 * hard-linked: a layout is a folder of the user's, and a change made in it must not reach the store.
 * What comes out of a layout is hashed on the way, because anybody may have written it.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define MAX_DEPTH  4 /* an index in an index … */
#define COPY_CHUNK (8 * OB_MIB)

/** All of one file into an empty other, without passing through us. 0, or -1 and errno. */
static int copy_content(int from, int to, uint64_t size)
{
	uint64_t done = 0;
	ssize_t n;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	do {
		n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0);
		if (n > 0) {
			/* Early, as a blob writer does it, so that the fsync finds little to do. */
			(void)sync_file_range(to, (off_t)done, n, SYNC_FILE_RANGE_WRITE);
			done += (uint64_t)n;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 && done != size)
		errno = EINVAL; /* some file systems end early instead of saying that they cannot */
	return n == 0 && done == size ? 0 : -1;
}

/** As bytes through our hands, hashed; also where the kernel cannot copy. */
static ocib_errc copy_hashed(int from, ob_blob_writer *writer, const ob_descriptor *d,
			     ocib_error **err)
{
	ob_auto(ob_reader) reader = NULL;
	ob_digest ignored;
	ocib_errc r = ob_reader_open_range(from, false, 0, d->size, &reader, err);

	if (r == OCIB_OK)
		r = ob_stream_copy(reader, ob_blob_writer_base(writer), NULL, err);
	if (r == OCIB_OK)
		r = ob_blob_writer_commit(writer, &d->digest, d->size, &ignored, err);
	return r;
}

/** Hash what was copied, at the destination: where it was shared, nothing was read before. */
static ocib_errc check_content(int fd, const ob_descriptor *d, ocib_error **err)
{
	ob_reader *range = NULL;
	ob_auto(ob_reader) verified = NULL;
	ob_auto(ob_writer) nowhere = NULL;
	ocib_errc r = ob_writer_open_null(&nowhere, err);

	if (r == OCIB_OK)
		r = ob_reader_open_range(fd, false, 0, d->size, &range, err);
	if (r == OCIB_OK)
		r = ob_reader_open_verify(range, d->digest.bytes, d->size, d->digest.text,
					  &verified, err);
	if (r == OCIB_OK)
		r = ob_stream_copy(verified, nowhere, NULL, err);
	return r;
}

ocib_errc ob_store_copy_blob(ob_store *from, ob_store *to, const ob_descriptor *d, ocib_error **err)
{
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autofd int there = -1, source = -1;
	ocib_errc r;

	if (ob_store_open_blob(to, &d->digest, d->size, &there, NULL) == OCIB_OK)
		return OCIB_OK;
	r = ob_store_open_blob(from, &d->digest, d->size, &source, err);
	if (r == OCIB_OK)
		r = ob_blob_writer_open(to, &writer, err);
	if (r != OCIB_OK)
		return r;
	if (copy_content(source, ob_blob_writer_fd(writer), d->size) < 0) {
		if (errno == ENOSPC || errno == EDQUOT || errno == EIO ||
		    ftruncate(ob_blob_writer_fd(writer), 0) < 0 ||
		    lseek(ob_blob_writer_fd(writer), 0, SEEK_SET) < 0)
			return ob_fail_errno(err, "copy blob %s to '%s'", d->digest.text, to->path);
		return copy_hashed(source, writer, d, err);
	}
	if (from->is_layout)
		r = check_content(ob_blob_writer_fd(writer), d, err);
	return r == OCIB_OK ? ob_blob_writer_commit_trusted(writer, &d->digest, err) : r;
}

/** One blob, counted when it was not there. */
static ocib_errc copy_counted(ob_store *from, ob_store *to, const ob_descriptor *d, uint64_t *bytes,
			      ocib_error **err)
{
	bool there = ob_store_has_blob(to, &d->digest);
	ocib_errc r = ob_store_copy_blob(from, to, d, err);

	if (r == OCIB_OK && !there)
		*bytes += d->size;
	return r;
}

/** Layers that need not be with the image: their descriptor says where they are to be had. */
static bool is_elsewhere(ob_store *from, const ob_descriptor *layer)
{
	return layer->rest && ob_json_len(ob_json_get(layer->rest, "urls")) > 0 &&
	       !ob_store_has_blob(from, &layer->digest);
}

static ocib_errc copy_parts(ob_store *from, ob_store *to, const ob_manifest *m, uint64_t *bytes,
			    ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; r == OCIB_OK && i < m->layer_count; i++)
		if (!is_elsewhere(from, &m->layers[i]))
			r = copy_counted(from, to, &m->layers[i], bytes, err);
	return r == OCIB_OK ? copy_counted(from, to, &m->config, bytes, err) : r;
}

static ocib_errc copy_document(ob_store *from, ob_store *to, const ob_descriptor *d, unsigned depth,
			       uint64_t *bytes, ocib_error **err);

static ocib_errc copy_children(ob_store *from, ob_store *to, const ob_index *index, unsigned depth,
			       uint64_t *bytes, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	if (depth == 0)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "image indexes are nested more than %d levels deep", MAX_DEPTH);
	for (size_t i = 0; r == OCIB_OK && i < index->manifest_count; i++)
		r = copy_document(from, to, &index->manifests[i], depth - 1, bytes, err);
	return r;
}

static ocib_errc copy_document(ob_store *from, ob_store *to, const ob_descriptor *d, unsigned depth,
			       uint64_t *bytes, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image document");
	ob_auto(ob_manifest) manifest = NULL;
	ob_auto(ob_index) index = NULL;
	const char *data;
	ocib_errc r = ob_store_read_blob(from, &d->digest, &text, err);

	if (r != OCIB_OK)
		return r;
	data = text.data ? text.data : "";
	if (ob_document_kind(data, text.len, d->media_type) == 1) {
		r = ob_index_parse(data, text.len, d->media_type, &index, err);
		if (r == OCIB_OK)
			r = copy_children(from, to, index, depth, bytes, err);
	} else {
		r = ob_manifest_parse(data, text.len, d->media_type, &manifest, err);
		if (r == OCIB_OK)
			r = copy_parts(from, to, manifest, bytes, err);
	}
	return r == OCIB_OK ? copy_counted(from, to, d, bytes, err) : r;
}

ocib_errc ob_store_copy_image(ob_store *from, ob_store *to, const ob_descriptor *root,
			      uint64_t *bytes, ocib_error **err)
{
	uint64_t copied = 0;
	ocib_errc r = copy_document(from, to, root, MAX_DEPTH, &copied, err);

	if (r != OCIB_OK)
		return ob_wrap(err, r, "copy image %s", root->digest.text);
	if (bytes)
		*bytes = copied;
	return OCIB_OK;
}
