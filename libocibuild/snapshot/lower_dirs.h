/* snapshot/lower_dirs.h — the lower directories that overlayfs merges into one directory of the upper.
 *
 * Walked along with the upper: each directory's set is made from its parent's. Whiteouts, opaque
 * directories and anything that is no directory end what is visible of the layers below.
 */
#ifndef OB_SNAPSHOT_LOWER_DIRS_H
#define OB_SNAPSHOT_LOWER_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "base/error.h"

typedef struct ob_lower_dirs {
	int *fds; /* topmost first */
	size_t len;
	bool owned;     /* close them */
	bool userxattr; /* overlay's marks are user.overlay.* */
} ob_lower_dirs;

void ob_lower_dirs_done(ob_lower_dirs *dirs);
/** What is visible at @p name: *fd_index is the directory it is in, -1 when nothing is. */
ocib_errc ob_lower_dirs_find(const ob_lower_dirs *dirs, const char *name, struct stat *st,
			     int *fd_index, ocib_error **err);
/** The set for the subdirectory @p name; empty when nothing visible there is a directory. */
ocib_errc ob_lower_dirs_enter(const ob_lower_dirs *dirs, const char *name, ob_lower_dirs *out,
			      ocib_error **err);

/** Is this overlayfs's whiteout? */
bool ob_is_whiteout(const struct stat *st);
/** Has overlayfs marked this directory as opaque? */
bool ob_is_opaque(int dirfd, bool userxattr);

#endif
