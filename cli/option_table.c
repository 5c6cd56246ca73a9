/* cli/option_table.c — options from tables: parsing, help, usage errors.
 *
 * Long options take their value after '=' or as the next argument, short ones directly or as the next
 * argument; flags take =true and =false, as docker's do. "--" ends options.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

int cli_usage_error(const cli_command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "ocibuild %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nsee 'ocibuild %s --help'\n", command->name);
	return EXIT_USAGE;
}

void cli_list_free(cli_list *list)
{
	free(list->items);
	*list = (cli_list){0};
}

int cli_list_add(cli_list *list, const char *text)
{
	const char **items = realloc(list->items, (list->len + 2) * sizeof(*items));

	if (!items)
		return -1;
	items[list->len++] = text;
	items[list->len] = NULL;
	list->items = items;
	return 0;
}

static size_t option_width(const cli_option *option)
{
	return strlen(option->name) + (option->argument ? strlen(option->argument) + 1 : 0);
}

void cli_print_help(const cli_command *command)
{
	size_t width = 0;

	printf("%s\n\nusage: ocibuild %s%s%s\n", command->summary, command->name,
	       *command->usage ? " " : "", command->usage);
	for (const cli_option *o = command->options; o && o->name; o++)
		if (o->kind != CLI_NOT_YET && option_width(o) > width)
			width = option_width(o);
	if (command->options && command->options->name)
		printf("\n");
	for (const cli_option *o = command->options; o && o->name; o++) {
		char letter[5] = "    ";

		if (o->kind == CLI_NOT_YET)
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		printf("  %s--%s%s%s%*s  %s\n", letter, o->name, o->argument ? " " : "",
		       o->argument ? o->argument : "", (int)(width - option_width(o)), "", o->help);
	}
	printf("\nGlobal options, before the command: --store DIR, --log-level LEVEL, --debug, "
	       "--version\n");
}

static const cli_option *find_long(const cli_command *command, const char *name, size_t len)
{
	for (const cli_option *o = command->options; o && o->name; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const cli_option *find_short(const cli_command *command, char letter)
{
	for (const cli_option *o = command->options; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int store_value(const cli_command *command, const cli_option *option, const char *value,
		       void *values)
{
	char *at = (char *)values + option->offset;

	switch (option->kind) {
	case CLI_FLAG:
		if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return cli_usage_error(command, "--%s is true or false, not '%s'",
					       option->name, value);
		*(int *)(void *)at = !value || strcmp(value, "true") == 0;
		return EXIT_OK;
	case CLI_STRING: *(const char **)(void *)at = value; return EXIT_OK;
	case CLI_LIST:
		if (cli_list_add((cli_list *)(void *)at, value) < 0) {
			fprintf(stderr, "ocibuild: error: out of memory\n");
			return EXIT_OTHER;
		}
		return EXIT_OK;
	case CLI_NOT_YET: break;
	}
	return cli_usage_error(command, "--%s is not implemented yet in version %s", option->name,
			       ocib_version());
}

static bool takes_value(const cli_option *option)
{
	return option->kind == CLI_STRING || option->kind == CLI_LIST;
}

/* argv[*i] is "--name[=value]". */
static int parse_long(const cli_command *command, int argc, char **argv, int *i, void *values)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const cli_option *option = find_long(command, name, len);

	if (!option) {
		cli_nearest_state near = {0};

		for (const cli_option *o = command->options; o && o->name; o++)
			cli_nearest(name, len, o->name, &near);
		return cli_usage_error(command, "unknown option '--%.*s'%s%s%s", (int)len, name,
				       near.name ? " (did you mean '--" : "",
				       near.name ? near.name : "", near.name ? "'?)" : "");
	}
	if (value)
		return store_value(command, option, value + 1, values);
	if (!takes_value(option))
		return store_value(command, option, NULL, values);
	if (*i + 1 >= argc)
		return cli_usage_error(command, "--%s needs a value: %s", option->name,
				       option->argument);
	return store_value(command, option, argv[++*i], values);
}

/* argv[*i] is "-x", "-xVALUE", or several flags "-it". */
static int parse_short(const cli_command *command, int argc, char **argv, int *i, void *values)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const cli_option *option = find_short(command, *p);
		const char *value = NULL;
		int status;

		if (!option)
			return cli_usage_error(command, "unknown option '-%c'", *p);
		if (takes_value(option)) {
			if (p[1])
				value = p[1] == '=' ? p + 2 : p + 1;
			else if (*i + 1 < argc)
				value = argv[++*i];
			else
				return cli_usage_error(command, "-%c needs a value: %s", *p,
						       option->argument);
		}
		status = store_value(command, option, value, values);
		if (status != EXIT_OK || value)
			return status;
	}
	return EXIT_OK;
}

int cli_parse(const cli_command *command, int argc, char **argv, void *values, char ***rest,
	      int *rest_len)
{
	int count = 0;

	*rest = argv + 1; /* arguments are moved together over options that were read */
	for (int i = 1; i < argc; i++) {
		int status = EXIT_OK;

		if (strcmp(argv[i], "--help") == 0 ||
		    (strcmp(argv[i], "-h") == 0 && !find_short(command, 'h'))) {
			cli_print_help(command);
			return -1;
		}
		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				(*rest)[count++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			(*rest)[count++] = argv[i];
			if (!command->stop_at_first)
				continue;
			for (i++; i < argc; i++)
				(*rest)[count++] = argv[i];
			break;
		}
		status = argv[i][1] == '-' ? parse_long(command, argc, argv, &i, values)
					   : parse_short(command, argc, argv, &i, values);
		if (status != EXIT_OK)
			return status;
	}
	*rest_len = count;
	return EXIT_OK;
}

bool cli_parse_number(const char *text, int64_t *out)
{
	char *end = NULL;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || isspace((unsigned char)text[0]))
		return false;
	*out = value;
	return true;
}

bool cli_parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "bkmgt";
	char *end = NULL;
	unsigned shift = 0;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end) {
		const char *unit = strchr(units, tolower((unsigned char)*end));

		if (!unit)
			return false;
		shift = (unsigned)(unit - units) * 10;
		end++;
		if (shift && tolower((unsigned char)*end) == 'b')
			end++;
	}
	if (*end || value > UINT64_MAX >> shift)
		return false;
	*out = (uint64_t)value << shift;
	return true;
}
