/* cli/progress_rawjson.c — every event as one JSON object a line, for programs. */
#include <string.h>
#include "cli.h"
#include "progress.h"

static void member(const char *key, const char *text, size_t len)
{
	fprintf(stderr, ",\"%s\":", key);
	cli_format_json_string(stderr, text, len);
}

static void show_step(const char *type, const ocib_event_step *step)
{
	fprintf(stderr,
		"{\"event\":\"%s\",\"step\":%u,\"number\":%u,\"total\":%u,\"elapsed_ms\":%llu",
		type, step->id, step->number, step->total, (unsigned long long)step->elapsed_ms);
	member("stage", step->stage, strlen(step->stage));
	member("text", step->text, strlen(step->text));
	fputs("}\n", stderr);
}

static void show_message(const char *type, const ocib_event_message *message)
{
	fprintf(stderr, "{\"event\":\"%s\"", type);
	member("text", message->text, strlen(message->text));
	if (message->file) {
		member("file", message->file, strlen(message->file));
		fprintf(stderr, ",\"line\":%u", message->line);
	}
	if (message->rule)
		member("rule", message->rule, strlen(message->rule));
	if (message->url)
		member("url", message->url, strlen(message->url));
	if (message->excerpt)
		member("excerpt", message->excerpt, strlen(message->excerpt));
	fputs("}\n", stderr);
}

static void show_output(const ocib_event_output *output)
{
	fprintf(stderr, "{\"event\":\"output\",\"step\":%u,\"stream\":%d,\"partial\":%s",
		output->step, output->stream, output->partial ? "true" : "false");
	member("text", output->text, output->len);
	fputs("}\n", stderr);
}

static void show_transfer(const ocib_event_progress *p)
{
	fprintf(stderr, "{\"event\":\"progress\",\"step\":%u,\"current\":%llu,\"total\":%llu",
		p->step, (unsigned long long)p->current, (unsigned long long)p->total);
	member("id", p->id, strlen(p->id));
	member("action", p->action, strlen(p->action));
	fputs("}\n", stderr);
}

static void rawjson_event(progress *view, const ocib_event *event)
{
	(void)view;
	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED: show_step("started", &event->u.step); break;
	case OCIB_EVENT_STEP_CACHED: show_step("cached", &event->u.step); break;
	case OCIB_EVENT_STEP_DONE: show_step("done", &event->u.step); break;
	case OCIB_EVENT_STEP_FAILED: show_step("failed", &event->u.step); break;
	case OCIB_EVENT_OUTPUT: show_output(&event->u.output); break;
	case OCIB_EVENT_PROGRESS: show_transfer(&event->u.progress); break;
	case OCIB_EVENT_WARNING: show_message("warning", &event->u.message); break;
	case OCIB_EVENT_NOTE: show_message("note", &event->u.message); break;
	case OCIB_EVENT_DEBUG: show_message("debug", &event->u.message); break;
	case OCIB_EVENT_COMMAND_STARTED: show_message("started", &event->u.message); break;
	case OCIB_EVENT_PORT: show_message("port", &event->u.message); break;
	case OCIB_EVENT_HEALTH: show_message("health", &event->u.message); break;
	}
}

const progress_ops progress_rawjson = {.event = rawjson_event};
