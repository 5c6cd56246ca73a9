/* layer/layer_blob.c — see layer_blob.h.
 *
 * One stream of unpacked tar is kept open, and its place in the tar is known. Content further on is
 * reached by reading on, as long as that is cheaper than to start anew; content elsewhere by a new stream:
 * from the member that holds it, from its offset in a plain tar, or, where a blob is one gzip stream,
 * from the very beginning.
 */
#include "layer/layer_blob.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "layer/member_name.h"

#define SKIP_MAX (2 * OB_MIB) /* rather read on than seek, where one can seek */

struct ob_layer_blob {
	int fd;
	uint64_t size; /* of the file */
	const ob_layer_index *index;
	ob_compression compression; /* by the file's first bytes */
	bool has_members;           /* the index's table is of this very packing */

	ob_reader *stream; /* unpacked tar */
	uint64_t position; /* of the stream in the tar */

	ob_reader content; /* what the caller reads: the next left bytes of the stream */
	uint64_t left;

	ob_reader member;   /* the stream, for a tar reader */
	ob_tar_reader *tar; /* for content whose place is not known */
};

/* Does a packed piece begin at offset, or the file end there? Hidden data counts as a piece. */
static bool is_boundary(int fd, ob_compression kind, uint64_t offset)
{
	uint8_t head[4] = {0};
	ssize_t got = ob_pread_full(fd, head, sizeof(head), (off_t)offset);

	if (got <= 0)
		return got == 0;
	if (kind == OB_COMPRESSION_GZIP)
		return head[0] == 0x1f && head[1] == 0x8b && head[2] == 0x08;
	return ob_compression_detect(head, (size_t)got) == kind ||
	       ((head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18);
}

/*
 * An index belongs to a tar, its table of members to one packing of it. The same tar may be in the store
 * packed in several ways, so a table is looked at before it is believed: pieces must begin where it says
 * the last one begins and ends. (Were it wrong all the same, inflating would fail, not give other bytes.)
 */
static bool has_members(int fd, const ob_layer_index *index)
{
	const ob_member_table *table;

	if (!index || index->members.len < 2 || index->compression == OB_COMPRESSION_NONE)
		return false;
	table = &index->members;
	return is_boundary(fd, index->compression, table->items[table->len - 2].packed) &&
	       is_boundary(fd, index->compression, table->items[table->len - 1].packed);
}

static ocib_errc file_size(int fd, uint64_t *size, ocib_error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ob_fail_errno(err, "stat of a layer blob");
	*size = (uint64_t)st.st_size;
	return OCIB_OK;
}

static ocib_errc open_stream(int fd, ob_reader **out, ocib_error **err)
{
	ob_auto(ob_reader) packed = NULL;
	uint64_t size = 0;
	ocib_errc r = file_size(fd, &size, err);

	if (!r)
		r = ob_reader_open_range(fd, false, 0, size, &packed, err);
	return r ? r : ob_reader_open_decompress(ob_take_ptr(packed), out, err);
}

ocib_errc ob_layer_blob_open_tar(int fd, const ob_layer_index *index, uint32_t threads,
				 ob_reader **out, ocib_error **err)
{
	if (has_members(fd, index))
		return ob_reader_open_members(fd, index->compression, &index->members, 0,
					      index->tar_size, threads, out, err);
	return open_stream(fd, out, err);
}

/* Readers that the blob lends out are parts of it. */
static void stay(ob_reader *self)
{
	(void)self;
}

static ob_layer_blob *of_content(ob_reader *self)
{
	return (ob_layer_blob *)(void *)((char *)self - offsetof(ob_layer_blob, content));
}

static ob_layer_blob *of_member(ob_reader *self)
{
	return (ob_layer_blob *)(void *)((char *)self - offsetof(ob_layer_blob, member));
}

static ocib_errc read_stream(ob_layer_blob *blob, void *data, size_t cap, size_t *got,
			     ocib_error **err)
{
	ocib_errc r = ob_reader_read(blob->stream, data, cap, got, err);

	if (!r)
		blob->position += *got;
	return r;
}

static ocib_errc read_member(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	return read_stream(of_member(self), data, cap, got, err);
}

static ocib_errc read_content(ob_reader *self, void *data, size_t cap, size_t *got,
			      ocib_error **err)
{
	ob_layer_blob *blob = of_content(self);

	*got = 0;
	if (cap > blob->left)
		cap = (size_t)blob->left;
	if (cap == 0)
		return OCIB_OK;
	ocib_errc r = read_stream(blob, data, cap, got, err);
	if (!r && *got == 0)
		return ob_fail(err, OCIB_ERR_CORRUPT, "the layer ends inside a file");
	blob->left -= *got;
	return r;
}

ocib_errc ob_layer_blob_open(int fd, const ob_layer_index *index, ob_layer_blob **out,
			     ocib_error **err)
{
	static const ob_reader_ops content_ops = {.read = read_content, .destroy = stay};
	static const ob_reader_ops member_ops = {.read = read_member, .destroy = stay};
	ob_autofd int taken = fd;
	ob_auto(ob_layer_blob) blob = calloc(1, sizeof(*blob));
	uint8_t head[6];

	if (!blob)
		return ob_fail_nomem(err);
	blob->fd = ob_take_fd(taken);
	blob->index = index;
	blob->content.ops = &content_ops;
	blob->member.ops = &member_ops;
	ssize_t got = ob_pread_full(blob->fd, head, sizeof(head), 0);
	if (got < 0)
		return ob_fail_errno(err, "read a layer blob");
	blob->compression = ob_compression_detect(head, (size_t)got);
	blob->has_members = has_members(blob->fd, index);
	ocib_errc r = file_size(blob->fd, &blob->size, err);
	if (r)
		return r;
	*out = ob_take_ptr(blob);
	return OCIB_OK;
}

/* A new stream that begins at offset, or, where that cannot be, at 0. */
static ocib_errc restart(ob_layer_blob *blob, uint64_t offset, ocib_error **err)
{
	const ob_layer_index *index = blob->index;

	blob->stream = ob_reader_free(blob->stream);
	blob->position = offset;
	if (blob->has_members)
		return ob_reader_open_members(blob->fd, index->compression, &index->members, offset,
					      index->tar_size - offset, 1, &blob->stream, err);
	if (blob->compression == OB_COMPRESSION_NONE)
		return ob_reader_open_range(blob->fd, false, offset,
					    offset < blob->size ? blob->size - offset : 0,
					    &blob->stream, err);
	blob->position = 0;
	return open_stream(blob->fd, &blob->stream, err);
}

static ocib_errc seek(ob_layer_blob *blob, uint64_t offset, ocib_error **err)
{
	bool can_seek = blob->has_members || blob->compression == OB_COMPRESSION_NONE;
	bool read_on = blob->stream && blob->position <= offset &&
		       (!can_seek || offset - blob->position <= SKIP_MAX);
	ocib_errc r = read_on ? OCIB_OK : restart(blob, offset, err);

	if (!r && blob->position < offset)
		r = ob_reader_skip(blob->stream, offset - blob->position, err);
	if (r) {
		/* Wherever it is now, it is not where we think. */
		blob->stream = ob_reader_free(blob->stream);
		return r;
	}
	blob->position = offset;
	return OCIB_OK;
}

/* By the member's own header: sparse files have no place where all of their content is. */
static ocib_errc open_member(ob_layer_blob *blob, const ob_entry *entry, ocib_error **err)
{
	const ob_tar_reader_options options = {
		.strict = true, .whiteouts = true, .what = "a layer"};
	char shown[OB_MEMBER_SHOWN];
	const ob_entry *found = NULL;
	ocib_errc r;

	r = seek(blob, entry->tar_offset, err);
	if (!r)
		r = ob_tar_reader_open(&blob->member, &options, &blob->tar, err);
	if (!r)
		r = ob_tar_reader_next(blob->tar, &found, err);
	if (r)
		return r;
	if (!found || found->type != OB_ENTRY_FILE || found->size != entry->size ||
	    !ob_str_eq(found->path, entry->path))
		return ob_fail(err, OCIB_ERR_CORRUPT, "not where its layer index says: '%s'",
			       ob_member_show(entry->path, shown));
	return OCIB_OK;
}

ocib_errc ob_layer_blob_content(ob_layer_blob *blob, const ob_entry *entry, ob_reader **out,
				ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	blob->tar = ob_tar_reader_free(blob->tar);
	blob->left = 0;
	if (entry->type != OB_ENTRY_FILE)
		return ob_fail(err, OCIB_ERR_INVALID, "content of what is no file");
	if (entry->size > 0 && entry->data_offset == 0) {
		r = open_member(blob, entry, err);
		if (!r)
			*out = ob_tar_reader_content(blob->tar);
		return r;
	}
	if (entry->size > 0)
		r = seek(blob, entry->data_offset, err);
	if (r)
		return r;
	blob->left = entry->size;
	*out = &blob->content;
	return OCIB_OK;
}

ob_layer_blob *ob_layer_blob_free(ob_layer_blob *blob)
{
	if (!blob)
		return NULL;
	ob_tar_reader_free(blob->tar);
	ob_reader_free(blob->stream);
	if (blob->fd >= 0)
		(void)close(blob->fd);
	free(blob);
	return NULL;
}
