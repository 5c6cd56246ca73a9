/* engine/plan/plan_checks.c — rules of a check that need to know what an instruction comes to: variables,
 * the stage so far, the ignore file.
 *
 * An instruction is looked at before it is carried out, so that what it overrides is still there; words
 * are looked at where they are expanded. Nothing here changes what is built.
 */
#include <ctype.h>
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/plan/planner.h"

/* Add one; whoever reads it looks at the lines of the instruction, or of the FROM that brought it in. */
#define add(d, rule, ...) \
	ob_findings_add((d)->planner->options->findings, (rule), near(d), place(d), __VA_ARGS__)

static const ob_instruction *near(const ob_dispatch *d)
{
	return d->command->is_trigger ? NULL : d->instruction;
}

static const ob_location *place(const ob_dispatch *d)
{
	return d->command->is_trigger ? &d->stage->source->from->at : &d->instruction->at;
}

/* Is one of the words in name, which are words between '_', one of the list? */
static bool has_word(const char *name, const char *const *words, size_t count)
{
	for (const char *p = name;; p++) {
		size_t len = strcspn(p, "_");

		for (size_t i = 0; i < count; i++)
			if (strlen(words[i]) == len && strncasecmp(p, words[i], len) == 0)
				return true;
		p += len;
		if (!*p)
			return false;
	}
}

static bool names_secret(const char *key)
{
	static const char *const secrets[] = {"apikey", "auth",     "credential", "credentials",
					      "key",    "password", "pword",      "passwd",
					      "secret", "token"};
	static const char *const harmless[] = {"public", "file", "version"};

	return has_word(key, secrets, OB_ARRAY_LEN(secrets)) &&
	       !has_word(key, harmless, OB_ARRAY_LEN(harmless));
}

static void check_pairs(ob_dispatch *d)
{
	const ob_instruction *i = d->instruction;
	const char *name = ob_instruction_name(i->type);

	for (size_t k = 0; k < i->pair_count; k++) {
		if (i->pairs[k].no_delim)
			add(d, OB_RULE_LEGACY_KEY_VALUE_FORMAT,
			    "%s %.64s has a blank between key and value: '%s key=value' is the form "
			    "to use",
			    name, i->pairs[k].key, name);
		if (i->type != OB_INSTRUCTION_LABEL && names_secret(i->pairs[k].key))
			add(d, OB_RULE_SECRETS_USED_IN_ARG_OR_ENV,
			    "%s '%.64s' has the name of a secret: whoever has the image can read it; "
			    "use RUN --mount=type=secret",
			    name, i->pairs[k].key);
	}
}

/* The earlier one is shown: it is the one without effect. */
static void check_repeated(ob_dispatch *d)
{
	const ob_location **last = &d->stage->last_of[d->instruction->type];

	if (*last)
		ob_findings_add(d->planner->options->findings, OB_RULE_MULTIPLE_INSTRUCTIONS,
				near(d), *last,
				"this %s has no effect: there is another one below in its stage",
				ob_instruction_name(d->instruction->type));
	*last = place(d);
}

static void check_command(ob_dispatch *d)
{
	check_repeated(d);
	if (!d->instruction->json_form && !d->stage->config->shell.args.len)
		add(d, OB_RULE_JSON_ARGS_RECOMMENDED,
		    "%s is run by a shell, which does not hand signals on: the JSON form is "
		    "recommended, %s [\"program\", \"argument\"]",
		    ob_instruction_name(d->instruction->type),
		    ob_instruction_name(d->instruction->type));
}

/* Images that COPY or the mounts of a RUN are from. */
static void check_images(const ob_dispatch *d)
{
	for (size_t i = 0; i < d->command->from_count; i++) {
		const ob_input *from = &d->command->from[i];

		if (from->kind == OB_INPUT_SOURCE)
			ob_check_image_platform(d, &d->planner->sources[from->index],
						&d->planner->sources[from->index].platform);
	}
}

void ob_check_instruction(ob_dispatch *d)
{
	if (!d->planner->options->findings)
		return;
	check_images(d);
	switch (d->instruction->type) {
	case OB_INSTRUCTION_ARG:
	case OB_INSTRUCTION_ENV:
	case OB_INSTRUCTION_LABEL: check_pairs(d); break;
	case OB_INSTRUCTION_CMD:
	case OB_INSTRUCTION_ENTRYPOINT: check_command(d); break;
	case OB_INSTRUCTION_HEALTHCHECK: check_repeated(d); break;
	default: break;
	}
}

/* The only names that are all a matter of the root, and so of patterns for everything in it. */
static bool ignores_all(const ob_strlist *patterns)
{
	for (size_t i = 0; i < patterns->len; i++)
		if (ob_str_eq(patterns->items[i], "*") || ob_str_eq(patterns->items[i], "**") ||
		    ob_str_eq(patterns->items[i], "**/*"))
			return true;
	return false;
}

