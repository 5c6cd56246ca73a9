/* cli/release/release_git.c — run git, wait, take what it wrote.
 *
 * Both streams go to files in memory, so that git cannot block on us nor we on it. It gets no input, asks
 * no questions, and speaks English.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "release_git.h"

#define MOST_OUTPUT (64 * 1024 * 1024)

extern char **environ;

/* Our environment with the few variables that keep git quiet. */
static char **git_environment(text_pool *pool)
{
	static char locale[] = "LC_ALL=C", prompt[] = "GIT_TERMINAL_PROMPT=0",
		    locks[] = "GIT_OPTIONAL_LOCKS=0";
	char *const extra[] = {locale, prompt, locks};
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	char **list = text_pool_alloc(pool, (count + 4) * sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0)
			list[kept++] = environ[i];
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
		list[kept++] = extra[i];
	return list;
}

/* "git" and the arguments, as spawning wants them. */
static char **git_arguments(text_pool *pool, const char *const *args)
{
	size_t count = 0;

	while (args[count])
		count++;
	char **argv = text_pool_alloc(pool, (count + 2) * sizeof(*argv));
	for (size_t i = 0; argv && i <= count; i++) {
		const char *from = i ? args[i - 1] : "git";

		argv[i] = text_pool_alloc(pool, strlen(from) + 1);
		if (!argv[i])
			return NULL;
		memcpy(argv[i], from, strlen(from));
	}
	return argv;
}

static int start(text_pool *pool, const char *const *args, int out, int err, pid_t *pid)
{
	char **argv = git_arguments(pool, args), **environment = git_environment(pool);
	posix_spawn_file_actions_t actions;

	if (!argv || !environment)
		return ENOMEM;
	int failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, err, 2);
	if (!failed)
		failed = posix_spawnp(pid, "git", &actions, NULL, argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static const char *take_output(text_pool *pool, int fd, size_t *len)
{
	struct stat st;

	*len = 0;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > MOST_OUTPUT)
		return "";
	char *text = text_pool_alloc(pool, (size_t)st.st_size + 1);
	if (!text)
		return "";
	while (*len < (size_t)st.st_size) {
		ssize_t got = pread(fd, text + *len, (size_t)st.st_size - *len, (off_t)*len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*len += (size_t)got;
	}
	if (*len && text[*len - 1] == '\n')
		text[--*len] = '\0';
	return text;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static git_answer ask_into(text_pool *pool, const char *const *args, int out, int err)
{
	git_answer answer = {.status = -1, .text = "", .error = ""};
	size_t len;
	pid_t pid;
	int failed = start(pool, args, out, err, &pid);

	if (failed) {
		answer.error = text_printf(pool, "start git: %s", strerror(failed));
		return answer;
	}
	answer.found = true;
	answer.status = wait_for(pid);
	answer.text = take_output(pool, out, &answer.len);
	const char *error = take_output(pool, err, &len);
	answer.error = text_copy_harmless(pool, error, strcspn(error, "\n"));
	return answer;
}

git_answer git_ask(text_pool *pool, const char *const *args)
{
	int out = memfd_create("git", MFD_CLOEXEC), err = memfd_create("git", MFD_CLOEXEC);
	git_answer answer = {.status = -1, .text = "", .error = "no memory for git's output"};

	if (out >= 0 && err >= 0)
		answer = ask_into(pool, args, out, err);
	if (out >= 0)
		(void)close(out);
	if (err >= 0)
		(void)close(err);
	return answer;
}
