/* registry/auth.h — the Authorization header of a registry's requests: Basic, or Bearer tokens by
 * scope.
 *
 * Nothing is sent before the registry has asked. Tokens are kept per scope until shortly before
 * they expire; several threads that need one wait for the one that fetches it.
 */
#ifndef OB_REGISTRY_AUTH_H
#define OB_REGISTRY_AUTH_H

#include "registry/http_client.h"

typedef struct ob_auth ob_auth;

/**
 * @param pool borrowed. @param host and path as credentials are looked up. @param username NULL:
 *        config.json.
 */
ocib_errc ob_auth_new(ocib_context *ctx, ob_curl_pool *pool, const char *host, const char *path,
		      const char *username, const char *password, ob_auth **out, ocib_error **err);
ob_auth *ob_auth_free(ob_auth *auth);
OB_DEFINE_AUTO(ob_auth);

/**
 * The header value for a request, malloc'ed; *out NULL when nothing is asked for yet. May fetch a
 * token.
 * @param scope "repository:x:pull", several separated by a blank.
 */
ocib_errc ob_auth_header(ob_auth *auth, const char *scope, char **out, ocib_error **err);

/**
 * After a 401: learn from its challenges. *again when a request with a new header can be expected
 * to do better than one with @p sent (the header that was refused, or NULL).
 */
ocib_errc ob_auth_challenged(ob_auth *auth, const ob_http_reply *reply, const char *sent,
			     bool *again, ocib_error **err);
/** Are there credentials, as far as anybody looked? For the hint of an error. */
bool ob_auth_has_credentials(ob_auth *auth);

#endif
