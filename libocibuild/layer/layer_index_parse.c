/* layer/layer_index_parse.c — a document to an index; docs/internals/layer-index.md has the format.
 *
 * An index may come from a registry, so parsing believes nothing: each number is held to its range, each
 * path to what a path is, the entries to their order, the offsets to the tar.
 */
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/layer_index_codec.h"
#include "layer/member_name.h"

#define SMALLEST_ENTRY 5 /* tag, two path lengths, time, offset */

/* The failure sticks, and reads of a failed cursor give zeros: fields are read in a row, then checked. */
typedef struct cursor {
	const uint8_t *at, *end;
	const char *wrong; /* the first thing that was; sticky */
} cursor;

static const char no_memory[] = "no memory";

static void refuse(cursor *c, const char *what)
{
	if (!c->wrong)
		c->wrong = what;
	c->at = c->end;
}

static uint8_t get_byte(cursor *c)
{
	if (c->at == c->end) {
		refuse(c, "cut short");
		return 0;
	}
	return *c->at++;
}

static uint64_t get_varint(cursor *c, uint64_t max, const char *what)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t byte = get_byte(c);

		value |= (byte & 0x7f) << shift;
		if (shift == 63 && byte > 1)
			break;
		if (byte < 0x80) {
			if (value <= max)
				return value;
			break;
		}
	}
	refuse(c, what);
	return 0;
}

static uint64_t get_delta(cursor *c, uint64_t base)
{
	uint64_t coded = get_varint(c, UINT64_MAX, "a wrong number");

	return base + ((coded >> 1) ^ (coded & 1 ? UINT64_MAX : 0));
}

/* Length-prefixed bytes, borrowed from the document. */
static const void *get_bytes(cursor *c, size_t max, size_t *len)
{
	const uint8_t *bytes;

	*len = (size_t)get_varint(c, max, "a string that is too long");
	if (*len > (size_t)(c->end - c->at)) {
		refuse(c, "cut short");
		*len = 0;
	}
	bytes = c->at;
	c->at += *len;
	return bytes;
}

/* prefix_len bytes of prefix and then a length-prefixed rest, as a new C string. */
static char *get_text(cursor *c, const char *prefix, size_t prefix_len, size_t max)
{
	size_t len;
	const void *rest = get_bytes(c, max - prefix_len, &len);
	char *text;

	if (c->wrong)
		return NULL;
	if (memchr(rest, '\0', len)) {
		refuse(c, "a string with a NUL");
		return NULL;
	}
	text = malloc(prefix_len + len + 1);
	if (!text) {
		refuse(c, no_memory);
		return NULL;
	}
	memcpy(text, prefix, prefix_len);
	memcpy(text + prefix_len, rest, len);
	text[prefix_len + len] = '\0';
	return text;
}

/* Clean, relative, no deletion in disguise. */
static bool is_entry_path(const char *path)
{
	size_t depth = 0;

	if (!*path)
		return true;
	for (;; path++) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.') ||
		    ob_str_starts(path, OB_WHITEOUT_PREFIX) || ++depth > OB_LIMIT_PATH_DEPTH)
			return false;
		path += len;
		if (!*path)
			return true;
	}
}

/* @return how the path stands to the one before: as ob_path_compare(before, path). */
static int get_path(cursor *c, const char *before, char **path)
{
	size_t shared = (size_t)get_varint(c, strlen(before), "a wrong path prefix");

	*path = get_text(c, before, shared, OB_LIMIT_TAR_NAME);
	if (*path && !is_entry_path(*path))
		refuse(c, "a path that is none");
	return *path ? ob_path_compare(before + shared, *path + shared) : 0;
}

static void get_xattrs(cursor *c, ob_entry *entry)
{
	size_t count = (size_t)get_varint(c, OB_LIMIT_TAR_XATTRS / 2, "too many xattrs");

	for (size_t i = 0; i < count && !c->wrong; i++) {
		ob_autofree char *name = get_text(c, "", 0, OB_LIMIT_TAR_XATTRS);
		size_t len;
		const void *value = get_bytes(c, OB_LIMIT_TAR_XATTRS, &len);

		if (c->wrong)
			return;
		if (!*name || (i > 0 && strcmp(entry->xattrs[i - 1].name, name) >= 0))
			refuse(c, "xattrs out of order");
		else if (ob_entry_add_xattr(entry, name, value, len) < 0)
			refuse(c, no_memory);
	}
}

