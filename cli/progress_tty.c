/* cli/progress_tty.c — the view for a terminal.
 *
 * What is finished scrolls up as a line each. Below it stands a live part that is redrawn: each step at
 * work with its elapsed time, the last line it printed, and a bar per transfer that takes long. The
 * live part is never higher than the terminal.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cli.h"
#include "progress.h"

#define BAR_WIDTH 24

typedef struct screen {
	unsigned columns, rows;
} screen;

static screen screen_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return (screen){80, 24};
	return (screen){size.ws_col, size.ws_row};
}

static const char *colour(const progress *view, const char *code)
{
	return view->colours ? code : "";
}

static void tty_clear(progress *view)
{
	if (view->drawn)
		fprintf(stderr, "\033[%uA\r\033[J", view->drawn);
	view->drawn = 0;
	fflush(stderr);
}

/* Print at most the terminal's width, control characters shown as '?'; bytes of UTF-8 stay whole. */
static void print_clipped(const char *text, unsigned columns)
{
	unsigned used = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool starts_character = (*p & 0xC0) != 0x80;

		if (starts_character && used++ >= columns)
			break;
		fputc(*p < 0x20 || *p == 0x7f ? '?' : *p, stderr);
	}
}

static void finished_line(progress *view, const progress_step *step, const char *mark,
			  const char *mark_colour, const char *tail)
{
	unsigned columns = screen_size().columns;
	unsigned reserved = (unsigned)strlen(tail) + 5;

	fprintf(stderr, "%s%s%s ", colour(view, mark_colour), mark, colour(view, "\033[0m"));
	print_clipped(step->title, columns > reserved ? columns - reserved : 10);
	fprintf(stderr, " %s%s%s\n", colour(view, "\033[2m"), tail, colour(view, "\033[0m"));
}

static bool draw_line(progress *view, const screen *size, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (view->drawn + 1 >= size->rows)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_clipped(text, size->columns - 1);
	fputc('\n', stderr);
	view->drawn++;
	return true;
}

/* "12.3MB / 45.6MB [=====>    ]  8.1MB/s  4s left" */
static void draw_transfer(progress *view, const screen *size, const progress_transfer *one)
{
	char current[16], total[16], rate[16], bar[BAR_WIDTH + 1];
	double elapsed = progress_now() - one->started;
	double speed = elapsed > 0 ? (double)one->current / elapsed : 0;
	unsigned filled;

	if (one->done || elapsed < 0.3)
		return;
	cli_format_size(one->current, current);
	cli_format_size((uint64_t)speed, rate);
	if (!one->total) {
		(void)draw_line(view, size, "     %s %s %s  %s/s", one->action, one->id, current,
				rate);
		return;
	}
	cli_format_size(one->total, total);
	filled = (unsigned)((double)BAR_WIDTH * (double)one->current / (double)one->total);
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
	bar[BAR_WIDTH] = '\0';
	(void)draw_line(view, size, "     %s %s %s / %s [%s] %s/s  %.0fs left", one->action,
			one->id, current, total, bar, rate,
			speed > 0 ? (double)(one->total - one->current) / speed : 0.0);
}

static void draw(progress *view)
{
	screen size = screen_size();

	for (size_t i = 0; i < view->step_count; i++) {
		const progress_step *step = &view->steps[i];

		if (!step->running)
			continue;
		if (!draw_line(view, &size, " *   %6.1fs %s", progress_now() - step->started,
			       step->title))
			return;
		if (step->last_output && step->last_output[0])
			(void)draw_line(view, &size, "     | %s", step->last_output);
		for (size_t t = 0; t < step->transfer_count; t++)
			draw_transfer(view, &size, &step->transfers[t]);
	}
	fflush(stderr);
}

static void tty_tick(progress *view)
{
	tty_clear(view);
	draw(view);
}

static void show_step(progress *view, const ocib_event *event)
{
	const progress_step *step = progress_find(view, event->u.step.id);
	char elapsed[32];

	if (!step || event->type == OCIB_EVENT_STEP_STARTED)
		return;
	snprintf(elapsed, sizeof(elapsed), "%.1fs", (double)event->u.step.elapsed_ms / 1000);
	if (event->type == OCIB_EVENT_STEP_CACHED)
		finished_line(view, step, "=", "\033[36m", "CACHED");
	else if (event->type == OCIB_EVENT_STEP_DONE)
		finished_line(view, step, "+", "\033[32m", elapsed);
	else
		finished_line(view, step, "x", "\033[31m", "FAILED");
}

static void tty_event(progress *view, const ocib_event *event)
{
	/* Output and transfers only change the live part, which the next tick draws. */
	if (event->type == OCIB_EVENT_OUTPUT || event->type == OCIB_EVENT_PROGRESS)
		return;
	tty_clear(view);
	switch (event->type) {
	case OCIB_EVENT_WARNING:
	case OCIB_EVENT_NOTE:
	case OCIB_EVENT_DEBUG: progress_plain.event(view, event); break;
	default: show_step(view, event); break;
	}
	draw(view);
}

const progress_ops progress_tty = {.event = tty_event, .tick = tty_tick, .clear = tty_clear};
