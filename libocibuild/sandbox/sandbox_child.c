/* sandbox/sandbox_child.c — a sandbox's first process between clone and exec.
 *
 * One function that does not return, on a plan of plain data: system calls only, no memory allocation,
 * nothing to clean up. Whatever fails is sent to the worker as {step, errno, index} and ends the child.
 *
 * Every mount but those that belong to the child's own namespaces (proc, mqueue, sysfs of a network) was
 * prepared by the worker and is only attached here. The order of the rest is dictated by what each step
 * needs: proc before the old root goes (the kernel grants a new one to those who see one), the filter
 * before the capability that lets it be loaded without no_new_privs, the working directory while root.
 */
#include "sandbox/sandbox_child.h"
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "sandbox/kernel_calls.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static _Noreturn void fail_child(const ob_child_plan *plan, int step, size_t index)
{
	ob_child_failure failure = {.step = step, .error_number = errno, .index = index};

	/* Smaller than PIPE_BUF: written whole or not at all. */
	(void)!write(plan->error_fd, &failure, sizeof(failure));
	_exit(127);
}

static int make_fs(const char *name, unsigned attributes)
{
	int fs = ob_sys_fsopen(name), fd = -1;

	if (fs >= 0 && ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = ob_sys_fsmount(fs, attributes);
	return fd;
}

static void make_own_fs(ob_child_plan *plan)
{
	for (size_t i = 0; i < plan->op_count; i++) {
		ob_mount_op *op = &plan->ops[i];

		if (op->fs_name && (op->fd = make_fs(op->fs_name, op->attributes)) < 0)
			fail_child(plan, OB_CHILD_MAKE_FS, i);
	}
}

/* "/.." leads to what is stacked on "/": the old root, as long as any of it is there. */
static bool is_alone(void)
{
	struct statx root, above;

	return statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root) == 0 &&
	       statx(AT_FDCWD, "/..", 0, STATX_MNT_ID, &above) == 0 &&
	       root.stx_mnt_id == above.stx_mnt_id;
}

/*
 * The new root changes places with the old one, which is then stacked on it: no directory is needed to
 * put it. What goes is the stack's top, first the worker's own tmpfs, then the old root with all that
 * hangs on it; that nothing is left of it is made sure of.
 */
int ob_child_enter_root(int root_fd)
{
	int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old_root < 0 || ob_sys_move_mount(root_fd, AT_FDCWD, "/") < 0 || fchdir(root_fd) < 0 ||
	    ob_sys_pivot_root(".", ".") < 0 || fchdir(old_root) < 0)
		return -1;
	while (ob_sys_umount(".", MNT_DETACH) == 0)
		continue;
	return chdir("/") < 0 || !is_alone() ? -1 : 0;
}

static int open_inside(int root, const char *path)
{
	int fd;

	do
		fd = ob_sys_openat2(root, path, O_PATH, 0, RESOLVE_IN_ROOT);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd;
}

/* Make @p path and its parents where they are missing: only inside other mounts, the worker has been
 * through the root file system itself. */
static int make_inside(int root, const char *path, bool is_dir)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	int parent = root;

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t at = 0; at < len;) {
		size_t end = at + strspn(path + at, "/");
		const char *name = path + end;
		size_t size = strcspn(name, "/");

		at = end + size;
		if (!size)
			break;
		memcpy(part, path, at);
		part[at] = '\0';
		bool is_last = at + strspn(path + at, "/") == len;
		int fd = open_inside(root, part);
		if (fd < 0 && errno != ENOENT)
			return -1;
		if (fd < 0 && is_last && !is_dir)
			fd = openat(parent, part + end, O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		else if (fd < 0 && mkdirat(parent, part + end, 0755) == 0)
			fd = open_inside(root, part);
		if (fd < 0)
			return -1;
		parent = fd; /* closed by the exec */
	}
	return parent;
}

