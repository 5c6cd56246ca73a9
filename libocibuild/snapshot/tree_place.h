/* snapshot/tree_place.h — where an entry goes in a tree: its parent directory, open, and its last name.
 *
 * Parents are resolved with openat2 inside the root, so no link in the tree leads out of it. The last
 * parent is kept open, since entries of one directory come together.
 */
#ifndef OB_SNAPSHOT_TREE_PLACE_H
#define OB_SNAPSHOT_TREE_PLACE_H

#include <stdbool.h>
#include "base/error.h"

typedef struct ob_tree_place {
	int rootfd;    /**< borrowed */
	int parent_fd; /**< of the parent, or -1 */
	char *parent;  /**< entry path that parent_fd was opened for */
} ob_tree_place;

#define OB_TREE_PLACE_INIT(rootfd_)                  \
	{                                            \
		.rootfd = (rootfd_), .parent_fd = -1 \
	}
/** Forget the open parent: after a directory was replaced or removed, and in the end. */
void ob_tree_place_done(ob_tree_place *place);

/**
 * Open the parent of an entry path ("" is not one), making missing directories where @p make. *name is
 * borrowed from @p path. Kinds: NOTFOUND (missing and not to be made), CORRUPT (something in the way).
 */
ocib_errc ob_tree_place_open(ob_tree_place *place, const char *path, bool make, int *dirfd,
			     const char **name, ocib_error **err);

#endif
