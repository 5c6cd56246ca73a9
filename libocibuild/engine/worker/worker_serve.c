/* engine/worker/worker_serve.c — a worker's life: requests, one at a time, until the engine goes.
 *
 * While a task is under way the socket is looked at between its steps, and by a running command's loop
 * all the time, so that a cancellation is heard at once and the end of the engine is the end of the
 * worker. A failed task is answered and the worker goes on.
 */
#include "engine/worker/worker_serve.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define PROGRESS_STEP (4U << 20) /* bytes between two progress frames */

/* The engine said something while a task was under way. */
static void hear(ob_worker_self *self, ob_sandbox *sandbox)
{
	ob_autodone(ob_frame) frame = OB_FRAME_INIT;
	int64_t number = 0;

	if (ob_frame_receive(self->socket, &frame, NULL) < 0)
		_exit(1);
	switch (frame.type) {
	case OB_FRAME_CANCEL:
		self->is_canceled = true;
		if (sandbox)
			ob_sandbox_signal(sandbox, SIGKILL);
		break;
	case OB_FRAME_SIGNAL:
		if (sandbox && ob_json_get_i64(frame.body, "signal", &number) && number > 0 &&
		    number < 65)
			ob_sandbox_signal(sandbox, (int)number);
		break;
	default: _exit(1); /* gone, or out of step: nobody is there to be told */
	}
}

int ob_worker_check(ob_worker_self *self)
{
	struct pollfd fd = {.fd = self->socket, .events = POLLIN};

	if (!self->is_canceled && poll(&fd, 1, 0) > 0)
		hear(self, NULL);
	return self->is_canceled;
}

int ob_worker_progress(ob_worker_self *self, uint64_t current)
{
	if (current < self->told + PROGRESS_STEP)
		return self->is_canceled;
	self->told = current;
	ob_json *body = ob_json_object();
	ob_json_set_int(body, "current", (int64_t)current);
	(void)ob_frame_send(self->socket, OB_FRAME_PROGRESS, body, NULL, NULL);
	return ob_worker_check(self);
}

void ob_worker_warn(ob_worker_self *self, const char *text)
{
	ob_json *body = ob_json_object();

	ob_json_set_str(body, "text", text);
	(void)ob_frame_send(self->socket, OB_FRAME_WARNING, body, NULL, NULL);
}

static ocib_errc watch_command(ob_worker_self *self, ob_sandbox *sandbox, ocib_error **err)
{
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = ob_sandbox_pidfd(sandbox), .events = POLLIN},
			{.fd = self->socket, .events = POLLIN},
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ob_fail_errno(err, "wait for the command");
		if (fds[1].revents)
			hear(self, sandbox);
		if (fds[0].revents)
			return OCIB_OK;
	}
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
	ob_auto(ob_run_spec) spec = NULL;
	ob_auto(ob_sandbox) sandbox = NULL;
	ob_autodone(ob_run_status) status = {0};
	ocib_errc r = ob_run_spec_from_json(request->body, &spec, err);

	if (r == OCIB_OK && request->fds[OB_FRAME_MAX_FDS - 1] < 0)
		r = ob_fail(err, OCIB_ERR_INVALID, "run request without standard streams");
	if (r == OCIB_OK)
		r = ob_sandbox_start(self->host, spec, request->fds, &sandbox, err);
	/* Ours are closed at once: the engine reads the output to its end. */
	ob_frame_done(request);
	if (r == OCIB_OK)
		r = watch_command(self, sandbox, err);
	if (r == OCIB_OK)
		r = ob_sandbox_wait(sandbox, &status, err);
	if (r == OCIB_OK && self->is_canceled)
		r = ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	if (r == OCIB_OK)
		tell_status(&status, answer);
	return r;
}

static ocib_errc perform(ob_worker_self *self, ob_frame *request, ob_json *answer, ocib_error **err)
{
	switch (request->type) {
	case OB_FRAME_UNPACK: return ob_worker_task_unpack(self, request->body, err);
	case OB_FRAME_RUN: return ob_worker_task_run(self, request, answer, err);
	case OB_FRAME_DIFF: return ob_worker_task_diff(self, request->body, answer, err);
	case OB_FRAME_REMOVE: return ob_worker_task_remove(request->body, err);
	default:
		return ob_fail(err, OCIB_ERR_INVALID, "the worker knows no request %d",
			       (int)request->type);
	}
}

static bool serve_one(ob_worker_self *self)
{
	ob_autodone(ob_frame) request = OB_FRAME_INIT;
	ob_auto(ocib_error) why = NULL;
	ob_auto(ob_json) answer = ob_json_object();

	if (ob_frame_receive(self->socket, &request, NULL) < 0 || !request.type ||
	    request.type == OB_FRAME_QUIT)
		return false;
	if (request.type == OB_FRAME_CANCEL || request.type == OB_FRAME_SIGNAL)
		return true; /* for a task that has just ended */
	self->is_canceled = false;
	self->told = 0;
	ocib_errc r = perform(self, &request, answer, &why);
	if (r < 0)
		r = ob_frame_send(self->socket, OB_FRAME_FAILED, ob_worker_error_to_json(why), NULL,
				  NULL);
	else
		r = ob_frame_send(self->socket, OB_FRAME_DONE, ob_take_ptr(answer), NULL, NULL);
	return r == OCIB_OK;
}

void ob_worker_serve(ob_worker_self *self)
{
	while (serve_one(self))
		continue;
}
