/* engine/worker/worker_protocol.h — frames on the socket between the engine and a worker.
 *
 * A frame is {type, length} in the machine's own byte order and a body of JSON, which may be empty. The
 * engine asks, the worker answers with any number of OB_FRAME_PROGRESS and OB_FRAME_WARNING and then one
 * OB_FRAME_DONE or OB_FRAME_FAILED. While it works the engine may send OB_FRAME_CANCEL and, to a running
 * command, OB_FRAME_SIGNAL; neither is answered. The three standard streams of a command travel with
 * OB_FRAME_RUN as descriptors, so that output does not pass through the worker; the other end of a
 * terminal of its own comes with OB_FRAME_STARTED. Beside a running command one probe at a time is
 * executed, OB_FRAME_PROBE, and answered by OB_FRAME_PROBED; OB_FRAME_PROBE_KILL ends it early.
 *
 *   OPEN    {op: "probe" | "enter", store}                  → a probe | {rung, userxattr}
 *   UNPACK  {blob, index, target, temp, lowers, threads, root} → {}
 *   RUN     a run spec, 3 descriptors                       → {exited, status, stubs}
 *   DIFF    {upper, lowers, skip, blob, index, writer}      → {diff_id, descriptor, entries, root}
 *   REMOVE  {paths}                                         → {}
 *   SIGNAL  {signal}      CANCEL {}      QUIT {}            PROGRESS {current}      WARNING {text}
 *   STARTED {ports: [{outside}]}, 1 descriptor or none
 *   PROBE   {argv}, 3 descriptors        PROBE_KILL {}      PROBED {exited, status, failure}
 */
#ifndef OB_ENGINE_WORKER_PROTOCOL_H
#define OB_ENGINE_WORKER_PROTOCOL_H

#include "base/json.h"
#include "sandbox/sandbox.h"

#define OB_WORKER_SOCKET 3 /* where a worker finds its end */
#define OB_FRAME_MAX_FDS 3

typedef enum ob_frame_type {
	OB_FRAME_OPEN = 1,
	OB_FRAME_UNPACK,
	OB_FRAME_RUN,
	OB_FRAME_DIFF,
	OB_FRAME_REMOVE,
	OB_FRAME_SIGNAL,
	OB_FRAME_CANCEL,
	OB_FRAME_QUIT,
	OB_FRAME_PROBE,
	OB_FRAME_PROBE_KILL,
	OB_FRAME_DONE = 64,
	OB_FRAME_FAILED,
	OB_FRAME_PROGRESS,
	OB_FRAME_WARNING,
	OB_FRAME_STARTED,
	OB_FRAME_PROBED
} ob_frame_type;

typedef struct ob_frame {
	ob_frame_type type;        /**< 0: the other end is gone */
	ob_json *body;             /**< NULL when empty */
	int fds[OB_FRAME_MAX_FDS]; /**< owned; -1 where there is none */
} ob_frame;
#define OB_FRAME_INIT                 \
	{                             \
		.fds = { -1, -1, -1 } \
	}
void ob_frame_done(ob_frame *frame);

/** @param body owned, may be NULL; a NULL that should have been a document fails at the other end.
 *  @param fds  OB_FRAME_MAX_FDS borrowed descriptors to send along, as far as the first -1, or NULL */
ocib_errc ob_frame_send(int socket, ob_frame_type type, ob_json *body, const int *fds,
			ocib_error **err);
/** Waits for a frame. @p frame must be empty. Kinds: CORRUPT, LIMIT, SYSTEM. */
ocib_errc ob_frame_receive(int socket, ob_frame *frame, ocib_error **err);

/** An error on its way to the other process: kind, message, hint. */
ob_json *ob_worker_error_to_json(const ocib_error *error);
/** Makes the error again; returns its kind. */
ocib_errc ob_worker_error_from_json(const ob_json *json, ocib_error **err);

ob_json *ob_probe_to_json(const ob_probe *probe);
ocib_errc ob_probe_from_json(const ob_json *json, ob_probe *out, ocib_error **err);

#endif
