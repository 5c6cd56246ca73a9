/* engine/pumped_call.c — one thread works, the caller's thread listens.
 *
 * The library promises that events arrive on the thread that made the call, while the work is spread
 * over many; so the work as a whole moves to another thread and the caller's pumps until it is done.
 */
#include "engine/pumped_call.h"
#include <stdatomic.h>
#include "base/threads.h"

typedef struct pumped_call {
	ocib_context *ctx;
	ob_pumped_fn fn;
	void *arg;
	ocib_errc result;
	ocib_error *err;
	atomic_bool done;
} pumped_call;

static void *call_main(void *arg)
{
	pumped_call *call = arg;

	call->result = call->fn(call->arg, &call->err);
	atomic_store(&call->done, true);
	ob_pump_wake(call->ctx);
	return NULL;
}

static bool is_done(void *arg)
{
	return atomic_load(&((pumped_call *)arg)->done);
}

ocib_errc ob_pumped_call(ocib_context *ctx, ob_pumped_fn fn, void *arg, ocib_error **err)
{
	pumped_call call = {.ctx = ctx, .fn = fn, .arg = arg};
	pthread_t thread;
	int failed;

	ocib_errc r = ob_pump_begin(ctx, err);
	if (r < 0)
		return r;
	failed = ob_thread_start(&thread, call_main, &call);
	if (!failed) {
		ob_pump_run(ctx, is_done, &call);
		(void)pthread_join(thread, NULL);
	}
	ob_pump_end(ctx);
	if (failed)
		return ob_error_set_errno(err, failed, __FILE__, __LINE__, "start a thread");
	r = call.result;
	if (r < 0 && r != OCIB_ERR_CANCELED && ob_is_canceled(ctx)) {
		(void)ocib_error_free(call.err); /* what breaks when all is stopped is no news */
		return ob_check_canceled(ctx, err);
	}
	return r < 0 ? ob_error_move(err, &call.err) : OCIB_OK;
}
