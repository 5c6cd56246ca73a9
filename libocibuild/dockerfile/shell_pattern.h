/* dockerfile/shell_pattern.h — the patterns of ${v#p}, ${v%p} and ${v/p/r}.
 *
 * '*' is any run, '?' any one character ('/' included, a newline not); there are no brackets. A
 * backslash makes '*', '?' and itself literal, disappears before '}' and '/', and is an error before
 * anything else. Kinds: SYNTAX, LIMIT.
 *
 * @p steps counts what a whole word costs, so that one with many substitutions has one limit.
 */
#ifndef OB_DOCKERFILE_SHELL_PATTERN_H
#define OB_DOCKERFILE_SHELL_PATTERN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

/** Add @p more to @p steps. Kinds: LIMIT (OB_LIMIT_SHELL_STEPS). */
ocib_errc ob_shell_spend(uint64_t *steps, uint64_t more, ocib_error **err);

/** Append @p value without the shortest or longest beginning that @p pattern matches. */
ocib_errc ob_shell_trim_prefix(const char *pattern, const char *value, bool longest,
			       uint64_t *steps, ob_buffer *out, ocib_error **err);
/** The same at the end. */
ocib_errc ob_shell_trim_suffix(const char *pattern, const char *value, bool longest,
			       uint64_t *steps, ob_buffer *out, ocib_error **err);
/**
 * Append @p value with the first match replaced, or all. With @p all a '$' in the replacement refers to
 * the match ("$0") or to nothing ("$1", "$name"), and "$$" is a '$', as in Go's ReplaceAllString.
 */
ocib_errc ob_shell_replace(const char *pattern, const char *value, const char *replacement,
			   bool all, uint64_t *steps, ob_buffer *out, ocib_error **err);

#endif
