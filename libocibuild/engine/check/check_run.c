/* engine/check/check_run.c — ocib_check_run(): findings as a result.
 *
 * That the Dockerfile is wrong, or a base cannot be had, is a part of the result; what is wrong with the
 * call itself, so that there is no Dockerfile to speak of, is a failure.
 */
#include <ocibuild/check.h>
#include <string.h>
#include "base/arena.h"
#include "engine/check/planned_call.h"

struct ocib_check {
	ob_arena memory; /* of strings in findings */
	ob_source_text text;
	ocib_finding *findings;
	size_t len, dropped;
	ocib_error *failure;
};
OB_DEFINE_AUTO(ocib_check);

ocib_check *ocib_check_free(ocib_check *check)
{
	if (!check)
		return NULL;
	ob_arena_done(&check->memory);
	ob_source_text_done(&check->text);
	free(check->findings);
	check->failure = ocib_error_free(check->failure);
	free(check);
	return NULL;
}

static ocib_errc copy_finding(ocib_check *check, const ob_finding *from, ocib_error **err)
{
	ob_autofree char *excerpt = NULL;
	ocib_finding *to = &check->findings[check->len];
	ocib_errc r = ob_source_excerpt(&check->text, &from->at, &excerpt, err);
	const char *shown = excerpt ? excerpt : "";

	if (r)
		return r;
	*to = (ocib_finding){
		.rule = ob_rule_get(from->rule),
		.message = ob_arena_text(&check->memory, from->message, strlen(from->message)),
		.line = from->at.line,
		.end_line = from->at.end_line > from->at.line ? from->at.end_line : from->at.line,
		.excerpt = ob_arena_text(&check->memory, shown, strlen(shown)),
	};
	if (!to->message || !to->excerpt)
		return ob_fail_nomem(err);
	check->len++;
	return OCIB_OK;
}

static ocib_errc take_findings(ob_build *build, ocib_check *check, ocib_error **err)
{
	const ob_findings *findings = &build->findings;
	ocib_errc r = OCIB_OK;

	check->text = build->text;
	build->text = (ob_source_text){0};
	check->dropped = findings->dropped;
	check->findings = calloc(findings->len + 1, sizeof(*check->findings));
	if (!check->findings || findings->failed)
		return ob_fail_nomem(err);
	for (size_t i = 0; !r && i < findings->len; i++)
		r = copy_finding(check, &findings->items[i], err);
	return r;
}

static ocib_errc use(ob_build *build, ocib_error **why, void *result, ocib_error **err)
{
	ob_auto(ocib_check) check = calloc(1, sizeof(*check));
	ocib_check **out = result;
	ocib_errc r;

	if (!check)
		return ob_fail_nomem(err);
	if (*why && (!build->text.data || ocib_error_code(*why) == OCIB_ERR_INVALID))
		return ob_error_move(err, why);
	if (!*why && build->plan->missing)
		*why = ob_take_ptr(build->plan->missing);
	if (!*why)
		(void)ob_findings_verdict(&build->findings, build->dockerfile, why);
	check->failure = ob_take_ptr(*why);
	r = take_findings(build, check, err);
	if (!r)
		*out = ob_take_ptr(check);
	return r;
}

ocib_errc ocib_check_run(ocib_context *ctx, ocib_store *store, const ocib_build_options *options,
			 ocib_check **out, ocib_error **err)
{
	ob_auto(ocib_check) check = NULL;
	const ob_planned_call call = {.use = use, .result = &check};
	ocib_errc r = ob_planned_call_run(&call, ctx, store, options, err);

	if (!r)
		*out = ob_take_ptr(check);
	return r;
}

size_t ocib_check_count(const ocib_check *check)
{
	return check ? check->len : 0;
}

const ocib_finding *ocib_check_get(const ocib_check *check, size_t index)
{
	return check && index < check->len ? &check->findings[index] : NULL;
}

size_t ocib_check_dropped(const ocib_check *check)
{
	return check ? check->dropped : 0;
}

const ocib_error *ocib_check_failure(const ocib_check *check)
{
	return check ? check->failure : NULL;
}

const char *ocib_check_file(const ocib_check *check)
{
	return check ? check->text.name : "";
}

const char *ocib_check_text(const ocib_check *check, size_t *len)
{
	if (len)
		*len = check ? check->text.len : 0;
	return check ? check->text.data : "";
}
