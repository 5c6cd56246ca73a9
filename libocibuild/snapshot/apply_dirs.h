/* snapshot/apply_dirs.h — the directories of a tree that is being unpacked: found once, times set last. */
#ifndef OB_SNAPSHOT_APPLY_DIRS_H
#define OB_SNAPSHOT_APPLY_DIRS_H

#include <sys/stat.h>
#include "base/map.h"
#include "snapshot/path_set.h"
#include "base/error.h"

#define OB_APPLY_CACHED_DIRS 64

/** A directory that something is being put into. Borrowed; valid until the next call. */
typedef struct ob_apply_dir {
	char *path;      /**< entry path as the tar writes it, links and all */
	int fd;          /**< O_PATH; -1: free */
	bool has_setgid; /**< what is made in it gets its group */
} ob_apply_dir;

typedef struct ob_apply_dirs {
	int rootfd;
	ob_apply_dir cached[OB_APPLY_CACHED_DIRS];
	ob_map *times;    /**< entry path to the time that its directory gets in the end */
	ob_path_set seen; /**< every path of the layer, with its parents */
} ob_apply_dirs;

ocib_errc ob_apply_dirs_init(ob_apply_dirs *dirs, int rootfd, ocib_error **err);
void ob_apply_dirs_done(ob_apply_dirs *dirs);

/** The directory @p entry_path is in, made when missing. Kinds: CORRUPT (something else is there). */
ocib_errc ob_apply_dirs_parent(ob_apply_dirs *dirs, const char *entry_path,
			       const ob_apply_dir **out, ocib_error **err);
/** The same, but NULL where it does not exist. */
ocib_errc ob_apply_dirs_find(ob_apply_dirs *dirs, const char *entry_path, const ob_apply_dir **out,
			     ocib_error **err);
/** A directory or a link went: what was resolved before may be elsewhere now. */
void ob_apply_dirs_forget(ob_apply_dirs *dirs);

ocib_errc ob_apply_dirs_note_time(ob_apply_dirs *dirs, const char *entry_path,
				  const struct timespec *mtime, bool replace, ocib_error **err);
/** All content is there: give the directories their times. */
ocib_errc ob_apply_dirs_set_times(ob_apply_dirs *dirs, ocib_error **err);

#endif
