/* layer/tar_writer.c — formats tar headers; see tar_writer.h for what they are made of.
 *
 * Pax records of one member are sorted by keyword, as the order of entry->xattrs and of the calls below
 * gives it, and the pax header's own fields are constants: the same entry gives the same bytes for ever.
 * A field whose value went to a pax record holds zero in the ustar block.
 */
#include "layer/tar_writer.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/member_name.h"

/* POSIX.1-1988 ustar header block. */
typedef struct ustar_block {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char dev_major[8];
	char dev_minor[8];
	char prefix[155];
	char unused[12];
} ustar_block;
_Static_assert(sizeof(ustar_block) == OB_TAR_BLOCK, "a ustar header is one block");

#define OCTAL_7_MAX  07777777ULL
#define OCTAL_11_MAX 077777777777ULL

static void put_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* The field, or the record when the value does not fit into the field. */
static bool put_octal_if(char *field, size_t size, uint64_t value, uint64_t max)
{
	put_octal(field, size, value <= max ? value : 0);
	return value <= max;
}

static void put_checksum(ustar_block *block)
{
	const unsigned char *bytes = (const unsigned char *)block;
	unsigned sum = 0;

	memset(block->checksum, ' ', sizeof(block->checksum));
	for (size_t i = 0; i < sizeof(*block); i++)
		sum += bytes[i];
	put_octal(block->checksum, sizeof(block->checksum) - 1, sum);
}

static void init_block(ustar_block *block, char type)
{
	memset(block, 0, sizeof(*block));
	memcpy(block->magic, "ustar", 6);
	memcpy(block->version, "00", 2);
	block->type = type;
	put_octal(block->dev_major, sizeof(block->dev_major), 0);
	put_octal(block->dev_minor, sizeof(block->dev_minor), 0);
}

/* "LEN KEY=VALUE\n", where LEN counts its own digits. */
static void add_record(ob_buffer *records, const char *prefix, const char *key, const void *value,
		       size_t len)
{
	size_t rest = strlen(prefix) + strlen(key) + len + 3; /* ' ', '=', '\n' */
	size_t total = rest + 1;
	int digits;

	while (digits = snprintf(NULL, 0, "%zu", total), rest + (size_t)digits != total)
		total = rest + (size_t)digits;
	ob_buffer_printf(records, "%zu %s%s=", total, prefix, key);
	ob_buffer_append(records, value, len);
	ob_buffer_append_char(records, '\n');
}

static void add_number(ob_buffer *records, const char *key, int64_t value)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%lld", (long long)value);

	add_record(records, "", key, text, (size_t)len);
}

static ocib_errc add_xattrs(const ob_entry *entry, ob_buffer *records, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];

	for (size_t i = 0; i < entry->xattr_count; i++) {
		const ob_xattr *x = &entry->xattrs[i];

		/* A record's keyword ends at the first '='. */
		if (!x->name[0] || strchr(x->name, '='))
			return ob_fail(err, OCIB_ERR_UNSUPPORTED,
				       "a tar cannot hold an xattr of the name '%s'",
				       ob_member_show(x->name, shown));
		add_record(records, "SCHILY.xattr.", x->name, x->value, x->len);
	}
	return OCIB_OK;
}

/*
 * What stands in for a name that is told elsewhere: its beginning. No slash at its end, since old readers
 * take that for a directory.
 */
static void put_beginning(char field[100], const char *name)
{
	size_t len = strnlen(name, 100);

	while (len > 0 && name[len - 1] == '/')
		len--;
	memcpy(field, name, len);
}

/* Into name, or prefix and name split at a slash; false when it does not fit. */
static bool put_name(ustar_block *block, const char *name, size_t len)
{
	size_t split = 0;

	if (len <= sizeof(block->name)) {
		memcpy(block->name, name, len);
		return true;
	}
	/* The last slash that leaves a prefix that fits; never the one that ends a directory. */
	if (len <= sizeof(block->prefix) + 1 + sizeof(block->name))
		split = len - 2 < sizeof(block->prefix) ? len - 2 : sizeof(block->prefix);
	while (split > 0 && name[split] != '/')
		split--;
	if (split == 0 || len - split - 1 > sizeof(block->name)) {
		put_beginning(block->name, name);
		return false;
	}
	memcpy(block->prefix, name, split);
	memcpy(block->name, name + split + 1, len - split - 1);
	return true;
}

static bool put_link(ustar_block *block, const char *link, size_t len)
{
	if (len > sizeof(block->linkname)) {
		put_beginning(block->linkname, link);
		return false;
	}
	memcpy(block->linkname, link, len);
	return true;
}

static char type_flag(ob_entry_type type)
{
	switch (type) {
	case OB_ENTRY_HARDLINK: return '1';
	case OB_ENTRY_SYMLINK: return '2';
	case OB_ENTRY_CHAR: return '3';
	case OB_ENTRY_BLOCK: return '4';
	case OB_ENTRY_DIR: return '5';
	case OB_ENTRY_FIFO: return '6';
	default: return '0';
	}
}

