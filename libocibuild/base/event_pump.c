/* base/event_pump.c — how an event gets from the thread it happens on to the caller's callback.
 *
 * With a pump, other threads queue deep copies and the owner delivers them; what the owner itself emits
 * goes out at once, after what is queued. Callbacks always run without the lock, so a callback may
 * cancel or emit. The queue is bounded: progress and debug records are dropped past the bound, since the
 * next one replaces them; a thread that queues output waits for room, but never for ever, so that an
 * owner who is busy elsewhere slows the output down and does not stop it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/context_inside.h"

#define QUEUE_BOUND     (8U << 20) /* bytes of text and bookkeeping */
#define WAIT_FOR_ROOM_S 1

struct ob_queued_event {
	ob_queued_event *next;
	ocib_event event; /* its pointers point into text */
	size_t bytes;
	char text[];
};

static void deliver(ocib_context *ctx, const ocib_event *event)
{
	if (ctx->on_event && ctx->on_event(event, ctx->user) != 0)
		ocib_context_cancel(ctx);
}

#define EVENT_STRINGS 5 /* the most that an event has */

/* The borrowed strings of an event, as addresses of its fields. */
static size_t event_strings(ocib_event *event, const char **fields[EVENT_STRINGS])
{
	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED:
	case OCIB_EVENT_STEP_CACHED:
	case OCIB_EVENT_STEP_DONE:
	case OCIB_EVENT_STEP_FAILED:
		fields[0] = &event->u.step.stage;
		fields[1] = &event->u.step.text;
		return 2;
	case OCIB_EVENT_OUTPUT: fields[0] = &event->u.output.text; return 1;
	case OCIB_EVENT_PROGRESS:
		fields[0] = &event->u.progress.id;
		fields[1] = &event->u.progress.action;
		return 2;
	case OCIB_EVENT_WARNING:
	case OCIB_EVENT_NOTE:
	case OCIB_EVENT_DEBUG:
	case OCIB_EVENT_COMMAND_STARTED:
	case OCIB_EVENT_PORT:
	case OCIB_EVENT_HEALTH:
		fields[0] = &event->u.message.text;
		fields[1] = &event->u.message.file;
		fields[2] = &event->u.message.rule;
		fields[3] = &event->u.message.url;
		fields[4] = &event->u.message.excerpt;
		return 5;
	}
	return 0;
}

/* Output has a length and may hold any bytes; everything else is a C string. */
static size_t string_len(const ocib_event *event, const char *text)
{
	if (!text)
		return 0;
	return event->type == OCIB_EVENT_OUTPUT ? event->u.output.len : strlen(text);
}

static ob_queued_event *copy_event(const ocib_event *event)
{
	ocib_event copy = *event;
	const char **fields[EVENT_STRINGS];
	size_t count = event_strings(&copy, fields), bytes = sizeof(ob_queued_event);

	for (size_t i = 0; i < count; i++)
		bytes += string_len(event, *fields[i]) + 1;
	ob_queued_event *queued = malloc(bytes);
	if (!queued)
		return NULL;
	char *to = queued->text;
	for (size_t i = 0; i < count; i++) {
		size_t len = string_len(event, *fields[i]);

		if (!*fields[i])
			continue;
		memcpy(to, *fields[i], len);
		to[len] = '\0';
		*fields[i] = to;
		to += len + 1;
	}
	queued->event = copy;
	queued->bytes = bytes;
	queued->next = NULL;
	return queued;
}

/* Under lock: may this event still be queued? Waits a while where it must not be lost. */
static bool has_room(ocib_context *ctx, ocib_event_type type)
{
	struct timespec until;

	if (ctx->queued_bytes < QUEUE_BOUND)
		return true;
	if (type == OCIB_EVENT_PROGRESS || type == OCIB_EVENT_DEBUG)
		return false;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_FOR_ROOM_S;
	while (type == OCIB_EVENT_OUTPUT && ctx->pumping && ctx->queued_bytes >= QUEUE_BOUND &&
	       !ob_is_canceled(ctx))
		if (pthread_cond_timedwait(&ctx->changed, &ctx->lock, &until) == ETIMEDOUT)
			break;
	return true;
}

static void enqueue(ocib_context *ctx, ob_queued_event *queued)
{
	if (ctx->last)
		ctx->last->next = queued;
	else
		ctx->first = queued;
	ctx->last = queued;
	ctx->queued_bytes += queued->bytes;
	pthread_cond_broadcast(&ctx->changed);
}

static ob_queued_event *take_queue(ocib_context *ctx)
{
	ob_queued_event *all = ctx->first;

	ctx->first = ctx->last = NULL;
	ctx->queued_bytes = 0;
	if (all)
		pthread_cond_broadcast(&ctx->changed);
	return all;
}

