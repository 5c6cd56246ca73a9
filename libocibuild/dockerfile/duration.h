/* dockerfile/duration.h — "1h30m", "1.5s": Go's time.ParseDuration, as HEALTHCHECK's flags use it. */
#ifndef OB_DOCKERFILE_DURATION_H
#define OB_DOCKERFILE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/** Nanoseconds; false when @p text is no duration or one of more than 292 years. */
bool ob_duration_parse(const char *text, int64_t *nanoseconds);

#endif
