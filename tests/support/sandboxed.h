/* tests/support/sandboxed.h — a busybox root file system and commands run in it on a rung of the ladder.
 *
 * A case runs on the rung of who runs it: OB_RUNG_ROOT for root, OB_RUNG_RANGES for an ordinary user.
 * With SANDBOXED_AGAIN_AS_USER a program run by root runs all its cases once more as the first user in
 * /etc/subuid. What a machine cannot do is skipped, loudly.
 */
#ifndef OB_TESTS_SANDBOXED_H
#define OB_TESTS_SANDBOXED_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"
#include "base/fds.h"
#include "base/strings.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_fork.h"

/** What came of a command; plain data, it travels through a pipe. */
typedef struct sandboxed_result {
	int code; /* of the start */
	char message[512];
	int exited, status;
	char out[16384]; /* standard output and error */
	char stubs[512];
} sandboxed_result;

static inline const char *sandboxed_path(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, 256, "%s/%s", t_temp_dir(), name);
	return path;
}

static inline ob_rung sandboxed_rung(void)
{
	return geteuid() == 0 ? OB_RUNG_ROOT : OB_RUNG_RANGES;
}

/** The first user with ranges; NULL: nobody has any. */
static inline const struct passwd *sandboxed_user(void)
{
	char line[256], *end;
	const struct passwd *found = NULL;
	FILE *file = fopen("/etc/subuid", "re");

	while (file && !found && fgets(line, sizeof(line), file)) {
		if ((end = strchr(line, ':')))
			*end = '\0';
		found = getpwnam(line);
	}
	if (file)
		(void)fclose(file);
	return found;
}

/** Run this program again as that user. @return its exit status, -1: it cannot be tried. */
static inline int sandboxed_again(char *why, size_t size)
{
	const struct passwd *user = sandboxed_user();
	char self[4096];
	int status = 0;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (geteuid() != 0 || !user) {
		(void)snprintf(why, size, geteuid() ? "not root" : "no user in /etc/subuid");
		return -1;
	}
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
			_exit(126);
		execl(self, self, (char *)NULL);
		_exit(126); /* not readable for everybody */
	}
	(void)waitpid(pid, &status, 0);
	(void)snprintf(why, size, "%s cannot execute %s", user->pw_name, self);
	return WIFEXITED(status) && WEXITSTATUS(status) == 126 ? -1 : status;
}

#define SANDBOXED_AGAIN_AS_USER(name)                              \
	TEST(name)                                                 \
	{                                                          \
		char why_[4500] = "";                              \
		if (geteuid() != 0)                                \
			return;                                    \
		int status_ = sandboxed_again(why_, sizeof(why_)); \
		if (status_ < 0)                                   \
			SKIP("%s", why_);                          \
		assert_int_equal(status_, 0);                      \
	}

/** Does the rung work here? In a child, as everything. */
static inline int sandboxed_works(char *why, size_t size)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0)
		return 0;
	if (pid == 0) {
		ob_probe probe = {0};
		int ok = ob_sandbox_probe("/tmp", &probe, NULL) == OCIB_OK &&
			 probe.rung == sandboxed_rung();
		dprintf(ends[1], "%c%s", ok ? 'y' : 'n',
			probe.problems.len ? probe.problems.items[0] : "");
		_exit(0);
	}
	(void)close(ends[1]);
	ssize_t n = ob_read_full(ends[0], why, size - 1);
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	why[n > 0 ? n : 0] = '\0';
	int worked = why[0] == 'y';
	memmove(why, why + 1, strlen(why + (why[0] != '\0')) + 1);
	return worked;
}

/** Skip the case unless commands can be run; make base/ (see below). */
#define SANDBOXED_BEGIN()                                                                        \
	do {                                                                                     \
		char why_[512] = "";                                                             \
		if (access("/bin/busybox", X_OK) < 0)                                            \
			SKIP("there is no /bin/busybox (apt install busybox-static)");           \
		if (!sandboxed_works(why_, sizeof(why_)))                                        \
			SKIP("rung '%s' does not work here: %s", ob_rung_name(sandboxed_rung()), \
			     why_);                                                              \
		sandboxed_make_base();                                                           \
	} while (0)

