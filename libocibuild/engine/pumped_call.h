/* engine/pumped_call.h — a public call that works on a thread of its own while events are delivered. */
#ifndef OB_ENGINE_PUMPED_CALL_H
#define OB_ENGINE_PUMPED_CALL_H

#include "base/context.h"

typedef ocib_errc (*ob_pumped_fn)(void *arg, ocib_error **err);

/**
 * Run @p fn on a new thread; this thread delivers the events of all threads until it returns.
 * A cancelled context makes the call fail with CANCELED whatever @p fn made of it.
 */
ocib_errc ob_pumped_call(ocib_context *ctx, ob_pumped_fn fn, void *arg, ocib_error **err);

#endif
