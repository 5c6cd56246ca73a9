/* sandbox/mount_plan_inside.h — how a plan of mounts is filled; for mount_plan.c and step_mounts.c. */
#ifndef OB_SANDBOX_MOUNT_PLAN_INSIDE_H
#define OB_SANDBOX_MOUNT_PLAN_INSIDE_H

#include "sandbox/mount_plan.h"

#define OB_MOUNT_QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/** Takes op.fd, also on failure. */
ocib_errc ob_mount_plan_add(ob_mount_plan *plan, ob_mount_op op, ocib_error **err);
/** A file of this command's own, bound to its target. */
ocib_errc ob_mount_plan_add_file(ob_mount_plan *plan, const char *target, const void *data,
				 size_t len, const ob_mount *owner, uint64_t attributes,
				 ocib_error **err);
/** What a step asks for. */
ocib_errc ob_mount_plan_add_step(ob_mount_plan *plan, const ob_mount *mount, bool insecure,
				 bool is_initial_userns, ocib_error **err);
/** A detached copy of the mount at @p path, with attributes set. -1 and errno. */
int ob_mount_clone(int dirfd, const char *path, unsigned flags, uint64_t attributes);

#endif
