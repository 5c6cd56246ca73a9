/* engine/run_image.c — ocib_run(): a local image's command, to try it.
 *
 * The image's layers are unpacked as a RUN of a build would have them, and the command writes to an
 * upper directory that is thrown away. Its standard streams are the caller's.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <ocibuild/run.h>
#include "base/options.h"
#include "base/strings.h"
#include "engine/build/workshop.h"
#include "engine/pumped_call.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct run_call {
	ocib_context *ctx;
	ob_store *store;
	const char *name;
	ocib_run_options options;
	int exit_status;
	ob_workshop shop;
} run_call;

static ocib_errc copy_list(ob_strlist *to, const char *const *from, ocib_error **err)
{
	for (; from && *from; from++) {
		if (ob_strlist_add(to, *from) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

/* ENTRYPOINT and CMD as docker run combines them: a new entry point drops the image's CMD. */
static ocib_errc set_argv(const run_call *call, const ob_config *config, ob_run_spec *spec,
			  ocib_error **err)
{
	const ocib_run_options *options = &call->options;
	bool has_args = options->args && options->args[0];

	ocib_errc r = OCIB_OK;
	if (options->entrypoint)
		r = copy_list(&spec->argv, options->entrypoint, err);
	else if (ob_strlist_copy(&spec->argv, &config->entrypoint.args) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_OK && has_args)
		r = copy_list(&spec->argv, options->args, err);
	else if (r == OCIB_OK && !options->entrypoint &&
		 ob_strlist_copy(&spec->argv, &config->cmd.args) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_OK && !spec->argv.len)
		r = ob_fail(err, OCIB_ERR_INVALID, "image '%s' has no command: give one",
			    call->name);
	return r;
}

