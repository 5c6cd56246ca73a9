/* sandbox/sandbox_join.c — another command in a sandbox that is there already.
 *
 * The process namespace of a clone is that of its parent's children, so for the length of one clone the
 * worker's children belong to the sandbox's. The new process is the worker's child all the same; the
 * kernel lets the sandbox end only when it was waited for. The other namespaces the child enters itself.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include "base/cleanup.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/sandbox_inside.h"

typedef ob_child_plan joining_plan;

static void joining_plan_done(joining_plan *plan)
{
	for (int i = 0; i < 3; i++)
		ob_closep(&plan->stdio[i]);
	ob_closep(&plan->error_fd);
}

static pid_t clone_into(const ob_sandbox *sandbox, const ob_child_plan *plan, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	ob_autofd int own = ob_sys_pidfd_open(getpid());

	if (own < 0 || setns(sandbox->pidfd, CLONE_NEWPID) < 0)
		return -1;
	pid_t pid = ob_sys_clone3(&args);
	if (pid == 0)
		ob_sandbox_joining_child(plan);
	int saved = errno;
	(void)setns(own, CLONE_NEWPID);
	errno = saved;
	return pid;
}

static ocib_errc start(ob_sandbox *sandbox, const ob_run_spec *spec, joining_plan *plan, pid_t *pid,
		       int *pidfd, ocib_error **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	ob_autofd int report = ends[0];
	plan->error_fd = ends[1];
	plan->join = sandbox->pidfd;
	*pid = clone_into(sandbox, plan, pidfd);
	if (*pid < 0)
		return ob_fail_errno(err, "start a process beside the command");
	ob_closep(&plan->error_fd);
	plan->error_fd = -1;
	return ob_sandbox_wait_for_exec(report, spec, plan, err);
}

ocib_errc ob_sandbox_join(ob_sandbox *sandbox, const ob_run_spec *spec, const ob_strlist *argv,
			  const int stdio[3], pid_t *pid, int *pidfd, ocib_error **err)
{
	ob_autodone(ob_process_plan) process = {0};
	ob_autodone(joining_plan) plan = {.stdio = {-1, -1, -1}, .error_fd = -1};
	ob_run_spec joining = *spec; /* all of it borrowed */

	joining.argv = *argv;
	joining.terminal = false;
	ocib_errc r = ob_sandbox_pass_stdio(stdio, &plan, err);
	if (r == OCIB_OK)
		r = ob_process_plan_make(&joining, sandbox->root_fd, &process, err);
	if (r == OCIB_OK)
		r = ob_sandbox_plan_machine(sandbox->host, &joining, &plan, err);
	if (r < 0)
		return r;
	ob_sandbox_plan_process(sandbox->host, &process, &joining, &plan);
	return start(sandbox, &joining, &plan, pid, pidfd, err);
}
