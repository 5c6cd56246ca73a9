/* engine/copy/path_resolve.h — following symbolic links in a tree that is only asked for, never mounted. */
#ifndef OB_ENGINE_PATH_RESOLVE_H
#define OB_ENGINE_PATH_RESOLVE_H

#include <stdbool.h>
#include "base/error.h"

typedef enum ob_path_kind {
	OB_PATH_NOTHING,
	OB_PATH_DIR,
	OB_PATH_LINK,
	OB_PATH_OTHER
} ob_path_kind;

/** What is at @p entry_path, whose parents are directories. *link: borrowed until the next call. */
typedef ocib_errc (*ob_path_lookup)(void *arg, const char *entry_path, ob_path_kind *kind,
				    const char **link, ocib_error **err);

/**
 * Follow @p path from @p root (an entry path of a directory that is taken as "/"; ".." stops there), the
 * last component included. What does not exist is taken as it is written.
 * Kinds: LIMIT (too many links, too long), SYNTAX (a parent is no directory).
 */
ocib_errc ob_path_resolve(ob_path_lookup lookup, void *arg, const char *root, const char *path,
			  char **resolved, ocib_error **err);

#endif
