/* engine/plan/plan_args.c — what variables there are before the first stage begins.
 *
 * Build arguments come from outside. Global ARGs stand before the first FROM; only FROM lines see
 * them, and a bare ARG in a stage imports them. The platform's arguments are global ARGs that are always
 * there. The proxies' are for RUN without being declared, and leave no trace.
 */
#include <stdio.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

static ocib_errc set_env(ob_strlist *env, const char *key, const char *value, ocib_error **err)
{
	return ob_env_set(env, key, value) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc read_build_args(ob_planner *p, ocib_error **err)
{
	const ob_strlist *given = p->options->build_args;

	for (size_t i = 0; given && i < given->len; i++) {
		const char *item = given->items[i], *equals = strchr(item, '=');

		if (!equals)
			continue; /* --build-arg NAME of a variable that is not set */
		ob_autofree char *key = strndup(item, (size_t)(equals - item));
		if (!key)
			return ob_fail_nomem(err);
		if (set_env(&p->build_args, key, equals + 1, err))
			return OCIB_ERR_NOMEM;
	}
	return OCIB_OK;
}

/* buildx hands the environment's SOURCE_DATE_EPOCH on as a build argument. */
static ocib_errc add_epoch_arg(ob_planner *p, ocib_error **err)
{
	char text[24];

	if (!p->options->has_epoch || ob_env_get(&p->build_args, "SOURCE_DATE_EPOCH"))
		return OCIB_OK;
	(void)snprintf(text, sizeof(text), "%lld", (long long)p->options->epoch);
	return set_env(&p->build_args, "SOURCE_DATE_EPOCH", text, err);
}

/* Names with either case; the process gets both. */
static const char *const proxies[][2] = {
	{"HTTP_PROXY", "http_proxy"}, {"HTTPS_PROXY", "https_proxy"}, {"FTP_PROXY", "ftp_proxy"},
	{"NO_PROXY", "no_proxy"},     {"ALL_PROXY", "all_proxy"},
};

static ocib_errc read_proxies(ob_planner *p, ocib_error **err)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(proxies); i++) {
		const char *value = ob_env_get(&p->build_args, proxies[i][1]);

		if (!value)
			value = ob_env_get(&p->build_args, proxies[i][0]);
		for (size_t k = 0; value && *value && k < 2; k++)
			if (set_env(&p->proxy_env, proxies[i][k], value, err))
				return OCIB_ERR_NOMEM;
	}
	return OCIB_OK;
}

static const char *last_stage_name(const ob_dockerfile *dockerfile)
{
	return dockerfile->stage_count ? dockerfile->stages[dockerfile->stage_count - 1].from->as
				       : NULL;
}

