/* cli/progress.c — the model behind every view: steps by id, their transfers, a clock, a lock.
 *
 * Events come on the main thread; a second thread ticks for views that show elapsed time. Both hold the
 * lock while they touch the model or the screen.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "progress.h"

typedef struct ticker {
	pthread_mutex_t mutex;
	pthread_cond_t stop;
	pthread_t thread;
	bool started, stopping;
	progress *view;
} ticker;

static const struct {
	const char *name;
	const progress_ops *ops;
} modes[] = {
	{"plain", &progress_plain},
	{"tty", &progress_tty},
	{"rawjson", &progress_rawjson},
	{"quiet", &progress_quiet},
};

bool progress_mode_is_known(const char *mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, mode) == 0)
			return true;
	return strcmp(mode, "auto") == 0;
}

double progress_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const progress_ops *choose(const char *mode)
{
	const char *term = getenv("TERM");

	for (size_t i = 0; mode && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, mode) == 0)
			return modes[i].ops;
	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 ? &progress_tty
									  : &progress_plain;
}

static void *run_ticker(void *arg)
{
	ticker *t = arg;
	struct timespec until;

	pthread_mutex_lock(&t->mutex);
	while (!t->stopping) {
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		(void)pthread_cond_timedwait(&t->stop, &t->mutex, &until);
		if (!t->stopping && !t->view->paused)
			t->view->ops->tick(t->view);
	}
	pthread_mutex_unlock(&t->mutex);
	return NULL;
}

progress *progress_new(const char *mode)
{
	progress *view = calloc(1, sizeof(*view));
	ticker *t = calloc(1, sizeof(*t));

	if (!view || !t) {
		free(view);
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->mutex, NULL);
	pthread_cond_init(&t->stop, NULL);
	t->view = view;
	view->lock = t;
	view->ops = choose(mode);
	view->started = progress_now();
	view->colours = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	if (view->ops->tick)
		t->started = pthread_create(&t->thread, NULL, run_ticker, t) == 0;
	return view;
}

static void free_step(progress_step *step)
{
	free(step->title);
	free(step->last_output);
	free(step->transfers);
}

static void forget_steps(progress *view)
{
	for (size_t i = 0; i < view->step_count; i++)
		free_step(&view->steps[i]);
	free(view->steps);
	view->steps = NULL;
	view->step_count = 0;
}

progress *progress_free(progress *view)
{
	ticker *t = view ? view->lock : NULL;

	if (!view)
		return NULL;
	pthread_mutex_lock(&t->mutex);
	t->stopping = true;
	pthread_cond_signal(&t->stop);
	pthread_mutex_unlock(&t->mutex);
	if (t->started)
		pthread_join(t->thread, NULL);
	if (view->ops->clear && !view->paused)
		view->ops->clear(view);
	forget_steps(view);
	pthread_cond_destroy(&t->stop);
	pthread_mutex_destroy(&t->mutex);
	free(t);
	free(view);
	return NULL;
}

progress_step *progress_find(progress *view, uint32_t id)
{
	for (size_t i = view->step_count; i-- > 0;)
		if (view->steps[i].id == id)
			return &view->steps[i];
	return NULL;
}

static char *make_title(const ocib_event_step *step)
{
	char *title = NULL;
	int len;

	if (!step->number)
		len = asprintf(&title, "%s%s%s%s", *step->stage ? "[" : "", step->stage,
			       *step->stage ? "] " : "", step->text);
	else
		len = asprintf(&title, "[%s%s%u/%u] %s", step->stage, *step->stage ? " " : "",
			       step->number, step->total, step->text);
	if (len < 0)
		return NULL;
	for (char *p = title; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	return title;
}

static progress_step *add_step(progress *view, const ocib_event_step *from)
{
	progress_step *steps = realloc(view->steps, (view->step_count + 1) * sizeof(*steps));

	if (!steps)
		return NULL;
	view->steps = steps;
	progress_step *step = &steps[view->step_count];
	*step = (progress_step){.id = from->id,
				.number = (unsigned)view->step_count + 1,
				.title = make_title(from),
				.started = progress_now()};
	if (!step->title)
		return NULL;
	view->step_count++;
	return step;
}

static void note_transfer(progress_step *step, const ocib_event_progress *event)
{
	progress_transfer *one = NULL;

	for (size_t i = 0; i < step->transfer_count && !one; i++)
		if (strncmp(step->transfers[i].id, event->id, sizeof(one->id) - 1) == 0 &&
		    strncmp(step->transfers[i].action, event->action, sizeof(one->action) - 1) == 0)
			one = &step->transfers[i];
	if (!one) {
		progress_transfer *more =
			realloc(step->transfers, (step->transfer_count + 1) * sizeof(*more));

		if (!more)
			return;
		step->transfers = more;
		one = &more[step->transfer_count++];
		*one = (progress_transfer){.started = progress_now()};
		snprintf(one->id, sizeof(one->id), "%s", event->id);
		snprintf(one->action, sizeof(one->action), "%s", event->action);
	}
	one->current = event->current;
	one->total = event->total;
	one->done = event->total && event->current >= event->total;
}

static void note_output(progress_step *step, const ocib_event_output *event)
{
	char *text = strndup(event->text, event->len);

	if (!text)
		return;
	free(step->last_output);
	step->last_output = text;
}

/* Bring the model up to date before the view shows the event. */
static void note(progress *view, const ocib_event *event)
{
	progress_step *step = NULL;

	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED:
	case OCIB_EVENT_STEP_CACHED:
	case OCIB_EVENT_STEP_DONE:
	case OCIB_EVENT_STEP_FAILED:
		step = progress_find(view, event->u.step.id);
		if (!step)
			step = add_step(view, &event->u.step);
		if (step)
			step->running = event->type == OCIB_EVENT_STEP_STARTED;
		break;
	case OCIB_EVENT_OUTPUT:
		step = progress_find(view, event->u.output.step);
		if (step)
			note_output(step, &event->u.output);
		break;
	case OCIB_EVENT_PROGRESS:
		step = progress_find(view, event->u.progress.step);
		if (step)
			note_transfer(step, &event->u.progress);
		break;
	case OCIB_EVENT_WARNING:
	case OCIB_EVENT_NOTE:
	case OCIB_EVENT_DEBUG:
	case OCIB_EVENT_COMMAND_STARTED:
	case OCIB_EVENT_PORT:
	case OCIB_EVENT_HEALTH: break;
	}
}

int progress_event(const ocib_event *event, void *user)
{
	progress *view = user;
	ticker *t = view->lock;

	pthread_mutex_lock(&t->mutex);
	note(view, event);
	if (!view->paused)
		view->ops->event(view, event);
	pthread_mutex_unlock(&t->mutex);
	return 0;
}

void progress_pause(progress *view)
{
	ticker *t = view ? view->lock : NULL;

	if (!view)
		return;
	pthread_mutex_lock(&t->mutex);
	if (!view->paused && view->ops->clear)
		view->ops->clear(view);
	view->paused = true;
	pthread_mutex_unlock(&t->mutex);
}

void progress_restart(progress *view)
{
	ticker *t = view ? view->lock : NULL;

	if (!view)
		return;
	progress_pause(view);
	pthread_mutex_lock(&t->mutex);
	forget_steps(view);
	view->started = progress_now();
	view->paused = false;
	pthread_mutex_unlock(&t->mutex);
}
