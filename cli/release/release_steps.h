/* cli/release/release_steps.h — the steps of a release as they happened, for the summary. */
#ifndef CLI_RELEASE_STEPS_H
#define CLI_RELEASE_STEPS_H

#include <ocibuild/ocibuild.h>
#include "text_pool.h"

typedef struct release_step {
	const char *title; /**< "[app 2/5] COPY app ./app" */
	bool cached, failed;
	uint64_t milliseconds;
} release_step;

typedef struct release_steps {
	release_step *items;
	size_t len, cap;
} release_steps;

/** Keep what an event says about the end of a step; other events are nothing. */
void release_steps_note(text_pool *pool, release_steps *steps, const ocib_event *event);

#endif
