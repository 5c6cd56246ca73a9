/* engine/source/progress_meter.c — events ten times a second, and always one at the end. */
#include "engine/source/progress_meter.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define INTERVAL_MS 100

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ob_progress_meter_init(ob_progress_meter *meter, ocib_context *ctx, uint32_t step,
			    const char *action, const ob_digest *what)
{
	*meter = (ob_progress_meter){.ctx = ctx, .step = step, .action = action};
	snprintf(meter->id, sizeof(meter->id), "%.12s", ob_digest_hex(what));
}

void ob_progress_meter_init_named(ob_progress_meter *meter, ocib_context *ctx, uint32_t step,
				  const char *action, const char *name)
{
	size_t len = strlen(name), most = sizeof(meter->id) - 1;

	*meter = (ob_progress_meter){.ctx = ctx, .step = step, .action = action};
	snprintf(meter->id, sizeof(meter->id), "%s", len > most ? name + len - most : name);
}

int ob_progress_meter_update(uint64_t current, uint64_t total, void *arg)
{
	ob_progress_meter *meter = arg;
	int64_t now = now_ms();

	if (now - meter->last_ms >= INTERVAL_MS || current == total) {
		meter->last_ms = now;
		ob_emit_progress(meter->ctx, meter->step, meter->id, meter->action, current, total);
	}
	return ob_is_canceled(meter->ctx);
}
