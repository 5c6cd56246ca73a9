/* sandbox/mount_plan.c — the mounts of one command, in the order in which they are attached.
 *
 * What every command has is what runc gives it: proc with the usual masks, a small /dev, sys read-only,
 * hosts and resolv.conf; then what the step asks for. Each is made here as a detached mount, so that the
 * child does nothing but attach it: no source path is ever looked up where the step could see it.
 *
 * Mount points leave no trace, because they are not made in the tree: a layer below all others has them,
 * on the worker's own tmpfs. Where the image hides one of them, it is made in the tree and taken away
 * afterwards (mount_target.c).
 */
#include "sandbox/mount_plan.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/root_make.h"
#include "base/strings.h"
#include "sandbox/device_dir.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/mount_plan_inside.h"

#define QUIET OB_MOUNT_QUIET

void ob_mount_plan_done(ob_mount_plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		ob_closep(&plan->ops[i].fd);
	free(plan->ops);
	ob_closep(&plan->dir_fd);
}

ocib_errc ob_mount_plan_add(ob_mount_plan *plan, ob_mount_op op, ocib_error **err)
{
	if (plan->len == plan->cap) {
		size_t cap = plan->cap ? plan->cap * 2 : 32;
		ob_mount_op *grown = reallocarray(plan->ops, cap, sizeof(*grown));

		if (!grown) {
			ob_closep(&op.fd);
			return ob_fail_nomem(err);
		}
		plan->ops = grown;
		plan->cap = cap;
	}
	plan->ops[plan->len++] = op;
	return OCIB_OK;
}

int ob_mount_clone(int dirfd, const char *path, unsigned flags, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};
	ob_autofd int fd = ob_sys_open_tree(dirfd, path, OPEN_TREE_CLONE | flags);

	if (fd < 0)
		return -1;
	if (attributes && ob_sys_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr) < 0)
		return -1;
	return ob_take_fd(fd);
}

static ocib_errc add_clone(ob_mount_plan *plan, const char *source, const char *target, bool is_dir,
			   uint64_t attributes, ocib_error **err)
{
	int fd = ob_mount_clone(AT_FDCWD, source, is_dir ? AT_RECURSIVE : 0, attributes);

	if (fd < 0)
		return ob_fail_errno(err, "prepare '%s' for '%s'", source, target);
	return ob_mount_plan_add(plan, (ob_mount_op){.fd = fd, .target = target, .is_dir = is_dir},
				 err);
}

static ocib_errc add_own_fs(ob_mount_plan *plan, const char *fs_name, const char *target,
			    unsigned attributes, ocib_error **err)
{
	return ob_mount_plan_add(plan,
				 (ob_mount_op){.fd = -1,
					       .fs_name = fs_name,
					       .attributes = attributes,
					       .target = target,
					       .is_dir = true},
				 err);
}

