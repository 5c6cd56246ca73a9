/* snapshot/diff_lower.h — the merged view of the lower directories, as far as a diff asks for it. */
#ifndef OB_SNAPSHOT_DIFF_LOWER_H
#define OB_SNAPSHOT_DIFF_LOWER_H

#include <sys/stat.h>
#include "snapshot/diff.h"

/** What the layers below have at a path. */
typedef struct ob_lower {
	bool exists;
	struct stat st;
	size_t layer; /**< which lower_fds it is in: the topmost */
	size_t *dirs; /**< the layers that make up the directory there; owned */
	size_t dir_count;
} ob_lower;
void ob_lower_done(ob_lower *lower);

/** The root: all layers. */
ocib_errc ob_lower_root(const ob_diff_options *options, ob_lower *out, ocib_error **err);
/** @p path in a directory that @p parent describes. */
ocib_errc ob_lower_find(const ob_diff_options *options, const ob_lower *parent, const char *path,
			ob_lower *out, ocib_error **err);

/**
 * Was this only copied up? Equal in type, mode, owner, device and attributes; for what is no directory
 * in size and time too, and, as times out of a layer have whole seconds, in content where both do.
 * @param fd  the upper file, -1 for what cannot be opened
 */
ocib_errc ob_lower_is_same(const ob_diff_options *options, const ob_lower *lower, const char *path,
			   const struct stat *st, const ob_entry *entry, int fd, bool *same,
			   ocib_error **err);

/** Has the directory overlayfs's mark that hides the layers below it? */
bool ob_dir_is_opaque(int fd, bool userxattr);

#endif
