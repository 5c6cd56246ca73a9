/* engine/run/probe_output.h — the first words of a health check, in one line that is fit to be shown. */
#ifndef OB_ENGINE_PROBE_OUTPUT_H
#define OB_ENGINE_PROBE_OUTPUT_H

#include "base/error.h"

typedef struct ob_probe_output {
	int fd; /**< readable when there is more; -1: closed */
	size_t len;
	char text[200];
} ob_probe_output;
void ob_probe_output_done(ob_probe_output *output);

/** Forget what was; *end, which the caller closes, is what the check writes to. */
ocib_errc ob_probe_output_open(ob_probe_output *output, int *end, ocib_error **err);
/** Something is there: more than fits is dropped, so that the check never waits. */
void ob_probe_output_read(ob_probe_output *output);
/** The check has ended. Valid until the next one. */
const char *ob_probe_output_finish(ob_probe_output *output);

#endif
