/* engine/copy/context_source.h — a local directory as a source, seen through its ignore patterns. */
#ifndef OB_ENGINE_CONTEXT_SOURCE_H
#define OB_ENGINE_CONTEXT_SOURCE_H

#include <pthread.h>
#include "base/arena.h"
#include "engine/copy.h"
#include "engine/copy/copy_source.h"

struct ob_context_scan {
	ocib_context *ctx;   /* borrowed */
	ob_store *store;     /* borrowed */
	const ob_node *node; /* borrowed */
	int rootfd;
	int64_t opened_sec;   /* what changed shortly before this or after is young */
	pthread_mutex_t lock; /* the stat cache's */
	ob_stat_cache *cache; /* or NULL: the directory is not worth remembering */
};

/** @p scan is borrowed. */
ocib_errc ob_context_source_new(ob_context_scan *scan, ob_copy_source_reader **out,
				ocib_error **err);

/* For the files of this folder that make it up. */

/** Open a path below the root, never through a link. -1 and errno. */
int ob_context_open(const ob_context_scan *scan, const char *path, int flags);
/** What stat says; type 0 when it is gone or a socket. Xattrs are not read. Texts go to @p texts. */
ocib_errc ob_context_read_file(const ob_context_scan *scan, int dirfd, const char *name,
			       const char *path, ob_arena *texts, ob_copy_file *file,
			       ocib_error **err);
/** All of a directory but sockets, sorted by name. */
ocib_errc ob_context_list_dir(const ob_context_scan *scan, int fd /* taken */, const char *dir,
			      ob_arena *texts, ob_copy_files *files, ocib_error **err);
/** Open a regular file, which must be the one that was found. Kinds: CORRUPT (it changed), SYSTEM. */
ocib_errc ob_context_open_file(const ob_context_scan *scan, const ob_copy_file *file, int *out_fd,
			       ocib_error **err);
/** Is it still? Kinds: CORRUPT. */
ocib_errc ob_context_check_file(const ob_copy_file *file, int fd, ocib_error **err);
/** Add what a layer keeps of the xattrs of an open file or directory. */
ocib_errc ob_context_read_xattrs(int fd, ob_copy_file *file, ocib_error **err);
/** The directory of the file that was written last. fd is -1 at first. */
typedef struct ob_context_dir {
	char *path;
	int fd;
} ob_context_dir;
void ob_context_dir_done(ob_context_dir *dir);
/** The write operation of a source (see copy_source.h). */
ocib_errc ob_context_write_file(ob_context_scan *scan, ob_context_dir *dir, ob_copy_file *file,
				const ob_entry *entry, ob_layer_writer *writer, ocib_error **err);
/** Digests and xattrs of regular files: from the stat cache, else by reading, on several threads. */
ocib_errc ob_context_hash_files(ob_context_scan *scan, ob_copy_files *files, ocib_error **err);

#endif
