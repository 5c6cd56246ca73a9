/* layer/entry.c — the value type of the layer: copies, order, xattrs.
 *
 * An entry owns its strings and xattrs. The order of entries (ob_entry_compare) is the order in which a
 * layer's tar is written, and the order that every index keeps: a path before what is below it, and for
 * one path first the whiteout (it speaks of the layers below), then the thing itself, then the opaque
 * mark, which only makes sense once its directory is there.
 */
#include "layer/entry.h"
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"

void ob_entry_done(ob_entry *entry)
{
	free(entry->path);
	free(entry->link);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->xattrs);
	memset(entry, 0, sizeof(*entry));
}

int ob_entry_copy(ob_entry *to, const ob_entry *from)
{
	ob_autodone(ob_entry) copy = *from;

	copy.link = NULL;
	copy.xattrs = NULL;
	copy.xattr_count = 0;
	copy.path = strdup(from->path);
	if (!copy.path)
		return -1;
	if (from->link) {
		copy.link = strdup(from->link);
		if (!copy.link)
			return -1;
	}
	for (size_t i = 0; i < from->xattr_count; i++) {
		const ob_xattr *x = &from->xattrs[i];

		if (ob_entry_add_xattr(&copy, x->name, x->value, x->len) < 0)
			return -1;
	}
	*to = copy;
	memset(&copy, 0, sizeof(copy));
	return 0;
}

/* Where name is, or would be, in the sorted list. */
static size_t find_xattr(const ob_entry *entry, const char *name, bool *found)
{
	size_t low = 0, high = entry->xattr_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(entry->xattrs[middle].name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

const ob_xattr *ob_entry_find_xattr(const ob_entry *entry, const char *name)
{
	bool found;
	size_t at = find_xattr(entry, name, &found);

	return found ? &entry->xattrs[at] : NULL;
}

int ob_entry_add_xattr(ob_entry *entry, const char *name, const void *value, size_t len)
{
	bool found;
	size_t at = find_xattr(entry, name, &found);
	ob_autofree uint8_t *data = malloc(len ? len : 1);

	if (!data)
		return -1;
	if (len)
		memcpy(data, value, len);
	if (!found) {
		ob_autofree char *name_copy = strdup(name);
		ob_xattr *grown = name_copy ? reallocarray(entry->xattrs, entry->xattr_count + 1,
							   sizeof(*grown))
					    : NULL;

		if (!grown)
			return -1;
		entry->xattrs = grown;
		memmove(grown + at + 1, grown + at, (entry->xattr_count - at) * sizeof(*grown));
		grown[at] = (ob_xattr){.name = ob_take_ptr(name_copy)};
		entry->xattr_count++;
	}
	free(entry->xattrs[at].value);
	entry->xattrs[at].value = ob_take_ptr(data);
	entry->xattrs[at].len = len;
	return 0;
}

static int rank(ob_entry_type type)
{
	switch (type) {
	case OB_ENTRY_WHITEOUT: return 0;
	case OB_ENTRY_OPAQUE: return 2;
	default: return 1;
	}
}

int ob_entry_compare(const void *a, const void *b)
{
	const ob_entry *x = a, *y = b;
	int order = ob_path_compare(x->path, y->path);

	return order ? order : rank(x->type) - rank(y->type);
}

bool ob_entry_at_odds(const ob_entry *first, const ob_entry *second)
{
	if (ob_entry_is_thing(first))
		return ob_path_is_below(second->path, first->path) &&
		       !(ob_entry_is_thing(second) && ob_str_eq(second->path, first->path));
	return first->type == OB_ENTRY_DIR && ob_entry_is_thing(second) &&
	       ob_str_eq(second->path, first->path);
}

void ob_entry_strip(ob_entry *entry)
{
	if (ob_entry_is_mark(entry)) {
		ob_entry mark = {.path = ob_take_ptr(entry->path),
				 .type = entry->type,
				 .mtime_sec = entry->mtime_sec};

		ob_entry_done(entry);
		*entry = mark;
	}
	entry->mode &= 07777;
	entry->mtime_nsec = 0;
	if (entry->type != OB_ENTRY_FILE) {
		entry->size = 0;
		entry->has_digest = false;
	}
	if (!entry->has_digest)
		memset(entry->digest, 0, sizeof(entry->digest));
	if (entry->type != OB_ENTRY_CHAR && entry->type != OB_ENTRY_BLOCK)
		entry->dev_major = entry->dev_minor = 0;
	if (entry->type != OB_ENTRY_SYMLINK && entry->type != OB_ENTRY_HARDLINK) {
		free(entry->link);
		entry->link = NULL;
	}
}

/* struct vfs_cap_data and vfs_ns_cap_data of <linux/capability.h>, little endian. */
#define CAP_XATTR         "security.capability"
#define CAP_REVISION_BYTE 3 /* the revision is the top byte of the first word */
#define CAP_REVISION_2    2
#define CAP_REVISION_3    3
#define CAP_V2_LEN        20
#define CAP_V3_LEN        24 /* as v2, then the root id of the user namespace */

void ob_entry_normalize_capability(ob_entry *entry)
{
	bool found;
	size_t at = find_xattr(entry, CAP_XATTR, &found);
	ob_xattr *x = found ? &entry->xattrs[at] : NULL;

	if (!x || x->len != CAP_V3_LEN || x->value[CAP_REVISION_BYTE] != CAP_REVISION_3)
		return;
	x->value[CAP_REVISION_BYTE] = CAP_REVISION_2;
	x->len = CAP_V2_LEN;
}
