/* dockerfile/instruction_flags.c — see instruction_flags.h. A string needs a value, which may be empty; a
 * boolean is "--x", "--x=true" or "--x=false"; only lists may be given more than once. */
#include "dockerfile/instruction_flags.h"
#include <string.h>
#include "base/strings.h"

static const ob_flag_rule add_flags[] = {
	{"chown", OB_FLAG_STRING},      {"chmod", OB_FLAG_STRING},    {"link", OB_FLAG_BOOL},
	{"keep-git-dir", OB_FLAG_BOOL}, {"checksum", OB_FLAG_STRING}, {"unpack", OB_FLAG_BOOL},
	{"exclude", OB_FLAG_STRINGS},
};
static const ob_flag_rule copy_flags[] = {
	{"from", OB_FLAG_STRING}, {"chown", OB_FLAG_STRING}, {"chmod", OB_FLAG_STRING},
	{"link", OB_FLAG_BOOL},   {"parents", OB_FLAG_BOOL}, {"exclude", OB_FLAG_STRINGS},
};
static const ob_flag_rule from_flags[] = {{"platform", OB_FLAG_STRING}};
static const ob_flag_rule healthcheck_flags[] = {
	{"interval", OB_FLAG_STRING},     {"timeout", OB_FLAG_STRING},
	{"start-period", OB_FLAG_STRING}, {"start-interval", OB_FLAG_STRING},
	{"retries", OB_FLAG_STRING},
};
static const ob_flag_rule run_flags[] = {
	{"mount", OB_FLAG_STRINGS},
	{"network", OB_FLAG_STRING},
	{"security", OB_FLAG_STRING},
	{"device", OB_FLAG_STRINGS},
};

static const struct {
	const ob_flag_rule *rules;
	size_t count;
} by_type[] = {
	[OB_INSTRUCTION_ADD] = {add_flags, OB_ARRAY_LEN(add_flags)},
	[OB_INSTRUCTION_COPY] = {copy_flags, OB_ARRAY_LEN(copy_flags)},
	[OB_INSTRUCTION_FROM] = {from_flags, OB_ARRAY_LEN(from_flags)},
	[OB_INSTRUCTION_HEALTHCHECK] = {healthcheck_flags, OB_ARRAY_LEN(healthcheck_flags)},
	[OB_INSTRUCTION_RUN] = {run_flags, OB_ARRAY_LEN(run_flags)},
};

const ob_flag_rule *ob_flag_rules(ob_instruction_type type, size_t *count)
{
	*count = type < OB_ARRAY_LEN(by_type) ? by_type[type].count : 0;
	return *count ? by_type[type].rules : NULL;
}

void ob_flags_free(ob_flag *flags, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(flags[i].name);
		free(flags[i].value);
	}
	free(flags);
}

static ocib_errc unknown_flag(const char *who, const ob_flag_rule *rules, size_t count,
			      const char *name, ocib_error **err)
{
	const char *names[16], *nearest;

	for (size_t i = 0; i < count && i < OB_ARRAY_LEN(names); i++)
		names[i] = rules[i].name;
	nearest = ob_nearest(name, names, count);
	return ob_fail(err, OCIB_ERR_SYNTAX, "unknown flag '--%s' for %s%s%s%s", name, who,
		       nearest ? " (did you mean '--" : "", nearest ? nearest : "",
		       nearest ? "'?)" : "");
}

static ocib_errc check_value(const ob_flag *flag, ob_flag_kind kind, ocib_error **err)
{
	if (kind != OB_FLAG_BOOL && !flag->has_value)
		return ob_fail(err, OCIB_ERR_SYNTAX, "missing a value on flag '--%s'", flag->name);
	if (kind != OB_FLAG_BOOL || !flag->has_value)
		return OCIB_OK;
	if (!*flag->value)
		return ob_fail(err, OCIB_ERR_SYNTAX, "missing a value on flag '--%s'", flag->name);
	if (!ob_str_eq_nocase(flag->value, "true") && !ob_str_eq_nocase(flag->value, "false"))
		return ob_fail(err, OCIB_ERR_SYNTAX,
			       "expecting a boolean value for flag '--%s', not '%s'", flag->name,
			       flag->value);
	return OCIB_OK;
}

static int split_flag(const ob_word *word, ob_flag *out)
{
	const char *name = word->text + 2, *equals = strchr(name, '=');

	out->at = word->at;
	out->has_value = equals != NULL;
	out->name = strndup(name, equals ? (size_t)(equals - name) : strlen(name));
	out->value = strdup(equals ? equals + 1 : "");
	return out->name && out->value ? 0 : -1;
}

/* *seen has a bit per rule. */
static ocib_errc check_flag(const char *who, const ob_flag_rule *rules, size_t count,
			    const ob_flag *flag, uint32_t *seen, ocib_error **err)
{
	for (size_t i = 0; i < count; i++) {
		if (!ob_str_eq(flag->name, rules[i].name))
			continue;
		if (*seen & 1U << i && rules[i].kind != OB_FLAG_STRINGS)
			return ob_fail(err, OCIB_ERR_SYNTAX, "duplicate flag '--%s'", flag->name);
		*seen |= 1U << i;
		return check_value(flag, rules[i].kind, err);
	}
	return unknown_flag(who, rules, count, flag->name, err);
}

ocib_errc ob_flags_parse(const char *who, const ob_flag_rule *rules, size_t rule_count,
			 const ob_words *words, ob_flag **out, size_t *count, size_t *wrong,
			 ocib_error **err)
{
	ob_flag *flags = words->len ? calloc(words->len, sizeof(*flags)) : NULL;
	ocib_errc r = OCIB_OK;
	uint32_t seen = 0;

	if (words->len && !flags)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < words->len && r == OCIB_OK; i++) {
		*wrong = i;
		if (split_flag(&words->items[i], &flags[i]) < 0)
			r = ob_fail_nomem(err);
		else
			r = check_flag(who, rules, rule_count, &flags[i], &seen, err);
	}
	if (r != OCIB_OK) {
		ob_flags_free(flags, words->len);
		return r;
	}
	*out = flags;
	*count = words->len;
	return OCIB_OK;
}

const char *ob_instruction_flag(const ob_instruction *i, const char *name)
{
	for (size_t n = i->flag_count; n-- > 0;)
		if (ob_str_eq(i->flags[n].name, name))
			return i->flags[n].value;
	return NULL;
}

bool ob_instruction_flag_bool(const ob_instruction *i, const char *name, bool absent)
{
	const char *value = ob_instruction_flag(i, name);

	return value ? !ob_str_eq_nocase(value, "false") : absent;
}
