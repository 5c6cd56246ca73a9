/* engine/build/build.c — ocib_build_run(): a thread does the build, the caller's thread delivers its events.
 *
 * The store is held against prune for as long as the build lasts, and what a build that was killed left
 * behind is swept away first. Whatever happens, temporary directories and workers are gone in the end.
 */
#include "engine/build/build.h"
#include "engine/pumped_call.h"

typedef struct build_call {
	ocib_context *ctx;
	ob_store *store;
	const ocib_build_options *options;
	ob_build_result result; /* what came out */
	char platform[128];     /* of its first image */
} build_call;

static ocib_errc run_build(ob_build *build, build_call *call, ocib_error **err)
{
	ob_autofd int lock = -1;

	ocib_errc r = ob_store_lock_shared(build->store, &lock, err);
	if (r < 0)
		return r;
	ob_workshop_sweep(&build->shop);
	r = ob_build_setup(build, call->options, err);
	if (r == OCIB_OK)
		r = ob_build_execute(build, err);
	if (r == OCIB_OK)
		r = ob_build_assemble(build, &call->result, err);
	if (r == OCIB_OK)
		r = ob_build_export(build, &call->result, err);
	if (r == OCIB_OK)
		r = ob_cache_carry_export(&build->caches, &build->shop, ob_context_jobs(build->ctx),
					  ob_image_sources_registries(build->sources), err);
	if (r == OCIB_OK)
		ob_platform_format(&build->platforms[0], call->platform);
	ob_build_done(build);
	return r;
}

static ocib_errc build_thread(void *arg, ocib_error **err)
{
	build_call *call = arg;
	ob_build build = {.ctx = call->ctx, .store = call->store};

	ob_workshop_init(&build.shop, call->ctx, call->store);
	(void)pthread_mutex_init(&build.lock, NULL);
	(void)pthread_cond_init(&build.changed, NULL);
	ocib_errc r = run_build(&build, call, err);
	ob_workshop_done(&build.shop);
	(void)pthread_cond_destroy(&build.changed);
	(void)pthread_mutex_destroy(&build.lock);
	return r;
}

ocib_errc ocib_build_run(ocib_context *ctx, ocib_store *store, const ocib_build_options *options,
			 ocib_image **out, ocib_error **err)
{
	build_call call = {.ctx = ctx, .store = store, .options = options};

	if (!ctx || !store)
		return ob_fail(err, OCIB_ERR_INVALID, "a build needs a context and a store");
	ocib_errc r = ob_pumped_call(ctx, build_thread, &call, err);
	if (r == OCIB_OK && out)
		r = ocib_image_open_platform(ctx, store, call.result.root.digest.text,
					     call.platform, out, err);
	ob_build_result_done(&call.result);
	return r;
}
