/* cli/progress.h — what a person or a program sees while a call is at work, on standard error.
 *
 * plain: a line per event, in the form docker users know ("#3 [stage 2/5] RUN …", "#3 CACHED").
 * tty: finished steps as lines, steps at work below them with elapsed time, last output and bars.
 * rawjson: one JSON object a line. quiet: nothing but warnings. auto: tty on a terminal, else plain.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>
#include <ocibuild/context.h>

typedef struct progress progress;

/** One way to show events. show_step, … are called with the view's lock held. */
typedef struct progress_ops {
	void (*event)(progress *view, const ocib_event *event);
	void (*tick)(progress *view); /**< ten times a second, or NULL */
	void (*clear)(
		progress *view); /**< something else wants to print: leave a clean line, or NULL */
} progress_ops;

bool progress_mode_is_known(const char *mode);
/** @p mode NULL is auto; NULL: no memory. */
progress *progress_new(const char *mode);
progress *progress_free(progress *view);
/** The ocib_event_fn; @p user is the view. */
int progress_event(const ocib_event *event, void *user);
/** Take the view off the screen; NULL is fine. */
void progress_pause(progress *view);
/** Begin anew for another build, whose steps have the same ids; NULL is fine. */
void progress_restart(progress *view);

/* The ways. */
extern const progress_ops progress_plain, progress_tty, progress_rawjson, progress_quiet;

/** Steps and transfers that have been seen, kept for all ways. */
typedef struct progress_transfer {
	char id[24];
	char action[16];
	uint64_t current, total;
	double started;
	bool done;
} progress_transfer;

typedef struct progress_step {
	uint32_t id;
	unsigned number; /**< "#n", in order of appearance */
	char *title;     /**< "[stage 2/5] RUN …" */
	char *last_output;
	double started;
	bool running;
	progress_transfer *transfers;
	size_t transfer_count;
} progress_step;

struct progress {
	const progress_ops *ops;
	void *lock; /**< pthread_mutex_t, hidden from the ways */
	double started;
	progress_step *steps;
	size_t step_count;
	bool colours;
	unsigned drawn; /**< tty: lines on the screen that will be redrawn */
	bool paused;
};

double progress_now(void);
/** The step of an id, or NULL. */
progress_step *progress_find(progress *view, uint32_t id);

#endif
