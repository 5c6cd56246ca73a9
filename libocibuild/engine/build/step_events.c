/* engine/build/step_events.c — STARTED, then DONE or FAILED; or CACHED alone. */
#include "engine/build/step_events.h"
#include <time.h>

uint64_t ob_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell(ocib_context *ctx, const ob_step_span *span, ocib_event_type type)
{
	ocib_event event = {.type = type};

	event.u.step = (ocib_event_step){
		.id = span->id,
		.stage = span->stage ? span->stage : "",
		.number = span->number,
		.total = span->total,
		.text = span->text,
		.elapsed_ms = span->started_ms ? ob_clock_ms() - span->started_ms : 0,
	};
	ob_emit(ctx, &event);
}

void ob_span_start(ocib_context *ctx, ob_step_span *span)
{
	span->id = ob_next_step_id(ctx);
	span->started_ms = 0;
	tell(ctx, span, OCIB_EVENT_STEP_STARTED);
	span->started_ms = ob_clock_ms();
}

ocib_errc ob_span_end(ocib_context *ctx, const ob_step_span *span, ocib_errc result)
{
	if (span->id)
		tell(ctx, span, result < 0 ? OCIB_EVENT_STEP_FAILED : OCIB_EVENT_STEP_DONE);
	return result;
}

void ob_span_cached(ocib_context *ctx, ob_step_span *span)
{
	span->id = ob_next_step_id(ctx);
	span->started_ms = 0;
	tell(ctx, span, OCIB_EVENT_STEP_CACHED);
}
