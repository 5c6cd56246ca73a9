/* dockerfile/instruction_checks.c — the instructions with rules of their own: COPY and ADD, RUN,
 * HEALTHCHECK, ONBUILD.
 */
#include <string.h>
#include "base/map.h"
#include "base/strings.h"
#include "dockerfile/duration.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/instruction_build.h"
#include "dockerfile/run_mount.h"

/* Sources that are heredocs get theirs: by name, as BuildKit finds them, so of two the last one. */
static ocib_errc find_heredocs(const ob_instruction_build *build, ob_instruction *out,
			       ob_map *by_name)
{
	for (size_t i = 0; i < out->heredoc_count; i++)
		if (ob_map_set(by_name, out->heredocs[i].name, &out->heredocs[i]) < 0)
			return ob_fail_nomem(build->err);
	for (size_t i = 0; i + 1 < out->words.len; i++) {
		ob_word *word = &out->words.items[i];
		ob_heredoc parsed = {0};
		bool is_heredoc = false;

		if (ob_heredoc_parse(word->text, &parsed, &is_heredoc, NULL) != OCIB_OK ||
		    !is_heredoc)
			continue;
		word->heredoc = ob_map_get(by_name, parsed.name);
		ob_heredoc_done(&parsed);
		if (!word->heredoc)
			return ob_fail_build(build, &word->at,
					     "'%s' looks like a heredoc, but the line as a whole "
					     "cannot be read: check its quotes",
					     word->text);
	}
	return OCIB_OK;
}

ocib_errc ob_build_sources(const ob_instruction_build *build, ob_instruction *out)
{
	const ob_word *dest = &out->words.items[out->words.len - 1];
	ob_auto(ob_map) by_name = NULL;

	if (out->json_form)
		return OCIB_OK;
	if (ob_heredoc_is_word(dest->text))
		return ob_fail_build(build, &dest->at,
				     "%s cannot accept a heredoc as a destination",
				     ob_instruction_name(out->type));
	by_name = ob_map_new(NULL);
	if (!by_name)
		return ob_fail_nomem(build->err);
	return find_heredocs(build, out, by_name);
}

static ocib_errc check_choice(const ob_instruction_build *build, const ob_flag *flag,
			      const char *const *names, size_t count)
{
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		if (ob_str_eq(flag->value, names[i]))
			return OCIB_OK;
	nearest = ob_nearest(flag->value, names, count);
	return ob_fail_build(build, &flag->at, "invalid --%s '%s'%s%s%s", flag->name, flag->value,
			     nearest ? " (did you mean '" : "", nearest ? nearest : "",
			     nearest ? "'?)" : "");
}

static ocib_errc check_run_flag(const ob_instruction_build *build, const ob_flag *flag)
{
	static const char *const networks[] = {"default", "none", "host"};
	static const char *const securities[] = {"sandbox", "insecure"};
	ob_run_device device = {0};
	ocib_errc r;

	if (ob_str_eq(flag->name, "network"))
		return check_choice(build, flag, networks, OB_ARRAY_LEN(networks));
	if (ob_str_eq(flag->name, "security"))
		return check_choice(build, flag, securities, OB_ARRAY_LEN(securities));
	if (ob_str_eq(flag->name, "mount")) {
		r = ob_run_mount_check(flag->value, build->err);
	} else {
		r = ob_run_device_parse(flag->value, &device, build->err);
		ob_run_device_done(&device);
	}
	return ob_build_locate(build, &flag->at, r);
}

ocib_errc ob_build_run(const ob_instruction_build *build, ob_instruction *out)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < out->flag_count && r == OCIB_OK; i++)
		r = check_run_flag(build, &out->flags[i]);
	out->heredoc_only = out->heredoc_count > 0 && ob_heredoc_is_word(out->words.items[0].text);
	return r;
}

static ocib_errc read_interval(const ob_instruction_build *build, const ob_flag *flag, int64_t *out)
{
	if (!*flag->value)
		return OCIB_OK;
	if (!ob_duration_parse(flag->value, out))
		return ob_fail_build(build, &flag->at, "--%s: '%s' is no duration, such as 1m30s",
				     flag->name, flag->value);
	if (*out != 0 && *out < 1000000)
		return ob_fail_build(build, &flag->at, "--%s cannot be less than 1ms", flag->name);
	return OCIB_OK;
}

static ocib_errc read_retries(const ob_instruction_build *build, const ob_flag *flag, int32_t *out)
{
	int64_t retries;

	if (!*flag->value)
		return OCIB_OK;
	if (!ob_parse_i64(flag->value, &retries) || retries > INT32_MAX)
		return ob_fail_build(build, &flag->at, "--retries: '%s' is no number", flag->value);
	if (retries < 0)
		return ob_fail_build(build, &flag->at, "--retries cannot be negative (%s)",
				     flag->value);
	*out = (int32_t)retries;
	return OCIB_OK;
}

