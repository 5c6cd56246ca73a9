/* test_engine_output_lines.c — what a command writes, cut into lines. */
#include <stdlib.h>
#include "engine/build/output_lines.h"
#include "harness.h"

typedef struct heard {
	char text[4096];
	int events, partial;
	size_t longest;
} heard;

static int listen_to(const ocib_event *event, void *user)
{
	heard *h = user;
	size_t used = strlen(h->text);

	assert_int_equal(event->type, OCIB_EVENT_OUTPUT);
	h->events++;
	h->partial += event->u.output.partial;
	if (event->u.output.len > h->longest)
		h->longest = event->u.output.len;
	if (event->u.output.len < 100)
		(void)snprintf(h->text + used, sizeof(h->text) - used, "%d:%s\n",
			       event->u.output.stream, event->u.output.text);
	return 0;
}

static ob_output_lines lines;
static heard h;

static ocib_context *begin(void)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_context *ctx = NULL;

	h = (heard){0};
	options.on_event = listen_to;
	options.user = &h;
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	ob_output_lines_init(&lines, ctx, 7);
	return ctx;
}

static void end(ocib_context *ctx)
{
	ob_output_lines_finish(&lines);
	ob_output_lines_done(&lines);
	ocib_context_free(ctx);
}

static void add(int stream, const char *text)
{
	ob_output_lines_add(stream, text, strlen(text), &lines);
}

TEST(output_lines__pieces_become_lines_and_streams_stay_apart)
{
	ocib_context *ctx = begin();

	add(1, "he");
	add(2, "oh ");
	add(1, "llo\n\nwor");
	add(2, "no\n");
	add(1, "ld");
	end(ctx);
	assert_string_equal(h.text, "1:hello\n1:\n2:oh no\n1:world\n");
	assert_int_equal(h.partial, 0);
}

TEST(output_lines__nul_bytes_are_dropped)
{
	ocib_context *ctx = begin();

	ob_output_lines_add(1, "\0a\0\0b\0\n\0", 8, &lines);
	end(ctx);
	assert_string_equal(h.text, "1:ab\n");
}

TEST(output_lines__long_line_comes_in_pieces)
{
	ocib_context *ctx = begin();
	size_t len = 3 * OB_LIMIT_OUTPUT_LINE;
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\n';
	ob_output_lines_add(1, text, len + 1, &lines);
	end(ctx);
	assert_int_equal(h.events, 3);
	assert_int_equal(h.partial, 2);
	assert_int_equal(h.longest, OB_LIMIT_OUTPUT_LINE);
	free(text);
}

TEST(output_lines__tail_is_the_last_lines)
{
	ocib_context *ctx = begin();
	char line[32];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		add(1 + i % 2, line);
	}
	assert_int_equal(lines.tail.len, OB_LIMIT_OUTPUT_TAIL);
	assert_string_equal(lines.tail.items[OB_LIMIT_OUTPUT_TAIL - 1], "line 99");
	assert_string_equal(lines.tail.items[0], "line 80");
	end(ctx);
}
