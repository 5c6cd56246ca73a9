/* layer/layer_writer.c — entries to a layer blob; see layer_writer.h.
 *
 *   caller: read content, hash it, lay out blocks of tar
 *     → write_behind's thread: hash the tar (diff id), cut it into members
 *         → compressing threads
 *       … and back in order: hash the blob (digest), write it
 *
 * What an entry may not say in a layer is taken away before anything is written, so the index that comes
 * out is the one that a scan of the tar would give. Once a byte of a member is written and the rest
 * cannot follow, the writer is broken and finish says so.
 */
#include "layer/layer_writer.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/member_name.h"
#include "layer/tar_writer.h"
#include "layer/write_behind.h"

struct ob_layer_writer {
	ob_layer_writer_options options;
	ob_hash_writer *packed; /* → blob */
	ob_compress_writer *compress;
	ob_hash_writer *tar;
	ob_write_behind *behind;

	ob_hash *content_hash;
	ob_buffer header;
	ob_layer_index *index;
	uint64_t tar_bytes;
	bool broken;
};

static ocib_errc build_pipeline(ob_layer_writer *w, ob_writer *blob, ocib_error **err)
{
	uint32_t threads = w->options.threads;
	ocib_errc r = ob_hash_writer_new(blob, &w->packed, err);

	if (!r)
		r = ob_compress_writer_new(ob_hash_writer_base(w->packed), w->options.compression,
					   w->options.level, threads, &w->compress, err);
	if (!r)
		r = ob_hash_writer_new(ob_compress_writer_base(w->compress), &w->tar, err);
	if (!r)
		r = ob_write_behind_new(ob_hash_writer_base(w->tar), threads > 1, &w->behind, err);
	return r ? r : ob_hash_new(&w->content_hash, err);
}

ocib_errc ob_layer_writer_open(const ob_layer_writer_options *options, ob_writer *blob,
			       ob_layer_writer **out, ocib_error **err)
{
	ob_auto(ob_layer_writer) w = calloc(1, sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	w->options = *options;
	if (w->options.threads == 0)
		w->options.threads = 1;
	w->header = (ob_buffer)OB_BUFFER_INIT(OB_TAR_HEADER_MAX, "the header");
	w->index = ob_layer_index_new();
	if (!w->index)
		return ob_fail_nomem(err);
	ocib_errc r = build_pipeline(w, blob, err);
	if (r)
		return r;
	*out = ob_take_ptr(w);
	return OCIB_OK;
}

static ocib_errc check_hard_link(const ob_layer_writer *w, const ob_entry *entry, ocib_error **err)
{
	const ob_entry *target = ob_layer_index_find(w->index, entry->link);
	char shown[OB_MEMBER_SHOWN], shown_link[OB_MEMBER_SHOWN];

	if (target && ob_entry_is_thing(target))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "'%s' is a hard link to '%s', which is not before it",
		       ob_member_show(entry->path, shown), ob_member_show(entry->link, shown_link));
}

static ocib_errc check_order(const ob_layer_writer *w, const ob_entry *entry, ocib_error **err)
{
	const ob_layer_index *index = w->index;
	const ob_entry *last = index->len ? &index->entries[index->len - 1] : NULL;
	char shown[OB_MEMBER_SHOWN];

	if (index->len >= OB_LIMIT_LAYER_ENTRIES)
		return ob_fail(err, OCIB_ERR_LIMIT, "a layer of more than %d entries",
			       OB_LIMIT_LAYER_ENTRIES);
	if (last && ob_entry_compare(last, entry) >= 0)
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is out of order",
			       ob_member_show(entry->path, shown));
	if (last && ob_entry_at_odds(last, entry))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is below what is no directory",
			       ob_member_show(entry->path, shown));
	return OCIB_OK;
}

static ocib_errc check_entry(const ob_layer_writer *w, const ob_entry *entry, ocib_error **err)
{
	bool is_link = entry->type == OB_ENTRY_SYMLINK || entry->type == OB_ENTRY_HARDLINK;
	char shown[OB_MEMBER_SHOWN];

	if (!entry->path[0] && entry->type != OB_ENTRY_DIR && entry->type != OB_ENTRY_OPAQUE)
		return ob_fail(err, OCIB_ERR_INVALID, "the root can only be a directory");
	if (is_link && (!entry->link || !entry->link[0]))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is a link without a target",
			       ob_member_show(entry->path, shown));
	if (strlen(entry->path) > OB_LIMIT_TAR_NAME ||
	    (entry->link && strlen(entry->link) > OB_LIMIT_TAR_NAME))
		return ob_fail(err, OCIB_ERR_LIMIT, "'%s' is longer than %llu bytes",
			       ob_member_show(entry->path, shown), OB_LIMIT_TAR_NAME);
	if (entry->type == OB_ENTRY_FILE && entry->size > OB_LIMIT_BLOB)
		return ob_fail(err, OCIB_ERR_LIMIT, "'%s' is larger than %llu bytes",
			       ob_member_show(entry->path, shown), OB_LIMIT_BLOB);
	return entry->type == OB_ENTRY_HARDLINK ? check_hard_link(w, entry, err) : OCIB_OK;
}

