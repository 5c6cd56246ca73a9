/* engine/build/output_lines.h — what a RUN writes, cut into lines for events, its end kept for errors. */
#ifndef OB_ENGINE_BUILD_OUTPUT_LINES_H
#define OB_ENGINE_BUILD_OUTPUT_LINES_H

#include "base/buffer.h"
#include "base/context.h"
#include "base/limits.h"
#include "base/strlist.h"

typedef struct ob_output_lines {
	ocib_context *ctx;
	uint32_t step;
	ob_buffer open[2]; /**< the unfinished line of either stream */
	ob_strlist tail;   /**< the last OB_LIMIT_OUTPUT_TAIL lines */
} ob_output_lines;

void ob_output_lines_init(ob_output_lines *lines, ocib_context *ctx, uint32_t step);
/** An ob_worker_output: @p arg is the ob_output_lines. */
void ob_output_lines_add(int stream, const char *data, size_t len, void *arg);
/** What has no newline at the end is a line, too. */
void ob_output_lines_finish(ob_output_lines *lines);
void ob_output_lines_done(ob_output_lines *lines);

#endif
