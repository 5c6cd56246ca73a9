/* ocibuild/registry.h — registries by themselves: how to reach one, and what its tags mean.
 *
 * Nothing here needs a store. Names are as everywhere: "registry.example:5000/team/app:tag".
 */
#ifndef OCIBUILD_REGISTRY_H
#define OCIBUILD_REGISTRY_H

#include <ocibuild/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to reach one registry. Start from OCIB_REGISTRY_ACCESS_INIT; a zero field means its default. */
typedef struct ocib_registry_access {
	size_t size;          /**< sizeof this struct, set by the initialiser */
	const char *host;     /**< "docker.io", "registry.example:5000" */
	const char *username; /**< default: Docker's config.json */
	const char *password;
	int plain_http; /**< non-zero: HTTP without TLS */
	int skip_tls_verify;
	const char *ca_cert; /**< PEM file, more trust */
} ocib_registry_access;
#define OCIB_REGISTRY_ACCESS_INIT OCIB_OPTIONS_INIT(ocib_registry_access)

/**
 * Tell a context about one registry, for every call that is made with it afterwards.
 *
 * All is copied, kept in memory only, sent to that host only, and overwritten when the context is
 * freed. What a call's own options say comes first. Of two for one host the later one counts. Not
 * while a call with this context is under way.
 * @return OCIB_OK. Branch on: OCIB_ERR_INVALID (no host).
 */
OCIB_API ocib_errc ocib_context_add_registry(ocib_context *ctx, const ocib_registry_access *access,
					     ocib_error **err);

/** A manifest or an index in a registry. */
typedef struct ocib_registry_manifest {
	char digest[72];
	char media_type[128];
	uint64_t size; /**< of the document itself */
} ocib_registry_manifest;

/** What @p name means in its registry now: one HEAD request. Branch on: OCIB_ERR_NOTFOUND. */
OCIB_API ocib_errc ocib_registry_resolve(ocib_context *ctx, const char *name,
					 ocib_registry_manifest *out, ocib_error **err);
/**
 * Let @p tag mean @p image, an image that its registry has, within the same repository.
 * Branch on: OCIB_ERR_NOTFOUND, OCIB_ERR_INVALID (no valid tag).
 */
OCIB_API ocib_errc ocib_registry_tag(ocib_context *ctx, const char *image, const char *tag,
				     ocib_error **err);
/**
 * Remove one tag and nothing else. Many registries cannot: OCIB_ERR_UNSUPPORTED.
 * Branch on: OCIB_ERR_NOTFOUND, OCIB_ERR_UNSUPPORTED.
 */
OCIB_API ocib_errc ocib_registry_untag(ocib_context *ctx, const char *name, ocib_error **err);

/** @return 0 to go on. */
typedef int (*ocib_registry_tag_fn)(const char *tag, void *user);
/**
 * The tags of @p repository ("registry.example/team/app"; a tag in it is not looked at), as the
 * registry orders them. Branch on: OCIB_ERR_NOTFOUND (no such repository).
 */
OCIB_API ocib_errc ocib_registry_list_tags(ocib_context *ctx, const char *repository,
					   ocib_registry_tag_fn each, void *user, ocib_error **err);

#ifdef __cplusplus
}
#endif
#endif
