/* base/context.c — an ocib_context: its settings, cancellation, and numbers that no other step has.
 *
 * Cancellation is an eventfd that becomes readable and stays so, plus a flag for loops: both can be set
 * from a signal handler. The environment is read once, here, when the context is made.
 * How events travel is in event_pump.c.
 */
#include "base/context.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include "base/context_inside.h"
#include "base/options.h"
#include "base/strings.h"

#define MOST_JOBS 256

static uint32_t online_cpus(void)
{
	cpu_set_t set;

	/* Not the machine's processors but those this process may use: runners restrict them. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (uint32_t)CPU_COUNT(&set);
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	return count > 0 ? (uint32_t)count : 1;
}

/* The worker beside the running program, as in a build tree or an unpacked archive. */
static char *worker_beside_program(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	char *found = ob_str_printf("%s/ocibuild-worker", path);
	if (found && access(found, X_OK) < 0) {
		free(found);
		found = NULL;
	}
	return found;
}

static const char *env_or_null(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int find_worker(ocib_context *ctx, const char *given)
{
	if (!given)
		given = env_or_null("OCIBUILD_WORKER");
	if (!given)
		ctx->worker_path = worker_beside_program();
	if (!ctx->worker_path)
		ctx->worker_path = strdup(given ? given : OCIBUILD_WORKER_PATH);
	return ctx->worker_path ? 0 : -1;
}

static int find_docker_config(ocib_context *ctx, const char *given)
{
	const char *home = env_or_null("HOME");

	if (!given)
		given = env_or_null("DOCKER_CONFIG");
	if (!given && !home)
		return 0;
	ctx->docker_config_dir = given ? strdup(given) : ob_str_printf("%s/.docker", home);
	return ctx->docker_config_dir ? 0 : -1;
}

ocib_errc ocib_context_new(const ocib_context_options *options, ocib_context **out,
			   ocib_error **err)
{
	ocib_context_options local;
	ocib_errc r = ob_options_load(&local, options, err);

	if (r)
		return r;
	ob_auto(ocib_context) ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return ob_fail_nomem(err);
	ctx->on_event = local.on_event;
	ctx->user = local.user;
	ctx->offline = local.offline != 0;
	ctx->debug = local.debug != 0;
	ctx->jobs = local.jobs ? local.jobs : online_cpus();
	if (ctx->jobs > MOST_JOBS)
		ctx->jobs = MOST_JOBS;
	pthread_mutex_init(&ctx->lock, NULL);
	pthread_cond_init(&ctx->changed, NULL);
	ctx->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ctx->cancel_fd < 0)
		return ob_fail_errno(err, "create an eventfd");
	if (find_worker(ctx, local.worker_path) < 0 ||
	    find_docker_config(ctx, local.docker_config_dir) < 0)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(ctx);
	return OCIB_OK;
}

ocib_context *ocib_context_free(ocib_context *ctx)
{
	if (!ctx)
		return NULL;
	if (ctx->cancel_fd >= 0)
		(void)close(ctx->cancel_fd);
	pthread_cond_destroy(&ctx->changed);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx->worker_path);
	free(ctx->docker_config_dir);
	ob_registry_access_free_all(ctx->registries);
	free(ctx);
	return NULL;
}

void ocib_context_cancel(ocib_context *ctx)
{
	const uint64_t one = 1;
	int saved = errno;

	atomic_store(&ctx->canceled, true);
	/* A full counter means that it is readable already. */
	ssize_t ignored = write(ctx->cancel_fd, &one, sizeof(one));
	(void)ignored;
	errno = saved;
}

bool ob_is_canceled(const ocib_context *ctx)
{
	return ctx && atomic_load(&ctx->canceled);
}

ocib_errc ob_check_canceled(const ocib_context *ctx, ocib_error **err)
{
	if (ob_is_canceled(ctx))
		return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	return OCIB_OK;
}

int ob_cancel_fd(const ocib_context *ctx)
{
	return ctx->cancel_fd;
}

uint32_t ob_next_step_id(ocib_context *ctx)
{
	return atomic_fetch_add(&ctx->last_step_id, 1) + 1;
}

uint32_t ob_context_jobs(const ocib_context *ctx)
{
	return ctx->jobs;
}

const char *ob_context_worker_path(const ocib_context *ctx)
{
	return ctx->worker_path;
}

const char *ob_context_docker_config_dir(const ocib_context *ctx)
{
	return ctx->docker_config_dir;
}

bool ob_context_offline(const ocib_context *ctx)
{
	return ctx->offline;
}

bool ob_context_debug(const ocib_context *ctx)
{
	return ctx->debug;
}
