/* cli/report.c — errors for people, exit statuses for scripts, and small formats. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "progress.h"

static int exit_status(const ocib_error *err)
{
	switch (ocib_error_code(err)) {
	case OCIB_OK: return EXIT_OK;
	case OCIB_ERR_INVALID: return EXIT_USAGE;
	case OCIB_ERR_SYNTAX: return EXIT_DOCKERFILE;
	case OCIB_ERR_NOTFOUND: return EXIT_NOT_FOUND;
	case OCIB_ERR_COMMAND: return EXIT_RUN_FAILED;
	case OCIB_ERR_NETWORK:
	case OCIB_ERR_PROTOCOL: return EXIT_NETWORK;
	case OCIB_ERR_DENIED: return ocib_error_http_status(err) ? EXIT_NETWORK : EXIT_NOT_ALLOWED;
	case OCIB_ERR_UNSUPPORTED:
	case OCIB_ERR_LIMIT: return ocib_error_file(err) ? EXIT_DOCKERFILE : EXIT_OTHER;
	case OCIB_ERR_NOMEM:
	case OCIB_ERR_SYSTEM:
	case OCIB_ERR_EXISTS:
	case OCIB_ERR_CORRUPT:
	case OCIB_ERR_CANCELED: break;
	}
	return EXIT_OTHER;
}

static void print_location(const ocib_error *err)
{
	const char *file = ocib_error_file(err), *message = ocib_error_message(err);

	if (!file || strncmp(message, file, strlen(file)) == 0)
		return;
	fprintf(stderr, "%s:", file);
	if (ocib_error_line(err))
		fprintf(stderr, "%u:", ocib_error_line(err));
	if (ocib_error_column(err))
		fprintf(stderr, "%u:", ocib_error_column(err));
	fputc(' ', stderr);
}

/* A text of several lines, each behind a prefix of its own. */
static void print_lines(const char *first_prefix, const char *prefix, const char *text)
{
	const char *before = first_prefix;

	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(stderr, "%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
		before = prefix;
	}
}

int cli_show_error(const cli *app, const ocib_error *err)
{
	int status = exit_status(err);

	progress_pause(app->view);
	if (ocib_error_code(err) == OCIB_ERR_CANCELED && cli_interrupted()) {
		fprintf(stderr, "ocibuild: interrupted\n");
		return EXIT_OTHER;
	}
	fputs("ocibuild: error: ", stderr);
	print_location(err);
	fprintf(stderr, "%s\n", ocib_error_message(err));
	if (ocib_error_excerpt(err))
		print_lines("", "", ocib_error_excerpt(err));
	if (ocib_error_hint(err))
		print_lines("hint: ", "      ", ocib_error_hint(err));
	if (app->debug)
		print_lines("  at ", "  at ", ocib_error_trace(err));
	return status;
}

int cli_report(const cli *app, ocib_error *err)
{
	int status = cli_show_error(app, err);

	ocib_error_free(err);
	return status;
}

void cli_format_json_string(FILE *to, const char *text, size_t len)
{
	fputc('"', to);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

void cli_print_json_string(const char *text, size_t len)
{
	cli_format_json_string(stdout, text, len);
}

void cli_format_size(uint64_t bytes, char *out)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 16, unit && value < 99.95 ? "%.1f%s" : "%.0f%s", value, units[unit]);
}
