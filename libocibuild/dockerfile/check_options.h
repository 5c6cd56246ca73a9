/* dockerfile/check_options.h — "skip=…;error=…;experimental=…": which rules count, and how much. */
#ifndef OB_DOCKERFILE_CHECK_OPTIONS_H
#define OB_DOCKERFILE_CHECK_OPTIONS_H

#include <stdbool.h>
#include "base/error.h"
#include "base/strlist.h"
#include "dockerfile/check_rules.h"

typedef struct ob_check_options {
	bool skip_all, experimental_all;
	bool error; /**< findings make the build fail */
	ob_strlist skip, experimental;
} ob_check_options;

/** Fill @p out, which must be zeroed. Kinds: SYNTAX (no location). */
ocib_errc ob_check_options_parse(const char *text, ob_check_options *out, ocib_error **err);
void ob_check_options_done(ob_check_options *options);

/**
 * Does @p rule count under @p options of the file and @p more (may be NULL) of one instruction? An
 * ordinary rule does unless either skips it, an experimental one only when either asks for it.
 */
bool ob_check_options_allow(const ob_check_options *options, const ob_check_options *more,
			    ob_rule rule);

#endif