static ocib_errc add_devices(ob_mount_plan *plan, uint64_t shm_size, ocib_error **err)
{
	ob_device_dir dir = OB_DEVICE_DIR_INIT;
	ocib_errc r = ob_device_dir_make(&dir, shm_size, err);

	if (r == OCIB_OK)
		r = ob_mount_plan_add(
			plan,
			(ob_mount_op){.fd = ob_take_fd(dir.dev), .target = "/dev", .is_dir = true},
			err);
	if (r == OCIB_OK)
		r = ob_mount_plan_add(plan,
				      (ob_mount_op){.fd = ob_take_fd(dir.pts),
						    .target = "/dev/pts",
						    .is_dir = true},
				      err);
	if (r == OCIB_OK)
		r = ob_mount_plan_add(plan,
				      (ob_mount_op){.fd = ob_take_fd(dir.shm),
						    .target = "/dev/shm",
						    .is_dir = true},
				      err);
	if (r == OCIB_OK)
		r = add_own_fs(plan, "mqueue", "/dev/mqueue", QUIET, err);
	for (size_t i = 0; i < ob_device_path_count && r == OCIB_OK; i++)
		r = add_clone(plan, ob_device_paths[i], ob_device_paths[i], false,
			      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	ob_device_dir_done(&dir);
	return r;
}

/* Those that the machine has, where they can be opened; others may be made by the command itself. */
static ocib_errc add_insecure_devices(ob_mount_plan *plan, ocib_error **err)
{
	static const char *const devices[] = {
		"/dev/kmsg",         "/dev/cuse",  "/dev/fuse",  "/dev/kvm",   "/dev/net/tun",
		"/dev/loop-control", "/dev/loop0", "/dev/loop1", "/dev/loop2", "/dev/loop3",
		"/dev/loop4",        "/dev/loop5", "/dev/loop6", "/dev/loop7",
	};
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < OB_ARRAY_LEN(devices) && r == OCIB_OK; i++)
		if (access(devices[i], F_OK) == 0)
			r = add_clone(plan, devices[i], devices[i], false,
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	return r;
}

/*
 * A sysfs of one's own shows the network namespace one owns and nothing of debugfs and its like, so it
 * is what is used wherever the kernel grants one: to root, and for an own network. Else it is the
 * machine's. Containers' limits are read from cgroup files, so these are there, read-only.
 */
static ocib_errc add_sys(ob_mount_plan *plan, bool own_sysfs, bool read_only, ocib_error **err)
{
	uint64_t attributes = QUIET | (read_only ? MOUNT_ATTR_RDONLY : 0);
	ocib_errc r;

	if (!own_sysfs)
		return add_clone(plan, "/sys", "/sys", true, attributes, err);
	r = add_own_fs(plan, "sysfs", "/sys", (unsigned)attributes, err);
	if (r < 0 || access("/sys/fs/cgroup", F_OK) < 0)
		return r;
	return add_clone(plan, "/sys/fs/cgroup", "/sys/fs/cgroup", true, attributes, err);
}

static ocib_errc add_masks(ob_mount_plan *plan, ocib_error **err)
{
	static const char *const files[] = {
		"/proc/interrupts",  "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
		"/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
	};
	static const char *const dirs[] = {
		"/proc/acpi",
		"/proc/asound",
		"/proc/scsi",
		"/sys/firmware",
		"/sys/devices/virtual/powercap",
	};
	static const char *const read_only[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < OB_ARRAY_LEN(files) && r == OCIB_OK; i++) {
		if (access(files[i], F_OK) < 0)
			continue;
		r = add_clone(plan, "/dev/null", files[i], false,
			      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
		plan->ops[plan->len - 1].is_optional = true;
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(dirs) && r == OCIB_OK; i++) {
		if (access(dirs[i], F_OK) < 0)
			continue;
		int fd = ob_mount_clone(plan->dir_fd, "empty", 0, QUIET | MOUNT_ATTR_RDONLY);
		if (fd < 0)
			return ob_fail_errno(err, "prepare the mask of '%s'", dirs[i]);
		r = ob_mount_plan_add(
			plan,
			(ob_mount_op){
				.fd = fd, .target = dirs[i], .is_dir = true, .is_optional = true},
			err);
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(read_only) && r == OCIB_OK; i++)
		r = ob_mount_plan_add(
			plan, (ob_mount_op){.fd = -1, .target = read_only[i], .read_only = true},
			err);
	return r;
}

ocib_errc ob_mount_plan_add_file(ob_mount_plan *plan, const char *target, const void *data,
				 size_t len, const ob_mount *owner, uint64_t attributes,
				 ocib_error **err)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "file-%zu", plan->len);
	ob_autofd int fd =
		openat(plan->dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || ob_write_full(fd, data, len) < 0 || fchown(fd, owner->uid, owner->gid) < 0 ||
	    fchmod(fd, owner->mode) < 0)
		return ob_fail_errno(err, "write the file for '%s'", target);
	int mount_fd = ob_mount_clone(plan->dir_fd, name, 0, attributes);
	if (mount_fd < 0)
		return ob_fail_errno(err, "prepare the file for '%s'", target);
	return ob_mount_plan_add(plan, (ob_mount_op){.fd = mount_fd, .target = target}, err);
}

static ocib_errc add_hosts(ob_mount_plan *plan, const ob_run_spec *spec, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 * OB_MIB, "/etc/hosts");
	const ob_mount owner = {.mode = 0644};

	ob_buffer_printf(&text,
			 "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
			 spec->hostname ? spec->hostname : OB_DEFAULT_HOSTNAME);
	for (size_t i = 0; i < spec->extra_hosts.len; i++) {
		const char *line = spec->extra_hosts.items[i];
		size_t len = strcspn(line, " \t");

		ob_buffer_append(&text, line, len);
		ob_buffer_printf(&text, "\t%s\n", line + len + strspn(line + len, " \t"));
	}
	ocib_errc r = ob_buffer_check(&text, err);
	if (r < 0)
		return r;
	return ob_mount_plan_add_file(plan, "/etc/hosts", text.data, text.len, &owner,
				      QUIET | MOUNT_ATTR_RDONLY, err);
}

