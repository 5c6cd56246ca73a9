/* registry/auth_token.h — fetch a bearer token (distribution's token and OAuth 2
 * specifications).
 */
#ifndef OB_REGISTRY_AUTH_TOKEN_H
#define OB_REGISTRY_AUTH_TOKEN_H

#include "registry/auth_config.h"
#include "registry/http_client.h"

typedef struct ob_token_request {
	const char *realm;   /**< checked by ob_token_realm() */
	const char *service; /**< "" for none */
	const char *scope;   /**< blank-separated */
	const ob_credentials *credentials;
} ob_token_request;

/** *token malloc'ed; *lifetime in seconds. Kinds: PROTOCOL, NETWORK, CANCELED. */
ocib_errc ob_token_fetch(ocib_context *ctx, ob_curl_pool *pool, const ob_token_request *request,
			 char **token, int64_t *lifetime, ocib_error **err);

/**
 * The realm of a challenge as a URL, refused where it would send a password less protected than
 * the registry itself is reached. Kinds: PROTOCOL.
 */
ocib_errc ob_token_realm(const char *registry_url, const char *realm, char **out, ocib_error **err);

#endif
