/* sandbox/overlay_mount.h — a stack of directories as one tree: overlayfs as a mount that is nowhere. */
#ifndef OB_SANDBOX_OVERLAY_MOUNT_H
#define OB_SANDBOX_OVERLAY_MOUNT_H

#include <stdbool.h>
#include "base/error.h"
#include "base/strlist.h"

typedef struct ob_overlay {
	const ob_strlist *lowers; /**< directories, topmost first */
	int bottom_fd;            /**< one more lower below all others; -1: none */
	const char *upper;        /**< made when missing; NULL: none, with two lowers or more */
	const char *work;         /**< made when missing; empty, on the file system of @ref upper */
	bool userxattr;           /**< marks are user.overlay.*: in a user namespace */
	unsigned attributes;      /**< MOUNT_ATTR_* of the mount */
	bool old_call;            /**< use mount(2) also where the kernel has better (for tests) */
} ob_overlay;

/**
 * Mount it detached: reachable through the fd only, gone when the fd and what it was attached to are.
 * A new upper directory takes over mode, owner and time of the topmost lower: they are the root's.
 * Kinds: LIMIT (more layers than the kernel takes), SYSTEM.
 */
ocib_errc ob_overlay_mount(const ob_overlay *overlay, int *out_fd, ocib_error **err);

#endif