/* A copy, so that it is readable and owned by root whatever the machine's own file is. */
static ocib_errc add_resolv_conf(ob_mount_plan *plan, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 * OB_MIB, "/etc/resolv.conf");
	ob_auto(ocib_error) why = NULL;
	const ob_mount owner = {.mode = 0644};
	ocib_errc r = ob_read_file(AT_FDCWD, "/etc/resolv.conf", &text, &why);

	if (r < 0 && r != OCIB_ERR_NOTFOUND)
		return ob_error_move(err, &why);
	return ob_mount_plan_add_file(plan, "/etc/resolv.conf", text.data ? text.data : "",
				      text.len, &owner, QUIET | MOUNT_ATTR_RDONLY, err);
}

ocib_errc ob_mount_plan_make(ob_mount_plan *plan, const ob_run_spec *spec, bool is_initial_userns,
			     ocib_error **err)
{
	bool own_sysfs = is_initial_userns || spec->network == OB_NETWORK_NONE;
	ocib_errc r = add_own_fs(plan, "proc", "/proc", QUIET, err);

	if (r == OCIB_OK && mkdirat(plan->dir_fd, "empty", 0555) < 0)
		r = ob_fail_errno(err, "make an empty directory");
	if (r == OCIB_OK)
		r = add_devices(plan, spec->shm_size, err);
	if (r == OCIB_OK)
		r = add_sys(plan, own_sysfs, !spec->insecure, err);
	if (r == OCIB_OK && !spec->insecure)
		r = add_masks(plan, err);
	if (r == OCIB_OK && spec->insecure && is_initial_userns)
		r = add_insecure_devices(plan, err);
	if (r == OCIB_OK)
		r = add_resolv_conf(plan, err);
	if (r == OCIB_OK)
		r = add_hosts(plan, spec, err);
	for (size_t i = 0; i < spec->mount_count && r == OCIB_OK; i++)
		r = ob_mount_plan_add_step(plan, &spec->mounts[i], spec->insecure,
					   is_initial_userns, err);
	return r;
}

int ob_mount_plan_pts(const ob_mount_plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (ob_str_eq(plan->ops[i].target, "/dev/pts"))
			return plan->ops[i].fd;
	return -1;
}

bool ob_mount_plan_covers(const ob_mount_plan *plan, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		const char *target = plan->ops[i].target;
		size_t len = strlen(target);

		while (len > 0 && target[len - 1] == '/')
			len--;
		if (strncmp(path, target, len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

static ocib_errc make_stub(int stub, const ob_mount_op *op, ocib_error **err)
{
	ob_autofree char *path = ob_path_to_entry(op->target);
	ob_autofree char *parent = path ? strndup(path, ob_path_parent_len(path)) : NULL;

	if (!path || !parent)
		return ob_fail_nomem(err);
	ocib_errc r = *parent ? ob_mkdir_parents(stub, parent, 0755, err) : OCIB_OK;
	if (r < 0 || !*path)
		return r;
	if (op->is_dir)
		return ob_mkdir_parents(stub, path, 0755, err);
	ob_autofd int fd = openat(stub, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	return fd < 0 && errno != EISDIR ? ob_fail_errno(err, "make a mount point for '%s'", path)
					 : OCIB_OK;
}

ocib_errc ob_mount_plan_make_stubs(const ob_mount_plan *plan, ocib_error **err)
{
	if (mkdirat(plan->dir_fd, "stub", 0755) < 0)
		return ob_fail_errno(err, "make a directory for mount points");
	ob_autofd int stub = openat(plan->dir_fd, "stub", O_DIRECTORY | O_PATH | O_CLOEXEC);
	if (stub < 0)
		return ob_fail_errno(err, "open the directory for mount points");
	for (size_t i = 0; i < plan->len; i++) {
		const ob_mount_op *op = &plan->ops[i];

		if (op->read_only || ob_mount_plan_covers(plan, i, op->target))
			continue;
		ocib_errc r = make_stub(stub, op, err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

ocib_errc ob_mount_plan_make_missing(const ob_mount_plan *plan, int rootfd, ob_strlist *made,
				     ocib_error **err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const ob_mount_op *op = &plan->ops[i];
		const ob_root_make_options options = {.is_file = !op->is_dir, .keep_times = true};

		if (op->read_only || ob_mount_plan_covers(plan, i, op->target))
			continue;
		ob_autofd int fd = ob_fs_resolve(rootfd, op->target, O_PATH, 0);
		if (fd >= 0)
			continue;
		ocib_errc r = ob_root_make(rootfd, op->target, &options, made, err);
		if (r < 0)
			return ob_wrap(err, r, "mount point");
	}
	return OCIB_OK;
}
