/* layer/entry.h — one thing in a layer: what a tar member says, in our own plain form. */
#ifndef OB_LAYER_ENTRY_H
#define OB_LAYER_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "io/hash.h"

typedef enum ob_entry_type {
	OB_ENTRY_FILE = 1,
	OB_ENTRY_DIR,
	OB_ENTRY_SYMLINK,
	OB_ENTRY_HARDLINK, /**< link: entry path of its target, which comes earlier in the layer */
	OB_ENTRY_CHAR,
	OB_ENTRY_BLOCK,
	OB_ENTRY_FIFO,
	OB_ENTRY_WHITEOUT, /**< path: what is deleted (no ".wh." in it) */
	OB_ENTRY_OPAQUE    /**< path: the directory whose lower content is hidden */
} ob_entry_type;

typedef struct ob_xattr {
	char *name;
	uint8_t *value;
	size_t len;
} ob_xattr;

typedef struct ob_entry {
	char *path; /**< entry path: clean, relative, "" is the root; any bytes but NUL */
	ob_entry_type type;
	uint32_t mode; /**< permission bits with setuid, setgid, sticky: 07777 */
	uint32_t uid, gid;
	uint64_t size; /**< of a file */
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	char *link; /**< symlink: target as written; hard link: entry path; else NULL */
	uint32_t dev_major, dev_minor;
	ob_xattr *xattrs; /**< sorted by name */
	size_t xattr_count;
	bool has_digest;
	uint8_t digest[OB_SHA256_LEN]; /**< of a file's content */
	uint64_t tar_offset; /**< where the member's first header block is in the unpacked tar */
	uint64_t
		data_offset; /**< where a file's content begins in the unpacked tar; 0: not known */
} ob_entry;

/** A whiteout or an opaque mark: it speaks of the layers below. */
static inline bool ob_entry_is_mark(const ob_entry *entry)
{
	return entry->type == OB_ENTRY_WHITEOUT || entry->type == OB_ENTRY_OPAQUE;
}
/** Neither a mark nor a directory: nothing can be below it. */
static inline bool ob_entry_is_thing(const ob_entry *entry)
{
	return !ob_entry_is_mark(entry) && entry->type != OB_ENTRY_DIR;
}

void ob_entry_done(ob_entry *entry);
int ob_entry_copy(ob_entry *to /* empty */, const ob_entry *from); /**< -1: no memory */
/** Replaces one of the same name; -1: no memory. */
int ob_entry_add_xattr(ob_entry *entry, const char *name, const void *value, size_t len);
const ob_xattr *ob_entry_find_xattr(const ob_entry *entry, const char *name); /**< or NULL */
/** By path; of one path whiteouts first, opaque marks last. For qsort of ob_entry. */
int ob_entry_compare(const void *a, const void *b);

/**
 * Of two neighbours in order: do they say that one path is a directory and something else? In one layer
 * that cannot be: unpackers would write through links, or lose files.
 */
bool ob_entry_at_odds(const ob_entry *first, const ob_entry *second);
/**
 * Take away what this type of entry has not got in a layer (the size of a link, the owner of a whiteout,
 * nanoseconds), so that it is the entry that reading the layer gives.
 */
void ob_entry_strip(ob_entry *entry);
/** VFS capability xattrs: a v3 one (user namespace) becomes v2; anything else is left as it is. */
void ob_entry_normalize_capability(ob_entry *entry);

#endif
