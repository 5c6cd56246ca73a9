/* registry/auth_config.h — credentials for a registry out of Docker's config.json. */
#ifndef OB_REGISTRY_AUTH_CONFIG_H
#define OB_REGISTRY_AUTH_CONFIG_H

#include "base/context.h"

typedef struct ob_credentials {
	char *username; /**< NULL: none */
	char *password;
	char *identity_token; /**< an OAuth refresh token in place of a password, or NULL */
	char *registry_token; /**< a ready bearer token, or NULL */
} ob_credentials;

void ob_credentials_done(ob_credentials *credentials); /**< overwrites the secrets */
bool ob_credentials_is_set(const ob_credentials *credentials);

/**
 * Look up @p host ("docker.io", "ghcr.io", "127.0.0.1:5000") and @p path of a repository: the
 * host's credHelpers entry, else credsStore, else auths, where the longest key of host/path
 * counts. Nothing found is success with nothing set. A helper that does not work is a warning.
 * Kinds: CORRUPT, LIMIT, CANCELED.
 */
ocib_errc ob_credentials_load(ocib_context *ctx, const char *host, const char *path,
			      ob_credentials *out, ocib_error **err);

#endif
