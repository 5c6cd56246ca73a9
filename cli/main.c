/* cli/main.c — from the command line to one command: global options, the table of commands, signals.
 *
 * SIGINT and SIGTERM cancel the context; the call under way then ends by itself with everything it
 * started, and the exit status is 130 or 143. A second signal ends the program at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "progress.h"

static const cli_command *const commands[] = {
	&cli_command_build,  &cli_command_release, &cli_command_run,     &cli_command_pull,
	&cli_command_push,   &cli_command_copy,    &cli_command_import,  &cli_command_images,
	&cli_command_tag,    &cli_command_rmi,     &cli_command_inspect, &cli_command_history,
	&cli_command_doctor, &cli_command_fsck,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* Commands that cli.md promises and this version does not have. */
static const char *const later[] = {"diff", "save", "load", "login", "logout", "prune", "lock"};

static ocib_context *volatile signal_context;
static volatile sig_atomic_t signal_received;

static void on_signal(int number)
{
	if (signal_received)
		_exit(128 + number);
	signal_received = number;
	if (signal_context)
		ocib_context_cancel(signal_context);
}

int cli_interrupted(void)
{
	return signal_received;
}

static void install_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

const cli_command *cli_find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_overview(FILE *to)
{
	fputs("ocibuild builds OCI images from Dockerfiles, without a daemon and without root.\n\n"
	      "usage: ocibuild [--store DIR] [--log-level LEVEL] [--debug] COMMAND …\n\n",
	      to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n'ocibuild COMMAND --help' tells the rest; so does the manual page ocibuild(1).\n",
	      to);
}

/* Where the worker is: beside us in a build tree, in libexec once installed. */
static char *find_worker(void)
{
	static const char *const places[] = {"ocibuild-worker",
					     "../libexec/ocibuild/ocibuild-worker"};
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path = NULL;

	if (len <= 0 || getenv("OCIBUILD_WORKER"))
		return NULL;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&path, "%s/%s", self, places[i]) < 0)
			return NULL;
		if (access(path, X_OK) == 0)
			return path;
		free(path);
		path = NULL;
	}
	return NULL;
}

int cli_open(cli *app, bool with_store)
{
	ocib_error *err = NULL;
	char *worker = find_worker();
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;

	app->view = progress_new(app->progress);
	if (!app->view) {
		free(worker);
		fprintf(stderr, "ocibuild: error: out of memory\n");
		return EXIT_OTHER;
	}
	options.on_event = app->on_event ? app->on_event : progress_event;
	options.user = app->on_event ? app->on_event_user : app->view;
	options.worker_path = worker;
	options.jobs = app->jobs;
	options.offline = app->offline;
	options.debug = app->debug || (app->log_level && strcmp(app->log_level, "debug") == 0);
	ocib_errc rc = ocib_context_new(&options, &app->context, &err);
	free(worker);
	if (rc != OCIB_OK)
		return cli_report(app, err);
	signal_context = app->context;
	if (with_store &&
	    ocib_store_open(app->context, app->store_path, &app->store, &err) != OCIB_OK)
		return cli_report(app, err);
	return EXIT_OK;
}

void cli_close(cli *app)
{
	signal_context = NULL;
	app->store = ocib_store_close(app->store);
	app->context = ocib_context_free(app->context);
	app->view = progress_free(app->view);
}

static int unknown_command(const char *name)
{
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(later[i], name) == 0) {
			fprintf(stderr, "ocibuild: '%s' is not implemented yet in version %s\n",
				name, ocib_version());
			return EXIT_USAGE;
		}
	cli_nearest_state near = {0};
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		cli_nearest(name, strlen(name), commands[i]->name, &near);
	fprintf(stderr, "ocibuild: there is no command '%s'%s%s%s; 'ocibuild help' lists them\n",
		name, near.name ? " (did you mean '" : "", near.name ? near.name : "",
		near.name ? "'?)" : "");
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	const cli_command *command;

	if (argc < 2) {
		print_overview(stdout);
		return EXIT_OK;
	}
	command = cli_find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	cli_print_help(command);
	return EXIT_OK;
}

/* Global options come before the command. @return index of the command, or -1 - exit status. */
static int parse_globals(cli *app, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *value = strchr(argv[i], '=');
		size_t len = value ? (size_t)(value - argv[i]) : strlen(argv[i]);
		const char **target = NULL;

		if (strcmp(argv[i], "--debug") == 0) {
			app->debug = true;
			continue;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("ocibuild %s\n", ocib_version());
			return -1 - EXIT_OK;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_overview(stdout);
			return -1 - EXIT_OK;
		}
		if (strncmp(argv[i], "--store", len) == 0 && len == strlen("--store"))
			target = &app->store_path;
		else if (strncmp(argv[i], "--log-level", len) == 0 && len == strlen("--log-level"))
			target = &app->log_level;
		if (!target) {
			fprintf(stderr, "ocibuild: unknown option '%s' before the command\n",
				argv[i]);
			return -1 - EXIT_USAGE;
		}
		if (!value && i + 1 >= argc) {
			fprintf(stderr, "ocibuild: option '%s' needs a value\n", argv[i]);
			return -1 - EXIT_USAGE;
		}
		*target = value ? value + 1 : argv[++i];
	}
	return i;
}

static bool log_level_is_known(const char *level)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};

	for (size_t i = 0; level && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i], level) == 0)
			return true;
	return !level;
}

int main(int argc, char **argv)
{
	cli app = {0};
	int first = parse_globals(&app, argc, argv);
	int status;

	if (first < 0)
		return -1 - first;
	if (!log_level_is_known(app.log_level)) {
		fprintf(stderr,
			"ocibuild: --log-level is error, warning, info or debug, not '%s'\n",
			app.log_level);
		return EXIT_USAGE;
	}
	if (first >= argc) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[first], "help") == 0)
		return help(argc - first, argv + first);
	const cli_command *command = cli_find_command(argv[first]);
	if (!command)
		return unknown_command(argv[first]);

	install_signals();
	status = command->run(&app, command, argc - first, argv + first);
	cli_close(&app);
	if (signal_received && status != EXIT_OK)
		return 128 + signal_received;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "ocibuild: error: write to standard output: %s\n", strerror(errno));
		return status ? status : EXIT_OTHER;
	}
	return status;
}
