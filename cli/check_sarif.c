/* cli/check_sarif.c — a check as SARIF 2.1.0, which services that show findings beside code take.
 *
 * Findings are results; why the Dockerfile cannot be built is a notification of the invocation.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "build_call.h"
#include "json_writer.h"

/* A path as a URI reference; NULL: no memory. */
static char *uri_of(const char *path)
{
	size_t room = 3 * strlen(path) + 1;
	char *uri = malloc(room), *to = uri;

	for (; uri && *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c < 0x80 && (isalnum(c) || strchr("-._~/", c)))
			*to++ = (char)c;
		else
			to += snprintf(to, 4, "%%%02X", c);
	}
	if (uri)
		*to = '\0';
	return uri;
}

static void print_message(json_writer *json, const char *key, const char *text)
{
	json_writer_open(json, key, '{');
	json_writer_text(json, "text", text);
	json_writer_close(json, '}');
}

static void print_locations(json_writer *json, const char *uri, unsigned line, unsigned end_line)
{
	json_writer_open(json, "locations", '[');
	json_writer_open(json, NULL, '{');
	json_writer_open(json, "physicalLocation", '{');
	json_writer_open(json, "artifactLocation", '{');
	json_writer_text(json, "uri", uri);
	json_writer_close(json, '}');
	if (line) {
		json_writer_open(json, "region", '{');
		json_writer_number(json, "startLine", line);
		json_writer_number(json, "endLine", end_line);
		json_writer_close(json, '}');
	}
	json_writer_close(json, '}');
	json_writer_close(json, '}');
	json_writer_close(json, ']');
}

/* All rules, also those that nothing broke: a result refers to one by its place. */
static void print_tool(json_writer *json)
{
	json_writer_open(json, "tool", '{');
	json_writer_open(json, "driver", '{');
	json_writer_text(json, "name", "ocibuild");
	json_writer_text(json, "version", ocib_version());
	json_writer_open(json, "rules", '[');
	for (size_t i = 0; i < ocib_check_rule_count(); i++) {
		const ocib_check_rule *rule = ocib_check_rule_get(i);

		json_writer_open(json, NULL, '{');
		json_writer_text(json, "id", rule->name);
		print_message(json, "shortDescription", rule->description);
		json_writer_text_if(json, "helpUri", rule->url);
		json_writer_close(json, '}');
	}
	json_writer_close(json, ']');
	json_writer_close(json, '}');
	json_writer_close(json, '}');
}

static unsigned long rule_index(const ocib_check_rule *rule)
{
	size_t i = 0;

	while (ocib_check_rule_get(i) != rule)
		i++;
	return i;
}

static void print_results(json_writer *json, const ocib_check *check, const char *uri)
{
	json_writer_open(json, "results", '[');
	for (size_t i = 0; i < ocib_check_count(check); i++) {
		const ocib_finding *finding = ocib_check_get(check, i);

		json_writer_open(json, NULL, '{');
		json_writer_text(json, "ruleId", finding->rule->name);
		json_writer_number(json, "ruleIndex", rule_index(finding->rule));
		json_writer_text(json, "level", "warning");
		print_message(json, "message", finding->message);
		print_locations(json, uri, finding->line, finding->end_line);
		json_writer_close(json, '}');
	}
	json_writer_close(json, ']');
}

static void print_failure(json_writer *json, const ocib_error *failure, const char *uri)
{
	json_writer_open(json, "invocations", '[');
	json_writer_open(json, NULL, '{');
	json_writer_false(json, "executionSuccessful");
	json_writer_open(json, "toolExecutionNotifications", '[');
	json_writer_open(json, NULL, '{');
	json_writer_text(json, "level", "error");
	print_message(json, "message", ocib_error_message(failure));
	print_locations(json, uri, ocib_error_line(failure), ocib_error_end_line(failure));
	json_writer_close(json, '}');
	json_writer_close(json, ']');
	json_writer_close(json, '}');
	json_writer_close(json, ']');
}

void check_print_sarif(const ocib_check *check, const char *path)
{
	json_writer json = {.to = stdout};
	char *uri = uri_of(path);

	json_writer_open(&json, NULL, '{');
	json_writer_text(&json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_writer_text(&json, "version", "2.1.0");
	json_writer_open(&json, "runs", '[');
	json_writer_open(&json, NULL, '{');
	print_tool(&json);
	if (ocib_check_failure(check))
		print_failure(&json, ocib_check_failure(check), uri ? uri : path);
	print_results(&json, check, uri ? uri : path);
	json_writer_close(&json, '}');
	json_writer_close(&json, ']');
	json_writer_close(&json, '}');
	free(uri);
}