/* Where content comes from: one of the two. */
typedef struct content {
	ob_reader *reader;
	int fd;
} content;

/* Up to cap bytes at offset of the file; 0 at its end. */
static ocib_errc read_content(const content *from, uint64_t offset, void *data, size_t cap,
			      size_t *got, ocib_error **err)
{
	ssize_t n;

	if (from->reader)
		return ob_reader_read(from->reader, data, cap, got, err);
	do {
		n = pread(from->fd, data, cap, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return ob_fail_errno(err, "read");
	*got = (size_t)n;
	return OCIB_OK;
}

/* The content must end where it should. */
static ocib_errc check_end(const content *from, const ob_entry *entry, ocib_error **err)
{
	uint8_t byte;
	size_t got = 0;
	ocib_errc r = read_content(from, entry->size, &byte, 1, &got, err);

	if (!r && got > 0)
		r = ob_fail(err, OCIB_ERR_CORRUPT,
			    "longer than its %" PRIu64 " bytes: it changed "
			    "while it was read",
			    entry->size);
	return r;
}

/*
 * Straight into the pipeline's blocks, where it is hashed. Room for one more byte than is left shows in
 * the same call that the file has ended, which saves one call for each small file.
 */
static ocib_errc copy_content(ob_layer_writer *w, const content *from, ob_entry *entry,
			      ocib_error **err)
{
	uint64_t left = entry->size;
	bool ended = false;

	while (left > 0) {
		uint8_t *room;
		size_t cap, got = 0;
		ocib_errc r = ob_write_behind_reserve(w->behind, &room, &cap, err);

		if (!r)
			r = read_content(from, entry->size - left, room,
					 cap > left ? (size_t)left + 1 : cap, &got, err);
		if (r)
			return r;
		if (got == 0)
			return ob_fail(err, OCIB_ERR_CORRUPT,
				       "shorter than its %" PRIu64
				       " bytes: it changed while it was read",
				       entry->size);
		if (got > left)
			return ob_fail(err, OCIB_ERR_CORRUPT,
				       "longer than its %" PRIu64
				       " bytes: it changed while it was read",
				       entry->size);
		/* A regular file gives less than asked for only at its end. */
		ended = !from->reader && cap > left && got == left;
		if (!entry->has_digest)
			ob_hash_update(w->content_hash, room, got);
		ob_write_behind_commit(w->behind, got);
		left -= got;
	}
	return ended ? OCIB_OK : check_end(from, entry, err);
}

static ocib_errc write_content(ob_layer_writer *w, const content *from, ob_entry *entry,
			       ocib_error **err)
{
	static const uint8_t zeros[OB_TAR_BLOCK];
	char shown[OB_MEMBER_SHOWN];
	ocib_errc r;

	r = copy_content(w, from, entry, err);
	if (!entry->has_digest)
		ob_hash_final(w->content_hash, entry->digest);
	entry->has_digest = true;
	if (r)
		return ob_wrap(err, r, "'%s'", ob_member_show(entry->path, shown));
	w->tar_bytes += entry->size + ob_tar_padding(entry->size);
	return ob_write_behind_write(w->behind, zeros, ob_tar_padding(entry->size), err);
}

static ocib_errc write_member(ob_layer_writer *w, const content *from, ob_entry *entry,
			      ocib_error **err)
{
	ocib_errc r = ob_write_behind_write(w->behind, w->header.data, w->header.len, err);

	if (r)
		return r;
	entry->tar_offset = w->tar_bytes;
	entry->data_offset = 0;
	w->tar_bytes += w->header.len;
	if (entry->type != OB_ENTRY_FILE)
		return OCIB_OK;
	if (entry->size > 0)
		entry->data_offset = w->tar_bytes;
	if (!from->reader && from->fd < 0) {
		if (!entry->has_digest)
			ob_hash_final(w->content_hash, entry->digest);
		entry->has_digest = true;
		return OCIB_OK;
	}
	return write_content(w, from, entry, err);
}

/* The entry as it will be in the layer. */
static ocib_errc make_entry(ob_layer_writer *w, const ob_entry *given, ob_entry *entry,
			    ocib_error **err)
{
	ocib_errc r = check_order(w, given, err);

	if (!r)
		r = check_entry(w, given, err);
	if (r)
		return r;
	if (ob_entry_copy(entry, given) < 0)
		return ob_fail_nomem(err);
	ob_entry_strip(entry);
	ob_entry_normalize_capability(entry);
	if (w->options.clamp && entry->mtime_sec > w->options.clamp_sec)
		entry->mtime_sec = w->options.clamp_sec;
	return OCIB_OK;
}

static ocib_errc add_entry(ob_layer_writer *w, const ob_entry *given, const content *from,
			   ocib_error **err)
{
	ob_autodone(ob_entry) entry = {.path = NULL};
	ocib_errc r;

	if (w->broken)
		return ob_fail(err, OCIB_ERR_INVALID, "the layer is finished or broken");
	r = make_entry(w, given, &entry, err);
	if (r)
		return r;
	ob_buffer_clear(&w->header);
	r = ob_tar_header_format(&entry, &w->header, err);
	if (r)
		return r;
	w->broken = true;
	r = write_member(w, from, &entry, err);
	if (r)
		return r;
	if (ob_layer_index_take(w->index, &entry) < 0)
		return ob_fail_nomem(err);
	w->broken = false;
	return OCIB_OK;
}

ocib_errc ob_layer_writer_add(ob_layer_writer *w, const ob_entry *entry, ob_reader *reader,
			      ocib_error **err)
{
	const content from = {.reader = reader, .fd = -1};

	if (!reader && entry->type == OB_ENTRY_FILE && entry->size > 0)
		return ob_fail(err, OCIB_ERR_INVALID, "a file without its content");
	return add_entry(w, entry, &from, err);
}

ocib_errc ob_layer_writer_add_fd(ob_layer_writer *w, const ob_entry *entry, int fd,
				 ocib_error **err)
{
	const content from = {.fd = fd};

	return add_entry(w, entry, &from, err);
}

uint64_t ob_layer_writer_tar_bytes(const ob_layer_writer *w)
{
	return w->tar_bytes;
}

size_t ob_layer_writer_entries(const ob_layer_writer *w)
{
	return w->index ? w->index->len : 0;
}

const ob_entry *ob_layer_writer_last(const ob_layer_writer *w)
{
	return &w->index->entries[w->index->len - 1];
}

static ocib_errc end_tar(ob_layer_writer *w, ocib_error **err)
{
	static const uint8_t zeros[OB_TAR_END_LEN];
	ocib_errc r = ob_write_behind_write(w->behind, zeros, sizeof(zeros), err);

	w->tar_bytes += sizeof(zeros);
	if (!r)
		r = ob_write_behind_finish(w->behind, err);
	if (!r)
		r = ob_writer_finish(ob_compress_writer_base(w->compress), err);
	if (r)
		return r;
	w->index->tar_size = w->tar_bytes;
	w->index->compression = w->options.compression;
	w->index->members = ob_compress_writer_take_table(w->compress);
	return OCIB_OK;
}

/* The index goes to the end of the blob, and where it is into the descriptor. */
static ocib_errc hide_index(ob_layer_writer *w, ob_descriptor *descriptor, ocib_error **err)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "the layer index");
	uint64_t offset = ob_hash_writer_count(w->packed);
	ob_strlist *annotations = &descriptor->annotations;
	ob_digest digest;
	ocib_errc r;

	r = ob_layer_index_format(w->index, &document, err);
	if (!r)
		r = ob_hidden_write(ob_hash_writer_base(w->packed), w->options.compression,
				    document.data, document.len, err);
	if (r)
		return r;
	ob_digest_of(&digest, document.data, document.len);
	if (ob_strlist_add_printf(annotations, OB_ANNOTATION_INDEX_OFFSET "=%" PRIu64, offset) <
		    0 ||
	    ob_strlist_add_printf(annotations, OB_ANNOTATION_INDEX_SIZE "=%" PRIu64,
				  ob_hash_writer_count(w->packed) - offset) < 0 ||
	    ob_strlist_add_printf(annotations, OB_ANNOTATION_INDEX_DIGEST "=%s", digest.text) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

ocib_errc ob_layer_writer_finish(ob_layer_writer *w, ob_layer_result *result, ocib_error **err)
{
	ob_autodone(ob_layer_result) made = {.index = NULL};
	uint8_t sha256[OB_SHA256_LEN];
	ocib_errc r;

	if (w->broken)
		return ob_fail(err, OCIB_ERR_INVALID, "the layer is finished or broken");
	w->broken = true;
	r = end_tar(w, err);
	if (!r && !w->options.no_hidden_index && w->options.compression != OB_COMPRESSION_NONE)
		r = hide_index(w, &made.descriptor, err);
	if (r)
		return r;
	ob_hash_writer_peek(w->tar, sha256);
	ob_digest_from_bytes(&made.diff_id, sha256);
	ob_hash_writer_peek(w->packed, sha256);
	ob_digest_from_bytes(&made.descriptor.digest, sha256);
	made.descriptor.size = ob_hash_writer_count(w->packed);
	made.descriptor.media_type = strdup(ob_media_layer(w->options.compression));
	if (!made.descriptor.media_type)
		return ob_fail_nomem(err);
	made.index = ob_take_ptr(w->index);
	*result = made;
	memset(&made, 0, sizeof(made));
	return OCIB_OK;
}

void ob_layer_result_done(ob_layer_result *result)
{
	ob_descriptor_done(&result->descriptor);
	result->index = ob_layer_index_free(result->index);
}

ob_layer_writer *ob_layer_writer_free(ob_layer_writer *w)
{
	if (!w)
		return NULL;
	ob_write_behind_free(w->behind); /* first: its thread uses the rest */
	ob_hash_writer_free(w->tar);
	ob_compress_writer_free(w->compress);
	ob_hash_writer_free(w->packed);
	ob_hash_free(w->content_hash);
	ob_buffer_done(&w->header);
	ob_layer_index_free(w->index);
	free(w);
	return NULL;
}
