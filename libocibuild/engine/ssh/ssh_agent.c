/* engine/ssh/ssh_agent.c — see ssh_agent.h.
 *
 * Key files are for OpenSSH's own agent, which knows every kind of key: it is started for this build alone,
 * with a shell beside it that adds the keys, names the socket, and waits for its input to end. So the agent
 * goes when we do, however we end. Keys are read by that shell: none is ever in our memory.
 */
#include "engine/ssh/ssh_agent.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/buffer.h"
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/strlist.h"

#define ANSWER_MAX (16 * OB_KIB)
#define ANSWER_MS  30000
#define READY      "ocibuild-ssh-agent "

/* Through "<" a key's file mode is nobody's business, as with BuildKit. */
static const char script[] = "trap 'kill \"$SSH_AGENT_PID\"' EXIT\n"
			     "for key; do\n"
			     "	said=$(ssh-add -q - 2>&1 <\"$key\") && continue\n"
			     "	case $said in ''|Enter*) said='it has a passphrase' ;; esac\n"
			     "	echo \"'$key': $said\"\n"
			     "	exit 1\n"
			     "done\n"
			     "echo \"" READY "$SSH_AUTH_SOCK\"\n"
			     "read -r end\n";

void ob_ssh_agent_done(ob_ssh_agent *agent)
{
	ob_closep(&agent->input);
	while (agent->pid > 0 && waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(agent->id);
	free(agent->socket);
	for (size_t i = 0; agent->keys && agent->keys[i]; i++)
		free(agent->keys[i]);
	free(agent->keys);
	*agent = (ob_ssh_agent){.input = -1};
}

/* --- what was given --- */

static ocib_errc check_path(const char *id, const char *path, bool *is_socket, ocib_error **err)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "ssh agent '%s': there is no '%s'", id,
			       path);
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return ob_fail_errno(err, "ssh agent '%s': look at '%s'", id, path);
	*is_socket = S_ISSOCK(st.st_mode);
	if (*is_socket || (S_ISREG(st.st_mode) && st.st_size <= (off_t)OB_LIMIT_SSH_KEY))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID,
		       "ssh agent '%s': '%s' is neither the socket of an agent nor the file of a "
		       "private key",
		       id, path);
}

static ocib_errc add_key(ob_ssh_agent *agent, const char *path, size_t i, ocib_error **err)
{
	agent->keys[i] = strdup(path);
	return agent->keys[i] ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_ssh_agent_open(const ocib_ssh *given, ob_ssh_agent *out, ocib_error **err)
{
	const char *id = given->id && *given->id ? given->id : "default";
	size_t count = 0;

	*out = (ob_ssh_agent){.input = -1, .id = strdup(id)};
	while (given->paths && given->paths[count])
		count++;
	if (!count)
		return ob_fail(err, OCIB_ERR_INVALID, "ssh agent '%s' has no socket and no key",
			       id);
	out->keys = calloc(count + 1, sizeof(*out->keys));
	if (!out->id || !out->keys)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		bool is_socket = false;
		ocib_errc r = check_path(id, given->paths[i], &is_socket, err);

		if (r == OCIB_OK && is_socket && count > 1)
			r = ob_fail(err, OCIB_ERR_INVALID,
				    "ssh agent '%s' is either one socket or keys, not both", id);
		if (r == OCIB_OK)
			r = add_key(out, given->paths[i], i, err);
		if (r < 0)
			return r;
		if (is_socket)
			out->socket = ob_take_ptr(out->keys[0]);
	}
	return OCIB_OK;
}

/* --- an agent of our own --- */

/* Without a terminal and a display nobody is asked for a passphrase. */
static int copy_env(ob_strlist *env)
{
	static const char *const kept[] = {"PATH", "HOME", "TMPDIR"};

	for (size_t i = 0; i < OB_ARRAY_LEN(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value && ob_env_set(env, kept[i], value) < 0)
			return -1;
	}
	return 0;
}

