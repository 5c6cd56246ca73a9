/* engine/source/progress_meter.h — progress events of one transfer, not more than somebody can look
 * at.
 */
#ifndef OB_ENGINE_PROGRESS_METER_H
#define OB_ENGINE_PROGRESS_METER_H

#include "base/context.h"
#include "image/digest.h"

typedef struct ob_progress_meter {
	ocib_context *ctx;
	uint32_t step;
	const char *action; /**< "pulling", … */
	char id[48];        /**< short digest, or a name */
	int64_t last_ms;
} ob_progress_meter;

void ob_progress_meter_init(ob_progress_meter *meter, ocib_context *ctx, uint32_t step,
			    const char *action, const ob_digest *what);
/** For what has no digest yet: its name, or the end of it. */
void ob_progress_meter_init_named(ob_progress_meter *meter, ocib_context *ctx, uint32_t step,
				  const char *action, const char *name);
/**
 * An ob_registry_progress with the meter as its argument: non-zero when the context is
 * canceled.
 */
int ob_progress_meter_update(uint64_t current, uint64_t total, void *meter);

#endif
