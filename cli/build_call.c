/* cli/build_call.c — see build_call.h: docker buildx build's spellings, the library's calls.
 *
 * The exit status of a check is the one that a build would fail with, else 1 when there are findings.
 */
#include "build_call.h"
#include <stdlib.h>
#include <string.h>
#include "progress.h"

/* Is the field of len bytes this word? */
static bool is(const char *field, size_t len, const char *word)
{
	return strlen(word) == len && strncmp(field, word, len) == 0;
}

static bool read_method(const char *field, size_t len, build_call *out)
{
	static const struct {
		const char *name;
		build_call_method method;
	} methods[] = {
		{"build", BUILD_CALL_NONE},      {"check", BUILD_CALL_CHECK},
		{"lint", BUILD_CALL_CHECK}, /* its first name */
		{"outline", BUILD_CALL_OUTLINE}, {"targets", BUILD_CALL_TARGETS},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (is(field, len, methods[i].name)) {
			out->method = methods[i].method;
			return true;
		}
	return false;
}

static bool read_format(const char *value, size_t len, build_call *out)
{
	static const char *const formats[] = {
		[CALL_TEXT] = "text", [CALL_JSON] = "json", [CALL_SARIF] = "sarif"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (is(value, len, formats[i])) {
			out->format = (build_call_format)i;
			return true;
		}
	return false;
}

static bool read_bool(const char *value, size_t len, int *out)
{
	*out = is(value, len, "1") || is(value, len, "true");
	return *out || is(value, len, "0") || is(value, len, "false");
}

static bool read_field(const char *field, size_t len, build_call *out)
{
	const char *equals = memchr(field, '=', len);
	size_t key = equals ? (size_t)(equals - field) : len;

	if (!equals)
		return read_method(field, len, out);
	if (is(field, key, "format"))
		return read_format(equals + 1, len - key - 1, out);
	return is(field, key, "ignorestatus") &&
	       read_bool(equals + 1, len - key - 1, &out->ignore_status);
}

int build_call_parse(const cli_command *command, const char *spec, int check, build_call *out)
{
	*out = (build_call){.method = check ? BUILD_CALL_CHECK : BUILD_CALL_NONE};
	for (const char *field = spec; field;) {
		size_t len = strcspn(field, ",");

		if (!read_field(field, len, out))
			return cli_usage_error(command,
					       "--call is build, check, outline or targets, with "
					       "format=text, json or sarif and ignorestatus=true "
					       "behind commas; '%.*s' is none of them",
					       (int)len, field);
		field = field[len] ? field + len + 1 : NULL;
	}
	if (check && out->method != BUILD_CALL_CHECK)
		return cli_usage_error(command, "--check and --call=%s contradict each other",
				       spec);
	if (out->format == CALL_SARIF && out->method != BUILD_CALL_CHECK)
		return cli_usage_error(command, "format=sarif is for --call=check");
	return EXIT_OK;
}

/* What the Dockerfile is called in the directory that we are in. */
static char *dockerfile_path(const ocib_check *check, const ocib_build_options *options)
{
	const char *dir = options->context, *file = ocib_check_file(check);
	char *path = NULL;

	if (options->dockerfile || options->dockerfile_text || strcmp(dir, ".") == 0 ||
	    strcmp(dir, "-") == 0 || strstr(dir, "://"))
		return strdup(file);
	size_t len = strlen(dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	return asprintf(&path, "%.*s/%s", (int)len, dir, file) < 0 ? NULL : path;
}

static void print_check(const ocib_check *check, const build_call *call,
			const ocib_build_options *options)
{
	char *path = dockerfile_path(check, options);

	if (call->format == CALL_JSON)
		check_print_json(check);
	else if (call->format == CALL_SARIF)
		check_print_sarif(check, path ? path : ocib_check_file(check));
	else
		check_print_text(check);
	free(path);
}

static int run_check(cli *app, const build_call *call, const ocib_build_options *options)
{
	ocib_check *check = NULL;
	ocib_error *err = NULL;
	int status = EXIT_OK;

	if (ocib_check_run(app->context, app->store, options, &check, &err) != OCIB_OK)
		return cli_report(app, err);
	progress_pause(app->view);
	print_check(check, call, options);
	fflush(stdout);
	if (ocib_check_failure(check))
		status = cli_show_error(app, ocib_check_failure(check));
	else if (ocib_check_count(check) && !call->ignore_status)
		status = EXIT_OTHER;
	ocib_check_free(check);
	return status;
}

static int run_outline(cli *app, const build_call *call, const ocib_build_options *options)
{
	ocib_outline *outline = NULL;
	ocib_error *err = NULL;

	if (ocib_outline_run(app->context, app->store, options, &outline, &err) != OCIB_OK)
		return cli_report(app, err);
	progress_pause(app->view);
	if (call->format == CALL_JSON)
		outline_print_json(outline);
	else
		outline_print_text(outline);
	ocib_outline_free(outline);
	return EXIT_OK;
}

static int run_targets(cli *app, const build_call *call, const ocib_build_options *options)
{
	ocib_targets *targets = NULL;
	ocib_error *err = NULL;

	if (ocib_targets_run(app->context, app->store, options, &targets, &err) != OCIB_OK)
		return cli_report(app, err);
	progress_pause(app->view);
	if (call->format == CALL_JSON)
		targets_print_json(targets);
	else
		targets_print_text(targets);
	ocib_targets_free(targets);
	return EXIT_OK;
}

int build_call_run(cli *app, const build_call *call, const ocib_build_options *options)
{
	switch (call->method) {
	case BUILD_CALL_CHECK: return run_check(app, call, options);
	case BUILD_CALL_OUTLINE: return run_outline(app, call, options);
	case BUILD_CALL_TARGETS: return run_targets(app, call, options);
	case BUILD_CALL_NONE: break;
	}
	return EXIT_OK;
}
