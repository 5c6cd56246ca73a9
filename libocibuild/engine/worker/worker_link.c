/* engine/worker/worker_link.c — one question to a worker, its answer, and what comes between.
 *
 * A single loop over everything that can happen: the worker's frames, a command's output, cancellation,
 * and what an attendant of the command waits for. Output is drained to its end before the answer is handed back: by then the
 * kernel has killed all that could still write.
 */
#include "engine/worker/worker_link.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_BLOCK 65536

typedef struct dialog {
	ob_worker *worker;
	ob_exchange *exchange;
	ob_frame answer;
	bool is_canceled;
	ob_json **result;
} dialog;

static void dialog_done(dialog *d)
{
	ob_frame_done(&d->answer);
}

static ocib_errc fail_lost(ob_worker *worker, ocib_error **err)
{
	worker->is_lost = true;
	return ob_fail(err, OCIB_ERR_SYSTEM, "the worker process ended unexpectedly");
}

static void show_progress(const dialog *d, const ob_json *body)
{
	const ob_exchange *x = d->exchange;
	int64_t current = 0;

	if (x->action && ob_json_get_i64(body, "current", &current) && current >= 0)
		ob_emit_progress(d->worker->ctx, x->step, x->id, x->action, (uint64_t)current,
				 x->total);
}

static ocib_errc take_frame(dialog *d, ocib_error **err)
{
	ob_autodone(ob_frame) frame = OB_FRAME_INIT;
	ocib_errc r = ob_frame_receive(d->worker->socket, &frame, err);

	if (r < 0) {
		d->worker->is_lost = true;
		return r;
	}
	switch (frame.type) {
	case OB_FRAME_DONE:
	case OB_FRAME_FAILED:
		d->answer.type = frame.type;
		d->answer.body = ob_take_ptr(frame.body);
		return OCIB_OK;
	case OB_FRAME_PROGRESS: show_progress(d, frame.body); return OCIB_OK;
	case OB_FRAME_WARNING:
		ob_emit_warning(d->worker->ctx, NULL, 0, "%s", ob_json_get_str(frame.body, "text"));
		return OCIB_OK;
	default: break;
	}
	if (frame.type && d->exchange->attendant)
		return d->exchange->attendant->hear(d->exchange->attendant->arg, &frame, err);
	return fail_lost(d->worker, err);
}

static void take_output(ob_exchange *x, int stream)
{
	char block[OUTPUT_BLOCK];
	ssize_t n = read(x->output[stream], block, sizeof(block));

	if (n > 0) {
		x->on_output(stream + 1, block, (size_t)n, x->output_arg);
	} else if (n == 0 || errno != EINTR) {
		ob_closep(&x->output[stream]);
		x->output[stream] = -1;
	}
}

enum { POLL_SOCKET, POLL_CANCEL, POLL_STOP, POLL_OUT, POLL_ERR, POLL_COUNT };

static ocib_errc wait_once(dialog *d, ocib_error **err)
{
	ob_exchange *x = d->exchange;
	bool wants_cancel = x->is_cancelable && !d->is_canceled && !d->answer.type;
	const ob_attendant *attendant = x->attendant;
	struct pollfd fds[POLL_COUNT + OB_ATTENDANT_MAX_FDS] = {
		{.fd = d->answer.type ? -1 : d->worker->socket, .events = POLLIN},
		{.fd = wants_cancel ? ob_cancel_fd(d->worker->ctx) : -1, .events = POLLIN},
		{.fd = wants_cancel ? d->worker->stop_fd : -1, .events = POLLIN},
		{.fd = x->output[0], .events = POLLIN},
		{.fd = x->output[1], .events = POLLIN},
	};
	nfds_t count = POLL_COUNT;
	int timeout_ms = -1;
	ocib_errc r = OCIB_OK;

	if (attendant)
		count += attendant->watch(attendant->arg, fds + POLL_COUNT, &timeout_ms);
	if (poll(fds, count, timeout_ms) < 0)
		return errno == EINTR ? OCIB_OK : ob_fail_errno(err, "wait for the worker");
	for (int i = 0; i < 2; i++)
		if (fds[POLL_OUT + i].revents)
			take_output(x, i);
	if (fds[POLL_CANCEL].revents || fds[POLL_STOP].revents) {
		d->is_canceled = true;
		r = ob_frame_send(d->worker->socket, OB_FRAME_CANCEL, NULL, NULL, err);
	}
	if (r == OCIB_OK && attendant)
		r = attendant->look(attendant->arg, d->worker, fds + POLL_COUNT, err);
	/* A worker that is gone is noticed here, with what it may have said last. */
	if (fds[POLL_SOCKET].revents) {
		if (r < 0 && err && *err)
			*err = ocib_error_free(*err);
		r = take_frame(d, err);
	}
	return r;
}

static bool is_attended(const ob_exchange *x)
{
	return x->attendant && x->attendant->is_busy(x->attendant->arg);
}

static ocib_errc converse(dialog *d, ocib_error **err)
{
	const ob_exchange *x = d->exchange;

	while (!d->answer.type || x->output[0] >= 0 || x->output[1] >= 0 || is_attended(x)) {
		ocib_errc r = wait_once(d, err);

		if (r < 0)
			return r;
	}
	if (d->is_canceled) {
		ocib_errc r = ob_check_canceled(d->worker->ctx, err);

		return r < 0 ? r
			     : ob_fail(err, OCIB_ERR_CANCELED, "stopped, as another step failed");
	}
	if (d->answer.type == OB_FRAME_FAILED)
		return ob_worker_error_from_json(d->answer.body, err);
	if (d->result)
		*d->result = ob_take_ptr(d->answer.body);
	return OCIB_OK;
}

static void close_passed(ob_exchange *exchange)
{
	for (int i = 0; i < OB_FRAME_MAX_FDS; i++) {
		ob_closep(&exchange->fds[i]);
		exchange->fds[i] = -1;
	}
}

void ob_exchange_done(ob_exchange *exchange)
{
	close_passed(exchange);
	for (int i = 0; i < 2; i++) {
		ob_closep(&exchange->output[i]);
		exchange->output[i] = -1;
	}
}

ocib_errc ob_worker_exchange(ob_worker *worker, ob_frame_type type, ob_json *body,
			     ob_exchange *exchange, ob_json **result, ocib_error **err)
{
	ob_auto(ob_json) owned = body;
	ob_autodone(dialog) d = {
		.worker = worker,
		.exchange = exchange,
		.answer = OB_FRAME_INIT,
		.result = result,
	};

	if (worker->is_lost)
		return fail_lost(worker, err);
	if (exchange->is_cancelable) {
		ocib_errc r = ob_check_canceled(worker->ctx, err);

		if (r < 0)
			return r;
	}
	ocib_errc r = ob_frame_send(worker->socket, type, ob_take_ptr(owned),
				    exchange->has_fds ? exchange->fds : NULL, err);
	close_passed(exchange);
	if (r < 0) {
		worker->is_lost = true;
		return r;
	}
	return converse(&d, err);
}