static void make_read_only(const ob_child_plan *plan, int root, size_t i)
{
	const char *target = plan->ops[i].target;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					      MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
	int fd = ob_sys_open_tree(root, target, OPEN_TREE_CLONE | AT_RECURSIVE);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || ob_sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0 ||
	    ob_sys_move_mount(fd, root, target) < 0)
		fail_child(plan, OB_CHILD_MOUNT, i);
}

static void attach(const ob_child_plan *plan, int root, size_t i)
{
	const ob_mount_op *op = &plan->ops[i];
	int target = open_inside(root, op->target);

	if (target < 0 && op->is_optional)
		return;
	if (target < 0 && errno == ENOENT)
		target = make_inside(root, op->target, op->is_dir);
	if (target < 0)
		fail_child(plan, OB_CHILD_TARGET, i);
	if (ob_sys_move_mount(op->fd, target, "") < 0)
		fail_child(plan, OB_CHILD_MOUNT, i);
	(void)close(target);
}

static void run_mount_ops(const ob_child_plan *plan)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		fail_child(plan, OB_CHILD_ROOT, 0);
	for (size_t i = 0; i < plan->op_count; i++) {
		if (plan->ops[i].read_only)
			make_read_only(plan, root, i);
		else
			attach(plan, root, i);
	}
}

static void set_up_names(const ob_child_plan *plan)
{
	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		fail_child(plan, OB_CHILD_HOSTNAME, 0);
	if (!plan->own_network)
		return;
	struct ifreq request = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(request.ifr_name, "lo", sizeof("lo"));
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail_child(plan, OB_CHILD_NETWORK, 0);
}

static int set_rlimit(const ob_rlimit_op *op)
{
	return (int)syscall(SYS_prlimit64, 0, op->resource, &op->limit, NULL);
}

static void set_rlimits(const ob_child_plan *plan)
{
	(void)set_rlimit(plan->file_limit); /* never above what we have */
	for (size_t i = 0; i < plan->rlimit_count; i++)
		if (set_rlimit(&plan->rlimits[i]) < 0)
			fail_child(plan, OB_CHILD_RLIMIT, i);
}

/* As Docker has it. Must come while the machine's own /proc is in sight: where it is read-only, so be it. */
static void allow_low_ports(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	(void)close(fd);
}

/* So that the user may open /dev/stdout and its kin anew, as on any system where they are his. */
static void hand_over_stdio(const ob_child_plan *plan)
{
	if (plan->is_terminal && (fchown(plan->stdio[0], plan->uid, (gid_t)-1) < 0 ||
				  ioctl(plan->stdio[0], TIOCSCTTY, 0) < 0))
		fail_child(plan, OB_CHILD_TERMINAL, 0);
	for (int i = 0; i < 3; i++) {
		struct stat st;

		if (fstat(plan->stdio[i], &st) == 0 && S_ISFIFO(st.st_mode) &&
		    st.st_uid != plan->uid)
			(void)!fchown(plan->stdio[i], plan->uid, (gid_t)-1);
		if (dup2(plan->stdio[i], i) < 0)
			fail_child(plan, OB_CHILD_STDIO, (size_t)i);
	}
}

static void drop_bounding_set(const ob_child_plan *plan)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (plan->capabilities & (1ULL << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			return; /* past the last one that the kernel knows */
		fail_child(plan, OB_CHILD_CAPABILITIES, 0);
	}
}

static void set_capabilities(const ob_child_plan *plan, uint64_t set)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)set, .permitted = (uint32_t)set},
		{.effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32)},
	};

	if (syscall(SYS_capset, &header, data) < 0)
		fail_child(plan, OB_CHILD_CAPABILITIES, 0);
}

/* Ambient: so they survive the exec of a program that asks for none. */
static void give_capabilities(const ob_child_plan *plan)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const uint32_t low = (uint32_t)plan->capabilities,
		       high = (uint32_t)(plan->capabilities >> 32);
	struct __user_cap_data_struct data[2] = {{low, low, low}, {high, high, high}};

	if (syscall(SYS_capset, &header, data) < 0)
		fail_child(plan, OB_CHILD_CAPABILITIES, 0);
	for (unsigned long cap = 0; cap < 64; cap++)
		if (plan->capabilities & (1ULL << cap))
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

