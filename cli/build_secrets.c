/* cli/build_secrets.c — the --secret language, as buildx has it.
 *
 * "id=ID,src=FILE", "id=ID,env=VARIABLE"; with neither, the variable called ID if there is one, else the
 * file of that name. Only the command looks at the environment; the library is given the value.
 */
#include <stdlib.h>
#include <string.h>
#include "build_secrets.h"

typedef struct secret_spec {
	const char *id, *type, *source, *variable;
} secret_spec;

static int set_key(const cli_command *command, const char *key, const char *value,
		   secret_spec *spec)
{
	if (strcmp(key, "id") == 0)
		spec->id = value;
	else if (strcmp(key, "src") == 0 || strcmp(key, "source") == 0)
		spec->source = value;
	else if (strcmp(key, "env") == 0)
		spec->variable = value;
	else if (strcmp(key, "type") == 0)
		spec->type = value;
	else
		return cli_usage_error(command, "--secret has no key '%s'", key);
	if (spec->type && strcmp(spec->type, "file") != 0 && strcmp(spec->type, "env") != 0)
		return cli_usage_error(command, "--secret type is file or env, not '%s'", value);
	return EXIT_OK;
}

static int parse_pairs(const cli_command *command, char *text, secret_spec *spec)
{
	int status = EXIT_OK;
	char *save = NULL;

	for (char *pair = strtok_r(text, ",", &save); pair && status == EXIT_OK;
	     pair = strtok_r(NULL, ",", &save)) {
		char *value = strchr(pair, '=');

		if (!value)
			return cli_usage_error(command, "--secret needs KEY=VALUE pairs, not '%s'",
					       pair);
		*value++ = '\0';
		status = set_key(command, pair, value, spec);
	}
	return status;
}

static void take_variable(const char *id, const char *name, ocib_secret *secret)
{
	const char *value = getenv(name);

	if (!value)
		fprintf(stderr,
			"ocibuild: warning: secret '%s' is empty: the variable '%s' is not set\n",
			id, name);
	secret->data = value ? value : "";
	secret->len = value ? strlen(value) : 0;
}

static int fill_secret(const cli_command *command, secret_spec *spec, ocib_secret *secret)
{
	if (!spec->id || !*spec->id)
		return cli_usage_error(command, "--secret needs id=");
	if (spec->source && spec->variable)
		return cli_usage_error(command, "--secret '%s' has src= and env=, one is enough",
				       spec->id);
	if (spec->type && strcmp(spec->type, "env") == 0 && !spec->variable) {
		spec->variable = spec->source ? spec->source : spec->id;
		spec->source = NULL;
	}
	if (!spec->source && !spec->variable && getenv(spec->id))
		spec->variable = spec->id;
	secret->id = spec->id;
	if (spec->variable)
		take_variable(spec->id, spec->variable, secret);
	else
		secret->path = spec->source ? spec->source : spec->id;
	return EXIT_OK;
}

int build_secrets_parse(const cli_command *command, const cli_list *specs, build_secrets *out,
			ocib_build_options *options)
{
	int status = EXIT_OK;

	if (!specs->len)
		return EXIT_OK;
	out->items = calloc(specs->len, sizeof(*out->items));
	out->texts = calloc(specs->len + 1, sizeof(*out->texts));
	if (!out->items || !out->texts) {
		fprintf(stderr, "ocibuild: error: out of memory\n");
		return EXIT_OTHER;
	}
	for (size_t i = 0; i < specs->len && status == EXIT_OK; i++) {
		secret_spec spec = {0};

		out->texts[i] = strdup(specs->items[i]);
		if (!out->texts[i])
			return EXIT_OTHER;
		status = parse_pairs(command, out->texts[i], &spec);
		if (status == EXIT_OK)
			status = fill_secret(command, &spec, &out->items[i]);
	}
	options->secrets = out->items;
	options->secret_count = specs->len;
	return status;
}

void build_secrets_done(build_secrets *secrets)
{
	for (size_t i = 0; secrets->texts && secrets->texts[i]; i++)
		free(secrets->texts[i]);
	free(secrets->texts);
	free(secrets->items);
	*secrets = (build_secrets){0};
}
