/* engine/source/git_command.c — see git_command.h.
 *
 * git is started through a shell for its umask, which must not be changed in this process. What decides
 * about it is in its environment (git_environment.c), credentials too.
 *
 * The process is a group of its own. When the build is canceled all of it is ended, transports included.
 */
#include "engine/source/git_command.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/strlist.h"
#include "engine/source/git_environment.h"
#include "registry/http_url.h"

/* umask 022: files are 0644 or 0755, as BuildKit has them. */
#define SCRIPT "umask 022 && command -v git >/dev/null || exit 127; exec git \"$@\""
#define NO_GIT 127

static int add_arguments(const char *const *args, ob_strlist *argv)
{
	static const char *const first[] = {
		"sh",
		"-c",
		SCRIPT,
		"git",
		/* no hooks, no housekeeping, no log of who was here, links as they are */
		"-c",
		"core.hooksPath=/dev/null",
		"-c",
		"gc.auto=0",
		"-c",
		"maintenance.auto=false",
		"-c",
		"core.logAllRefUpdates=false",
		"-c",
		"core.symlinks=true",
		"-c",
		"init.defaultBranch=master",
		"-c",
		"advice.detachedHead=false",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(first); i++) {
		if (ob_strlist_add(argv, first[i]))
			return -1;
	}
	for (; *args; args++) {
		if (ob_strlist_add(argv, *args))
			return -1;
	}
	return 0;
}

/* --- running --- */

typedef struct child {
	pid_t pid;
	int out_fd, err_fd;
} child;

static int set_up(const ob_git_command *git, int out_fd, int err_fd, posix_spawnattr_t *attr,
		  posix_spawn_file_actions_t *actions)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, out_fd, 1);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, err_fd, 2);
	if (!r)
		r = posix_spawn_file_actions_addchdir_np(actions, git->dir ? git->dir : "/");
	if (!r)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (!r)
		r = posix_spawnattr_setsigdefault(attr, &all);
	if (!r)
		r = posix_spawnattr_setpgroup(attr, 0);
	if (!r)
		r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							   POSIX_SPAWN_SETPGROUP);
	return r;
}