static void load_filter(const ob_child_plan *plan)
{
	if (plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail_child(plan, OB_CHILD_FILTER, 0);
	if (plan->filter.len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &plan->filter) < 0)
		fail_child(plan, OB_CHILD_FILTER, 0);
}

static void become_user(const ob_child_plan *plan)
{
	bool is_there = chdir(plan->cwd) == 0;

	if (!is_there && errno != EACCES && errno != EPERM)
		fail_child(plan, OB_CHILD_CWD, 0);
	drop_bounding_set(plan);
	load_filter(plan);
	if (prctl(PR_SET_KEEPCAPS, plan->every_user_has_them, 0, 0, 0) < 0 ||
	    ob_sys_set_ids(plan->uid, plan->gid, plan->group_count, plan->groups) < 0)
		fail_child(plan, OB_CHILD_IDS, 0);
	if (plan->every_user_has_them)
		give_capabilities(plan);
	else
		set_capabilities(plan, plan->uid == 0 ? plan->capabilities : 0);
	if (!is_there && chdir(plan->cwd) < 0)
		fail_child(plan, OB_CHILD_CWD, 0);
}

/* What the worker ignores stays ignored in a clone, and across an exec. The C library keeps two signals
 * to itself and has no say over these; all zero is the default action, in any layout. */
static void reset_signals(void)
{
	static const unsigned char zero[64];
	sigset_t none;

	for (int number = 1; number <= 64; number++)
		(void)syscall(SYS_rt_sigaction, number, zero, NULL, (size_t)8);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void execute(const ob_child_plan *plan)
{
	int worst = ENOENT;

	reset_signals();
	for (const char *const *path = plan->candidates; *path; path++) {
		(void)execve(*path, plan->argv, plan->env);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
			worst = errno;
			break;
		}
		if (errno == EACCES)
			worst = EACCES;
	}
	errno = worst;
	fail_child(plan, OB_CHILD_EXEC, 0);
}

/* After what takes privilege over the worker's own namespaces. */
static void enter_machine(const ob_child_plan *plan)
{
	int proc_fd = -1;

	for (size_t i = 0; i < plan->op_count; i++)
		if (plan->ops[i].fs_name && strcmp(plan->ops[i].fs_name, "proc") == 0)
			proc_fd = plan->ops[i].fd;
	if (ob_emulation_enter(&plan->emulation, proc_fd) < 0)
		fail_child(plan, OB_CHILD_MACHINE, 0);
}

static _Noreturn void start_command(const ob_child_plan *plan)
{
	(void)umask(022);
	hand_over_stdio(plan);
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail_child(plan, OB_CHILD_STDIO, 3);
	become_user(plan);
	execute(plan);
}

_Noreturn void ob_sandbox_child(ob_child_plan *plan)
{
	(void)setsid();
	(void)umask(0);
	if (plan->low_ports)
		allow_low_ports();
	make_own_fs(plan);
	if (ob_child_enter_root(plan->root_fd) < 0)
		fail_child(plan, OB_CHILD_ROOT, 0);
	run_mount_ops(plan);
	set_up_names(plan);
	set_rlimits(plan);
	if (plan->emulation.rule)
		enter_machine(plan);
	start_command(plan);
}

_Noreturn void ob_sandbox_joining_child(const ob_child_plan *plan)
{
	int namespaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;

	(void)setsid();
	set_rlimits(plan);
	if (plan->emulation.rule)
		namespaces |= CLONE_NEWUSER;
	if (setns(plan->join, namespaces | (plan->own_network ? CLONE_NEWNET : 0)) < 0)
		fail_child(plan, OB_CHILD_JOIN, 0);
	start_command(plan);
}
