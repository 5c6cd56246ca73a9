/* sandbox/step_mounts.c — the mounts that a step asks for: binds, trees, memory, files, sockets.
 *
 * Each becomes a detached mount, as all in a plan. Part of a source is looked up inside it, with links that
 * do not lead out: what is in a cache or in a tree was written by commands, and is not to be trusted. No
 * device opens in any of them, but one that was asked for by its own name.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "sandbox/device_dir.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/mount_plan_inside.h"
#include "sandbox/overlay_mount.h"

static uint64_t attributes_of(const ob_mount *mount, uint64_t always)
{
	return always | (mount->read_only ? MOUNT_ATTR_RDONLY : 0);
}

/* What was left in a directory of the step's own is not to be trusted: it is looked up inside it. */
static ocib_errc open_inside(const ob_mount *mount, int *fd, ocib_error **err)
{
	ob_autofd int root = *fd;

	*fd = ob_fs_resolve(root, mount->inside, O_PATH, 0);
	if (*fd >= 0)
		return OCIB_OK;
	if (errno == ENOENT || errno == ENOTDIR)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no '%s' to mount at '%s'",
			       mount->inside, mount->target);
	return ob_fail_errno(err, "mount '%s' at '%s'", mount->inside, mount->target);
}

static ocib_errc open_source(const ob_mount *mount, int *fd, struct stat *st, ocib_error **err)
{
	if (!mount->source || mount->source[0] != '/')
		return ob_fail(err, OCIB_ERR_INVALID, "mount at '%s' has no absolute source",
			       mount->target);
	*fd = open(mount->source, O_PATH | O_CLOEXEC);
	if (*fd < 0)
		return ob_fail_errno(err, "mount '%s' at '%s'", mount->source, mount->target);
	ocib_errc r = mount->inside ? open_inside(mount, fd, err) : OCIB_OK;
	if (r == OCIB_OK && fstat(*fd, st) < 0)
		r = ob_fail_errno(err, "stat what is to be mounted at '%s'", mount->target);
	return r;
}

/* Devices open only where one was asked for by its own name. */
static ocib_errc add_bind(ob_mount_plan *plan, const ob_mount *mount, bool insecure,
			  ocib_error **err)
{
	ob_autofd int source = -1;
	struct stat st;
	ocib_errc r = open_source(mount, &source, &st, err);

	if (r < 0)
		return r;
	bool is_device = !mount->inside && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
	bool is_dir = S_ISDIR(st.st_mode);
	int fd = ob_mount_clone(source, "", AT_EMPTY_PATH | (is_dir ? AT_RECURSIVE : 0),
				attributes_of(mount, insecure || is_device ? 0 : MOUNT_ATTR_NODEV));
	if (fd < 0)
		return ob_fail_errno(err, "prepare '%s' for '%s'", mount->source, mount->target);
	return ob_mount_plan_add(
		plan, (ob_mount_op){.fd = fd, .target = mount->target, .is_dir = is_dir}, err);
}

/* Its owner and mode are those that the step sees; nobody else comes to where it lies. */
static ocib_errc add_socket(ob_mount_plan *plan, const ob_mount *mount, ocib_error **err)
{
	char self[64];
	struct stat st;
	ob_autofd int source = -1;
	ocib_errc r = open_source(mount, &source, &st, err);

	if (r < 0)
		return r;
	if (!S_ISSOCK(st.st_mode))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is no socket", mount->source);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", source);
	if (fchownat(source, "", mount->uid, mount->gid, AT_EMPTY_PATH) < 0 ||
	    chmod(self, mount->mode) < 0)
		return ob_fail_errno(err, "give the socket '%s' to its user", mount->target);
	int fd = ob_mount_clone(source, "", AT_EMPTY_PATH, OB_MOUNT_QUIET);
	if (fd < 0)
		return ob_fail_errno(err, "prepare the socket for '%s'", mount->target);
	return ob_mount_plan_add(plan, (ob_mount_op){.fd = fd, .target = mount->target}, err);
}

/*
 * Part of a mount that is nowhere. Older kernels clone only what is attached, so it is attached on our
 * own tmpfs for a moment.
 */
