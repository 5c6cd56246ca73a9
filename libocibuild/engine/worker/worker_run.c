/* engine/worker/worker_run.c — a command from its request to its status: in the worker.
 *
 * One loop over what can happen meanwhile: the command ends, a probe beside it ends, the engine says
 * something. A probe that ended is waited for at once, since the sandbox cannot end before.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine/worker/worker_serve.h"
#include "sandbox/json_bytes.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/port_relay.h"

typedef struct running {
	ob_worker_self *self;
	ob_run_spec *spec;
	ob_sandbox *sandbox;
	ob_port_relay relay;
	pid_t probe; /* 0: none */
	int probe_fd;
} running;

static int reap_probe(running *run)
{
	int status = 0;

	while (waitpid(run->probe, &status, 0) < 0 && errno == EINTR)
		continue;
	ob_closep(&run->probe_fd);
	run->probe_fd = -1;
	run->probe = 0;
	return status;
}

static void running_done(running *run)
{
	ob_port_relay_done(&run->relay);
	if (run->probe > 0) {
		(void)ob_sys_pidfd_signal(run->probe_fd, SIGKILL);
		(void)reap_probe(run);
	}
	(void)ob_sandbox_free(run->sandbox);
	(void)ob_run_spec_free(run->spec);
}

static void answer_probe(const running *run, int status, const ocib_error *why)
{
	ob_json *body = ob_json_object();

	ob_json_set_bool(body, "exited", !why && WIFEXITED(status));
	ob_json_set_int(body, "status", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	ob_json_set_path(body, "failure", why ? ocib_error_message(why) : NULL);
	(void)ob_frame_send(run->self->socket, OB_FRAME_PROBED, body, NULL, NULL);
}

static void start_probe(running *run, const ob_frame *frame)
{
	ob_autodone(ob_strlist) argv = {0};
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_json_take_paths(frame->body, "argv", &argv, &why);

	if (r < 0 || run->probe || !argv.len || frame->fds[OB_FRAME_MAX_FDS - 1] < 0)
		_exit(1); /* out of step */
	r = ob_sandbox_join(run->sandbox, run->spec, &argv, frame->fds, &run->probe, &run->probe_fd,
			    &why);
	if (r == OCIB_OK)
		return;
	if (run->probe > 0)
		(void)reap_probe(run);
	run->probe = 0;
	answer_probe(run, 0, why);
}

static void hear(running *run)
{
	ob_autodone(ob_frame) frame = OB_FRAME_INIT;
	int64_t number = 0;

	if (ob_frame_receive(run->self->socket, &frame, NULL) < 0)
		_exit(1);
	switch (frame.type) {
	case OB_FRAME_CANCEL:
		run->self->is_canceled = true;
		ob_sandbox_signal(run->sandbox, SIGKILL);
		break;
	case OB_FRAME_SIGNAL:
		if (ob_json_get_i64(frame.body, "signal", &number) && number > 0 && number < 65)
			ob_sandbox_signal(run->sandbox, (int)number);
		break;
	case OB_FRAME_PROBE: start_probe(run, &frame); break;
	case OB_FRAME_PROBE_KILL:
		if (run->probe)
			(void)ob_sys_pidfd_signal(run->probe_fd, SIGKILL);
		break;
	default: _exit(1); /* gone, or out of step: nobody is there to be told */
	}
}

static ocib_errc watch(running *run, ocib_error **err)
{
	for (;;) {
		struct pollfd fds[3] = {
			{.fd = ob_sandbox_pidfd(run->sandbox), .events = POLLIN},
			{.fd = run->self->socket, .events = POLLIN},
			{.fd = run->probe_fd, .events = POLLIN},
		};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return ob_fail_errno(err, "wait for the command");
		if (fds[2].revents)
			answer_probe(run, reap_probe(run), NULL);
		if (fds[1].revents)
			hear(run);
		if (fds[0].revents)
			return OCIB_OK;
	}
}

/* Only an attended command has ports or a terminal; nobody else listens to this. */
static ocib_errc tell_started(const running *run, ocib_error **err)
{
	/* Ours is closed: only so does the command's end when the engine closes its own. */
	ob_autofd int terminal = ob_sandbox_take_terminal(run->sandbox);
	const int fds[OB_FRAME_MAX_FDS] = {terminal, -1, -1};
	ob_json *body, *ports;

	if (!run->spec->attended)
		return OCIB_OK;
	body = ob_json_object();
	ports = ob_json_array();
	for (size_t i = 0; i < run->spec->ports.len; i++) {
		ob_json *port = ob_json_object();

		ob_json_set_int(port, "outside", run->spec->ports.items[i].outside);
		ob_json_push(ports, port);
	}
	ob_json_set(body, "ports", ports);
	return ob_frame_send(run->self->socket, OB_FRAME_STARTED, body, fds, err);
}

static ocib_errc start(running *run, ob_frame *request, ocib_error **err)
{
	ocib_errc r = ob_run_spec_from_json(request->body, &run->spec, err);

	if (r == OCIB_OK && request->fds[OB_FRAME_MAX_FDS - 1] < 0)
		r = ob_fail(err, OCIB_ERR_INVALID, "run request without standard streams");
	if (r < 0)
		return r;
	bool is_shared = run->spec->network != OB_NETWORK_NONE;
	r = ob_port_relay_listen(&run->relay, &run->spec->ports, is_shared, err);
	if (r == OCIB_OK)
		r = ob_sandbox_start(run->self->host, run->spec, request->fds, &run->sandbox, err);
	/* Ours are closed at once: the engine reads the output to its end. */
	ob_frame_done(request);
	if (r == OCIB_OK)
		r = ob_port_relay_start(&run->relay, &run->spec->ports,
					is_shared ? -1 : ob_sandbox_pidfd(run->sandbox), err);
	return r < 0 ? r : tell_started(run, err);
}

static void tell_status(const ob_run_status *status, ob_json *answer)
{
	ob_json *stubs = ob_json_array();

	for (size_t i = 0; i < status->stubs.len; i++)
		ob_json_push(stubs, ob_json_new_str(status->stubs.items[i]));
	ob_json_set_bool(answer, "exited", status->exited);
	ob_json_set_int(answer, "status", status->status);
	ob_json_set(answer, "stubs", stubs);
}

ocib_errc ob_worker_task_run(ob_worker_self *self, ob_frame *request, ob_json *answer,
			     ocib_error **err)
{
	ob_autodone(running) run = {.self = self, .relay = OB_PORT_RELAY_INIT, .probe_fd = -1};
	ob_autodone(ob_run_status) status = {0};
	ocib_errc r = start(&run, request, err);

	ob_frame_done(request);
	if (r == OCIB_OK)
		r = watch(&run, err);
	if (r == OCIB_OK)
		r = ob_sandbox_wait(run.sandbox, &status, err);
	if (r == OCIB_OK && self->is_canceled)
		r = ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	if (r == OCIB_OK)
		tell_status(&status, answer);
	return r;
}
