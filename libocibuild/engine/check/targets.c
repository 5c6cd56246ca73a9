/* engine/check/targets.c — ocib_targets_run(): the stages of a file that is parsed and no more. */
#include <ocibuild/check.h>
#include "engine/check/planned_call.h"
#include "engine/outline.h"

struct ocib_targets {
	ob_dockerfile *dockerfile; /* the targets borrow from it */
	ocib_target *targets;
	size_t len;
};
OB_DEFINE_AUTO(ocib_targets);

ocib_targets *ocib_targets_free(ocib_targets *targets)
{
	if (!targets)
		return NULL;
	targets->dockerfile = ob_dockerfile_free(targets->dockerfile);
	free(targets->targets);
	free(targets);
	return NULL;
}

static ocib_target describe(const ob_dockerfile *file, size_t index)
{
	const ob_instruction *from = file->stages[index].from;
	const char *name = from->as ? from->as : "";
	const char *platform = ob_instruction_flag(from, "platform");

	return (ocib_target){
		.name = name,
		.description = ob_doc_comment(from, name),
		.base = from->from,
		.platform = platform ? platform : "",
		.is_default = index + 1 == file->stage_count,
		.line = from->at.line,
		.end_line = from->at.end_line,
	};
}

static ocib_errc use(ob_build *build, ocib_error **why, void *result, ocib_error **err)
{
	ob_auto(ocib_targets) targets = NULL;
	ocib_targets **out = result;

	if (*why)
		return ob_error_move(err, why);
	targets = calloc(1, sizeof(*targets));
	if (!targets)
		return ob_fail_nomem(err);
	targets->dockerfile = ob_take_ptr(build->dockerfile);
	targets->len = targets->dockerfile->stage_count;
	targets->targets = calloc(targets->len, sizeof(*targets->targets));
	if (!targets->targets)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < targets->len; i++)
		targets->targets[i] = describe(targets->dockerfile, i);
	*out = ob_take_ptr(targets);
	return OCIB_OK;
}

ocib_errc ocib_targets_run(ocib_context *ctx, ocib_store *store, const ocib_build_options *options,
			   ocib_targets **out, ocib_error **err)
{
	ob_auto(ocib_targets) targets = NULL;
	const ob_planned_call call = {.parse_only = true, .use = use, .result = &targets};
	ocib_errc r = ob_planned_call_run(&call, ctx, store, options, err);

	if (!r)
		*out = ob_take_ptr(targets);
	return r;
}

size_t ocib_targets_count(const ocib_targets *targets)
{
	return targets ? targets->len : 0;
}

const ocib_target *ocib_targets_get(const ocib_targets *targets, size_t index)
{
	return targets && index < targets->len ? &targets->targets[index] : NULL;
}

const char *ocib_targets_text(const ocib_targets *targets, size_t *len)
{
	if (len)
		*len = targets ? targets->dockerfile->source.len : 0;
	return targets ? targets->dockerfile->source.data : "";
}