static ocib_errc clone_part(const ob_mount_plan *plan, const ob_mount *mount, int tree, int *out,
			    ocib_error **err)
{
	char name[32], path[64];

	(void)snprintf(name, sizeof(name), "tree-%zu", plan->len);
	if (mkdirat(plan->dir_fd, name, 0700) < 0 ||
	    ob_sys_move_mount(tree, plan->dir_fd, name) < 0)
		return ob_fail_errno(err, "attach the tree for '%s'", mount->target);
	ob_autofd int part = fcntl(tree, F_DUPFD_CLOEXEC, 3);
	ocib_errc r = part < 0 ? ob_fail_errno(err, "open the tree for '%s'", mount->target)
			       : open_inside(mount, &part, err);
	if (r == OCIB_OK) {
		*out = ob_mount_clone(part, "", AT_EMPTY_PATH, 0);
		if (*out < 0)
			r = ob_fail_errno(err, "prepare '%s' for '%s'", mount->inside,
					  mount->target);
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	(void)ob_sys_umount(path, MNT_DETACH);
	return r;
}

/* The empty directory below makes an overlay of even one tree: what its marks hide stays hidden. */
static ocib_errc mount_tree(const ob_mount_plan *plan, const ob_mount *mount, unsigned attributes,
			    bool userxattr, int *out, ocib_error **err)
{
	ob_autofd int empty = openat(plan->dir_fd, "empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const ob_overlay overlay = {
		.lowers = &mount->lowers,
		.bottom_fd = empty,
		.upper = mount->upper,
		.work = mount->work,
		.userxattr = userxattr,
		.attributes = attributes,
	};

	if (empty < 0)
		return ob_fail_errno(err, "open an empty directory");
	if (mount->upper || mount->lowers.len)
		return ob_overlay_mount(&overlay, out, err);
	*out = ob_mount_clone(empty, "", AT_EMPTY_PATH, attributes);
	return *out < 0 ? ob_fail_errno(err, "prepare nothing for '%s'", mount->target) : OCIB_OK;
}

static ocib_errc add_tree(ob_mount_plan *plan, const ob_mount *mount, bool insecure, bool userxattr,
			  ocib_error **err)
{
	unsigned attributes = (unsigned)attributes_of(mount, insecure ? 0 : MOUNT_ATTR_NODEV);
	ob_autofd int tree = -1, part = -1;
	struct stat st;
	ocib_errc r = mount_tree(plan, mount, attributes, userxattr, &tree, err);

	if (r == OCIB_OK && mount->inside)
		r = clone_part(plan, mount, tree, &part, err);
	else if (r == OCIB_OK)
		part = ob_take_fd(tree);
	if (r < 0)
		return r;
	if (fstat(part, &st) < 0)
		return ob_fail_errno(err, "stat what is to be mounted at '%s'", mount->target);
	return ob_mount_plan_add(plan,
				 (ob_mount_op){.fd = ob_take_fd(part),
					       .target = mount->target,
					       .is_dir = S_ISDIR(st.st_mode)},
				 err);
}

static ocib_errc add_tmpfs(ob_mount_plan *plan, const ob_mount *mount, ocib_error **err)
{
	uint64_t attributes = attributes_of(mount, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int fd = ob_tmpfs_mount(mount->mode ? mount->mode : 01777, mount->size,
				(unsigned)attributes);

	if (fd < 0)
		return ob_fail_errno(err, "make a tmpfs for '%s'", mount->target);
	return ob_mount_plan_add(
		plan, (ob_mount_op){.fd = fd, .target = mount->target, .is_dir = true}, err);
}

ocib_errc ob_mount_plan_add_step(ob_mount_plan *plan, const ob_mount *mount, bool insecure,
				 bool is_initial_userns, ocib_error **err)
{
	if (!mount->target || mount->target[0] != '/')
		return ob_fail(err, OCIB_ERR_INVALID, "mount target '%s' is not absolute",
			       mount->target ? mount->target : "");
	switch (mount->kind) {
	case OB_MOUNT_BIND: return add_bind(plan, mount, insecure, err);
	case OB_MOUNT_TREE: return add_tree(plan, mount, insecure, !is_initial_userns, err);
	case OB_MOUNT_TMPFS: return add_tmpfs(plan, mount, err);
	case OB_MOUNT_SOCKET: return add_socket(plan, mount, err);
	case OB_MOUNT_FILE:
		return ob_mount_plan_add_file(
			plan, mount->target, mount->data ? mount->data : "", mount->data_len, mount,
			attributes_of(mount, mount->mode & 0111
						     ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
						     : OB_MOUNT_QUIET),
			err);
	}
	return ob_fail(err, OCIB_ERR_INVALID, "mount at '%s' is of no known kind", mount->target);
}