static ocib_errc set_env(const run_call *call, const ob_config *config, ob_run_spec *spec,
			 ocib_error **err)
{
	const char *const *pair = call->options.env;

	if (ob_strlist_copy(&spec->env, &config->env) < 0)
		return ob_fail_nomem(err);
	for (; pair && *pair; pair++) {
		const char *equals = strchr(*pair, '=');
		ob_autofree char *key = equals ? strndup(*pair, (size_t)(equals - *pair)) : NULL;

		if (!equals || equals == *pair)
			return ob_fail(err, OCIB_ERR_INVALID,
				       "an environment variable is KEY=VALUE, not '%s'", *pair);
		if (!key || ob_env_set(&spec->env, key, equals + 1) < 0)
			return ob_fail_nomem(err);
	}
	if (!ob_env_get(&spec->env, "PATH") && ob_env_set(&spec->env, "PATH", DEFAULT_PATH) < 0)
		return ob_fail_nomem(err);
	if (spec->terminal && !ob_env_get(&spec->env, "TERM") &&
	    ob_env_set(&spec->env, "TERM", "xterm") < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* "HOST:CONTAINER[:ro|:rw]". */
static ocib_errc parse_volume(const char *text, ob_mount *mount, ocib_error **err)
{
	const char *target = strchr(text, ':');
	const char *mode = target ? strchr(target + 1, ':') : NULL;
	size_t len = target ? strcspn(target + 1, ":") : 0;

	if (!target || target == text || target[1] != '/' ||
	    (mode && !ob_str_eq(mode, ":ro") && !ob_str_eq(mode, ":rw")))
		return ob_fail(
			err, OCIB_ERR_INVALID,
			"a volume is HOST:CONTAINER[:ro] with an absolute CONTAINER, not '%s'",
			text);
	ob_autofree char *host = strndup(text, (size_t)(target - text));
	*mount = (ob_mount){.kind = OB_MOUNT_BIND, .read_only = mode && ob_str_eq(mode, ":ro")};
	mount->target = strndup(target + 1, len);
	if (!host || !mount->target)
		return ob_fail_nomem(err);
	mount->source = realpath(host, NULL);
	if (!mount->source)
		return ob_fail_errno(err, "open the volume '%s'", host);
	return OCIB_OK;
}

static ocib_errc set_volumes(const run_call *call, ob_run_spec *spec, ocib_error **err)
{
	const char *const *volumes = call->options.volumes;
	size_t count = 0;

	while (volumes && volumes[count])
		count++;
	spec->mounts = calloc(count + 1, sizeof(*spec->mounts));
	if (!spec->mounts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		ocib_errc r = parse_volume(volumes[i], &spec->mounts[spec->mount_count++], err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc set_network(const run_call *call, ob_run_spec *spec, ocib_error **err)
{
	const char *network = call->options.network;

	if (!network || !*network || ob_str_eq(network, "host"))
		spec->network = OB_NETWORK_HOST;
	else if (ob_str_eq(network, "none"))
		spec->network = OB_NETWORK_NONE;
	else
		return ob_fail(err, OCIB_ERR_INVALID, "network is host or none, not '%s'", network);
	return OCIB_OK;
}

static char *first_set(const char *a, const char *b, const char *c)
{
	return strdup(a && *a ? a : b && *b ? b : c);
}

static ocib_errc set_place(const run_call *call, const ob_config *config, const char *dir,
			   ob_run_spec *spec, ocib_error **err)
{
	const ocib_run_options *options = &call->options;

	spec->upper = ob_str_printf("%s/upper", dir);
	spec->work = ob_str_printf("%s/work", dir);
	spec->cwd = first_set(options->working_dir, config->working_dir, "/");
	spec->user = first_set(options->user, config->user, "");
	spec->hostname = first_set(options->hostname, NULL, "ocibuild");
	if (!spec->upper || !spec->work || !spec->cwd || !spec->user || !spec->hostname)
		return ob_fail_nomem(err);
	spec->read_only_root = options->read_only != 0;
	spec->init_env = true;
	return OCIB_OK;
}

static ocib_errc make_spec(run_call *call, const ob_config *config, const int stdio[3],
			   ob_run_spec **out, ocib_error **err)
{
	ob_auto(ob_run_spec) spec = ob_run_spec_new();
	ob_autofree char *dir = NULL;

	if (!spec)
		return ob_fail_nomem(err);
	spec->terminal = isatty(stdio[0]) || isatty(stdio[1]);
	ocib_errc r = ob_workshop_new_dir(&call->shop, &dir, err);
	if (r == OCIB_OK)
		r = set_place(call, config, dir, spec, err);
	if (r == OCIB_OK)
		r = set_argv(call, config, spec, err);
	if (r == OCIB_OK)
		r = set_env(call, config, spec, err);
	if (r == OCIB_OK)
		r = set_volumes(call, spec, err);
	if (r == OCIB_OK)
		r = set_network(call, spec, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(spec);
	return r;
}

static ocib_errc run_spec(run_call *call, const ob_run_spec *spec, const int stdio[3],
			  ocib_error **err)
{
	int signal_fd = call->options.signal_fd > 0 ? call->options.signal_fd : -1;
	ob_autodone(ob_run_status) status = {0};
	ob_worker *worker = NULL;

	ocib_errc r = ob_workshop_take(&call->shop, &worker, err);
	if (r < 0)
		return r;
	r = ob_worker_run_attached(worker, spec, stdio, signal_fd, &status, err);
	ob_workshop_return(&call->shop, worker, r);
	if (r == OCIB_OK)
		call->exit_status = status.exited ? status.status : 128 + status.status;
	return r;
}

static ocib_errc run_image(run_call *call, ob_image_source *image, ocib_error **err)
{
	static const int own[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	const int *stdio = call->options.has_stdio ? call->options.stdio : own;
	ob_auto(ob_tree) tree = NULL;
	ob_auto(ob_run_spec) spec = NULL;

	ocib_errc r = ob_tree_new_image(call->store, image, &tree, err);
	if (r == OCIB_OK)
		r = make_spec(call, ob_image_source_config(image), stdio, &spec, err);
	if (r == OCIB_OK)
		r = ob_workshop_lowers(&call->shop, tree, 0, &spec->lowers, err);
	return r == OCIB_OK ? run_spec(call, spec, stdio, err) : r;
}

static ocib_errc run_locked(run_call *call, ocib_error **err)
{
	const ob_registry_options registry = {0};
	ob_auto(ob_image_sources) sources = NULL;
	ob_image_source *image = NULL;
	ob_autofd int lock = -1;
	ob_platform host;

	ob_platform_host(&host);
	ocib_errc r = ob_store_lock_shared(call->store, &lock, err);
	if (r == OCIB_OK) {
		ob_workshop_sweep(&call->shop);
		r = ob_image_sources_new(call->ctx, call->store, &registry, &sources, err);
	}
	if (r == OCIB_OK)
		r = ob_image_source_resolve(sources, call->name, &host, false, &image, err);
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
