/* engine/run/run_image.c — ocib_run(): a local image's command, to try it.
 *
 * The image's layers are unpacked as a RUN of a build would have them, and the command writes to an
 * upper directory that is thrown away.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <ocibuild/run.h>
#include "base/options.h"
#include "base/strings.h"
#include "engine/build/workshop.h"
#include "engine/pumped_call.h"
#include "engine/run/run_session.h"

typedef struct run_call {
	ocib_context *ctx;
	ob_store *store;
	const char *name;
	ocib_run_options options;
	int exit_status;
	ob_workshop shop;
} run_call;

static ocib_errc set_root(run_call *call, ob_tree *tree, ob_run_spec *spec, ocib_error **err)
{
	ob_autofree char *dir = NULL;

	ocib_errc r = ob_workshop_new_dir(&call->shop, &dir, err);
	if (r < 0)
		return r;
	spec->upper = ob_str_printf("%s/upper", dir);
	spec->work = ob_str_printf("%s/work", dir);
	if (!spec->upper || !spec->work)
		return ob_fail_nomem(err);
	return ob_workshop_lowers(&call->shop, tree, 0, &spec->lowers, err);
}

static ocib_errc run_attended(run_call *call, const ob_run_setup *setup, ocib_error **err)
{
	static const int own[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	const ocib_run_options *options = &call->options;
	ob_autodone(ob_run_status) status = {0};
	ob_autodone(ob_run_streams) streams = OB_RUN_STREAMS_INIT;
	ob_worker *worker = NULL;

	ocib_errc r = ob_workshop_take(&call->shop, &worker, err);
	if (r < 0)
		return r;
	r = ob_run_streams_open(&streams, options->has_stdio ? options->stdio : own,
				options->interactive, options->terminal, err);
	ob_run_streams_size(&streams, &setup->spec->rows, &setup->spec->columns);
	if (r == OCIB_OK)
		r = ob_run_session(call->ctx, worker, setup, &streams, &status, err);
	ob_workshop_return(&call->shop, worker, r);
	if (r == OCIB_OK)
		call->exit_status = status.exited ? status.status : 128 + status.status;
	return r;
}

static ocib_errc run_image(run_call *call, ob_image_source *image, ocib_error **err)
{
	ob_auto(ob_tree) tree = NULL;
	ob_auto(ob_run_spec) spec = ob_run_spec_new();
	ob_run_setup setup = {
		.options = &call->options,
		.image = call->name,
		.config = ob_image_source_config(image),
		.spec = spec,
	};

	if (!spec)
		return ob_fail_nomem(err);
	ocib_errc r = ob_run_setup_fill(&setup, err);
	if (r == OCIB_OK)
		r = ob_run_spec_set_platform(spec, &setup.config->platform, err);
	if (r == OCIB_OK)
		r = ob_tree_new_image(call->store, image, &tree, err);
	if (r == OCIB_OK)
		r = set_root(call, tree, spec, err);
	return r == OCIB_OK ? run_attended(call, &setup, err) : r;
}

static ocib_errc choose_platform(const run_call *call, ob_platform *out, ocib_error **err)
{
	const char *given = call->options.platform;

	if (given && *given)
		return ob_platform_parse(given, out, err);
	ob_platform_host(out);
	return OCIB_OK;
}

static ocib_errc run_locked(run_call *call, ocib_error **err)
{
	const ob_registry_options registry = {0};
	ob_auto(ob_image_sources) sources = NULL;
	ob_image_source *image = NULL;
	ob_autofd int lock = -1;
	ob_platform platform;

	ocib_errc r = choose_platform(call, &platform, err);
	if (r == OCIB_OK)
		r = ob_store_lock_shared(call->store, &lock, err);
	if (r == OCIB_OK) {
		ob_workshop_sweep(&call->shop);
		r = ob_image_sources_new(call->ctx, call->store, &registry, &sources, err);
	}
	if (r == OCIB_OK)
		r = ob_image_source_resolve(sources, call->name, &platform, false, &image, err);
	return r == OCIB_OK ? run_image(call, image, err) : r;
}

static ocib_errc run_thread(void *arg, ocib_error **err)
{
	run_call *call = arg;

	ob_workshop_init(&call->shop, call->ctx, call->store);
	ocib_errc r = run_locked(call, err);
	ob_workshop_done(&call->shop);
	return r;
}

ocib_errc ocib_run(ocib_context *ctx, ocib_store *store, const char *image,
		   const ocib_run_options *options, int *exit_status, ocib_error **err)
{
	run_call call = {.ctx = ctx, .store = store, .name = image};

	if (!ctx || !store || !image || !*image || !exit_status)
		return ob_fail(
			err, OCIB_ERR_INVALID,
			"running an image needs a context, a store, a name and a place for the exit status");
	ocib_errc r = ob_options_load(&call.options, options, err);
	if (r == OCIB_OK)
		r = ob_pumped_call(ctx, run_thread, &call, err);
	if (r == OCIB_OK)
		*exit_status = call.exit_status;
	return r;
}
