/* engine/build/step_events.h — what a build tells about its steps. */
#ifndef OB_ENGINE_BUILD_STEP_EVENTS_H
#define OB_ENGINE_BUILD_STEP_EVENTS_H

#include "base/context.h"

/** One step as events name it, from its start on. Strings are borrowed. */
typedef struct ob_step_span {
	uint32_t id; /**< 0: not started */
	const char *stage;
	uint32_t number, total;
	const char *text;
	uint64_t started_ms;
} ob_step_span;

/** Milliseconds of a clock that never goes back. */
uint64_t ob_clock_ms(void);

/** Gives the span its id and tells that it started. */
void ob_span_start(ocib_context *ctx, ob_step_span *span);
/** Tells DONE or FAILED, by @p result, of a span that was started; passes @p result on. */
ocib_errc ob_span_end(ocib_context *ctx, const ob_step_span *span, ocib_errc result);
/** Tells CACHED instead of all else. */
void ob_span_cached(ocib_context *ctx, ob_step_span *span);

#endif
