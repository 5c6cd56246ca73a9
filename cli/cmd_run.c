/* cli/cmd_run.c — ocibuild run: start an image to try it. ocibuild doctor: what this machine allows.
 *
 * The command keeps the terminal; SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are passed on to it through
 * a pipe instead of cancelling, so it can end in its own way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "progress.h"

typedef struct values {
	const char *entrypoint, *workdir, *user, *hostname, *network;
	cli_list env, volumes, publish;
	int read_only, remove;
} values;

#define AT(field) offsetof(values, field)
static const cli_option options[] = {
	{"env", 'e', CLI_LIST, AT(env), "KEY[=VALUE]", "environment variable; repeatable"},
	{"volume", 'v', CLI_LIST, AT(volumes), "HOST:CONTAINER[:ro]",
	 "show a host directory in the container; repeatable"},
	{"publish", 'p', CLI_LIST, AT(publish), "PORT:PORT",
	 "same number on both sides: the container shares the host's network"},
	{"entrypoint", 0, CLI_STRING, AT(entrypoint), "PROGRAM",
	 "instead of the image's entrypoint"},
	{"workdir", 'w', CLI_STRING, AT(workdir), "DIR", "working directory"},
	{"user", 'u', CLI_STRING, AT(user), "USER[:GROUP]", "user to run as"},
	{"hostname", 0, CLI_STRING, AT(hostname), "NAME", "host name"},
	{"network", 0, CLI_STRING, AT(network), "MODE", "host or none (default: host)"},
	{"read-only", 0, CLI_FLAG, AT(read_only), NULL,
	 "do not let the root file system be written"},
	{"rm", 0, CLI_FLAG, AT(remove), NULL, "remove the container when it ends: always so"},
	{"env-file", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"interactive", 'i', CLI_NOT_YET, 0, NULL, NULL},
	{"tty", 't', CLI_NOT_YET, 0, NULL, NULL},
	{"detach", 'd', CLI_NOT_YET, 0, NULL, NULL},
	{"name", 0, CLI_NOT_YET, 0, NULL, NULL},
	CLI_OPTIONS_END,
};

static int signal_pipe = -1;

static void pass_on(int number)
{
	unsigned char byte = (unsigned char)number;
	int saved = errno;

	(void)!write(signal_pipe, &byte, 1);
	errno = saved;
}

static void pass_signals_on(int fd)
{
	static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};

	signal_pipe = fd;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		(void)sigaction(passed[i], &action, NULL);
}

/* The container has the host's network, so a port can be shown only under its own number. */
static int check_ports(const cli_command *self, const cli_list *ports)
{
	for (size_t i = 0; i < ports->len; i++) {
		const char *text = ports->items[i], *colon = strrchr(text, ':');
		const char *host = text;

		if (!colon)
			continue;
		for (const char *p = text; p < colon; p++)
			if (*p == ':')
				host = p + 1;
		if (strlen(colon + 1) != (size_t)(colon - host) ||
		    strncmp(host, colon + 1, (size_t)(colon - host)) != 0)
			return cli_usage_error(self,
					       "--publish %s: mapping to another port is not "
					       "implemented yet; the container shares the host's "
					       "network, so publish %s:%s",
					       text, colon + 1, colon + 1);
	}
	return EXIT_OK;
}

static int fill_env(cli_list *env, char ***owned)
{
	size_t count = 0;

	*owned = calloc(env->len + 1, sizeof(char *));
	if (!*owned)
		return -1;
	for (size_t i = 0; i < env->len; i++) {
		const char *value = getenv(env->items[i]);
		char *text = NULL;

		if (strchr(env->items[i], '='))
			continue;
		if (asprintf(&text, "%s=%s", env->items[i], value ? value : "") < 0)
			return -1;
		(*owned)[count++] = text;
		env->items[i] = text;
	}
	return 0;
}

static int start(cli *app, const values *v, char **rest, int count)
{
	const char *entrypoint[] = {v->entrypoint, NULL};
	ocib_run_options o = OCIB_RUN_OPTIONS_INIT;
	ocib_error *err = NULL;
	int pipe_fds[2], exit_status = 0;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		fprintf(stderr, "ocibuild: error: pipe: %s\n", strerror(errno));
		return EXIT_OTHER;
	}
	rest[count] = NULL;
	o.args = count > 1 ? (const char *const *)(rest + 1) : NULL;
	o.entrypoint = v->entrypoint ? entrypoint : NULL;
	o.env = v->env.items;
	o.volumes = v->volumes.items;
	o.working_dir = v->workdir;
	o.user = v->user;
	o.hostname = v->hostname;
	o.network = v->network;
	o.read_only = v->read_only;
	o.signal_fd = pipe_fds[0];
	pass_signals_on(pipe_fds[1]);
	ocib_errc rc = ocib_run(app->context, app->store, rest[0], &o, &exit_status, &err);
	(void)close(pipe_fds[0]);
	if (rc != OCIB_OK)
		return cli_report(app, err);
	return exit_status;
}

static int run(cli *app, const cli_command *self, int argc, char **argv)
{
	values v = {0};
	char **rest, **owned = NULL;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status == EXIT_OK && count < 1)
		status = cli_usage_error(self, "needs an IMAGE");
	if (status == EXIT_OK)
		status = check_ports(self, &v.publish);
	if (status == EXIT_OK && fill_env(&v.env, &owned) < 0)
		status = EXIT_OTHER;
	app->progress = "quiet";
	if (status == EXIT_OK)
		status = cli_open(app, true);
	if (status == EXIT_OK)
		status = start(app, &v, rest, count);
	for (size_t i = 0; owned && owned[i]; i++)
		free(owned[i]);
	free(owned);
	cli_list_free(&v.env);
	cli_list_free(&v.volumes);
	cli_list_free(&v.publish);
	return status < 0 ? EXIT_OK : status;
}

static int print_finding(char kind, const char *text, void *user)
{
	const char *prefix = kind == 'p' ? "problem: " : kind == 'r' ? "remedy:  " : "  ";

	(void)user;
	printf("%s%s\n", prefix, text);
	return 0;
}

static int run_doctor(cli *app, const cli_command *self, int argc, char **argv)
{
	const char *rung = NULL;
	ocib_error *err = NULL;
	char **rest;
	int count, status = cli_parse(self, argc, argv, NULL, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	if (count)
		return cli_usage_error(self, "takes no argument, not '%s'", rest[0]);
	status = cli_open(app, true);
	if (status != EXIT_OK)
		return status;
	printf("ocibuild %s, store '%s'\n", ocib_version(), ocib_store_path(app->store));
	if (ocib_doctor(app->context, app->store, print_finding, NULL, &rung, &err) != OCIB_OK)
		return cli_report(app, err);
	printf("RUN stands on the rung '%s'\n", rung);
	return strcmp(rung, "none") == 0 ? EXIT_NOT_ALLOWED : EXIT_OK;
}

static const cli_option no_options[] = {CLI_OPTIONS_END};

const cli_command cli_command_run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [ARG…]",
	.summary = "start an image from the store, to try it",
	.options = options,
	.stop_at_first = true,
	.run = run,
};
const cli_command cli_command_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "say what this machine allows, and how to get more",
	.options = no_options,
	.run = run_doctor,
};
