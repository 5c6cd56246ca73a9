/* cli/check_json.c — results as BuildKit's subrequests have them, so that what reads those reads these.
 *
 * A place is a list of ranges, one for each line; members that say nothing are left out.
 */
#include "build_call.h"
#include "json_writer.h"

static void print_position(json_writer *json, const char *key, unsigned line)
{
	json_writer_open(json, key, '{');
	json_writer_number(json, "line", line);
	json_writer_close(json, '}');
}

static void print_location(json_writer *json, unsigned line, unsigned end_line)
{
	json_writer_open(json, "location", '{');
	if (line) {
		json_writer_open(json, "ranges", '[');
		for (unsigned at = line; at <= end_line; at++) {
			json_writer_open(json, NULL, '{');
			print_position(json, "start", at);
			print_position(json, "end", at);
			json_writer_close(json, '}');
		}
		json_writer_close(json, ']');
	}
	json_writer_close(json, '}');
}

static void print_finding(json_writer *json, const ocib_finding *finding)
{
	json_writer_open(json, NULL, '{');
	json_writer_text(json, "ruleName", finding->rule->name);
	json_writer_text(json, "description", finding->rule->description);
	json_writer_text_if(json, "url", finding->rule->url);
	json_writer_text(json, "detail", finding->message);
	print_location(json, finding->line, finding->end_line);
	json_writer_close(json, '}');
}

void check_print_json(const ocib_check *check)
{
	const ocib_error *failure = ocib_check_failure(check);
	json_writer json = {.to = stdout};
	size_t len;
	const char *text = ocib_check_text(check, &len);

	json_writer_open(&json, NULL, '{');
	json_writer_open(&json, "warnings", '[');
	for (size_t i = 0; i < ocib_check_count(check); i++)
		print_finding(&json, ocib_check_get(check, i));
	json_writer_close(&json, ']');
	json_writer_open(&json, "sources", '[');
	json_writer_open(&json, NULL, '{');
	json_writer_text(&json, "filename", ocib_check_file(check));
	json_writer_base64(&json, "data", text, len);
	json_writer_text(&json, "language", "Dockerfile");
	json_writer_close(&json, '}');
	json_writer_close(&json, ']');
	if (failure) {
		json_writer_open(&json, "buildError", '{');
		json_writer_text(&json, "message", ocib_error_message(failure));
		print_location(&json, ocib_error_line(failure), ocib_error_end_line(failure));
		json_writer_close(&json, '}');
	}
	json_writer_close(&json, '}');
}

static void print_sources(json_writer *json, const char *text, size_t len)
{
	json_writer_open(json, "sources", '[');
	json_writer_base64(json, NULL, text, len);
	json_writer_close(json, ']');
}

static void print_items(json_writer *json, const char *key, const ocib_outline *outline,
			ocib_outline_kind kind)
{
	size_t count = ocib_outline_count(outline, kind);

	if (!count)
		return;
	json_writer_open(json, key, '[');
	for (size_t i = 0; i < count; i++) {
		const ocib_outline_item *item = ocib_outline_get(outline, kind, i);

		json_writer_open(json, NULL, '{');
		json_writer_text(json, "name", item->name);
		json_writer_text_if(json, "description", item->description);
		json_writer_text_if(json, "value", item->value);
		json_writer_true_if(json, "required", item->required);
		print_location(json, item->line, item->end_line);
		json_writer_close(json, '}');
	}
	json_writer_close(json, ']');
}

void outline_print_json(const ocib_outline *outline)
{
	json_writer json = {.to = stdout};
	size_t len;
	const char *text = ocib_outline_text(outline, &len);

	json_writer_open(&json, NULL, '{');
	json_writer_text_if(&json, "name", ocib_outline_name(outline));
	json_writer_text_if(&json, "description", ocib_outline_description(outline));
	print_items(&json, "args", outline, OCIB_OUTLINE_ARG);
	print_items(&json, "secrets", outline, OCIB_OUTLINE_SECRET);
	print_items(&json, "ssh", outline, OCIB_OUTLINE_SSH);
	print_sources(&json, text, len);
	json_writer_close(&json, '}');
}

void targets_print_json(const ocib_targets *targets)
{
	json_writer json = {.to = stdout};
	size_t len;
	const char *text = ocib_targets_text(targets, &len);

	json_writer_open(&json, NULL, '{');
	json_writer_open(&json, "targets", '[');
	for (size_t i = 0; i < ocib_targets_count(targets); i++) {
		const ocib_target *target = ocib_targets_get(targets, i);

		json_writer_open(&json, NULL, '{');
		json_writer_text_if(&json, "name", target->name);
		json_writer_true_if(&json, "default", target->is_default);
		json_writer_text_if(&json, "description", target->description);
		json_writer_text_if(&json, "base", target->base);
		json_writer_text_if(&json, "platform", target->platform);
		print_location(&json, target->line, target->end_line);
		json_writer_close(&json, '}');
	}
	json_writer_close(&json, ']');
	print_sources(&json, text, len);
	json_writer_close(&json, '}');
}
