/* sandbox/sandbox_fork.c — a child in the namespaces of a rung.
 *
 * The parent stays where it is: only from outside can the ids of a new user namespace be mapped, and
 * only from outside can somebody watch that nothing outlives its purpose. The child is process 1 of its
 * own process namespace, so that its death, however it comes, is the death of everything below it; and
 * it is killed with its parent. No mount it makes is seen outside; unmounts outside are seen inside, so
 * that nobody's disk is kept busy.
 */
#include "sandbox/sandbox_fork.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/buffer.h"
#include "base/fds.h"
#include "sandbox/idmap.h"
#include "sandbox/kernel_calls.h"

#ifndef MS_REC
#define MS_REC   16384
#define MS_SLAVE (1 << 19)
#endif

/* The number in a file of one line, -1 when there is none. */
static long read_setting(const char *path)
{
	ob_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n = fd < 0 ? -1 : ob_read_full(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

void ob_hint_user_namespaces(ocib_error **err)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (read_setting("/proc/sys/user/max_user_namespaces") == 0)
		ob_error_set_hint(err, "as root: sysctl -w user.max_user_namespaces=15000 (and the "
				       "same in /etc/sysctl.d/ to keep it)");
	else if (read_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		ob_error_set_hint(err, "as root: sysctl -w kernel.unprivileged_userns_clone=1 (and "
				       "the same in /etc/sysctl.d/ to keep it)");
	else if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		ob_error_set_hint(
			err,
			"AppArmor keeps ordinary users from user namespaces; as root, write "
			"this to /etc/apparmor.d/ocibuild-worker and run 'apparmor_parser -r "
			"/etc/apparmor.d/ocibuild-worker':\n"
			"abi <abi/4.0>,\ninclude <tunables/global>\n"
			"profile ocibuild-worker %s flags=(unconfined) {\n  userns,\n}",
			self);
	else if (prctl(PR_GET_SECCOMP) == 2)
		ob_error_set_hint(err,
				  "a system call filter is in force (a container's?): start the "
				  "container with a profile that allows namespaces, e.g. docker "
				  "run --security-opt seccomp=unconfined --security-opt "
				  "apparmor=unconfined, and as root also --cap-add SYS_ADMIN");
	else if (geteuid() == 0)
		ob_error_set_hint(err,
				  "root lacks the capability CAP_SYS_ADMIN (in a container: add "
				  "it, docker run --cap-add SYS_ADMIN), or start as an ordinary "
				  "user with lines in /etc/subuid and /etc/subgid");
}

static ocib_errc fail_denied(ocib_error **err, const char *what)
{
	int saved = errno;
	ob_auto(ocib_error) why = NULL;

	(void)ob_fail_errno(&why, "%s", what);
	errno = saved;
	ob_fail(err, OCIB_ERR_DENIED, "%s", ocib_error_message(why));
	ob_hint_user_namespaces(err);
	return OCIB_ERR_DENIED;
}

/* The two ends of the hand-over, for the child. */
typedef struct handover {
	int word;   /* a byte comes when the ids are mapped, the end when that failed */
	int parent; /* pidfd: readable when the parent is dead */
} handover;

static ocib_errc enter_child(ob_rung rung, const handover *from, ocib_error **err)
{
	struct pollfd parent = {.fd = from->parent, .events = POLLIN};
	char byte;

	if (ob_read_full(from->word, &byte, 1) != 1)
		_exit(1); /* the parent says why */
	if (rung == OB_RUNG_RANGES && ob_sys_set_ids(0, 0, 0, NULL) < 0)
		return fail_denied(err, "become root of the user namespace");
	/* After the ids: a change of them would undo it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return ob_fail_errno(err, "tie the worker's life to its guard");
	if (poll(&parent, 1, 0) > 0)
		_exit(1); /* died just before we asked */
	if (ob_sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return fail_denied(err, "keep mounts private");
	return OCIB_OK;
}

static void kill_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static pid_t clone_into(ob_rung rung, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	if (rung == OB_RUNG_RANGES)
		args.flags |= CLONE_NEWUSER;
	return ob_sys_clone3(&args);
}

ocib_errc ob_sandbox_fork(ob_rung rung, pid_t *pid, int *pidfd, ocib_error **err)
{
	ob_autofd int word = -1, say = -1, self = ob_sys_pidfd_open(getpid()), fd = -1;
	int ends[2];

	if (rung != OB_RUNG_ROOT && rung != OB_RUNG_RANGES)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED, "rung '%s' is not used by this version",
			       ob_rung_name(rung));
	if (self < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "prepare the worker's hand-over");
	word = ends[0];
	say = ends[1];
	pid_t child = clone_into(rung, &fd);
	if (child < 0)
		return fail_denied(err, rung == OB_RUNG_RANGES ? "make a user namespace"
							       : "make a mount namespace");
	*pid = child;
	if (child == 0) {
		ob_closep(&say);
		say = -1;
		return enter_child(rung, &(handover){word, self}, err);
	}
	ocib_errc r = rung == OB_RUNG_RANGES ? ob_idmap_write(child, err) : OCIB_OK;
	if (r == OCIB_OK && ob_write_full(say, "", 1) < 0)
		r = ob_fail_errno(err, "start the worker");
	if (r < 0) {
		kill_child(child);
		return r;
	}
	*pidfd = ob_take_fd(fd);
	return OCIB_OK;
}
