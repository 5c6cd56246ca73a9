/* cli/release/release_tags.h — version tags from templates: "v{date}-{time}", "{commit}". */
#ifndef CLI_RELEASE_TAGS_H
#define CLI_RELEASE_TAGS_H

#include <time.h>
#include "text_pool.h"

/** Is this a template whose tags are valid? @return false with the reason in @p why. */
bool release_tag_check(const char *template, char *why, size_t size);
/** NULL when a repository may have this name below a registry, else what is wrong. */
const char *release_name_check(const char *name);
bool release_tag_needs_commit(const char *template);
bool release_tag_needs_time(const char *template);
/**
 * @param commit full id, "" when there is none. @param now the time of {date} and {time}.
 * @param dirty the tag ends in "-dirty".
 */
const char *release_tag_format(text_pool *pool, const char *template, const char *commit,
			       time_t now, bool dirty);
/** Could @p tag come from @p template? Tags of one template with times compare as texts. */
bool release_tag_has_shape(const char *template, const char *tag);

#endif
