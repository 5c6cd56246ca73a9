/* engine/worker/worker.c — start and end a worker process; the process that calls stays as it is.
 *
 * posix_spawn() with a clean set of signals, an empty environment and one descriptor, the socket. No
 * SIGCHLD handler is needed and none is disturbed: a pidfd tells when the worker has ended, and if the
 * program's own handler collects it first, that is fine. The worker watches the socket and this process,
 * so that it ends with either.
 */
#include "engine/worker/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "engine/worker/worker_link.h"
#include "sandbox/json_bytes.h"
#include "sandbox/kernel_calls.h"

#define QUIT_TIMEOUT_MS 5000

static int set_up_spawn(posix_spawnattr_t *attr, posix_spawn_file_actions_t *actions, int socket)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	int r = posix_spawnattr_setsigdefault(attr, &all);
	if (!r)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (!r)
		r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (!r)
		r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, socket, OB_WORKER_SOCKET);
	return r;
}

static int spawn(const char *path, int socket, pid_t *pid)
{
	char name[] = "ocibuild-worker", parent[16];
	char *argv[] = {name, parent, NULL}, *env[] = {NULL};
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t actions;

	(void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
	int r = posix_spawnattr_init(&attr);
	if (r)
		return r;
	r = posix_spawn_file_actions_init(&actions);
	if (!r) {
		r = set_up_spawn(&attr, &actions, socket);
		if (!r)
			r = posix_spawn(pid, path, &actions, &attr, argv, env);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)posix_spawnattr_destroy(&attr);
	return r;
}

ocib_errc ob_worker_start(ocib_context *ctx, ob_worker **out, ocib_error **err)
{
	const char *path = ob_context_worker_path(ctx);
	ob_auto(ob_worker) worker = calloc(1, sizeof(*worker));
	ob_autofd int theirs = -1;
	int ends[2];
	pid_t pid = -1;

	if (!worker)
		return ob_fail_nomem(err);
	*worker = (ob_worker){.ctx = ctx, .socket = -1, .pidfd = -1, .stop_fd = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return ob_fail_errno(err, "make a socket for the worker");
	worker->socket = ends[0];
	theirs = ends[1];
	int r = spawn(path, theirs, &pid);
	if (r == ENOENT) {
		ob_fail(err, OCIB_ERR_NOTFOUND, "the worker '%s' does not exist", path);
		ob_error_set_hint(err,
				  "install ocibuild completely, or say where its ocibuild-worker "
				  "is in the environment variable OCIBUILD_WORKER");
		return OCIB_ERR_NOTFOUND;
	}
	errno = r;
	if (r)
		return ob_fail_errno(err, "start the worker '%s'", path);
	worker->pidfd = ob_sys_pidfd_open(pid);
	if (worker->pidfd < 0)
		return ob_fail_errno(err, "watch the worker");
	*out = ob_take_ptr(worker);
	return OCIB_OK;
}

/* ECHILD: somebody else in this program collected it. */
static void collect(int pidfd)
{
	siginfo_t info;

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
		continue;
}

ob_worker *ob_worker_free(ob_worker *worker)
{
	if (!worker)
		return NULL;
	if (worker->pidfd >= 0) {
		struct pollfd end = {.fd = worker->pidfd, .events = POLLIN};

		if (worker->is_lost ||
		    ob_frame_send(worker->socket, OB_FRAME_QUIT, NULL, NULL, NULL) < 0 ||
		    poll(&end, 1, QUIT_TIMEOUT_MS) <= 0)
			(void)ob_sys_pidfd_signal(worker->pidfd, SIGKILL);
		collect(worker->pidfd);
	}
	ob_closep(&worker->pidfd);
	ob_closep(&worker->socket);
	free(worker);
	return NULL;
}

static ocib_errc open_worker(ocib_context *ctx, const char *op, const char *store_dir,
			     ob_worker **out, ob_json **answer, ocib_error **err)
{
	ob_auto(ob_worker) worker = NULL;
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;
	ocib_errc r = ob_worker_start(ctx, &worker, err);

	if (r < 0)
		return r;
	ob_json *body = ob_json_object();
	ob_json_set_str(body, "op", op);
	ob_json_set_path(body, "store", store_dir);
	r = ob_worker_exchange(worker, OB_FRAME_OPEN, body, &exchange, answer, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(worker);
	return r;
}

ocib_errc ob_worker_probe(ocib_context *ctx, const char *store_dir, ob_probe *out, ocib_error **err)
{
	ob_auto(ob_worker) worker = NULL;
	ob_auto(ob_json) answer = NULL;
	ocib_errc r = open_worker(ctx, "probe", store_dir, &worker, &answer, err);

	return r < 0 ? r : ob_probe_from_json(answer, out, err);
}

ocib_errc ob_worker_spawn(ocib_context *ctx, const char *store_dir, ob_worker **out,
			  ocib_error **err)
{
	ob_auto(ob_worker) worker = NULL;
	ob_auto(ob_json) answer = NULL;
	int64_t rung = 0;
	ocib_errc r = open_worker(ctx, "enter", store_dir, &worker, &answer, err);

	if (r < 0)
		return r;
	(void)ob_json_get_i64(answer, "rung", &rung);
	worker->rung = (ob_rung)rung;
	worker->userxattr = ob_json_get_bool(answer, "userxattr");
	*out = ob_take_ptr(worker);
	return OCIB_OK;
}

void ob_worker_set_stop_fd(ob_worker *worker, int fd)
{
	worker->stop_fd = fd;
}

ob_rung ob_worker_rung(const ob_worker *worker)
{
	return worker->rung;
}
