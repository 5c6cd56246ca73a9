/* sandbox/mount_target.h — mount points made in the tree itself, taken away after the command. */
#ifndef OB_SANDBOX_MOUNT_TARGET_H
#define OB_SANDBOX_MOUNT_TARGET_H

#include "base/error.h"
#include "base/strlist.h"

/**
 * Undo what ob_root_make() did, last made first: what is still an empty file or directory goes, and its
 * directory's times stay. What cannot be removed, though it is empty, is added to @p left.
 */
ocib_errc ob_target_remove(int rootfd, const ob_strlist *made, ob_strlist *left, ocib_error **err);

#endif
