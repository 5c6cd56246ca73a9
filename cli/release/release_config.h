/* cli/release/release_config.h — what ocibuild.yaml says, or the defaults without it.
 *
 * docs/release.md documents every key. A key that is not in the tables of release_config.c is an error
 * with its line and the nearest name.
 */
#ifndef CLI_RELEASE_CONFIG_H
#define CLI_RELEASE_CONFIG_H

#include "yaml_tree.h"

#define RELEASE_CONFIG_FILE "ocibuild.yaml"

/** One of the two images. Lists are NULL-terminated or NULL. */
typedef struct release_image {
	const char *key;  /**< "runtime", "app" */
	const char *name; /**< repository below each registry */
	const char *dockerfile, *context, *target;
	const char *tag;      /**< template of the version tag */
	const char *latest;   /**< the moving tag */
	const char *platform; /**< all of @ref platforms, comma-separated; NULL: this machine's */
	const char *compression;
	text_list platforms;
	text_list build_args;  /**< "KEY=VALUE", or "KEY" to take it from the environment */
	text_list labels;      /**< "KEY=VALUE" */
	text_list annotations; /**< "KEY=VALUE" */
	text_list build_contexts;
	text_list secrets; /**< as build --secret takes them */
	bool cache;
} release_image;

typedef struct release_registry_entry {
	const char *address;
	const char *username_env, *password_env; /**< names of variables, NULL: not said */
	const char *ca_cert;
	bool plain_http;
	unsigned line;
} release_registry_entry;

typedef struct release_config {
	bool has_file;
	release_image runtime, app;
	release_registry_entry *registries;
	size_t registry_count;
	text_list ignore; /**< paths whose changes need no new application image */
	text_list labels; /**< of both images */
} release_config;

void release_config_defaults(text_pool *pool, release_config *out);
/** Over the defaults. @return false with *problem set. */
bool release_config_parse(text_pool *pool, const char *data, size_t len, release_config *out,
			  config_problem *problem);

#endif
