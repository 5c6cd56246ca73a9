/* snapshot/diff_entry.h — a file on disk as a layer entry. */
#ifndef OB_SNAPSHOT_DIFF_ENTRY_H
#define OB_SNAPSHOT_DIFF_ENTRY_H

#include <sys/stat.h>
#include "layer/entry.h"

/** Is this overlayfs's mark for "not there any more"? */
static inline bool ob_stat_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/**
 * Everything but content: type, attributes, link target, extended attributes that belong to an image.
 * @param fd     the file itself, or -1 for what cannot be opened: then dirfd and name are used
 * @param entry  empty; its path is set by the caller. A socket leaves its type 0.
 */
ocib_errc ob_diff_entry_read(int fd, int dirfd, const char *name, const struct stat *st,
			     ob_entry *entry, ocib_error **err);
/** Only the extended attributes. */
ocib_errc ob_diff_entry_read_xattrs(int fd, int dirfd, const char *name, ob_entry *entry,
				    ocib_error **err);

#endif
