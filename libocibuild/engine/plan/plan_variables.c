/* engine/plan/plan_variables.c — ENV, ARG and LABEL.
 *
 * The stage's environment is one list that ENV and ARG both write: the later line wins, for expansion
 * and for RUN. Only ENV also goes into the configuration. One ENV or LABEL sees the values from before
 * it throughout; one ARG sees its own earlier words.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

static uint64_t env_bytes(const ob_strlist *env)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < env->len; i++)
		bytes += strlen(env->items[i]) + 1;
	return bytes;
}

ocib_errc ob_dispatch_set_env(ob_dispatch *d, const char *key, const char *value, ocib_error **err)
{
	ob_strlist *env = &d->stage->env;

	if (ob_env_set(env, key, value) < 0)
		return ob_fail_nomem(err);
	if (env->len > OB_LIMIT_VARIABLES || env_bytes(env) > OB_LIMIT_ENVIRONMENT)
		return ob_fail_here(
			err, d, NULL, OCIB_ERR_LIMIT,
			"the stage has more than %d variables, or more than %llu bytes of "
			"them (limits OB_LIMIT_VARIABLES, OB_LIMIT_ENVIRONMENT)",
			OB_LIMIT_VARIABLES, OB_LIMIT_ENVIRONMENT);
	/* Each is looked for among all others: what that costs is bounded too. */
	return ob_planner_spend(d->planner, env->len, d->command->at, err);
}

/* All keys and values of ENV or LABEL, expanded, alternating; and the history entry. */
static ocib_errc expand_pairs(ob_dispatch *d, const char *name, ob_strlist *out, ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_append_str(&history, name);
	for (size_t i = 0; i < d->instruction->pair_count; i++) {
		const ob_pair *pair = &d->instruction->pairs[i];
		ob_autofree char *key = NULL, *value = NULL;
		ocib_errc r = ob_dispatch_expand(d, pair->key, &pair->at, &key, err);

		if (!r)
			r = ob_dispatch_expand(d, pair->value ? pair->value : "", &pair->at, &value,
					       err);
		if (r)
			return r;
		ob_buffer_printf(&history, " %s=%s", key, value);
		if (ob_strlist_take(out, ob_take_ptr(key)) < 0 ||
		    ob_strlist_take(out, ob_take_ptr(value)) < 0)
			return ob_fail_nomem(err);
	}
	return ob_dispatch_commit(d, &history, false, err);
}

ocib_errc ob_dispatch_env(ob_dispatch *d, ocib_error **err)
{
	ob_autodone(ob_strlist) pairs = {0};
	ocib_errc r = expand_pairs(d, "ENV", &pairs, err);

	for (size_t i = 0; !r && i < pairs.len; i += 2) {
		if (ob_env_set(&d->stage->config->env, pairs.items[i], pairs.items[i + 1]) < 0)
			return ob_fail_nomem(err);
		r = ob_dispatch_set_env(d, pairs.items[i], pairs.items[i + 1], err);
	}
	return r;
}

ocib_errc ob_dispatch_label(ob_dispatch *d, ocib_error **err)
{
	ob_autodone(ob_strlist) pairs = {0};
	ocib_errc r = expand_pairs(d, "LABEL", &pairs, err);

	for (size_t i = 0; !r && i < pairs.len; i += 2) {
		if (ob_config_set_label(d->stage->config, pairs.items[i], pairs.items[i + 1]) < 0)
			return ob_fail_nomem(err);
		r = ob_planner_spend(d->planner, d->stage->config->labels.len, d->command->at, err);
	}
	return r;
}

/* The value that an ARG has: --build-arg as it is, else its default, else the global ARG's. */
static ocib_errc arg_value(const ob_dispatch *d, const char *key, const ob_pair *pair, char **out,
			   ocib_error **err)
{
	const char *value = ob_env_get(&d->planner->build_args, key);

	if (!value && pair->value)
		return ob_dispatch_expand(d, pair->value, &pair->at, out, err);
	if (!value)
		value = ob_env_get(&d->planner->global_args, key);
	if (!value)
		return OCIB_OK;
	*out = strdup(value);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

/* Arguments that configure the scan for a bill of materials and never reach RUN. */
static bool is_for_scanner(const char *key)
{
	return ob_str_eq(key, "BUILDKIT_SBOM_SCAN_CONTEXT") ||
	       ob_str_eq(key, "BUILDKIT_SBOM_SCAN_STAGE");
}

ocib_errc ob_dispatch_arg(ob_dispatch *d, ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_append_str(&history, "ARG");
	for (size_t i = 0; i < d->instruction->pair_count; i++) {
		const ob_pair *pair = &d->instruction->pairs[i];
		ob_autofree char *key = NULL, *value = NULL;
		ocib_errc r = ob_dispatch_expand(d, pair->key, &pair->at, &key, err);

		if (!r)
			r = arg_value(d, key, pair, &value, err);
		if (!r && value && !is_for_scanner(key))
			r = ob_dispatch_set_env(d, key, value, err);
		if (!r)
			r = ob_dispatch_note_arg(d, pair, key, value, err);
		if (r)
			return r;
		if (!ob_strlist_contains(&d->stage->args, key) &&
		    ob_strlist_add(&d->stage->args, key) < 0)
			return ob_fail_nomem(err);
		ob_buffer_printf(&history, " %s%s%s", key, value ? "=" : "", value ? value : "");
	}
	return ob_dispatch_commit(d, &history, false, err);
}
