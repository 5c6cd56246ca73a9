/* ocibuild/check.h — what is questionable in a Dockerfile, what a stage takes, and which stages there are.
 *
 * None of these builds anything. A check and an outline plan a build, so they look at the manifests and
 * configurations of base images, in the store or in their registries; a base that cannot be had does not
 * end them. The rules are BuildKit's, by its names.
 *
 * Thread rule: a result belongs to one thread at a time; what is borrowed from it lives as long as it.
 */
#ifndef OCIBUILD_CHECK_H
#define OCIBUILD_CHECK_H

#include <ocibuild/build.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a check looks for. Static. */
typedef struct ocib_check_rule {
	const char *name;        /**< as "# check=skip=NAME" has it */
	const char *description; /**< what it asks of a Dockerfile, one line */
	const char *url;         /**< a page about it, or NULL */
	int experimental;        /**< non-zero: only looked for when it is asked for by name */
} ocib_check_rule;

OCIB_API size_t ocib_check_rule_count(void);
/** In the order of their names; NULL when @p index is out of range. */
OCIB_API const ocib_check_rule *ocib_check_rule_get(size_t index);

#ifdef __cplusplus
}
#endif
#endif
