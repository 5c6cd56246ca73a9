/* engine/check/planned_call.c — see planned_call.h.
 *
 * The store is held against prune for as long as documents of bases are read from it.
 */
#include "engine/check/planned_call.h"
#include "engine/pumped_call.h"

typedef struct planned_thread {
	const ob_planned_call *call;
	ocib_context *ctx;
	ob_store *store;
	const ocib_build_options *options;
} planned_thread;

static ocib_errc plan(ob_build *build, const planned_thread *thread, ocib_error **err)
{
	ocib_errc r = ob_check_canceled(thread->ctx, err);

	if (r)
		return r;
	if (!thread->call->parse_only)
		return ob_build_make_plan(build, thread->options, err);
	r = ob_build_check_options(build, thread->options, err);
	return r ? r : ob_build_open_input(build, err);
}

static ocib_errc run(void *arg, ocib_error **err)
{
	const planned_thread *thread = arg;
	ob_build build = {
		.ctx = thread->ctx,
		.store = thread->store,
		.checking = true,
		.outline = thread->call->outline,
	};
	ob_auto(ocib_error) why = NULL;
	ob_autofd int lock = -1;
	ocib_errc r = ob_store_lock_shared(thread->store, &lock, err);

	if (r)
		return r;
	r = plan(&build, thread, &why);
	if (r == OCIB_ERR_NOMEM || r == OCIB_ERR_CANCELED)
		r = ob_error_move(err, &why);
	else
		r = thread->call->use(&build, &why, thread->call->result, err);
	ob_build_done(&build);
	return r;
}

ocib_errc ob_planned_call_run(const ob_planned_call *call, ocib_context *ctx, ocib_store *store,
			      const ocib_build_options *options, ocib_error **err)
{
	planned_thread thread = {call, ctx, store, options};

	if (!ctx || !store)
		return ob_fail(err, OCIB_ERR_INVALID, "a check needs a context and a store");
	return ob_pumped_call(ctx, run, &thread, err);
}
