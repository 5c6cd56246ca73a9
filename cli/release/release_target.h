/* cli/release/release_target.h — the registries that a release goes to, and who we are there. */
#ifndef CLI_RELEASE_TARGET_H
#define CLI_RELEASE_TARGET_H

#include <ocibuild/ocibuild.h>
#include "release_config.h"

typedef struct release_target {
	const char *host;   /**< "docker.io", "registry.example:5000" */
	const char *prefix; /**< of repositories: "ghcr.io/acme" */
	bool plain_http;
	const char *ca_cert;
	char *username,
		*password; /**< NULL: from config.json; overwritten by release_targets_done() */
} release_target;

typedef struct release_targets {
	release_target *items;
	size_t len;
	text_list notes; /**< what was made of the values, for people */
} release_targets;

/**
 * DOCKER_REGISTRY_URL with DOCKER_USERNAME and DOCKER_PASSWORD, and the registries of the
 * configuration. The passwords' variables are removed from our environment.
 * @return an exit status, after a report.
 */
int release_targets_find(text_pool *pool, const release_config *config, release_targets *out);
void release_targets_done(release_targets *targets);
/** Tell a context about all of them. @return an exit status and *err. */
ocib_errc release_targets_tell(const release_targets *targets, ocib_context *ctx, ocib_error **err);

#endif
