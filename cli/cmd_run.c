/* cli/cmd_run.c — ocibuild run: start an image to try it.
 *
 * Until the command runs, SIGINT and SIGTERM cancel as everywhere. From then on signals go to the library
 * through a pipe, which passes them on, so that the command can end in its own way. What is said meanwhile
 * goes to standard error, and ends in "\r\n" while the terminal is raw.
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
	const char *entrypoint, *workdir, *user, *hostname, *network, *stop_signal, *stop_timeout,
		*platform;
	cli_list env, env_files, volumes, publish;
	int interactive, tty, read_only, remove, no_healthcheck;
} values;

#define AT(field) offsetof(values, field)
static const cli_option options[] = {
	{"env", 'e', CLI_LIST, AT(env), "KEY[=VALUE]",
	 "environment variable, the value from here if none is given; repeatable"},
	{"env-file", 0, CLI_LIST, AT(env_files), "FILE",
	 "file of such lines, by docker's rules; repeatable"},
	{"volume", 'v', CLI_LIST, AT(volumes), "HOST:CONTAINER[:ro]",
	 "show a file or directory of this machine in the container; repeatable"},
	{"publish", 'p', CLI_LIST, AT(publish), "[IP:][HOST:]CONTAINER[/tcp]",
	 "make a port of the container reachable from outside; repeatable"},
	{"interactive", 'i', CLI_FLAG, AT(interactive), NULL,
	 "let the command read from standard input"},
	{"tty", 't', CLI_FLAG, AT(tty), NULL, "give the command a terminal of its own"},
	{"entrypoint", 0, CLI_STRING, AT(entrypoint), "PROGRAM",
	 "instead of the image's entrypoint; empty: none"},
	{"workdir", 'w', CLI_STRING, AT(workdir), "DIR", "working directory"},
	{"user", 'u', CLI_STRING, AT(user), "USER[:GROUP]", "user to run as"},
	{"hostname", 0, CLI_STRING, AT(hostname), "NAME", "host name"},
	{"network", 0, CLI_STRING, AT(network), "MODE",
	 "host or none (default: host, or none where a published port needs it)"},
	{"read-only", 0, CLI_FLAG, AT(read_only), NULL,
	 "do not let the root file system be written"},
	{"platform", 0, CLI_STRING, AT(platform), "OS/ARCH",
	 "which image of an index (default: this machine's)"},
	{"stop-signal", 0, CLI_STRING, AT(stop_signal), "SIGNAL",
	 "what asks the command to end, instead of the image's"},
	{"stop-timeout", 0, CLI_STRING, AT(stop_timeout), "SECONDS",
	 "from then until it is killed (default: 10)"},
	{"no-healthcheck", 0, CLI_FLAG, AT(no_healthcheck), NULL,
	 "do not execute the image's HEALTHCHECK"},
	{"rm", 0, CLI_FLAG, AT(remove), NULL, "remove the container when it ends: always so"},
	{"detach", 'd', CLI_NOT_YET, 0, NULL, NULL},
	{"name", 0, CLI_NOT_YET, 0, NULL, NULL},
	CLI_OPTIONS_END,
};

/* What events need to know. */
typedef struct running {
	cli *app;
	const values *values;
	int signal_fd;
} running;

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
	static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};

	signal_pipe = fd;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		(void)sigaction(passed[i], &action, NULL);
}

/* A terminal that is ours to write to, while somebody else draws on it. */
static bool is_shared_screen(const running *run)
{
	return run->values->tty && isatty(STDERR_FILENO);
}

static void say(const running *run, const char *what, const char *text)
{
	fprintf(stderr, "ocibuild: %s%s%s", what, text, is_shared_screen(run) ? "\r\n" : "\n");
}

static int on_event(const ocib_event *event, void *user)
{
	const running *run = user;

	switch (event->type) {
	case OCIB_EVENT_COMMAND_STARTED:
		pass_signals_on(run->signal_fd);
		if (!run->values->network && strcmp(event->u.message.text, "none") == 0)
			say(run, "the container has a network of its own, without a way out",
			    " (--network=host has one)");
		return 0;
	case OCIB_EVENT_PORT: say(run, "port ", event->u.message.text); return 0;
	case OCIB_EVENT_HEALTH:
		if (!is_shared_screen(run))
			say(run, "health: ", event->u.message.text);
		return 0;
	default: return progress_event(event, run->app->view);
	}
}

static int start(const running *run, char **rest, int count, int read_end)
{
	const values *v = run->values;
	const char *entrypoint[] = {v->entrypoint && *v->entrypoint ? v->entrypoint : NULL, NULL};
	ocib_run_options o = OCIB_RUN_OPTIONS_INIT;
	ocib_error *err = NULL;
	int exit_status = 0;
	int64_t seconds = 0;

	rest[count] = NULL;
	o.args = count > 1 ? (const char *const *)(rest + 1) : NULL;
	o.entrypoint = v->entrypoint ? entrypoint : NULL;
	o.env = v->env.items;
	o.env_files = v->env_files.items;
	o.volumes = v->volumes.items;
	o.publish = v->publish.items;
	o.working_dir = v->workdir;
	o.user = v->user;
	o.hostname = v->hostname;
	o.network = v->network;
	o.read_only = v->read_only;
	o.interactive = v->interactive;
	o.terminal = v->tty;
	o.platform = v->platform;
	o.stop_signal = v->stop_signal;
	if (v->stop_timeout && cli_parse_number(v->stop_timeout, &seconds))
		o.stop_seconds = (uint32_t)seconds;
	o.no_healthcheck = v->no_healthcheck;
	o.signal_fd = read_end;
	ocib_errc rc =
		ocib_run(run->app->context, run->app->store, rest[0], &o, &exit_status, &err);
	return rc == OCIB_OK ? exit_status : cli_report(run->app, err);
}

static int check(const cli_command *self, const values *v, int count)
{
	int64_t seconds = 1;

	if (count < 1)
		return cli_usage_error(self, "needs an IMAGE");
	if (!v->remove)
		return cli_usage_error(self, "--rm=false: nothing of a container can be kept");
	if (v->stop_timeout &&
	    (!cli_parse_number(v->stop_timeout, &seconds) || seconds < 1 || seconds > INT32_MAX))
		return cli_usage_error(self, "--stop-timeout is a number of seconds, not '%s'",
				       v->stop_timeout);
	return EXIT_OK;
}

static int open_and_start(cli *app, const values *v, char **rest, int count)
{
	running run = {.app = app, .values = v};
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		fprintf(stderr, "ocibuild: error: pipe: %s\n", strerror(errno));
		return EXIT_OTHER;
	}
	run.signal_fd = ends[1];
	app->progress = "quiet";
	app->on_event = on_event;
	app->on_event_user = &run;
	status = cli_open(app, true);
	if (status == EXIT_OK)
		status = start(&run, rest, count, ends[0]);
	(void)close(ends[0]); /* the other end stays for signals that come late */
	return status;
}

static int run(cli *app, const cli_command *self, int argc, char **argv)
{
	values v = {.remove = 1};
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status == EXIT_OK)
		status = check(self, &v, count);
	if (status == EXIT_OK)
		status = open_and_start(app, &v, rest, count);
	cli_list_free(&v.env);
	cli_list_free(&v.env_files);
	cli_list_free(&v.volumes);
	cli_list_free(&v.publish);
	return status < 0 ? EXIT_OK : status;
}

const cli_command cli_command_run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [ARG…]",
	.summary = "start an image from the store, to try it",
	.options = options,
	.stop_at_first = true,
	.run = run,
};
