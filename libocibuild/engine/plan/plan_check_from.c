/* engine/plan/plan_check_from.c — rules of a check for FROM lines and the global ARGs they see.
 *
 * They are applied before a line can turn out to be wrong: that a name is blank is an error, and the
 * finding about its variable says why.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

typedef struct from_word {
	char *text;
	ob_strlist set, unset; /* variables */
} from_word;

static void from_word_done(from_word *word)
{
	free(word->text);
	ob_strlist_done(&word->set);
	ob_strlist_done(&word->unset);
}

/* False when it cannot be expanded, which the planner reports as an error. */
static bool expand(const ob_planner *p, const char *text, const ob_strlist *env, from_word *out)
{
	const ob_shell_options options = {.escape = p->dockerfile->escape};
	const ob_shell_use use = {&out->set, &out->unset};

	return ob_shell_word(text, env, &options, &use, &out->text, NULL) == OCIB_OK;
}

/* One global ARG with its default, into env. */
static bool add_default(const ob_planner *p, const ob_pair *pair, ob_strlist *env)
{
	__attribute__((cleanup(from_word_done))) from_word word = {0};

	if (!pair->value)
		return true;
	return expand(p, pair->value, env, &word) && ob_env_set(env, pair->key, word.text) == 0;
}

static bool add_defaults(const ob_planner *p, ob_strlist *env)
{
	for (size_t i = 0; i < p->dockerfile->global_count; i++) {
		const ob_instruction *arg = &p->dockerfile->instructions[i];

		for (size_t k = 0; k < arg->pair_count; k++)
			if (!add_default(p, &arg->pairs[k], env))
				return false;
	}
	return true;
}

void ob_check_default_args(const ob_planner *p)
{
	ob_autodone(ob_strlist) env = {0};

	if (!p->options->findings || ob_strlist_copy(&env, &p->global_args) < 0 ||
	    !add_defaults(p, &env))
		return;
	for (size_t i = 0; i < p->dockerfile->stage_count; i++) {
		const ob_instruction *from = p->dockerfile->stages[i].from;
		__attribute__((cleanup(from_word_done))) from_word name = {0};
		ob_autodone(ob_reference) reference = {0};

		if (!expand(p, from->from, &env, &name))
			return;
		if (ob_reference_parse(name.text, &reference, NULL) != OCIB_OK)
			ob_findings_add(p->options->findings, OB_RULE_INVALID_DEFAULT_ARG_IN_FROM,
					NULL, &from->at,
					"without build arguments '%.200s' is '%.200s', which is no "
					"image name",
					from->from, name.text);
	}
}

static bool is_declared(const ob_planner *p, const char *name)
{
	if (ob_env_get(&p->global_args, name))
		return true;
	for (size_t i = 0; i < p->dockerfile->global_count; i++) {
		const ob_instruction *arg = &p->dockerfile->instructions[i];

		for (size_t k = 0; k < arg->pair_count; k++)
			if (ob_str_eq(arg->pairs[k].key, name))
				return true;
	}
	return false;
}

static void check_declared(const ob_planner *p, const ob_instruction *from, const from_word *word)
{
	for (size_t i = 0; i < word->unset.len; i++) {
		const char *name = word->unset.items[i];
		ob_autofree char *nearest = NULL;

		if (is_declared(p, name))
			continue;
		nearest = ob_check_nearest_key(name, &p->global_args);
		ob_findings_add(p->options->findings, OB_RULE_UNDEFINED_ARG_IN_FROM, from,
				&from->at,
				"FROM uses '%.64s', which is no ARG in front of the first "
				"FROM%s%.64s%s",
				name, nearest ? " (did you mean '" : "", nearest ? nearest : "",
				nearest ? "'?)" : "");
	}
}

/* Alone, and not changed by a modifier. */
static bool is_target_platform(const ob_planner *p, const from_word *word)
{
	const char *target = ob_env_get(&p->global_args, "TARGETPLATFORM");

	return word->set.len == 1 && !word->unset.len &&
	       ob_str_eq(word->set.items[0], "TARGETPLATFORM") && target &&
	       ob_str_eq(word->text, target);
}

/* A stage whose name says the platform is meant to have it. */
static bool is_constant(const ob_instruction *from, const from_word *word)
{
	ob_auto(ocib_error) unknown = NULL;
	ob_platform platform;

	if (word->set.len || word->unset.len ||
	    ob_platform_parse(word->text, &platform, &unknown) != OCIB_OK)
		return false;
	return !from->as || (!strstr(from->as, platform.os) && !strstr(from->as, platform.arch));
}

static void check_platform(const ob_planner *p, const ob_instruction *from, const char *written)
{
	__attribute__((cleanup(from_word_done))) from_word word = {0};
	ob_findings *findings = p->options->findings;

	if (!expand(p, written, &p->global_args, &word))
		return;
	check_declared(p, from, &word);
	if (is_target_platform(p, &word))
		ob_findings_add(findings, OB_RULE_REDUNDANT_TARGET_PLATFORM, from, &from->at,
				"--platform=%.64s is what FROM does without it", written);
	if (is_constant(from, &word))
		ob_findings_add(findings, OB_RULE_FROM_PLATFORM_CONST, from, &from->at,
				"--platform is always '%.64s': a variable lets others build for "
				"other platforms",
				word.text);
}

void ob_check_from(const ob_planner *p, const ob_instruction *from)
{
	__attribute__((cleanup(from_word_done))) from_word name = {0};
	const char *platform = ob_instruction_flag(from, "platform");

	if (!p->options->findings || !expand(p, from->from, &p->global_args, &name))
		return;
	check_declared(p, from, &name);
	if (*name.text && platform && *platform)
		check_platform(p, from, platform);
}
