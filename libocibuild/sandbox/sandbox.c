/* sandbox/sandbox.c — the life of one command: prepare, start, signal, wait, leave nothing.
 *
 * The worker does everything that takes thought before it clones: it mounts the root detached, looks
 * the user up in it, prepares every other mount. The child attaches and executes. One fork per command,
 * no helper, no mount in the worker's own namespace: when process 1 of the sandbox dies, the kernel
 * kills what it started and drops its mounts, and the worker's last handle on the root goes with
 * ob_sandbox_wait().
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "base/root_make.h"
#include "base/strings.h"
#include "sandbox/idmap.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/mount_plan.h"
#include "sandbox/device_dir.h"
#include "sandbox/mount_target.h"
#include "sandbox/overlay_mount.h"
#include "sandbox/sandbox_inside.h"

/*
 * The tmpfs is stacked on "/", where no path lookup ever sees it, rather than on a directory of the
 * machine's, which it would hide. It must be attached: only then may its parts be bound and be layers.
 */
static ocib_errc mount_scratch(ob_sandbox_host *host, ocib_error **err)
{
	host->scratch_fd = ob_tmpfs_mount(0755, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (host->scratch_fd < 0 || ob_sys_move_mount(host->scratch_fd, AT_FDCWD, "/") < 0)
		return ob_fail_errno(err, "mount the worker's own tmpfs");
	return OCIB_OK;
}

ocib_errc ob_sandbox_host_new(ob_sandbox_host **out, ocib_error **err)
{
	ob_auto(ob_sandbox_host) host = calloc(1, sizeof(*host));

	if (!host)
		return ob_fail_nomem(err);
	host->scratch_fd = -1;
	host->is_initial_userns = ob_is_initial_user_namespace();
	host->file_limit.resource = RLIMIT_NOFILE;
	if (getrlimit(RLIMIT_NOFILE, &host->file_limit.limit) < 0)
		return ob_fail_errno(err, "read the limit of open files");
	ocib_errc r = mount_scratch(host, err);
	if (r == OCIB_OK)
		r = ob_seccomp_filter_build(&host->filter, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(host);
	return r;
}

ob_sandbox_host *ob_sandbox_host_free(ob_sandbox_host *host)
{
	if (!host)
		return NULL;
	ob_seccomp_filter_done(&host->filter);
	for (size_t i = 0; i < host->foreign_count; i++)
		ob_foreign_done(&host->foreigns[i]);
	free(host->foreigns);
	ob_closep(&host->scratch_fd);
	free(host);
	return NULL;
}

bool ob_sandbox_host_userxattr(const ob_sandbox_host *host)
{
	return !host->is_initial_userns;
}

void ob_run_status_done(ob_run_status *status)
{
	ob_strlist_done(&status->stubs);
}

/* What a start needs and nobody does afterwards. */
typedef struct preparation {
	ob_mount_plan mounts;
	ob_process_plan process;
	ob_child_plan child;
} preparation;

static void preparation_done(preparation *p)
{
	ob_mount_plan_done(&p->mounts);
	ob_process_plan_done(&p->process);
	for (int i = 0; i < 3; i++)
		ob_closep(&p->child.stdio[i]);
	ob_closep(&p->child.error_fd);
}

static ocib_errc mount_root(const ob_run_spec *spec, ob_sandbox *sandbox, const preparation *p,
			    ocib_error **err)
{
	ob_autofd int stub = openat(p->mounts.dir_fd, "stub", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const ob_overlay overlay = {
		.lowers = &spec->lowers,
		.bottom_fd = stub,
		.upper = spec->upper,
		.work = spec->work,
		.userxattr = !sandbox->host->is_initial_userns,
		.attributes = spec->insecure ? 0 : MOUNT_ATTR_NODEV,
	};

	if (stub < 0)
		return ob_fail_errno(err, "open the directory for mount points");
	return ob_overlay_mount(&overlay, &sandbox->root_fd, err);
}

/* A working directory that the image has not is made, as its own user's. */
static ocib_errc make_cwd(const ob_sandbox *sandbox, const preparation *p, const char *cwd,
			  ocib_error **err)
{
	const ob_run_user *user = &p->process.user;
	const ob_root_make_options options = {.uid = user->uid, .gid = user->gid};
	ob_autodone(ob_strlist) made = {0};

	if (ob_mount_plan_covers(&p->mounts, p->mounts.len, cwd))
		return OCIB_OK;
	ob_autofd int fd = ob_fs_resolve(sandbox->root_fd, cwd, O_PATH, 0);
	if (fd >= 0 || errno != ENOENT)
		return OCIB_OK; /* entering it will tell */
	return ob_root_make(sandbox->root_fd, cwd, &options, &made, err);
}

static ocib_errc make_root_read_only(ob_sandbox *sandbox, ocib_error **err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (ob_sys_mount_setattr(sandbox->root_fd, "", AT_EMPTY_PATH, &attr) < 0)
		return ob_fail_errno(err, "make the root file system read-only");
	sandbox->is_read_only = true;
	return OCIB_OK;
}

static ocib_errc prepare_tree(const ob_run_spec *spec, ob_sandbox *sandbox, preparation *p,
			      ocib_error **err)
{
	int scratch = sandbox->host->scratch_fd;

	(void)snprintf(sandbox->dir_name, sizeof(sandbox->dir_name), "run-%ju",
		       (uintmax_t)sandbox->host->next++);
	if (mkdirat(scratch, sandbox->dir_name, 0755) < 0)
		return ob_fail_errno(err, "make a directory for the command");
	p->mounts.dir_fd = openat(scratch, sandbox->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->mounts.dir_fd < 0)
		return ob_fail_errno(err, "open the directory for the command");
	ocib_errc r = ob_mount_plan_make(&p->mounts, spec, sandbox->host->is_initial_userns, err);
	if (r == OCIB_OK)
		r = ob_mount_plan_make_stubs(&p->mounts, err);
	if (r == OCIB_OK)
		r = mount_root(spec, sandbox, p, err);
	if (r == OCIB_OK)
		r = ob_mount_plan_make_missing(&p->mounts, sandbox->root_fd, &sandbox->made, err);
	return r;
}

/* In the /dev/pts that the command will have, where it finds it by name. */
static ocib_errc make_terminal(const ob_run_spec *spec, int pts, ob_sandbox *sandbox, int *out,
			       ocib_error **err)
{
	const struct winsize size = {.ws_row = spec->rows, .ws_col = spec->columns};
	int unlock = 0;

	sandbox->terminal = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (sandbox->terminal < 0 || ioctl(sandbox->terminal, TIOCSPTLCK, &unlock) < 0)
		return ob_fail_errno(err, "make a terminal");
	if (size.ws_row && ioctl(sandbox->terminal, TIOCSWINSZ, &size) < 0)
		return ob_fail_errno(err, "set the size of the terminal");
	*out = ioctl(sandbox->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *out < 0 ? ob_fail_errno(err, "open the terminal") : OCIB_OK;
}

ocib_errc ob_sandbox_pass_stdio(const int stdio[3], ob_child_plan *child, ocib_error **err)
{
	for (int i = 0; i < 3; i++) {
		child->stdio[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
		if (child->stdio[i] < 0)
			return ob_fail_errno(err, "pass standard stream %d", i);
	}
	return OCIB_OK;
}

void ob_sandbox_plan_process(const ob_sandbox_host *host, const ob_process_plan *process,
			     const ob_run_spec *spec, ob_child_plan *child)
{
	ob_process_plan_apply(process, spec, child);
	child->file_limit = &host->file_limit;
	if (!spec->insecure)
		child->filter = (struct sock_fprog){host->filter.len, host->filter.code};
}

static const ob_foreign *known_machine(const ob_sandbox_host *host, const char *arch)
{
	for (size_t i = 0; i < host->foreign_count; i++)
		if (ob_str_eq(host->foreigns[i].machine->arch, arch))
			return &host->foreigns[i];
	return NULL;
}

ocib_errc ob_sandbox_plan_machine(ob_sandbox_host *host, const ob_run_spec *spec,
				  ob_child_plan *child, ocib_error **err)
{
	const ob_foreign *known = spec->arch ? known_machine(host, spec->arch) : NULL;

	if (spec->arch && !known) {
		ob_foreign *grown =
			reallocarray(host->foreigns, host->foreign_count + 1, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		host->foreigns = grown;
		ocib_errc r = ob_foreign_find(spec->arch, &grown[host->foreign_count], err);
		if (r < 0)
			return r;
		known = &grown[host->foreign_count++];
	}
	if (known)
		child->emulation = ob_foreign_emulation(known);
	return OCIB_OK;
}

static ocib_errc prepare(const ob_run_spec *spec, const int stdio[3], ob_sandbox *sandbox,
			 preparation *p, ocib_error **err)
{
	ob_autofd int terminal = -1;
	ocib_errc r = prepare_tree(spec, sandbox, p, err);

	if (r == OCIB_OK && spec->terminal)
		r = make_terminal(spec, ob_mount_plan_pts(&p->mounts), sandbox, &terminal, err);
	const int terminals[3] = {terminal, terminal, terminal};
	if (r == OCIB_OK)
		r = ob_sandbox_pass_stdio(spec->terminal ? terminals : stdio, &p->child, err);
	if (r == OCIB_OK)
		r = ob_process_plan_make(spec, sandbox->root_fd, &p->process, err);
	if (r < 0)
		return r;
	ob_sandbox_plan_process(sandbox->host, &p->process, spec, &p->child);
	p->child.ops = p->mounts.ops;
	p->child.op_count = p->mounts.len;
	p->child.root_fd = sandbox->root_fd;
	r = ob_sandbox_plan_machine(sandbox->host, spec, &p->child, err);
	if (r == OCIB_OK)
		r = make_cwd(sandbox, p, p->child.cwd, err);
	if (r == OCIB_OK && spec->read_only_root)
		r = make_root_read_only(sandbox, err);
	return r;
}

static pid_t clone_child(ob_child_plan *plan, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
			 CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	if (plan->own_network)
		args.flags |= CLONE_NEWNET;
	pid_t pid = ob_sys_clone3(&args);
	if (pid == 0)
		ob_sandbox_child(plan);
	return pid;
}

ocib_errc ob_sandbox_wait_for_exec(int fd, const ob_run_spec *spec, const ob_child_plan *child,
				   ocib_error **err)
{
	ob_child_failure failure;
	ssize_t n = ob_read_full(fd, &failure, sizeof(failure));

	if (n == 0)
		return OCIB_OK;
	if (n != (ssize_t)sizeof(failure))
		return ob_fail(err, OCIB_ERR_SYSTEM, "the command's first process ended early");
	return ob_child_failure_to_error(&failure, spec, child, err);
}

ocib_errc ob_sandbox_start(ob_sandbox_host *host, const ob_run_spec *spec, const int stdio[3],
			   ob_sandbox **out, ocib_error **err)
{
	ob_autodone(preparation) p = {
		.mounts.dir_fd = -1,
		.child = {.stdio = {-1, -1, -1}, .error_fd = -1},
	};
	ob_auto(ob_sandbox) sandbox = calloc(1, sizeof(*sandbox));
	int ends[2];

	if (!sandbox)
		return ob_fail_nomem(err);
	*sandbox = (ob_sandbox){.host = host, .root_fd = -1, .pidfd = -1, .terminal = -1};
	ocib_errc r = prepare(spec, stdio, sandbox, &p, err);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	ob_autofd int report = ends[0];
	p.child.error_fd = ends[1];
	pid_t pid = clone_child(&p.child, &sandbox->pidfd);
	if (pid < 0)
		return ob_fail_errno(err, "make namespaces for the command");
	ob_closep(&p.child.error_fd);
	p.child.error_fd = -1;
	r = ob_sandbox_wait_for_exec(report, spec, &p.child, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(sandbox);
	return r;
}

int ob_sandbox_take_terminal(ob_sandbox *sandbox)
{
	return ob_take_fd(sandbox->terminal);
}

int ob_sandbox_pidfd(const ob_sandbox *sandbox)
{
	return sandbox->pidfd;
}

void ob_sandbox_signal(ob_sandbox *sandbox, int signal)
{
	if (!sandbox->is_reaped)
		(void)ob_sys_pidfd_signal(sandbox->pidfd, signal);
}

static ocib_errc reap(ob_sandbox *sandbox, ob_run_status *status, ocib_error **err)
{
	siginfo_t info = {0};

	while (waitid((idtype_t)P_PIDFD, (id_t)sandbox->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return ob_fail_errno(err, "wait for the command");
	sandbox->is_reaped = true;
	status->exited = info.si_code == CLD_EXITED;
	status->status = info.si_status;
	return OCIB_OK;
}

/* Take away what was made in the tree for mounts, then let go of it. Nobody keeps the changes to a
 * read-only root, and its mount cannot be made writable any more: there they are only named. */
static ocib_errc leave_tree(ob_sandbox *sandbox, ob_strlist *left, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	if (sandbox->root_fd < 0)
		return OCIB_OK;
	if (!sandbox->is_read_only)
		r = ob_target_remove(sandbox->root_fd, &sandbox->made, left, err);
	else if (ob_strlist_copy(left, &sandbox->made) < 0)
		r = ob_fail_nomem(err);
	ob_closep(&sandbox->root_fd);
	sandbox->root_fd = -1;
	return r;
}

ocib_errc ob_sandbox_wait(ob_sandbox *sandbox, ob_run_status *status, ocib_error **err)
{
	ocib_errc r = reap(sandbox, status, err);

	return r < 0 ? r : leave_tree(sandbox, &status->stubs, err);
}

ob_sandbox *ob_sandbox_free(ob_sandbox *sandbox)
{
	ob_autodone(ob_run_status) status = {0};

	if (!sandbox)
		return NULL;
	if (sandbox->pidfd >= 0 && !sandbox->is_reaped) {
		ob_sandbox_signal(sandbox, SIGKILL);
		(void)reap(sandbox, &status, NULL);
	}
	(void)leave_tree(sandbox, &status.stubs, NULL);
	ob_closep(&sandbox->pidfd);
	ob_closep(&sandbox->terminal);
	if (sandbox->dir_name[0])
		(void)ob_remove_tree(sandbox->host->scratch_fd, sandbox->dir_name, NULL);
	ob_strlist_done(&sandbox->made);
	free(sandbox);
	return NULL;
}
