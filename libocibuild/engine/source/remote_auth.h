/* engine/source/remote_auth.h — the Authorization header that secrets give for what is elsewhere. */
#ifndef OB_ENGINE_REMOTE_AUTH_H
#define OB_ENGINE_REMOTE_AUTH_H

#include "engine/source/secrets.h"

/**
 * For a file: HTTP_AUTH_TOKEN_HOST as a bearer token, else HTTP_AUTH_HEADER_HOST as it is.
 * @param secrets may be NULL.
 * @param out receives the header's value (malloc'ed, to be wiped), or NULL: there is none.
 * Kinds: INVALID (a secret that cannot be a header).
 */
ocib_errc ob_http_authorization(const ob_secrets *secrets, const char *url, char **out,
				ocib_error **err);
/**
 * The same for a git repository behind http or https: the first of GIT_AUTH_HEADER.HOST, GIT_AUTH_TOKEN.HOST,
 * GIT_AUTH_HEADER, GIT_AUTH_TOKEN; HOST with its port where the URL has one.
 */
ocib_errc ob_git_authorization(const ob_secrets *secrets, const char *remote, char **out,
			       ocib_error **err);

/** Wipe and free; NULL is fine. */
void ob_authorization_free(char *authorization);
static inline void ob_authorization_freep(char **authorization)
{
	ob_authorization_free(*authorization);
}
#define ob_auto_authorization __attribute__((cleanup(ob_authorization_freep))) char *

#endif
