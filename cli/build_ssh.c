/* cli/build_ssh.c — the --ssh language, as buildx has it.
 *
 * "ID=SOCKET" or "ID=KEY,KEY"; with nothing behind the id, the agent that $SSH_AUTH_SOCK names. Only the
 * command looks at the environment; the library is given the path.
 */
#include <stdlib.h>
#include <string.h>
#include "build_ssh.h"

static int use_own_agent(const cli_command *command, const char *id, const char **paths)
{
	const char *socket = getenv("SSH_AUTH_SOCK");

	if (!socket || !*socket)
		return cli_usage_error(command,
				       "--ssh %s: SSH_AUTH_SOCK is not set, so there is no agent "
				       "to forward; start one (eval $(ssh-agent); ssh-add), or "
				       "name a key: --ssh %s=FILE",
				       id, id);
	paths[0] = socket;
	return EXIT_OK;
}

static int parse_one(const cli_command *command, char *text, ocib_ssh *ssh, const char **paths)
{
	char *value = strchr(text, '='), *save = NULL;
	size_t count = 0;

	if (value)
		*value++ = '\0';
	ssh->id = *text ? text : "default";
	ssh->paths = paths;
	if (!value || !*value)
		return use_own_agent(command, ssh->id, paths);
	for (char *path = strtok_r(value, ",", &save); path; path = strtok_r(NULL, ",", &save)) {
		if (strncmp(path, "raw=", 4) == 0)
			return cli_usage_error(command, "--ssh: '%s' is not implemented", path);
		paths[count++] = path;
	}
	return count ? EXIT_OK : cli_usage_error(command, "--ssh %s names no file", ssh->id);
}

static size_t count_paths(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

int build_ssh_parse(const cli_command *command, const cli_list *specs, build_ssh *out,
		    ocib_build_options *options)
{
	int status = EXIT_OK;

	if (!specs->len)
		return EXIT_OK;
	out->items = calloc(specs->len, sizeof(*out->items));
	out->paths = calloc(specs->len + 1, sizeof(*out->paths));
	out->texts = calloc(specs->len + 1, sizeof(*out->texts));
	bool failed = !out->items || !out->paths || !out->texts;
	for (size_t i = 0; !failed && i < specs->len && status == EXIT_OK; i++) {
		out->texts[i] = strdup(specs->items[i]);
		out->paths[i] = calloc(count_paths(specs->items[i]) + 1, sizeof(char *));
		failed = !out->texts[i] || !out->paths[i];
		if (!failed)
			status = parse_one(command, out->texts[i], &out->items[i], out->paths[i]);
	}
	if (failed) {
		fprintf(stderr, "ocibuild: error: out of memory\n");
		return EXIT_OTHER;
	}
	options->ssh = out->items;
	options->ssh_count = specs->len;
	return status;
}

void build_ssh_done(build_ssh *ssh)
{
	for (size_t i = 0; ssh->texts && ssh->texts[i]; i++)
		free(ssh->texts[i]);
	for (size_t i = 0; ssh->paths && ssh->paths[i]; i++)
		free(ssh->paths[i]);
	free(ssh->texts);
	free(ssh->paths);
	free(ssh->items);
	*ssh = (build_ssh){0};
}
