/* layer/layer_index_format.c — an index to its document; docs/internals/layer-index.md has the format.
 *
 * Entries are coded against the one before: paths share prefixes, owners and modes repeat, times are
 * near, and a member begins where the last one ended. The same index gives the same bytes.
 */
#include <string.h>
#include "base/limits.h"
#include "layer/layer_index_codec.h"

static void put_varint(ob_buffer *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (uint8_t)(value | 0x80);
	bytes[len++] = (uint8_t)value;
	ob_buffer_append(out, bytes, len);
}

/* A difference modulo 2^64, small in both directions: 0, -1, 1, -2 … become 0, 1, 2, 3 … */
static void put_delta(ob_buffer *out, uint64_t value, uint64_t base)
{
	uint64_t delta = value - base;

	put_varint(out, (delta << 1) ^ (delta >> 63 ? UINT64_MAX : 0));
}

static void put_bytes(ob_buffer *out, const void *data, size_t len)
{
	put_varint(out, len);
	ob_buffer_append(out, data, len);
}

static size_t shared_prefix(const char *a, const char *b)
{
	size_t len = 0;

	while (a[len] && a[len] == b[len])
		len++;
	return len;
}

static void put_kind(ob_buffer *out, const ob_entry *entry)
{
	switch (entry->type) {
	case OB_ENTRY_FILE: put_varint(out, entry->size); break;
	case OB_ENTRY_SYMLINK:
	case OB_ENTRY_HARDLINK: put_bytes(out, entry->link, strlen(entry->link)); break;
	case OB_ENTRY_CHAR:
	case OB_ENTRY_BLOCK:
		put_varint(out, entry->dev_major);
		put_varint(out, entry->dev_minor);
		break;
	default: break;
	}
}

static void put_xattrs(ob_buffer *out, const ob_entry *entry)
{
	put_varint(out, entry->xattr_count);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		put_bytes(out, entry->xattrs[i].name, strlen(entry->xattrs[i].name));
		put_bytes(out, entry->xattrs[i].value, entry->xattrs[i].len);
	}
}

static void put_entry(ob_buffer *out, const ob_entry *entry, const ob_index_before *before)
{
	bool same = entry->mode == before->mode && entry->uid == before->uid &&
		    entry->gid == before->gid;
	size_t shared = shared_prefix(entry->path, before->path);

	ob_buffer_append_char(out, (char)((unsigned)entry->type |
					  (entry->has_digest ? OB_INDEX_TAG_DIGEST : 0) |
					  (entry->xattr_count ? OB_INDEX_TAG_XATTRS : 0) |
					  (entry->mtime_nsec ? OB_INDEX_TAG_NSEC : 0) |
					  (same ? OB_INDEX_TAG_SAME : 0)));
	put_varint(out, shared);
	put_bytes(out, entry->path + shared, strlen(entry->path + shared));
	if (!same) {
		put_varint(out, entry->mode);
		put_varint(out, entry->uid);
		put_varint(out, entry->gid);
	}
	put_delta(out, (uint64_t)entry->mtime_sec, (uint64_t)before->mtime_sec);
	if (entry->mtime_nsec)
		put_varint(out, entry->mtime_nsec);
	put_kind(out, entry);
	if (entry->xattr_count)
		put_xattrs(out, entry);
	put_delta(out, entry->tar_offset, before->tar_end);
	if (entry->type == OB_ENTRY_FILE && entry->size)
		put_varint(out, entry->data_offset ? entry->data_offset - entry->tar_offset : 0);
}

static void put_members(ob_buffer *out, const ob_member_table *members)
{
	ob_member last = {0, 0};

	put_varint(out, members->len);
	for (size_t i = 0; i < members->len; i++) {
		put_varint(out, members->items[i].packed - last.packed);
		put_varint(out, members->items[i].unpacked - last.unpacked);
		last = members->items[i];
	}
}

ocib_errc ob_layer_index_format(const ob_layer_index *index, ob_buffer *out, ocib_error **err)
{
	ob_autodone(ob_buffer) payload = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "the layer index");
	ob_index_before before = ob_index_before_init();

	put_varint(&payload, index->tar_size);
	ob_buffer_append_char(&payload, (char)index->compression);
	put_members(&payload, &index->members);
	put_varint(&payload, index->len);
	for (size_t i = 0; i < index->len; i++) {
		put_entry(&payload, &index->entries[i], &before);
		before = ob_index_before_next(&index->entries[i]);
	}
	/* Digests do not compress: they stand apart from what does. */
	for (size_t i = 0; i < index->len; i++) {
		if (index->entries[i].has_digest)
			ob_buffer_append(&payload, index->entries[i].digest, OB_SHA256_LEN);
	}
	ocib_errc r = ob_buffer_check(&payload, err);
	if (r)
		return r;
	ob_buffer_append(out, OB_INDEX_MAGIC, OB_INDEX_HEAD_LEN);
	r = ob_buffer_check(out, err);
	return r ? r : ob_zstd_pack(payload.data, payload.len, 0, out, err);
}
