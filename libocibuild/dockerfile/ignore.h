/* dockerfile/ignore.h — .dockerignore: patterns with BuildKit's exact matching rules. */
#ifndef OB_DOCKERFILE_IGNORE_H
#define OB_DOCKERFILE_IGNORE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/strlist.h"

typedef struct ob_ignore ob_ignore;

/** Lines of an ignore file to clean patterns, appended; line_numbers (may be NULL) gets one each. */
ocib_errc ob_ignore_read(const char *text, size_t len, ob_strlist *patterns,
			 unsigned **line_numbers, ocib_error **err);
/** Compile patterns in order ('!' re-includes, last match wins). Kinds: SYNTAX, LIMIT. */
ocib_errc ob_ignore_new(const ob_strlist *patterns, ob_ignore **out, ocib_error **err);
ob_ignore *ob_ignore_free(ob_ignore *ignore);
OB_DEFINE_AUTO(ob_ignore);

/** What a walk down to it would say: for one path out of the blue. Nothing is allocated. */
bool ob_ignore_match(const ob_ignore *ignore, const char *path);

/**
 * For a walk: state of a directory is derived from its parent's, so each path is matched once.
 * A state is opaque memory of ob_ignore_state_size() bytes, aligned for uint64_t, the root's made by
 * ob_ignore_root(). An ob_ignore never changes, so threads may share one.
 */
size_t ob_ignore_state_size(const ob_ignore *ignore);
void ob_ignore_root(const ob_ignore *ignore, void *state);
/** Is @p path (in the directory of @p parent) excluded? @p state (may be NULL for a file) receives its own. */
bool ob_ignore_step(const ob_ignore *ignore, const void *parent, const char *path, void *state);
/** May anything below an excluded directory be re-included? If not, it need not be entered. */
bool ob_ignore_may_reinclude(const ob_ignore *ignore, const char *dir, const void *state);
/** Index of the pattern that decided on @p path, -1 when none: for "hidden by line N of .dockerignore". */
int ob_ignore_explain(const ob_ignore *ignore, const char *path);

/** Go's filepath.Match on one whole name; false also for a malformed pattern (*bad set). */
bool ob_glob_match(const char *pattern, const char *name, bool *bad);
bool ob_glob_has_magic(const char *pattern);

#endif