static bool has_exception(const ob_strlist *patterns)
{
	for (size_t i = 0; i < patterns->len; i++)
		if (patterns->items[i][0] == '!')
			return true;
	return false;
}

static void check_source(const ob_dispatch *d, const ob_node *context, const char *written)
{
	ob_autofree char *path = ob_path_clean(written);

	if (!path)
		return;
	if (ob_str_eq(path, ".") || ob_str_eq(path, "/") ? !ignores_all(&context->ignore_patterns)
							 : !ob_ignore_match(context->ignore, path))
		return;
	add(d, OB_RULE_COPY_IGNORED_FILE, "%s of '%.200s', which %s excludes from the context",
	    ob_instruction_name(d->instruction->type), path, context->ignore_file);
}

/* With exceptions among the patterns nothing can be said: a part of a directory may be let through. */
void ob_check_copied(const ob_dispatch *d)
{
	const ob_planner *p = d->planner;
	ob_instruction_type type = d->instruction->type;

	if (!p->options->findings || (type != OB_INSTRUCTION_COPY && type != OB_INSTRUCTION_ADD))
		return;
	const ob_copy_op *op = &d->stage->steps[d->stage->step_count - 1].copy;
	if (d->command->from_count)
		return;
	const ob_node *context = &p->plan->nodes[op->from];
	if (!context->ignore || has_exception(&context->ignore_patterns))
		return;
	for (size_t i = 0; i < op->source_count; i++)
		if (op->sources[i].kind == OB_COPY_PATHS)
			check_source(d, context, op->sources[i].path);
}

char *ob_check_nearest_key(const char *name, const ob_strlist *env)
{
	ob_autodone(ob_strlist) keys = {0};
	const char *nearest;

	for (size_t i = 0; i < env->len; i++)
		if (ob_strlist_add_len(&keys, env->items[i], strcspn(env->items[i], "=")) < 0)
			return NULL;
	nearest = ob_nearest(name, (const char *const *)keys.items, keys.len);
	return nearest ? strdup(nearest) : NULL;
}

/* An ARG without a value is declared all the same. What a base that is missing defines is not known. */
void ob_check_unset(const ob_dispatch *d, const ob_strlist *names)
{
	for (size_t i = 0; i < names->len; i++) {
		const char *name = names->items[i];
		ob_autofree char *nearest = NULL;

		if (d->stage->base_missing || ob_strlist_contains(&d->stage->args, name) ||
		    ob_str_starts(name, "BUILDKIT_SBOM_SCAN_"))
			continue;
		nearest = ob_check_nearest_key(name, &d->stage->env);
		add(d, OB_RULE_UNDEFINED_VAR, "variable '$%.64s' is not defined%s%.64s%s", name,
		    nearest ? " (did you mean '$" : "", nearest ? nearest : "",
		    nearest ? "'?)" : "");
	}
}

void ob_check_workdir(ob_dispatch *d, const char *path)
{
	if (*path != '/' && !d->stage->has_workdir)
		add(d, OB_RULE_WORKDIR_RELATIVE_PATH,
		    "WORKDIR '%.200s' is relative to whatever directory the base is in", path);
	d->stage->has_workdir = true;
}

void ob_check_port(const ob_dispatch *d, const char *spec)
{
	const char *colon = strrchr(spec, ':');
	const char *protocol = strchr(colon ? colon + 1 : spec, '/');

	for (const char *p = protocol; p && *p; p++)
		if (isupper((unsigned char)*p)) {
			add(d, OB_RULE_EXPOSE_PROTO_CASING,
			    "the protocol of '%.64s' should be in small letters", spec);
			break;
		}
	if (colon && colon != spec && !(colon == spec + 1 && *spec == ':'))
		add(d, OB_RULE_EXPOSE_INVALID_FORMAT,
		    "EXPOSE '%.64s' has an address or a port of the host, which mean nothing here",
		    spec);
}

void ob_check_image_platform(const ob_dispatch *d, const ob_plan_source *source,
			     const ob_platform *expected)
{
	const ob_planner *p = d->planner;
	char expected_text[128], actual_text[128];

	if (!p->options->findings || !source->image || source->context)
		return;
	const ob_config *config = ob_image_source_config(source->image);
	const ob_platform *actual = &config->platform;
	bool asked = d->stage->has_platform || p->options->platform_given;
	if (!config->diff_id_count ||
	    (ob_str_eq(actual->os, expected->os) && ob_str_eq(actual->arch, expected->arch)))
		return;
	/* Nobody asked for a platform, and this machine runs this one as well. */
	if (!asked && ob_platform_match(actual, &p->host) >= 0)
		return;
	ob_platform_format(expected, expected_text);
	ob_platform_format(actual, actual_text);
	ob_findings_add(p->options->findings, OB_RULE_INVALID_BASE_IMAGE_PLATFORM, NULL, place(d),
			"'%.200s' is an image for %s, and %s is built", source->name, actual_text,
			expected_text);
}
