/* engine/copy/copy_file.h — one thing found in a source of COPY, as small as a hundred thousand allow. */
#ifndef OB_ENGINE_COPY_FILE_H
#define OB_ENGINE_COPY_FILE_H

#include <sys/stat.h>
#include "layer/layer_stack.h"

/** What stat said of a local file: while it is the same, so is the content. */
typedef struct ob_file_stamp {
	uint64_t dev, ino;
	int64_t mtime_sec, ctime_sec;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t links;
	bool is_young; /**< changed so shortly before that a further change need not show */
} ob_file_stamp;

typedef struct ob_copy_file {
	const char *path;   /**< entry path in the source, which keeps the text */
	ob_entry_type type; /**< 0: there is nothing; never a hard link */
	bool owns_xattrs;   /**< else they are borrowed from an entry */
	bool has_digest;
	bool implied; /**< an excluded directory that is here only because of what is in it */
	uint32_t mode, uid, gid;
	uint32_t dev_major, dev_minor;
	uint32_t group; /**< files of one number are hard links to one another; 0: none */
	uint64_t size;
	int64_t mtime_sec;
	const char *link; /**< kept by the source, too */
	ob_xattr *xattrs;
	size_t xattr_count;
	uint8_t digest[OB_SHA256_LEN];
	union {
		ob_file_stamp stamp; /**< in a local directory */
		ob_found found;      /**< in a tree */
	};
} ob_copy_file;

void ob_copy_file_done(ob_copy_file *file);

/** A growing array of them. */
typedef struct ob_copy_files {
	ob_copy_file *items;
	size_t len, cap;
} ob_copy_files;

void ob_copy_files_done(ob_copy_files *files);
/** Moves the file in; -1: no memory (and the file is untouched). */
int ob_copy_files_take(ob_copy_files *files, ob_copy_file *file);

#endif
