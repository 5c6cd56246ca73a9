/* engine/check/outline_run.c — ocib_outline_run(). */
#include <ocibuild/check.h>
#include "engine/check/planned_call.h"
#include "engine/outline.h"

static ocib_errc use(ob_build *build, ocib_error **why, void *result, ocib_error **err)
{
	ocib_outline **out = result;

	if (*why)
		return ob_error_move(err, why);
	if (build->plan->missing)
		ob_emit_warning(build->ctx, NULL, 0,
				"the outline lacks what this base would bring in: %s",
				ocib_error_message(build->plan->missing));
	*out = ob_take_ptr(build->plan->outline);
	(*out)->text = build->text;
	build->text = (ob_source_text){0};
	return OCIB_OK;
}

ocib_errc ocib_outline_run(ocib_context *ctx, ocib_store *store, const ocib_build_options *options,
			   ocib_outline **out, ocib_error **err)
{
	ob_auto(ocib_outline) outline = NULL;
	const ob_planned_call call = {.outline = true, .use = use, .result = &outline};
	ocib_errc r = ob_planned_call_run(&call, ctx, store, options, err);

	if (!r)
		*out = ob_take_ptr(outline);
	return r;
}
