/* registry/auth_helper.c — the credential helper protocol: a word in argv, the server on standard
 * input, JSON on standard output.
 *
 * The program is found in $PATH and started with posix_spawn: no code of ours runs between fork and
 * exec. Standard input is a memory file, so a helper that does not read cannot block us or raise
 * SIGPIPE. Standard error goes to /dev/null: it may repeat secrets. The child's exit status is only
 * asked for; in a process that reaps all its children the answer alone decides.
 */
#include "registry/auth_helper.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "base/fds.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"

extern char **environ;

typedef struct helper {
	pid_t pid;
	int out_fd;
} helper;

static bool is_plain_name(const char *name)
{
	return *name && *name != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       strlen(name);
}

static int make_input(const char *text)
{
	ob_autofd int fd = memfd_create("credential-helper", MFD_CLOEXEC);

	if (fd < 0 || ob_write_full(fd, text, strlen(text)) || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return ob_take_fd(fd);
}

static int spawn_program(const char *program, int in_fd, int out_fd, pid_t *pid)
{
	char verb[] = "get";
	ob_autofree char *name = strdup(program);
	char *argv[] = {name, verb, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	if (!name)
		return ENOMEM;
	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	posix_spawn_file_actions_adddup2(&actions, in_fd, 0);
	posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int failed = posix_spawnp(pid, program, &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static ocib_errc start(const char *program, const char *server, helper *out, ocib_error **err)
{
	ob_autofd int in_fd = make_input(server);
	int pipe_fds[2];

	if (in_fd < 0)
		return ob_fail_errno(err, "memfd_create");
	if (pipe2(pipe_fds, O_CLOEXEC))
		return ob_fail_errno(err, "pipe");
	ob_autofd int read_fd = pipe_fds[0];
	ob_autofd int write_fd = pipe_fds[1];
	int failed = spawn_program(program, in_fd, write_fd, &out->pid);
	if (failed == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "no program '%s' in $PATH", program);
	errno = failed;
	if (failed)
		return ob_fail_errno(err, "start '%s'", program);
	out->out_fd = ob_take_fd(read_fd);
	return OCIB_OK;
}

static int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static ocib_errc read_answer(ocib_context *ctx, int fd, ob_buffer *answer, ocib_error **err)
{
	int64_t deadline = now_seconds() + OB_LIMIT_AUTH_HELPER_SECONDS;

	for (;;) {
		struct pollfd wait[2] = {{.fd = fd, .events = POLLIN},
					 {.fd = ob_cancel_fd(ctx), .events = POLLIN}};
		ocib_errc rc = ob_check_canceled(ctx, err);
		int ready = rc ? 0 : poll(wait, 2, 1000);

		if (rc)
			return rc;
		if (now_seconds() > deadline)
			return ob_fail(err, OCIB_ERR_LIMIT, "no answer within %d seconds",
				       OB_LIMIT_AUTH_HELPER_SECONDS);
		if (ready <= 0 || !wait[0].revents)
			continue;
		char *to = ob_buffer_reserve(answer, 4096);
		if (!to)
			return ob_buffer_check(answer, err);
		ssize_t got = read(fd, to, 4096);
		if (got < 0 && errno != EINTR)
			return ob_fail_errno(err, "read");
		if (got == 0)
			return OCIB_OK;
		if (got > 0) {
			to[got] = '\0';
			answer->len += (size_t)got;
		}
	}
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

static ocib_errc take_answer(const ob_buffer *answer, ob_credentials *out, ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) ignored = NULL;
	const char *user = NULL, *secret = NULL;

	if (ob_json_parse(answer->data ? answer->data : "", answer->len, &json, &ignored) ==
	    OCIB_OK) {
		user = ob_json_get_str(json, "Username");
		secret = ob_json_get_str(json, "Secret");
	}
	if (!user || !secret)
		return ob_fail(err, OCIB_ERR_PROTOCOL, "its answer is no credential");
	/* The protocol's own mark of an identity token. */
	bool is_token = ob_str_eq(user, "<token>");
	out->username = is_token ? NULL : strdup(user);
	char **to = is_token ? &out->identity_token : &out->password;
	*to = strdup(secret);
	if (*to && (is_token || out->username))
		return OCIB_OK;
	ob_credentials_done(out);
	return ob_fail_nomem(err);
}

static bool says_unknown(const ob_buffer *answer)
{
	return answer->data && strstr(answer->data, "credentials not found");
}

ocib_errc ob_auth_helper_get(ocib_context *ctx, const char *name, const char *server,
			     ob_credentials *out, ocib_error **err)
{
	ob_autodone(ob_buffer) answer =
		OB_BUFFER_INIT(OB_LIMIT_TOKEN, "answer of a credential helper");
	ob_autofree char *program = ob_str_printf("docker-credential-%s", name);
	helper child = {.out_fd = -1};

	if (!program)
		return ob_fail_nomem(err);
	if (!is_plain_name(name))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is no name of a credential helper",
			       name);
	ocib_errc rc = start(program, server, &child, err);
	if (rc)
		return rc;
	rc = read_answer(ctx, child.out_fd, &answer, err);
	if (rc)
		(void)kill(child.pid, SIGKILL);
	(void)close(child.out_fd);
	int status = reap(child.pid);
	if (!rc && status > 0 && !says_unknown(&answer))
		rc = ob_fail(err, OCIB_ERR_PROTOCOL, "exit status %d", status);
	else if (!rc && !says_unknown(&answer))
		rc = take_answer(&answer, out, err);
	if (answer.data)
		explicit_bzero(answer.data, answer.len);
	return rc ? ob_wrap(err, rc, "credential helper '%s'", program) : OCIB_OK;
}
