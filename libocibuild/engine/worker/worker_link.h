/* engine/worker/worker_link.h — the inside of an ob_worker: one question, its answer, what comes between. */
#ifndef OB_ENGINE_WORKER_LINK_H
#define OB_ENGINE_WORKER_LINK_H

#include <poll.h>
#include "engine/worker/worker.h"
#include "engine/worker/worker_protocol.h"

struct ob_worker {
	ocib_context *ctx; /* borrowed */
	int socket;
	int pidfd;   /* of the guard; it ends when the worker does */
	int stop_fd; /* borrowed; readable: what is under way is canceled; -1: none */
	ob_rung rung;
	bool userxattr;
	bool is_lost; /* ended, or its answers can no longer be told apart */
};

/** Somebody who attends to a running command while its exchange lasts. Any function may fail it. */
#define OB_ATTENDANT_MAX_FDS 8
struct ob_attendant {
	/** What to wait for, at most OB_ATTENDANT_MAX_FDS; *timeout_ms may be made shorter.
	 *  @return how many; entries with fd -1 count. */
	size_t (*watch)(void *arg, struct pollfd *fds, int *timeout_ms);
	/** After each wait. */
	ocib_errc (*look)(void *arg, ob_worker *worker, const struct pollfd *fds, ocib_error **err);
	/** The worker says something that only the attendant understands. */
	ocib_errc (*hear)(void *arg, ob_frame *frame, ocib_error **err);
	/** Once the answer is there: is there still something to pass on? */
	bool (*is_busy)(void *arg);
	void *arg;
};

/** What happens while the worker works. */
typedef struct ob_exchange {
	bool is_cancelable;
	bool has_fds;
	int fds[OB_FRAME_MAX_FDS]; /**< go along with the question, and are closed then */
	int output
		[2]; /**< read ends for standard output and error; -1: none; closed at their end */
	ob_worker_output on_output;
	void *output_arg;
	const ob_attendant *attendant; /**< or NULL */
	uint32_t step;                 /**< for progress events */
	const char *id, *action;
	uint64_t total;
} ob_exchange;
#define OB_EXCHANGE_INIT                                  \
	{                                                 \
		.fds = {-1, -1, -1}, .output = { -1, -1 } \
	}
void ob_exchange_done(ob_exchange *exchange);

/**
 * Ask and wait for the answer; until then, hand on output, progress and signals, and cancel when the
 * context is. @param body owned. @param result may be NULL.
 */
ocib_errc ob_worker_exchange(ob_worker *worker, ob_frame_type type, ob_json *body,
			     ob_exchange *exchange, ob_json **result, ocib_error **err);

/** Spawn the executable with a socket; nothing is asked yet. */
ocib_errc ob_worker_start(ocib_context *ctx, ob_worker **out, ocib_error **err);

#endif