static ocib_errc add_platform_args(ob_planner *p, ocib_error **err)
{
	const ob_platform *build = &p->host, *target = &p->options->platform;
	const char *stage =
		p->options->target ? p->options->target : last_stage_name(p->dockerfile);
	char build_text[128], target_text[128];

	ob_platform_format(build, build_text);
	ob_platform_format(target, target_text);
	const char *const args[][2] = {
		{"BUILDPLATFORM", build_text},
		{"BUILDOS", build->os},
		{"BUILDOSVERSION", build->os_version},
		{"BUILDARCH", build->arch},
		{"BUILDVARIANT", build->variant},
		{"TARGETPLATFORM", target_text},
		{"TARGETOS", target->os},
		{"TARGETOSVERSION", target->os_version},
		{"TARGETARCH", target->arch},
		{"TARGETVARIANT", target->variant},
		{"TARGETSTAGE", stage && *stage ? stage : "default"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(args); i++) {
		const char *given = ob_env_get(&p->build_args, args[i][0]);

		if (set_env(&p->global_args, args[i][0], given ? given : args[i][1], err))
			return OCIB_ERR_NOMEM;
	}
	return OCIB_OK;
}

ocib_errc ob_planner_expand_global(const ob_planner *p, const char *word, const ob_location *at,
				   char **out, ocib_error **err)
{
	const ob_shell_options options = {.escape = p->dockerfile->escape};
	ocib_errc r = ob_shell_word(word, &p->global_args, &options, NULL, out, err);

	return r ? ob_source_locate(&p->dockerfile->source, at, r, err) : OCIB_OK;
}

/* One ARG before the first FROM; each sees those before it, a build argument is taken as it is. */
static ocib_errc add_global_arg(ob_planner *p, const ob_pair *pair, ocib_error **err)
{
	const char *given = ob_env_get(&p->build_args, pair->key);
	ob_autofree char *value = NULL;
	ocib_errc r;

	if (!given && !pair->value)
		return OCIB_OK;
	if (!given) {
		r = ob_planner_expand_global(p, pair->value, &pair->at, &value, err);
		if (r)
			return r;
		given = value;
	}
	r = ob_planner_spend(p, strlen(given), &pair->at, err);
	return r ? r : set_env(&p->global_args, pair->key, given, err);
}

static ocib_errc add_global_args(ob_planner *p, ocib_error **err)
{
	for (size_t i = 0; i < p->dockerfile->global_count; i++) {
		const ob_instruction *arg = &p->dockerfile->instructions[i];

		for (size_t k = 0; k < arg->pair_count; k++) {
			ocib_errc r = add_global_arg(p, &arg->pairs[k], err);

			if (r)
				return r;
		}
	}
	return OCIB_OK;
}

static ocib_errc check_defaults(ob_planner *p, ocib_error **err)
{
	(void)err;
	ob_check_default_args(p);
	return OCIB_OK;
}

ocib_errc ob_planner_read_args(ob_planner *planner, ocib_error **err)
{
	static ocib_errc (*const parts[])(ob_planner *, ocib_error **) = {
		read_build_args,         add_epoch_arg,  read_proxies,
		add_platform_args,       check_defaults, add_global_args,
		ob_planner_decide_epoch,
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(parts); i++) {
		ocib_errc r = parts[i](planner, err);

		if (r)
			return r;
	}
	return OCIB_OK;
}

/* Arguments that mean something without an ARG line. */
static bool is_predefined(const ob_planner *p, const char *key)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(proxies); i++)
		if (ob_str_eq(key, proxies[i][0]) || ob_str_eq(key, proxies[i][1]))
			return true;
	return ob_str_starts(key, "BUILDKIT_") || ob_str_eq(key, "SOURCE_DATE_EPOCH") ||
	       ob_env_get(&p->global_args, key);
}

static bool declares(const ob_instruction *instruction, const char *key)
{
	if (instruction->type != OB_INSTRUCTION_ARG)
		return false;
	for (size_t i = 0; i < instruction->pair_count; i++)
		if (ob_str_eq(instruction->pairs[i].key, key))
			return true;
	return false;
}

static bool is_declared(const ob_planner *p, const char *key)
{
	for (size_t i = 0; i < p->dockerfile->len; i++)
		if (declares(&p->dockerfile->instructions[i], key))
			return true;
	for (size_t i = 0; i < p->plan->trigger_count; i++)
		for (size_t k = 0; k < p->plan->triggers[i]->len; k++)
			if (declares(&p->plan->triggers[i]->instructions[k], key))
				return true;
	return false;
}

ocib_errc ob_planner_list_unused(ob_planner *p, ocib_error **err)
{
	for (size_t i = 0; i < p->build_args.len; i++) {
		const char *item = p->build_args.items[i];
		ob_autofree char *key = strndup(item, strcspn(item, "="));

		if (!key)
			return ob_fail_nomem(err);
		if (is_predefined(p, key) || is_declared(p, key) ||
		    ob_strlist_contains(&p->plan->unused_args, key))
			continue;
		if (ob_strlist_add(&p->plan->unused_args, key) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
