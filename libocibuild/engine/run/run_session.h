/* engine/run/run_session.h — a command that runs for somebody who sits in front of it. */
#ifndef OB_ENGINE_RUN_SESSION_H
#define OB_ENGINE_RUN_SESSION_H

#include "engine/run/run_setup.h"
#include "engine/run/run_streams.h"
#include "engine/worker/worker.h"

/** Run it to the end. @p streams are open. Kinds: those of ob_worker_run(). */
ocib_errc ob_run_session(ocib_context *ctx, ob_worker *worker, const ob_run_setup *setup,
			 ob_run_streams *streams, ob_run_status *status, ocib_error **err);

#endif
