/* registry/auth_helper.h — ask a docker-credential-NAME program. */
#ifndef OB_REGISTRY_AUTH_HELPER_H
#define OB_REGISTRY_AUTH_HELPER_H

#include "registry/auth_config.h"

/**
 * Run "docker-credential-NAME get" with @p server on its standard input. That it knows nothing is
 * success with nothing set. Kinds: INVALID (name), NOTFOUND (no such program), PROTOCOL, LIMIT,
 * CANCELED.
 */
ocib_errc ob_auth_helper_get(ocib_context *ctx, const char *name, const char *server,
			     ob_credentials *out, ocib_error **err);

#endif
