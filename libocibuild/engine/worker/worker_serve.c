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
static void hear(ob_worker_self *self)
{
	ob_autodone(ob_frame) frame = OB_FRAME_INIT;

	if (ob_frame_receive(self->socket, &frame, NULL) < 0)
		_exit(1);
	if (frame.type == OB_FRAME_CANCEL)
		self->is_canceled = true;
	else if (frame.type != OB_FRAME_SIGNAL)
		_exit(1); /* gone, or out of step: nobody is there to be told */
}

int ob_worker_check(ob_worker_self *self)
{
	struct pollfd fd = {.fd = self->socket, .events = POLLIN};

	if (!self->is_canceled && poll(&fd, 1, 0) > 0)
		hear(self);
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
	if (request.type == OB_FRAME_CANCEL || request.type == OB_FRAME_SIGNAL ||
	    request.type == OB_FRAME_PROBE || request.type == OB_FRAME_PROBE_KILL)
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