static int spawn(const ob_git_command *git, const ob_strlist *argv, const ob_strlist *env,
		 int out_fd, int err_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	int r = set_up(git, out_fd, err_fd, &attr, &actions);
	if (!r)
		r = posix_spawn(pid, "/bin/sh", &actions, &attr, argv->items, env->items);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static ocib_errc start(const ob_git_command *git, const char *const *args, child *out,
		       ocib_error **err)
{
	ob_autodone(ob_strlist) argv = {0}, env = {0};
	int fds[2], err_fds[2];

	if (add_arguments(args, &argv))
		return ob_fail_nomem(err);
	ocib_errc r = ob_git_environment(git, &env, err);
	if (r)
		return r;
	if (pipe2(fds, O_CLOEXEC))
		return ob_fail_errno(err, "pipe");
	ob_autofd int read_fd = fds[0], write_fd = fds[1];
	if (pipe2(err_fds, O_CLOEXEC))
		return ob_fail_errno(err, "pipe");
	ob_autofd int err_read_fd = err_fds[0], err_write_fd = err_fds[1];
	errno = spawn(git, &argv, &env, write_fd, err_write_fd, &out->pid);
	for (size_t i = 0; i < env.len; i++)
		explicit_bzero(env.items[i], strlen(env.items[i]));
	if (errno)
		return ob_fail_errno(err, "start git");
	out->out_fd = ob_take_fd(read_fd);
	out->err_fd = ob_take_fd(err_read_fd);
	return OCIB_OK;
}

/* Some of what it writes; *open becomes false at the end. */
static ocib_errc read_some(int fd, ob_buffer *to, bool *open, ocib_error **err)
{
	char piece[4096];
	ssize_t got = read(fd, piece, sizeof(piece));

	if (got < 0 && errno != EINTR)
		return ob_fail_errno(err, "read from git");
	if (got == 0)
		*open = false;
	if (got > 0 && to)
		ob_buffer_append(to, piece, (size_t)got);
	return OCIB_OK;
}

/* Both streams until both end. Of messages the limit cuts, of output it fails. */
static ocib_errc listen_to(const ob_git_command *git, const child *c, ob_buffer *out,
			   ob_buffer *said, ocib_error **err)
{
	bool out_open = true, err_open = true;
	ocib_errc r = OCIB_OK;

	while (!r && (out_open || err_open)) {
		struct pollfd fds[] = {
			{.fd = out_open ? c->out_fd : -1, .events = POLLIN},
			{.fd = err_open ? c->err_fd : -1, .events = POLLIN},
			{.fd = ob_cancel_fd(git->ctx), .events = POLLIN},
		};

		(void)poll(fds, OB_ARRAY_LEN(fds), -1);
		r = ob_check_canceled(git->ctx, err);
		if (!r && fds[0].revents)
			r = read_some(c->out_fd, out, &out_open, err);
		if (!r && fds[1].revents)
			r = read_some(c->err_fd, said, &err_open, err);
		if (!r && out)
			r = ob_buffer_check(out, err);
	}
	return r;
}

/* The exit status, or -1 where somebody else reaped the child. */
static int reap(pid_t pid)
{
	int status;
	pid_t got;

	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	return got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : got == pid ? 255 : -1;
}

/* --- what it says --- */

/* The line that tells most: the first "fatal:" or "error:", else the last one. */
static const char *best_line(char *text)
{
	const char *best = "no reason given";
	char *rest = text;

	for (char *line = strsep(&rest, "\n\r"); line; line = strsep(&rest, "\n\r")) {
		if (ob_str_starts(line, "fatal: ") || ob_str_starts(line, "error: ") ||
		    ob_str_starts(line, "ERROR: ")) {
			if (rest && ob_str_ends(line, ":")) { /* the reason is in the next line */
				line[strlen(line)] = ' ';
				rest[strcspn(rest, "\n\r")] = '\0';
			}
			return line + strlen("fatal: ");
		}
		if (*line)
			best = line;
	}
	return best;
}

static bool says_missing(const char *text)
{
	static const char *const words[] = {"not found", "does not exist", "does not appear",
					    "access denied or repository not exported"};

	for (size_t i = 0; i < OB_ARRAY_LEN(words); i++) {
		if (strcasestr(text, words[i]))
			return true;
	}
	return false;
}

static void make_harmless(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\r') || c == 0x7f)
			text[i] = '?';
	}
	if (!ob_utf8_valid(text, len)) {
		for (size_t i = 0; i < len; i++)
			text[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	}
}

/* What to do about it. */
static void hint(const ob_git_command *git, const char *line, ocib_error **err)
{
	ob_autofree char *host = ob_url_host(git->address->remote, true);

	if (!git->may_use_keys && !git->ssh_agent && strstr(line, "Could not read from remote"))
		ob_error_set_hint(err,
				  "repositories that a Dockerfile names get no keys but those of "
				  "--ssh default");
	else if (strstr(line, "could not read Username") || strstr(line, "Authentication failed"))
		ob_error_set_hint(err, "credentials are given with --secret id=GIT_AUTH_TOKEN.%s",
				  host ? host : "HOST");
	else if (strstr(line, "returned error: 30"))
		ob_error_set_hint(err, "the server sends to another address, and a secret does not "
				       "follow: name that address");
}

static ocib_errc fail(const ob_git_command *git, int status, ob_buffer *said, ocib_error **err)
{
	char nothing[] = "";
	char *text = said->data ? said->data : nothing;

	if (status == NO_GIT) {
		(void)ob_fail(err, OCIB_ERR_DENIED, "there is no program 'git' in $PATH");
		ob_error_set_hint(err, "git repositories are read by the git command: install git");
		return OCIB_ERR_DENIED;
	}
	make_harmless(text, said->len);
	bool missing = says_missing(text);
	const char *line = best_line(text);
	(void)ob_fail(err, missing ? OCIB_ERR_NOTFOUND : OCIB_ERR_NETWORK, "git: %s", line);
	hint(git, line, err);
	return missing ? OCIB_ERR_NOTFOUND : OCIB_ERR_NETWORK;
}

ocib_errc ob_git_run(const ob_git_command *git, const char *const *args, ob_buffer *out,
		     ocib_error **err)
{
	ob_autodone(ob_buffer) said = OB_BUFFER_INIT(OB_LIMIT_GIT_MESSAGE, "message of git");
	child c = {.out_fd = -1, .err_fd = -1};
	ocib_errc r = start(git, args, &c, err);

	if (r)
		return r;
	r = listen_to(git, &c, out, &said, err);
	if (r)
		(void)kill(-c.pid, SIGTERM);
	(void)close(c.out_fd);
	(void)close(c.err_fd);
	int status = reap(c.pid);
	if (!r && status > 0)
		r = fail(git, status, &said, err);
	return r;
}
