/* engine/worker/worker_main.c — the ocibuild-worker executable: from start to the first request.
 *
 * Two processes. The one that was spawned becomes the guard: it stays outside the namespaces, makes them
 * (ids are mapped from outside), and then only watches: when the engine is gone, or the socket to it, it
 * kills the worker; when the worker ends, so does it. The worker proper is process 1 of its own process
 * namespace, so whatever happens to it, nothing that it started survives; and the kernel kills it with
 * the guard.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/strings.h"
#include "engine/worker/worker_serve.h"
#include "sandbox/idmap.h"
#include "sandbox/json_bytes.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/sandbox_fork.h"

/* Terminal signals are for the engine, which decides what ends; the socket says so. */
static void prepare_process(void)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};

	for (size_t i = 0; i < OB_ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)ob_sys_close_range(OB_WORKER_SOCKET + 1, ~0U);
	(void)fcntl(OB_WORKER_SOCKET, F_SETFD, FD_CLOEXEC);
	(void)umask(0);
	/* Keys of the person who builds are not for the steps. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

static void answer_failure(const ocib_error *why)
{
	(void)ob_frame_send(OB_WORKER_SOCKET, OB_FRAME_FAILED, ob_worker_error_to_json(why), NULL,
			    NULL);
}

static int answer_probe(const char *store_dir)
{
	ob_autodone(ob_probe) probe = {0};
	ob_auto(ocib_error) why = NULL;

	if (ob_sandbox_probe(store_dir, &probe, &why) < 0)
		answer_failure(why);
	else
		(void)ob_frame_send(OB_WORKER_SOCKET, OB_FRAME_DONE, ob_probe_to_json(&probe), NULL,
				    NULL);
	return 0;
}

/* Many layers and deep trees need many descriptors; commands get the limit as it was. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int work(ob_rung rung, const char *store_dir)
{
	ob_auto(ocib_error) why = NULL;
	ob_auto(ob_sandbox_host) host = NULL;
	ocib_errc r = ob_sandbox_check(store_dir, &why);

	if (r == OCIB_OK)
		r = ob_sandbox_host_new(&host, &why);
	if (r < 0) {
		answer_failure(why);
		return 1;
	}
	raise_file_limit();
	ob_json *body = ob_json_object();
	ob_json_set_int(body, "rung", rung);
	ob_json_set_bool(body, "userxattr", ob_sandbox_host_userxattr(host));
	if (ob_frame_send(OB_WORKER_SOCKET, OB_FRAME_DONE, body, NULL, NULL) < 0)
		return 1;
	ob_worker_self self = {.socket = OB_WORKER_SOCKET, .host = host};
	ob_worker_serve(&self);
	return 0;
}

/* Until the worker, the engine or the connection between them is no more. */
static int guard(pid_t worker, int worker_fd, int engine_fd)
{
	struct pollfd fds[3] = {
		{.fd = worker_fd, .events = POLLIN},
		{.fd = engine_fd, .events = POLLIN},
		{.fd = OB_WORKER_SOCKET, .events = POLLRDHUP},
	};
	int status = 0;

	while (poll(fds, 3, -1) < 0 && errno == EINTR)
		continue;
	(void)kill(worker, SIGKILL);
	while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Why each rung failed, in one line; the remedy is that of the best. */
static void answer_refusals(ocib_error *const whys[2])
{
	ob_auto(ocib_error) all = NULL;
	const ocib_error *best = whys[0] ? whys[0] : whys[1];

	if (whys[0])
		(void)ob_fail(&all, ocib_error_code(best), "root: %s; ranges: %s",
			      ocib_error_message(whys[0]), ocib_error_message(whys[1]));
	if (all && ocib_error_hint(best))
		ob_error_set_hint(&all, "%s", ocib_error_hint(best));
	answer_failure(all ? all : best);
}

/* The best rung first. */
static int enter(const char *store_dir, int engine_fd)
{
	ocib_error *whys[2] = {NULL, NULL}; /* of root and of ranges */
	bool may_be_root = geteuid() == 0 && ob_idmap_count() > 1;

	for (int i = may_be_root ? 0 : 1; i < 2; i++) {
		ob_rung rung = i == 0 ? OB_RUNG_ROOT : OB_RUNG_RANGES;
		ob_autofd int worker_fd = -1;
		pid_t pid = -1;
		ocib_errc r = ob_sandbox_fork(rung, &pid, &worker_fd, &whys[i]);

		if (pid == 0 && r == OCIB_OK)
			return work(rung, store_dir);
		if (pid == 0) {
			answer_failure(whys[i]);
			return 1;
		}
		if (r == OCIB_OK)
			return guard(pid, worker_fd, engine_fd);
	}
	answer_refusals(whys);
	for (int i = 0; i < 2; i++)
		(void)ocib_error_free(whys[i]);
	return 1;
}

static int open_session(int engine_fd)
{
	ob_autodone(ob_frame) frame = OB_FRAME_INIT;
	ob_autofree char *store_dir = NULL;
	ob_auto(ocib_error) why = NULL;
	const char *op;

	if (ob_frame_receive(OB_WORKER_SOCKET, &frame, &why) < 0 || frame.type != OB_FRAME_OPEN)
		return 1;
	op = ob_json_get_str(frame.body, "op");
	if (!op || ob_json_take_bytes(frame.body, "store", &store_dir, NULL, &why) < 0)
		return 1;
	if (ob_str_eq(op, "probe"))
		return answer_probe(store_dir);
	return enter(store_dir, engine_fd);
}

int main(int argc, char **argv)
{
	struct stat st;
	uint64_t engine = 0;

	if (argc != 2 || !ob_parse_u64(argv[1], 10, INT32_MAX, &engine) ||
	    fstat(OB_WORKER_SOCKET, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "ocibuild-worker is started by libocibuild, not by hand\n");
		return 2;
	}
	prepare_process();
	ob_autofd int engine_fd = ob_sys_pidfd_open((pid_t)engine);
	if (engine_fd < 0 || getppid() != (pid_t)engine)
		return 1; /* it is gone already */
	return open_session(engine_fd);
}
