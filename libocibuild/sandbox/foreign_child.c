/* sandbox/foreign_child.c — a private binfmt_misc: a user namespace's own list of what runs which programs.
 *
 * Linux 6.7 gives each user namespace that mounts binfmt_misc a list of its own. So the process unshares a
 * user namespace, has it mapped so that every id stays what it is, and writes the one rule there. Nobody
 * else sees it: it goes with the namespace. A helper writes the maps, because that takes privilege over
 * the parent namespace, which the process has just left. The emulator was opened by the worker, and the
 * rule names it by its descriptor: it is in the kernel's hands before the command runs, and in no tree.
 *
 * The file system has to stay mounted for the rule to hold; its place is where every system has it, and
 * there it is read-only.
 */
#include "sandbox/foreign_child.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "sandbox/kernel_calls.h"

#define PLACE "/proc/sys/fs/binfmt_misc"

static int write_file(int dir, const char *path, const char *text, size_t len)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, len);
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return n == (ssize_t)len ? 0 : -1;
}

/* The decimal digits of a positive number; no library is at hand. */
static char *put_number(char *end, long number)
{
	do
		*--end = (char)('0' + number % 10);
	while (number /= 10);
	return end;
}

static int write_map(int proc_fd, long pid, const char *name, const char *map)
{
	char path[64], digits[24], *number = put_number(digits + sizeof(digits), pid);
	size_t len = (size_t)(digits + sizeof(digits) - number);

	memcpy(path, number, len);
	path[len] = '/';
	memcpy(path + len + 1, name, strlen(name) + 1);
	return write_file(proc_fd, path, map, strlen(map));
}

/* Waits for the word that the namespace is there. Its exit status is an errno. */
static _Noreturn void help(const ob_emulation *e, int proc_fd, long pid, int word)
{
	char byte;

	if (read(word, &byte, 1) != 1)
		_exit(ECANCELED);
	_exit(write_map(proc_fd, pid, "uid_map", e->uid_map) < 0 ||
			      write_map(proc_fd, pid, "gid_map", e->gid_map) < 0
		      ? errno
		      : 0);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return errno ? -1 : 0;
}

static int unshare_ids(const ob_emulation *e, int proc_fd)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long self = syscall(SYS_getpid); /* the C library may remember another */
	int ends[2], r;

	/* Changes of ids have made /proc/PID somebody else's; the exec decides anew. */
	if (pipe2(ends, O_CLOEXEC) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		return -1;
	pid_t helper = ob_sys_clone3(&args);
	if (helper == 0) {
		(void)close(ends[1]);
		help(e, proc_fd, self, ends[0]);
	}
	(void)close(ends[0]);
	r = helper < 0 ? -1 : unshare(CLONE_NEWUSER | CLONE_NEWNS);
	int saved = errno;
	if (r == 0)
		(void)!write(ends[1], "", 1);
	(void)close(ends[1]);
	if (helper > 0 && wait_for(helper) < 0 && r == 0)
		return -1;
	errno = saved;
	return r;
}

static int mount_rules(void)
{
	int fs = ob_sys_fsopen("binfmt_misc"), fd = -1;

	if (fs >= 0 && ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = ob_sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (fs >= 0) {
		int saved = errno;
		(void)close(fs);
		errno = saved;
	}
	return fd;
}

int ob_emulation_enter(const ob_emulation *e, int proc_fd)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	if (unshare_ids(e, proc_fd) < 0 || fchdir(proc_fd) < 0)
		return -1;
	int fd = mount_rules();
	if (fd < 0 || write_file(fd, "register", e->rule, e->rule_len) < 0 ||
	    ob_sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
		return -1;
	return ob_sys_move_mount(fd, AT_FDCWD, PLACE);
}