static void get_kind(cursor *c, ob_entry *entry)
{
	switch (entry->type) {
	case OB_ENTRY_FILE:
		entry->size = get_varint(c, OB_LIMIT_BLOB, "a file that is too large");
		break;
	case OB_ENTRY_SYMLINK:
	case OB_ENTRY_HARDLINK:
		entry->link = get_text(c, "", 0, OB_LIMIT_TAR_NAME);
		if (entry->link && (!*entry->link || (entry->type == OB_ENTRY_HARDLINK &&
						      !is_entry_path(entry->link))))
			refuse(c, "a link target that is none");
		break;
	case OB_ENTRY_CHAR:
	case OB_ENTRY_BLOCK:
		entry->dev_major = (uint32_t)get_varint(c, UINT32_MAX, "a wrong device");
		entry->dev_minor = (uint32_t)get_varint(c, UINT32_MAX, "a wrong device");
		break;
	case OB_ENTRY_DIR:
	case OB_ENTRY_FIFO:
	case OB_ENTRY_WHITEOUT:
	case OB_ENTRY_OPAQUE: break;
	default: refuse(c, "an unknown type");
	}
}

static void get_offsets(cursor *c, ob_entry *entry, uint64_t expected, uint64_t tar_size)
{
	entry->tar_offset = get_delta(c, expected);
	if (entry->tar_offset > tar_size)
		refuse(c, "an offset outside the tar");
	if (entry->type != OB_ENTRY_FILE || entry->size == 0)
		return;
	uint64_t distance = get_varint(c, tar_size, "an offset outside the tar");
	if (distance == 0)
		return;
	entry->data_offset = entry->tar_offset + distance;
	if (entry->data_offset > tar_size || entry->size > tar_size - entry->data_offset)
		refuse(c, "an offset outside the tar");
}

static int get_entry(cursor *c, ob_entry *entry, const ob_index_before *before, uint64_t tar_size)
{
	uint8_t tag = get_byte(c);

	entry->type = (ob_entry_type)(tag & OB_INDEX_TAG_TYPE);
	entry->has_digest = tag & OB_INDEX_TAG_DIGEST;
	int order = get_path(c, before->path, &entry->path);
	entry->mode = before->mode;
	entry->uid = before->uid;
	entry->gid = before->gid;
	if (!(tag & OB_INDEX_TAG_SAME)) {
		entry->mode = (uint32_t)get_varint(c, 07777, "a wrong mode");
		entry->uid = (uint32_t)get_varint(c, UINT32_MAX, "a wrong user id");
		entry->gid = (uint32_t)get_varint(c, UINT32_MAX, "a wrong group id");
	}
	entry->mtime_sec = (int64_t)get_delta(c, (uint64_t)before->mtime_sec);
	if (tag & OB_INDEX_TAG_NSEC)
		entry->mtime_nsec = (uint32_t)get_varint(c, 999999999, "a wrong time");
	get_kind(c, entry);
	if (tag & OB_INDEX_TAG_XATTRS)
		get_xattrs(c, entry);
	get_offsets(c, entry, before->tar_end, tar_size);
	if (entry->has_digest && entry->type != OB_ENTRY_FILE)
		refuse(c, "a digest of what has no content");
	if (entry->path && !*entry->path && entry->type != OB_ENTRY_DIR &&
	    entry->type != OB_ENTRY_OPAQUE)
		refuse(c, "a root that is no directory");
	return order;
}

static void get_members(cursor *c, ob_layer_index *index)
{
	size_t len = (size_t)get_varint(c, (uint64_t)(c->end - c->at) / 2, "too many members");
	ob_member last = {0, 0};

	index->members.items = calloc(len ? len : 1, sizeof(ob_member));
	if (!index->members.items) {
		refuse(c, no_memory);
		return;
	}
	index->members.len = len;
	for (size_t i = 0; i < len; i++) {
		ob_member *member = &index->members.items[i];

		member->packed = last.packed + get_varint(c, OB_LIMIT_BLOB, "a wrong member");
		member->unpacked = last.unpacked + get_varint(c, OB_LIMIT_BLOB, "a wrong member");
		if (i > 0 && (member->packed <= last.packed || member->unpacked <= last.unpacked))
			refuse(c, "members out of order");
		if (member->packed > OB_LIMIT_BLOB || member->unpacked > index->tar_size)
			refuse(c, "members outside the blob");
		last = *member;
	}
	if (len > 0 &&
	    (len == 1 || index->members.items[0].unpacked != 0 || last.unpacked != index->tar_size))
		refuse(c, "members that do not cover the tar");
}