static ocib_errc read_health_flag(const ob_instruction_build *build, const ob_flag *flag,
				  ob_health_flags *health)
{
	if (ob_str_eq(flag->name, "interval"))
		return read_interval(build, flag, &health->interval);
	if (ob_str_eq(flag->name, "timeout"))
		return read_interval(build, flag, &health->timeout);
	if (ob_str_eq(flag->name, "start-period"))
		return read_interval(build, flag, &health->start_period);
	if (ob_str_eq(flag->name, "start-interval"))
		return read_interval(build, flag, &health->start_interval);
	return read_retries(build, flag, &health->retries);
}

/* The first word is the type; what is left of the words is the command. */
static void drop_first_word(ob_words *words)
{
	free(words->items[0].text);
	words->len--;
	memmove(words->items, words->items + 1, words->len * sizeof(*words->items));
}

ocib_errc ob_build_healthcheck(const ob_instruction_build *build, ob_instruction *out)
{
	const ob_word *type = &out->words.items[0];
	ocib_errc r = OCIB_OK;

	out->healthcheck_none = ob_str_eq_nocase(type->text, "none");
	if (out->healthcheck_none && out->words.len > 1)
		return ob_fail_build(build, &out->words.items[1].at,
				     "HEALTHCHECK NONE takes no arguments");
	if (!out->healthcheck_none && !ob_str_eq_nocase(type->text, "cmd"))
		return ob_fail_build(build, &type->at,
				     "unknown type '%.64s' in HEALTHCHECK (try CMD)", type->text);
	if (!out->healthcheck_none && out->words.len == 1)
		return ob_fail_build(build, &type->at, "missing command after HEALTHCHECK CMD");
	for (size_t i = 0; i < out->flag_count && r == OCIB_OK; i++)
		r = read_health_flag(build, &out->flags[i], &out->health);
	drop_first_word(&out->words);
	return r;
}

/* The logical line without its ONBUILD, then each heredoc as it is written. */
static ocib_errc make_trigger_text(const ob_instruction_build *build, const ob_syntax_node *node,
				   ob_instruction *out)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(SIZE_MAX / 2, "ONBUILD trigger");
	const char *rest = strstr(node->original, node->value) + strlen(node->value);

	ob_buffer_append_str(&text, rest + strspn(rest, "\t\n\f\r "));
	for (size_t i = 0; i < out->heredoc_count; i++) {
		ob_buffer_append_char(&text, '\n');
		ob_buffer_append(&text, out->heredocs[i].raw, out->heredocs[i].raw_len);
		ob_buffer_append_str(&text, out->heredocs[i].name);
	}
	return ob_buffer_finish(&text, &out->onbuild, build->err);
}

/* The trigger as an instruction; what is wrong with it is a warning. Heredocs go with it. */
static ocib_errc make_trigger(const ob_instruction_build *build, ob_syntax_node *child,
			      ob_instruction *out)
{
	ob_auto(ocib_error) wrong = NULL;
	ob_instruction_build quiet = {.warnings = build->warnings, .err = &wrong};
	ocib_errc r;

	child->heredocs = ob_take_ptr(out->heredocs);
	child->heredoc_count = out->heredoc_count;
	out->heredoc_count = 0;
	child->at.end_line = out->at.end_line;
	out->trigger = calloc(1, sizeof(*out->trigger));
	if (!out->trigger)
		return ob_fail_nomem(build->err);
	r = ob_instruction_make(&quiet, child, out->trigger);
	if (r == OCIB_OK)
		return OCIB_OK;
	ob_instruction_done(out->trigger);
	free(ob_take_ptr(out->trigger));
	if (r == OCIB_ERR_NOMEM ||
	    (build->warnings &&
	     ob_strlist_add_printf(build->warnings, "%u: this trigger cannot be built: %s",
				   child->at.line, ocib_error_message(wrong)) < 0))
		return ob_fail_nomem(build->err);
	return OCIB_OK;
}

ocib_errc ob_build_onbuild(const ob_instruction_build *build, ob_syntax_node *node,
			   ob_instruction *out)
{
	ob_syntax_node *child = node->child;
	ocib_errc r;

	if (!child)
		return ob_fail_build(build, &out->at, "ONBUILD requires at least one argument");
	if (child->type == OB_INSTRUCTION_ONBUILD)
		return ob_fail_build(build, &child->at,
				     "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
	if (child->type == OB_INSTRUCTION_FROM || child->type == OB_INSTRUCTION_MAINTAINER)
		return ob_fail_build(build, &child->at, "%s isn't allowed as an ONBUILD trigger",
				     ob_instruction_name(child->type));
	r = make_trigger_text(build, node, out);
	return r == OCIB_OK ? make_trigger(build, child, out) : r;
}
