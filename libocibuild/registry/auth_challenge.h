/* registry/auth_challenge.h — the challenges of a WWW-Authenticate header (RFC 9110 section 11). */
#ifndef OB_REGISTRY_AUTH_CHALLENGE_H
#define OB_REGISTRY_AUTH_CHALLENGE_H

#include "base/buffer.h"
#include "base/strlist.h"

typedef struct ob_challenge {
	char *scheme;      /**< lower case: "bearer", "basic", … */
	ob_strlist params; /**< KEY=VALUE, keys in lower case, no quotes; the first of a name */
} ob_challenge;

typedef struct ob_challenges {
	ob_challenge *items;
	size_t len;
} ob_challenges;

void ob_challenges_done(ob_challenges *list);
/** Appends. What cannot be read ends the list quietly: a server's other challenges still count.
 *  Kinds: NOMEM, LIMIT. */
ocib_errc ob_challenges_parse(const char *header, ob_challenges *list, ocib_error **err);
/** The first of that scheme (lower case); NULL if there is none. */
const ob_challenge *ob_challenges_find(const ob_challenges *list, const char *scheme);
const char *ob_challenge_param(const ob_challenge *challenge,
			       const char *name); /**< NULL if absent */

#endif
