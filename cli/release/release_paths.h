/* cli/release/release_paths.h — which changed files matter: patterns as in a workflow's paths-ignore. */
#ifndef CLI_RELEASE_PATHS_H
#define CLI_RELEASE_PATHS_H

#include "text_pool.h"

/** NULL when the pattern is fine, else what is wrong with it. */
const char *release_pattern_check(const char *pattern);
/**
 * Does a pattern match a path, both relative to the top of the repository? '*' and '?' stop at '/',
 * '**' does not, and a double star before a slash also stands for no directory at all.
 */
bool release_pattern_match(const char *pattern, const char *path);
/** The last pattern that matches decides; one with '!' in front means: not ignored after all. */
bool release_path_is_ignored(const text_list *patterns, const char *path);

#endif
