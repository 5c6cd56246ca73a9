/* cli/cmd_store.c — what is in the store: images, tag, rmi, fsck. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli.h"

/* "3 hours ago" of an RFC 3339 time. */
static void format_age(const char *created, char *out, size_t len)
{
	static const struct {
		double seconds;
		const char *name;
	} units[] = {{31536000, "year"}, {2592000, "month"}, {604800, "week"}, {86400, "day"},
		     {3600, "hour"},     {60, "minute"},     {1, "second"}};
	struct tm tm = {0};
	double age;

	if (!*created || !strptime(created, "%Y-%m-%dT%H:%M:%S", &tm)) {
		snprintf(out, len, "-");
		return;
	}
	age = difftime(time(NULL), timegm(&tm));
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		long count = (long)(age / units[i].seconds);

		if (count < 1)
			continue;
		snprintf(out, len, "%ld %s%s ago", count, units[i].name, count > 1 ? "s" : "");
		return;
	}
	snprintf(out, len, "now");
}

typedef struct images_values {
	int json, quiet;
} images_values;
static const cli_option images_options[] = {
	{"json", 0, CLI_FLAG, offsetof(images_values, json), NULL, "a JSON object a line"},
	{"quiet", 'q', CLI_FLAG, offsetof(images_values, quiet), NULL, "image ids only"},
	CLI_OPTIONS_END,
};

static int print_row(const ocib_store_ref *ref, void *user)
{
	char age[40], size[16];

	(void)user;
	format_age(ref->created, age, sizeof(age));
	cli_format_size(ref->size, size);
	printf("%-48s %-14.12s %-16s %9s  %s\n", ref->name,
	       *ref->image_id ? ref->image_id + strlen("sha256:") : "(index)", age, size,
	       ref->platform);
	return 0;
}

static int print_id(const ocib_store_ref *ref, void *user)
{
	(void)user;
	printf("%s\n", *ref->image_id ? ref->image_id : ref->digest);
	return 0;
}

static int print_json(const ocib_store_ref *ref, void *user)
{
	const struct {
		const char *key, *value;
	} members[] = {{"name", ref->full_name},
		       {"digest", ref->digest},
		       {"id", ref->image_id},
		       {"created", ref->created},
		       {"platform", ref->platform}};

	(void)user;
	putchar('{');
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		printf("\"%s\":", members[i].key);
		cli_print_json_string(members[i].value, strlen(members[i].value));
		putchar(',');
	}
	printf("\"size\":%llu}\n", (unsigned long long)ref->size);
	return 0;
}

static int run_images(cli *app, const cli_command *self, int argc, char **argv)
{
	images_values v = {0};
	ocib_error *err = NULL;
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	if (count)
		return cli_usage_error(self, "takes no argument, not '%s'", rest[0]);
	status = cli_open(app, true);
	if (status != EXIT_OK)
		return status;
	if (!v.json && !v.quiet)
		printf("%-48s %-14s %-16s %9s  %s\n", "NAME", "IMAGE ID", "CREATED", "SIZE",
		       "PLATFORM");
	if (ocib_store_list(app->store,
			    v.json    ? print_json
			    : v.quiet ? print_id
				      : print_row,
			    NULL, &err) != OCIB_OK)
		return cli_report(app, err);
	return EXIT_OK;
}

/* The commands without options: so many arguments, then the store. */
static int open_with_arguments(cli *app, const cli_command *self, int argc, char **argv, int least,
			       int most, char ***rest, int *count)
{
	int status = cli_parse(self, argc, argv, NULL, rest, count);

	if (status != EXIT_OK)
		return status;
	if (*count < least || *count > most)
		return cli_usage_error(self, "takes %s", self->usage);
	return cli_open(app, true);
}

static int run_tag(cli *app, const cli_command *self, int argc, char **argv)
{
	ocib_error *err = NULL;
	char **rest;
	int count, status = open_with_arguments(app, self, argc, argv, 2, 1000, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	for (int i = 1; i < count; i++)
		if (ocib_store_tag(app->store, rest[0], rest[i], &err) != OCIB_OK)
			return cli_report(app, err);
	return EXIT_OK;
}

static int run_rmi(cli *app, const cli_command *self, int argc, char **argv)
{
	ocib_error *err = NULL;
	char **rest;
	int count, status = open_with_arguments(app, self, argc, argv, 1, 1000, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	for (int i = 0; i < count; i++) {
		if (ocib_store_untag(app->store, rest[i], &err) != OCIB_OK)
			return cli_report(app, err);
		printf("untagged %s\n", rest[i]);
	}
	return EXIT_OK;
}

static int print_problem(const char *problem, void *user)
{
	(void)user;
	printf("%s\n", problem);
	return 0;
}

static int run_fsck(cli *app, const cli_command *self, int argc, char **argv)
{
	ocib_error *err = NULL;
	uint64_t problems = 0;
	char **rest;
	int count, status = open_with_arguments(app, self, argc, argv, 0, 0, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	if (ocib_store_check(app->context, app->store, print_problem, NULL, &problems, &err) !=
	    OCIB_OK)
		return cli_report(app, err);
	if (problems) {
		fprintf(stderr, "ocibuild: error: %llu problem%s in '%s'\n",
			(unsigned long long)problems, problems > 1 ? "s" : "",
			ocib_store_path(app->store));
		return EXIT_OTHER;
	}
	fprintf(stderr, "'%s' is whole\n", ocib_store_path(app->store));
	return EXIT_OK;
}

static const cli_option no_options[] = {CLI_OPTIONS_END};

const cli_command cli_command_images = {
	.name = "images",
	.usage = "[OPTIONS]",
	.summary = "list the images in the store",
	.options = images_options,
	.run = run_images,
};
const cli_command cli_command_tag = {
	.name = "tag",
	.usage = "IMAGE NAME…",
	.summary = "give an image more names",
	.options = no_options,
	.run = run_tag,
};
const cli_command cli_command_rmi = {
	.name = "rmi",
	.usage = "NAME…",
	.summary = "remove names from the store",
	.options = no_options,
	.run = run_rmi,
};
const cli_command cli_command_fsck = {
	.name = "fsck",
	.usage = "",
	.summary = "check that the store is whole",
	.options = no_options,
	.run = run_fsck,
};