static ocib_errc put_device(ustar_block *block, const ob_entry *entry, ocib_error **err)
{
	bool fits = put_octal_if(block->dev_major, sizeof(block->dev_major), entry->dev_major,
				 OCTAL_7_MAX);

	fits = put_octal_if(block->dev_minor, sizeof(block->dev_minor), entry->dev_minor,
			    OCTAL_7_MAX) &&
	       fits;
	if (fits)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_UNSUPPORTED, "a tar cannot hold the device number %u:%u",
		       entry->dev_major, entry->dev_minor);
}

/* A header of its own in front of the member's, with data: pax records, or a GNU long name. */
static void append_special(ob_buffer *out, char type, const char *name, const void *data,
			   size_t len)
{
	static const char zeros[OB_TAR_BLOCK];
	ustar_block block;

	init_block(&block, type);
	memcpy(block.name, name, strnlen(name, sizeof(block.name)));
	put_octal(block.mode, sizeof(block.mode), 0644);
	put_octal(block.uid, sizeof(block.uid), 0);
	put_octal(block.gid, sizeof(block.gid), 0);
	put_octal(block.size, sizeof(block.size), len);
	put_octal(block.mtime, sizeof(block.mtime), 0);
	put_checksum(&block);
	ob_buffer_append(out, &block, sizeof(block));
	ob_buffer_append(out, data, len);
	ob_buffer_append(out, zeros, ob_tar_padding(len));
}

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/*
 * A name that does not fit into its field. Pax says that names are UTF-8 and readers convert them to
 * their locale, with warnings where they cannot; a GNU long name is bytes to everybody.
 */
static void add_long_name(const char *name, size_t len, const char *keyword, char gnu_type,
			  ob_buffer *records, ob_buffer *out)
{
	if (is_ascii(name))
		add_record(records, "", keyword, name, len);
	else
		append_special(out, gnu_type, "././@LongLink", name, len + 1);
}

/* Everything but the name of the pax header goes from the entry to block, records and out in order. */
static ocib_errc fill_block(ustar_block *block, const ob_entry *entry, const ob_buffer *name,
			    ob_buffer *records, ob_buffer *out, ocib_error **err)
{
	uint64_t size = entry->type == OB_ENTRY_FILE ? entry->size : 0;
	size_t link_len = entry->link ? strlen(entry->link) : 0;
	ocib_errc r;

	init_block(block, type_flag(entry->type));
	put_octal(block->mode, sizeof(block->mode), entry->mode & 07777);
	r = add_xattrs(entry, records, err);
	if (r)
		return r;
	if (!put_octal_if(block->gid, sizeof(block->gid), entry->gid, OCTAL_7_MAX))
		add_number(records, "gid", entry->gid);
	if (link_len && !put_link(block, entry->link, link_len))
		add_long_name(entry->link, link_len, "linkpath", 'K', records, out);
	if (!put_octal_if(block->mtime, sizeof(block->mtime), (uint64_t)entry->mtime_sec,
			  OCTAL_11_MAX))
		add_number(records, "mtime", entry->mtime_sec);
	if (!put_name(block, name->data, name->len))
		add_long_name(name->data, name->len, "path", 'L', records, out);
	if (!put_octal_if(block->size, sizeof(block->size), size, OCTAL_11_MAX))
		add_number(records, "size", (int64_t)size);
	if (!put_octal_if(block->uid, sizeof(block->uid), entry->uid, OCTAL_7_MAX))
		add_number(records, "uid", entry->uid);
	if (entry->type == OB_ENTRY_CHAR || entry->type == OB_ENTRY_BLOCK)
		return put_device(block, entry, err);
	return OCIB_OK;
}

static ocib_errc format_blocks(const ob_entry *entry, ob_buffer *out, ocib_error **err)
{
	ob_autodone(ob_buffer) name = OB_BUFFER_INIT(2 * OB_LIMIT_TAR_NAME, "the name");
	ob_autodone(ob_buffer) records =
		OB_BUFFER_INIT(OB_LIMIT_TAR_XATTRS, "the pax header (xattrs)");
	ustar_block block;
	ocib_errc r;

	r = ob_member_name_format(entry, &name, err);
	if (!r)
		r = fill_block(&block, entry, &name, &records, out, err);
	if (!r)
		r = ob_buffer_check(&records, err);
	if (r)
		return r;
	if (records.len)
		append_special(out, 'x', "PaxHeaders.0/member", records.data, records.len);
	put_checksum(&block);
	ob_buffer_append(out, &block, sizeof(block));
	return ob_buffer_check(out, err);
}

ocib_errc ob_tar_header_format(const ob_entry *entry, ob_buffer *out, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];
	ocib_errc r = format_blocks(entry, out, err);

	return r ? ob_wrap(err, r, "'%s'", ob_member_show(entry->path, shown)) : OCIB_OK;
}
