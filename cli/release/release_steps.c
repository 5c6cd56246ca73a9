/* cli/release/release_steps.c — see release_steps.h. Grown by doubling, within the pool. */
#include "release_steps.h"
#include <string.h>

static const char *title_of(text_pool *pool, const ocib_event_step *step)
{
	if (!step->number)
		return text_copy(pool, step->text, strlen(step->text));
	return text_printf(pool, "[%s%s%u/%u] %s", step->stage, *step->stage ? " " : "",
			   step->number, step->total, step->text);
}

static release_step *new_step(text_pool *pool, release_steps *steps)
{
	if (steps->len == steps->cap) {
		size_t cap = steps->cap ? 2 * steps->cap : 32;
		release_step *items = text_pool_alloc(pool, cap * sizeof(*items));

		if (!items)
			return NULL;
		for (size_t i = 0; i < steps->len; i++)
			items[i] = steps->items[i];
		steps->items = items;
		steps->cap = cap;
	}
	return &steps->items[steps->len++];
}

void release_steps_note(text_pool *pool, release_steps *steps, const ocib_event *event)
{
	bool cached = event->type == OCIB_EVENT_STEP_CACHED;
	bool failed = event->type == OCIB_EVENT_STEP_FAILED;

	if (!cached && !failed && event->type != OCIB_EVENT_STEP_DONE)
		return;
	release_step *step = new_step(pool, steps);
	if (step)
		*step = (release_step){.title = title_of(pool, &event->u.step),
				       .cached = cached,
				       .failed = failed,
				       .milliseconds = event->u.step.elapsed_ms};
}