static int spawn_with(const ob_strlist *argv, const ob_strlist *env, const int ends[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	(void)posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSID);
	int failed = posix_spawnp(pid, argv->items[0], &actions, &attr, argv->items, env->items);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* *output: what the shell says. */
static ocib_errc spawn_agent(ob_ssh_agent *agent, int *output, ocib_error **err)
{
	static const char *const words[] = {"ssh-agent", "/bin/sh", "-c", script, "sh"};
	ob_autodone(ob_strlist) argv = {0}, env = {0};
	int in[2], out[2];

	for (size_t i = 0; i < OB_ARRAY_LEN(words); i++)
		if (ob_strlist_add(&argv, words[i]) < 0)
			return ob_fail_nomem(err);
	for (size_t i = 0; agent->keys[i]; i++)
		if (ob_strlist_add(&argv, agent->keys[i]) < 0)
			return ob_fail_nomem(err);
	if (copy_env(&env) < 0)
		return ob_fail_nomem(err);
	if (pipe2(in, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	ob_autofd int child_in = in[0], own_in = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	ob_autofd int own_out = out[0], child_out = out[1];
	errno = spawn_with(&argv, &env, (const int[2]){child_in, child_out}, &agent->pid);
	if (errno == ENOENT) {
		agent->pid = 0;
		ob_fail(err, OCIB_ERR_NOTFOUND,
			"ssh agent '%s': there is no program ssh-agent to hold its keys",
			agent->id);
		ob_error_set_hint(err, "install OpenSSH's client (openssh-client, "
				       "openssh-clients), or forward the socket of an agent");
		return OCIB_ERR_NOTFOUND;
	}
	if (errno)
		return ob_fail_errno(err, "start ssh-agent");
	agent->input = ob_take_fd(own_in);
	*output = ob_take_fd(own_out);
	return OCIB_OK;
}

/* Until the shell is ready, or has nothing more to say. */
static ocib_errc read_answer(ocib_context *ctx, int fd, ob_buffer *answer, ocib_error **err)
{
	while (!answer->len || !strstr(answer->data, READY) || !strchr(answer->data, '\n')) {
		struct pollfd fds[2] = {
			{.fd = fd, .events = POLLIN},
			{.fd = ob_cancel_fd(ctx), .events = POLLIN},
		};
		char block[1024];

		if (poll(fds, 2, ANSWER_MS) == 0)
			return ob_fail(err, OCIB_ERR_SYSTEM, "ssh-agent and ssh-add do not answer");
		ocib_errc r = ob_check_canceled(ctx, err);
		if (r < 0)
			return r;
		ssize_t n = fds[0].revents ? read(fd, block, sizeof(block)) : -1;
		if (n == 0)
			return OCIB_OK;
		if (n > 0)
			ob_buffer_append(answer, block, (size_t)n);
		r = ob_buffer_check(answer, err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc fail_keys(const ob_ssh_agent *agent, const char *said, ocib_error **err)
{
	int len = (int)strcspn(said, "\n");
	ocib_errc r = ob_fail(err, OCIB_ERR_INVALID, "ssh agent '%s': key %.*s", agent->id,
			      len ? len : (int)strlen("unknown"), len ? said : "unknown");

	ob_error_set_hint(err,
			  "a key with a passphrase is of use only in an agent: add it there "
			  "(ssh-add FILE), and forward that (--ssh %s)",
			  agent->id);
	return r;
}

ocib_errc ob_ssh_agent_start(ocib_context *ctx, ob_ssh_agent *agent, ocib_error **err)
{
	ob_autodone(ob_buffer) answer = OB_BUFFER_INIT(ANSWER_MAX, "answer of ssh-add");
	ob_autofd int output = -1;

	if (agent->socket)
		return OCIB_OK;
	ocib_errc r = spawn_agent(agent, &output, err);
	if (r == OCIB_OK)
		r = read_answer(ctx, output, &answer, err);
	if (r < 0)
		return r;
	const char *said = answer.data ? answer.data : "";
	const char *ready = strstr(said, READY);
	if (!ready)
		return fail_keys(agent, said, err);
	ready += strlen(READY);
	agent->socket = strndup(ready, strcspn(ready, "\n"));
	return agent->socket ? OCIB_OK : ob_fail_nomem(err);
}
