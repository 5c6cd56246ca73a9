/* engine/worker/worker_serve.h — the inside of the worker executable, past its start. */
#ifndef OB_ENGINE_WORKER_SERVE_H
#define OB_ENGINE_WORKER_SERVE_H

#include <stdbool.h>
#include "engine/worker/worker_protocol.h"

/** A worker in its namespaces. */
typedef struct ob_worker_self {
	int socket;
	ob_sandbox_host *host;
	bool is_canceled; /* the engine does not want the current answer any more */
	uint64_t told;    /* progress that was reported last */
} ob_worker_self;

/** Answer requests until there are no more. */
void ob_worker_serve(ob_worker_self *self);

/**
 * Look whether the engine has something to say to a task under way: cancel. Ends the process when the
 * engine is gone. @return non-zero when canceled.
 */
int ob_worker_check(ob_worker_self *self);
/** The same, now and then with a progress frame. */
int ob_worker_progress(ob_worker_self *self, uint64_t current);
void ob_worker_warn(ob_worker_self *self, const char *text);

/** The tasks: request body in, answer out. */
ocib_errc ob_worker_task_unpack(ob_worker_self *self, const ob_json *request, ocib_error **err);
ocib_errc ob_worker_task_diff(ob_worker_self *self, const ob_json *request, ob_json *answer,
			      ocib_error **err);
ocib_errc ob_worker_task_remove(const ob_json *request, ocib_error **err);
ocib_errc ob_worker_task_run(ob_worker_self *self, ob_frame *request, ob_json *answer,
			     ocib_error **err);

#endif
