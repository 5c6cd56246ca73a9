/* cli/progress_plain.c — a line per event, for logs; and the quiet view, which keeps warnings only.
 *
 * Transfers are mentioned when they end and at most every five seconds in between, so that a log shows
 * that something moves without drowning in it.
 */
#include <string.h>
#include "cli.h"
#include "progress.h"

static void show_step(progress *view, const ocib_event *event)
{
	const progress_step *step = progress_find(view, event->u.step.id);

	if (!step)
		return;
	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED: fprintf(stderr, "#%u %s\n", step->number, step->title); break;
	case OCIB_EVENT_STEP_CACHED:
		fprintf(stderr, "#%u %s\n#%u CACHED\n", step->number, step->title, step->number);
		break;
	case OCIB_EVENT_STEP_DONE:
		fprintf(stderr, "#%u DONE %.2fs\n", step->number,
			(double)event->u.step.elapsed_ms / 1000);
		break;
	default: fprintf(stderr, "#%u ERROR\n", step->number); break;
	}
}

static void show_output(progress *view, const ocib_event_output *output)
{
	const progress_step *step = progress_find(view, output->step);
	double elapsed = progress_now() - (step ? step->started : view->started);

	fprintf(stderr, "#%u %.3f %.*s\n", step ? step->number : 0, elapsed, (int)output->len,
		output->text);
}

static void show_transfer(progress *view, const ocib_event_progress *event)
{
	progress_step *step = progress_find(view, event->step);
	char current[16], total[16];

	for (size_t i = 0; step && i < step->transfer_count; i++) {
		progress_transfer *one = &step->transfers[i];
		double now = progress_now();

		if (strncmp(one->id, event->id, sizeof(one->id) - 1) != 0 ||
		    strncmp(one->action, event->action, sizeof(one->action) - 1) != 0)
			continue;
		if (!one->done && now - one->started < 5)
			return;
		one->started = now;
		cli_format_size(event->current, current);
		cli_format_size(event->total, total);
		fprintf(stderr, "#%u %s %s %s%s%s\n", step->number, event->action, event->id,
			current, event->total ? " / " : "", event->total ? total : "");
	}
}

static void show_message(const char *kind, const ocib_event_message *message)
{
	fprintf(stderr, "%s", kind);
	if (message->file)
		fprintf(stderr, "%s:%u: ", message->file, message->line);
	if (message->rule)
		fprintf(stderr, "%s: ", message->rule);
	fprintf(stderr, "%s\n", message->text);
	if (message->excerpt)
		fputs(message->excerpt, stderr);
	if (message->url)
		fprintf(stderr, "see %s\n", message->url);
}

static void plain_event(progress *view, const ocib_event *event)
{
	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED:
	case OCIB_EVENT_STEP_CACHED:
	case OCIB_EVENT_STEP_DONE:
	case OCIB_EVENT_STEP_FAILED: show_step(view, event); break;
	case OCIB_EVENT_OUTPUT: show_output(view, &event->u.output); break;
	case OCIB_EVENT_PROGRESS: show_transfer(view, &event->u.progress); break;
	case OCIB_EVENT_WARNING: show_message("warning: ", &event->u.message); break;
	case OCIB_EVENT_NOTE: show_message("", &event->u.message); break;
	case OCIB_EVENT_DEBUG: show_message("debug: ", &event->u.message); break;
	case OCIB_EVENT_COMMAND_STARTED:
	case OCIB_EVENT_PORT:
	case OCIB_EVENT_HEALTH: break; /* of `run`, which shows them itself */
	}
}

static void quiet_event(progress *view, const ocib_event *event)
{
	(void)view;
	/* What a check finds is advice, and nobody who wants quiet has asked for it. */
	if (event->type == OCIB_EVENT_WARNING && !event->u.message.rule)
		show_message("warning: ", &event->u.message);
}

const progress_ops progress_plain = {.event = plain_event};
const progress_ops progress_quiet = {.event = quiet_event};
