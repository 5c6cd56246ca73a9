/* cli/cmd_doctor.c — ocibuild doctor: what this machine allows, and how to get more. */
#include <string.h>
#include "cli.h"

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

const cli_command cli_command_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "say what this machine allows, and how to get more",
	.options = no_options,
	.run = run_doctor,
};
