/* sandbox/mount_plan.h — all mounts of one command, prepared: what the child only has to attach. */
#ifndef OB_SANDBOX_MOUNT_PLAN_H
#define OB_SANDBOX_MOUNT_PLAN_H

#include "sandbox/sandbox.h"
#include "sandbox/sandbox_child.h"

typedef struct ob_mount_plan {
	ob_mount_op *ops;
	size_t len, cap;
	int dir_fd; /**< directory on the worker's own tmpfs, for stubs and files of this command */
} ob_mount_plan;

/** Closes the mounts that nobody attached. */
void ob_mount_plan_done(ob_mount_plan *plan);

/** Prepare the mounts that every command has, then those of the spec. Targets are borrowed from it. */
ocib_errc ob_mount_plan_make(ob_mount_plan *plan, const ob_run_spec *spec, bool is_initial_userns,
			     ocib_error **err);

/** The /dev/pts of the plan, where terminals are made; borrowed. */
int ob_mount_plan_pts(const ob_mount_plan *plan);

/** Is this image path on one of the mounts, so not a matter of the root file system? */
bool ob_mount_plan_covers(const ob_mount_plan *plan, size_t count, const char *path);

/** Make the lowest layer's tree with all mount points, in plan->dir_fd/"stub". */
ocib_errc ob_mount_plan_make_stubs(const ob_mount_plan *plan, ocib_error **err);

/** After the root is mounted: make what the image hides of the stubs; *made gets their paths. */
ocib_errc ob_mount_plan_make_missing(const ob_mount_plan *plan, int rootfd, ob_strlist *made,
				     ocib_error **err);

#endif