static inline void sandboxed_write(const char *name, const char *text, mode_t mode)
{
	int fd = open(sandboxed_path(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(ob_write_full(fd, text, strlen(text)), 0);
	(void)fchmod(fd, mode);
	(void)close(fd);
}

/** base/: busybox, a shell, users; run/ for upper and work. */
static inline void sandboxed_make_base(void)
{
	static const char *const applets[] = {
		"sh",       "cat",      "ls",     "id",      "touch",  "mkdir",  "rm",
		"ln",       "mount",    "chmod",  "chown",   "echo",   "env",    "sleep",
		"test",     "mknod",    "stat",   "ip",      "umount", "dd",     "sync",
		"hostname", "kill",     "true",   "false",   "mv",     "rmdir",  "ps",
		"grep",     "readlink", "pwd",    "unshare", "cp",     "tty",    "find",
		"wc",       "head",     "setsid", "sed",     "mkfifo", "chroot", "su",
	};
	static const char *const dirs[] = {"base", "base/bin", "base/etc", "base/tmp", "run"};
	char command[512];

	(void)umask(0);
	for (size_t i = 0; i < OB_ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(sandboxed_path(dirs[i]), 0755), 0);
	(void)snprintf(command, sizeof(command), "cp /bin/busybox %s",
		       sandboxed_path("base/bin/busybox"));
	FILE *cp = popen(command, "re");
	assert_non_null(cp);
	assert_int_equal(pclose(cp), 0);
	for (size_t i = 0; i < OB_ARRAY_LEN(applets); i++) {
		(void)snprintf(command, sizeof(command), "base/bin/%s", applets[i]);
		assert_int_equal(symlink("busybox", sandboxed_path(command)), 0);
	}
	sandboxed_write("base/etc/passwd",
			"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n",
			0644);
	sandboxed_write("base/etc/group", "root:x:0:\nann:x:1001:\nextra:x:44:bob,ann\n", 0644);
}

/** A spec that runs @p script with the shell on base/, changes into run/upper. */
static inline ob_run_spec *sandboxed_spec(const char *script)
{
	ob_run_spec *spec = ob_run_spec_new();

	assert_non_null(spec);
	assert_int_equal(ob_strlist_add(&spec->lowers, sandboxed_path("base")), 0);
	spec->upper = strdup(sandboxed_path("run/upper"));
	spec->work = strdup(sandboxed_path("run/work"));
	assert_int_equal(ob_strlist_add(&spec->argv, "/bin/sh"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "-c"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, script), 0);
	assert_int_equal(ob_strlist_add(&spec->env, "PATH=/bin"), 0);
	return spec;
}

static inline void sandboxed_work(const ob_run_spec *spec, sandboxed_result *result)
{
	ob_auto(ob_sandbox_host) host = NULL;
	ob_auto(ob_sandbox) sandbox = NULL;
	ob_auto(ocib_error) why = NULL;
	ob_autodone(ob_run_status) status = {0};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	const int stdio[3] = {open("/dev/null", O_RDONLY | O_CLOEXEC), ends[1], ends[1]};
	result->code = ob_sandbox_host_new(&host, &why);
	if (result->code == OCIB_OK)
		result->code = ob_sandbox_start(host, spec, stdio, &sandbox, &why);
	(void)close(ends[1]);
	if (result->code == OCIB_OK) {
		ssize_t n = ob_read_full(ends[0], result->out, sizeof(result->out) - 1);
		result->out[n > 0 ? n : 0] = '\0';
		result->code = ob_sandbox_wait(sandbox, &status, &why);
	}
	(void)snprintf(result->message, sizeof(result->message), "%s", ocib_error_message(why));
	result->exited = status.exited;
	result->status = status.status;
	for (size_t i = 0; i < status.stubs.len; i++)
		strncat(result->stubs, status.stubs.items[i], 100);
}

/** Run it in processes of its own. */
static inline void sandboxed_run(const ob_run_spec *spec, sandboxed_result *result)
{
	int ends[2];

	memset(result, 0, sizeof(*result));
	result->code = 1;
	(void)ob_remove_tree(AT_FDCWD, spec->work, NULL); /* must be empty each time */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ob_auto(ocib_error) why = NULL;
		int pidfd = -1;
		pid_t inner = -1;
		ocib_errc r = ob_sandbox_fork(sandboxed_rung(), &inner, &pidfd, &why);

		if (inner == 0 || r < 0) {
			result->code = r;
			(void)snprintf(result->message, sizeof(result->message), "%s",
				       ocib_error_message(why));
			if (r == OCIB_OK)
				sandboxed_work(spec, result);
			(void)!ob_write_full(ends[1], result, sizeof(*result));
			_exit(0);
		}
		while (waitpid(inner, NULL, 0) < 0 && errno == EINTR)
			continue;
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(ob_read_full(ends[0], result, sizeof(*result)), sizeof(*result));
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
}

/** The same for a script; asserts that it started, and gives what it wrote. */
static inline const char *sandboxed_script(const char *script)
{
	static sandboxed_result result;
	ob_run_spec *spec = sandboxed_spec(script);

	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	if (result.code != OCIB_OK)
		fail_msg("'%s': %s", script, result.message);
	return result.out;
}

#endif
