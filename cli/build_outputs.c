/* cli/build_outputs.c — the --output language.
 *
 * "type=oci,dest=DIR,tar=false", "type=registry,name=…", and docker's short forms: a bare path is
 * type=local, "-" is type=tar to standard output.
 */
#include <stdlib.h>
#include <string.h>
#include "build_outputs.h"

typedef struct parse_state {
	const cli_command *command;
	ocib_output *output;
	ocib_build_options *options;
} parse_state;

static int set_type(parse_state *s, const char *value)
{
	static const char *const known[] = {"store",    "image", "oci", "docker",
					    "registry", "local", "tar", "cacheonly"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], value) == 0) {
			s->output->type = strcmp(value, "image") == 0 ? "store" : value;
			return EXIT_OK;
		}
	return cli_usage_error(
		s->command,
		"--output type is store, oci, docker, registry, local, tar or cacheonly, not '%s'",
		value);
}

static int set_bool(parse_state *s, const char *key, const char *value, int *out)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return cli_usage_error(s->command, "--output %s is true or false, not '%s'", key,
				       value);
	*out = strcmp(value, "true") == 0;
	return EXIT_OK;
}

static int set_dest(parse_state *s, const char *value)
{
	s->output->dest = value;
	return EXIT_OK;
}

static int set_name(parse_state *s, const char *value)
{
	s->output->name = value;
	return EXIT_OK;
}

static int set_tar(parse_state *s, const char *value)
{
	return set_bool(s, "tar", value, &s->output->tar);
}

static int set_push(parse_state *s, const char *value)
{
	return set_bool(s, "push", value, &s->options->push);
}

static int set_force(parse_state *s, const char *value)
{
	return set_bool(s, "force-compression", value, &s->options->force_compression);
}

static int set_compression(parse_state *s, const char *value)
{
	if (strcmp(value, "gzip") != 0 && strcmp(value, "zstd") != 0 &&
	    strcmp(value, "uncompressed") != 0)
		return cli_usage_error(
			s->command, "--output compression is gzip, zstd or uncompressed, not '%s'",
			value);
	s->options->compression = value;
	return EXIT_OK;
}

static int set_level(parse_state *s, const char *value)
{
	int64_t level;

	if (!cli_parse_number(value, &level) || level < 0 || level > 22)
		return cli_usage_error(
			s->command, "--output compression-level is a number from 0 to 22, not '%s'",
			value);
	s->options->compression_level = (int)level;
	return EXIT_OK;
}

static const struct {
	const char *key;
	int (*set)(parse_state *s, const char *value);
} keys[] = {
	{"type", set_type},
	{"dest", set_dest},
	{"name", set_name},
	{"tar", set_tar},
	{"push", set_push},
	{"compression", set_compression},
	{"compression-level", set_level},
	{"force-compression", set_force},
};

static int parse_pair(parse_state *s, char *pair)
{
	char *value = strchr(pair, '=');

	if (!value)
		return cli_usage_error(s->command, "--output needs KEY=VALUE pairs, not '%s'",
				       pair);
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].key, pair) == 0)
			return keys[i].set(s, value);
	return cli_usage_error(s->command, "--output has no key '%s'", pair);
}

static int check_output(const parse_state *s)
{
	const char *type = s->output->type;
	bool wants_dest = strcmp(type, "oci") == 0 || strcmp(type, "docker") == 0 ||
			  strcmp(type, "local") == 0 || strcmp(type, "tar") == 0;

	if (wants_dest && !s->output->dest)
		return cli_usage_error(s->command, "--output type=%s needs dest=", type);
	if (!wants_dest && s->output->dest)
		return cli_usage_error(s->command, "--output type=%s takes no dest=", type);
	return EXIT_OK;
}

static int parse_one(parse_state *s, char *text)
{
	int status = EXIT_OK;
	char *save = NULL;

	s->output->tar = -1;
	if (!strchr(text, '=')) {
		s->output->type = strcmp(text, "-") == 0 ? "tar" : "local";
		s->output->dest = text;
		return EXIT_OK;
	}
	for (char *pair = strtok_r(text, ",", &save); pair && status == EXIT_OK;
	     pair = strtok_r(NULL, ",", &save))
		status = parse_pair(s, pair);
	if (status != EXIT_OK)
		return status;
	if (!s->output->type)
		return cli_usage_error(s->command, "--output needs type=");
	return check_output(s);
}

int build_outputs_parse(const cli_command *command, const cli_list *specs, bool also_store,
			build_outputs *out, ocib_build_options *options)
{
	int status = EXIT_OK;

	if (!specs->len)
		return EXIT_OK;
	out->items = calloc(specs->len + 1, sizeof(*out->items));
	out->texts = calloc(specs->len + 1, sizeof(*out->texts));
	if (!out->items || !out->texts) {
		fprintf(stderr, "ocibuild: error: out of memory\n");
		return EXIT_OTHER;
	}
	for (size_t i = 0; i < specs->len && status == EXIT_OK; i++) {
		parse_state state = {command, &out->items[i], options};

		out->texts[i] = strdup(specs->items[i]);
		if (!out->texts[i])
			return EXIT_OTHER;
		status = parse_one(&state, out->texts[i]);
		out->len++;
	}
	if (also_store)
		out->items[out->len++] = (ocib_output){.type = "store", .tar = -1};
	options->outputs = out->items;
	options->output_count = out->len;
	return status;
}

void build_outputs_done(build_outputs *outputs)
{
	for (size_t i = 0; outputs->texts && outputs->texts[i]; i++)
		free(outputs->texts[i]);
	free(outputs->texts);
	free(outputs->items);
	*outputs = (build_outputs){0};
}