static void get_entries(cursor *c, ob_layer_index *index)
{
	uint64_t max = (uint64_t)(c->end - c->at) / SMALLEST_ENTRY;
	size_t count = (size_t)get_varint(
		c, max < OB_LIMIT_LAYER_ENTRIES ? max : OB_LIMIT_LAYER_ENTRIES, "too many entries");
	ob_index_before before = ob_index_before_init();

	while (index->len < count && !c->wrong) {
		ob_autodone(ob_entry) entry = {.path = NULL};

		int order = get_entry(c, &entry, &before, index->tar_size);
		if (c->wrong)
			return;
		const ob_entry *last = index->len ? &index->entries[index->len - 1] : NULL;
		if (last && (order > 0 || (order == 0 && ob_entry_compare(last, &entry) >= 0)))
			refuse(c, "entries out of order");
		if (last && ob_entry_at_odds(last, &entry))
			refuse(c, "a path that is a directory and something else");
		before = ob_index_before_next(&entry);
		if (ob_layer_index_take(index, &entry) < 0)
			refuse(c, no_memory);
	}
}

static void get_digests(cursor *c, ob_layer_index *index)
{
	for (size_t i = 0; i < index->len && !c->wrong; i++) {
		if (!index->entries[i].has_digest)
			continue;
		if (c->end - c->at < OB_SHA256_LEN) {
			refuse(c, "cut short");
			return;
		}
		memcpy(index->entries[i].digest, c->at, OB_SHA256_LEN);
		c->at += OB_SHA256_LEN;
	}
	if (c->at != c->end)
		refuse(c, "something at its end that does not belong there");
}

static void get_document(cursor *c, ob_layer_index *index)
{
	index->tar_size = get_varint(c, OB_LIMIT_BLOB, "a tar that is too large");
	uint8_t compression = get_byte(c);
	if (compression > OB_COMPRESSION_NONE)
		refuse(c, "an unknown compression");
	else
		index->compression = (ob_compression)compression;
	get_members(c, index);
	get_entries(c, index);
	get_digests(c, index);
}

/* A small document may claim to be a large one; memory is not set aside for that. */
static size_t payload_max(size_t packed)
{
	uint64_t max = packed < OB_LIMIT_LAYER_INDEX ? packed * (uint64_t)OB_LIMIT_EXPANSION_RATIO
						     : OB_LIMIT_LAYER_INDEX;

	if (max > OB_LIMIT_LAYER_INDEX)
		return OB_LIMIT_LAYER_INDEX;
	return max > OB_MIB ? (size_t)max : OB_MIB;
}

ocib_errc ob_layer_index_parse(const void *data, size_t len, ob_layer_index **out, ocib_error **err)
{
	ob_autodone(ob_buffer) payload = OB_BUFFER_INIT(payload_max(len), "the layer index");
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	const uint8_t *document = data;
	ocib_errc r;

	if (!index)
		return ob_fail_nomem(err);
	if (len < OB_INDEX_HEAD_LEN || memcmp(document, OB_INDEX_MAGIC, OB_INDEX_HEAD_LEN) != 0)
		return ob_fail(err, OCIB_ERR_CORRUPT, "not a layer index of this version");
	r = ob_zstd_unpack(document + OB_INDEX_HEAD_LEN, len - OB_INDEX_HEAD_LEN, &payload, err);
	if (r)
		return ob_wrap(err, r, "layer index");

	const uint8_t *bytes = (const uint8_t *)payload.data;
	cursor c = {.at = bytes, .end = bytes + payload.len};
	get_document(&c, index);
	if (c.wrong == no_memory)
		return ob_fail_nomem(err);
	if (c.wrong)
		return ob_fail(err, OCIB_ERR_CORRUPT, "layer index: %s", c.wrong);
	*out = ob_take_ptr(index);
	return OCIB_OK;
}
