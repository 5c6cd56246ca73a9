/* cli/cmd_inspect.c — what is in an image: inspect and history. */
#include <string.h>
#include "cli.h"

typedef struct inspect_values {
	const char *platform;
	int raw, config;
} inspect_values;
static const cli_option inspect_options[] = {
	{"raw", 0, CLI_FLAG, offsetof(inspect_values, raw), NULL,
	 "the manifest, or the index, as it is stored"},
	{"config", 0, CLI_FLAG, offsetof(inspect_values, config), NULL,
	 "the configuration as it is stored"},
	{"platform", 0, CLI_STRING, offsetof(inspect_values, platform), "OS/ARCH",
	 "which image of an index (default: this machine's)"},
	CLI_OPTIONS_END,
};

static int open_image(cli *app, const char *name, const char *platform, ocib_image **image)
{
	ocib_error *err = NULL;
	int status = cli_open(app, true);

	if (status == EXIT_OK && ocib_image_open_platform(app->context, app->store, name, platform,
							  image, &err) != OCIB_OK)
		return cli_report(app, err);
	return status;
}

static void print_member(const char *key, const char *text)
{
	printf("  \"%s\": ", key);
	cli_print_json_string(text, strlen(text));
	printf(",\n");
}

/* Of a name that means several platforms: the index, unless one of them was asked for. */
static void print_raw(const ocib_image *image, const char *platform)
{
	const char *index = platform ? NULL : ocib_image_index_json(image);

	fputs(index ? index : ocib_image_manifest_json(image), stdout);
}

static void print_image(const ocib_image *image, const char *name)
{
	printf("{\n");
	print_member("Name", name);
	print_member("Id", ocib_image_id(image));
	print_member("Digest", ocib_image_digest(image));
	print_member("Platform", ocib_image_platform(image));
	printf("  \"Size\": %llu,\n", (unsigned long long)ocib_image_size(image));
	printf("  \"Layers\": %zu,\n", ocib_image_layer_count(image));
	if (ocib_image_index_json(image)) {
		print_member("IndexDigest", ocib_image_index_digest(image));
		printf("  \"Index\": %s,\n", ocib_image_index_json(image));
	}
	printf("  \"Manifest\": %s,\n", ocib_image_manifest_json(image));
	printf("  \"Image\": %s\n}\n", ocib_image_config_json(image));
}

static int run_inspect(cli *app, const cli_command *self, int argc, char **argv)
{
	inspect_values v = {0};
	ocib_image *image = NULL;
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	if (count != 1)
		return cli_usage_error(self, "takes one IMAGE");
	status = open_image(app, rest[0], v.platform, &image);
	if (status != EXIT_OK)
		return status;
	if (v.raw)
		print_raw(image, v.platform);
	else if (v.config)
		fputs(ocib_image_config_json(image), stdout);
	else
		print_image(image, rest[0]);
	ocib_image_free(image);
	return EXIT_OK;
}

typedef struct history_values {
	const char *platform;
	int no_trunc;
} history_values;
static const cli_option history_options[] = {
	{"no-trunc", 0, CLI_FLAG, offsetof(history_values, no_trunc), NULL,
	 "show whole instructions"},
	{"platform", 0, CLI_STRING, offsetof(history_values, platform), "OS/ARCH",
	 "which image of an index (default: this machine's)"},
	CLI_OPTIONS_END,
};

static void print_history(const ocib_image *image, bool whole)
{
	printf("%-21s %9s  %s\n", "CREATED", "SIZE", "CREATED BY");
	for (size_t i = ocib_image_history_count(image); i-- > 0;) {
		ocib_history_entry entry;
		char size[16];

		if (ocib_image_history(image, i, &entry) < 0)
			continue;
		cli_format_size(entry.size, size);
		printf("%-21.19s %9s  %.*s\n", *entry.created ? entry.created : "-", size,
		       whole ? (int)strlen(entry.created_by) : 80, entry.created_by);
	}
}

static int run_history(cli *app, const cli_command *self, int argc, char **argv)
{
	history_values v = {0};
	ocib_image *image = NULL;
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	if (count != 1)
		return cli_usage_error(self, "takes one IMAGE");
	status = open_image(app, rest[0], v.platform, &image);
	if (status != EXIT_OK)
		return status;
	print_history(image, v.no_trunc);
	ocib_image_free(image);
	return EXIT_OK;
}

const cli_command cli_command_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] IMAGE",
	.summary = "show an image's manifest and configuration as JSON",
	.options = inspect_options,
	.run = run_inspect,
};
const cli_command cli_command_history = {
	.name = "history",
	.usage = "[OPTIONS] IMAGE",
	.summary = "show how an image was made",
	.options = history_options,
	.run = run_history,
};