static void deliver_all(ocib_context *ctx, ob_queued_event *all)
{
	while (all) {
		ob_queued_event *next = all->next;

		deliver(ctx, &all->event);
		free(all);
		all = next;
	}
}

static void drain(ocib_context *ctx)
{
	pthread_mutex_lock(&ctx->lock);
	ob_queued_event *all = take_queue(ctx);
	pthread_mutex_unlock(&ctx->lock);
	deliver_all(ctx, all);
}

void ob_emit(ocib_context *ctx, const ocib_event *event)
{
	if (!ctx || !ctx->on_event || (event->type == OCIB_EVENT_DEBUG && !ctx->debug))
		return;
	pthread_mutex_lock(&ctx->lock);
	if (ctx->pumping && !pthread_equal(ctx->owner, pthread_self())) {
		ob_queued_event *queued = has_room(ctx, event->type) ? copy_event(event) : NULL;

		if (queued)
			enqueue(ctx, queued);
		pthread_mutex_unlock(&ctx->lock);
		return;
	}
	bool own_pump = ctx->pumping;
	pthread_mutex_unlock(&ctx->lock);
	if (own_pump)
		drain(ctx);
	deliver(ctx, event);
}

static ob_printf(5, 0) void emit_message(ocib_context *ctx, ocib_event_type type, const char *file,
					 unsigned line, const char *format, va_list args)
{
	ob_autofree char *text = NULL;

	if (!ctx || !ctx->on_event || vasprintf(&text, format, args) < 0)
		return;
	ob_emit(ctx, &(ocib_event){.type = type, .u.message = {text, file, line}});
}

void ob_emit_note(ocib_context *ctx, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit_message(ctx, OCIB_EVENT_NOTE, NULL, 0, format, args);
	va_end(args);
}

void ob_emit_warning(ocib_context *ctx, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit_message(ctx, OCIB_EVENT_WARNING, file, line, format, args);
	va_end(args);
}

void ob_emit_debug(ocib_context *ctx, const char *format, ...)
{
	va_list args;

	if (!ctx || !ctx->debug)
		return;
	va_start(args, format);
	emit_message(ctx, OCIB_EVENT_DEBUG, NULL, 0, format, args);
	va_end(args);
}

void ob_emit_progress(ocib_context *ctx, uint32_t step, const char *id, const char *action,
		      uint64_t current, uint64_t total)
{
	ob_emit(ctx, &(ocib_event){.type = OCIB_EVENT_PROGRESS,
				   .u.progress = {step, id, action, current, total}});
}

ocib_errc ob_pump_begin(ocib_context *ctx, ocib_error **err)
{
	bool nested;

	pthread_mutex_lock(&ctx->lock);
	nested = ctx->pumping && pthread_equal(ctx->owner, pthread_self());
	/* Another call on this context: one after the other, so that each sees its own events. */
	while (ctx->pumping && !nested)
		pthread_cond_wait(&ctx->changed, &ctx->lock);
	if (!nested) {
		ctx->pumping = true;
		ctx->owner = pthread_self();
	}
	pthread_mutex_unlock(&ctx->lock);
	if (nested)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "a call was made on a context from inside another");
	return OCIB_OK;
}

void ob_pump_wake(ocib_context *ctx)
{
	pthread_mutex_lock(&ctx->lock);
	ctx->wakes++;
	pthread_cond_broadcast(&ctx->changed);
	pthread_mutex_unlock(&ctx->lock);
}

void ob_pump_run(ocib_context *ctx, bool (*done)(void *), void *arg)
{
	for (;;) {
		pthread_mutex_lock(&ctx->lock);
		ob_queued_event *all = take_queue(ctx);
		/* Read before done() is asked: a wake that comes after is not missed. */
		unsigned seen = ctx->wakes;
		pthread_mutex_unlock(&ctx->lock);

		deliver_all(ctx, all);
		if (done(arg))
			return;
		pthread_mutex_lock(&ctx->lock);
		while (!ctx->first && ctx->wakes == seen)
			pthread_cond_wait(&ctx->changed, &ctx->lock);
		pthread_mutex_unlock(&ctx->lock);
	}
}

void ob_pump_end(ocib_context *ctx)
{
	pthread_mutex_lock(&ctx->lock);
	ob_queued_event *all = take_queue(ctx);
	pthread_mutex_unlock(&ctx->lock);

	deliver_all(ctx, all);
	pthread_mutex_lock(&ctx->lock);
	all = take_queue(ctx);
	ctx->pumping = false;
	pthread_cond_broadcast(&ctx->changed);
	pthread_mutex_unlock(&ctx->lock);
	deliver_all(ctx, all);
}
