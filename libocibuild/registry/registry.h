/* registry/registry.h — one repository of one registry, spoken to over HTTP (distribution-spec).
 *
 * HTTPS everywhere; plain HTTP for loopback addresses and where the options ask for it. Anonymous,
 * Basic and Bearer tokens, credentials from Docker's config.json (auths, credHelpers, credsStore)
 * or the caller. Credentials never follow a redirect to another host. Bytes are verified as they
 * arrive. Requests are retried on connection failures, 429 and 5xx with Retry-After. One object may
 * be used by several threads at once (each request takes a curl handle from a pool).
 */
#ifndef OB_REGISTRY_REGISTRY_H
#define OB_REGISTRY_REGISTRY_H

#include "base/context.h"
#include "image/descriptor.h"
#include "image/reference.h"

typedef struct ob_registry ob_registry;

typedef struct ob_registry_options {
	bool plain_http; /**< for any host */
	bool skip_tls_verify;
	const char *ca_file;  /**< more trust: PEM; NULL: the system's */
	const char *username; /**< NULL: what the context was told, else config.json */
	const char *password;
	bool push; /**< ask for push scope from the start */
} ob_registry_options;

ocib_errc ob_registry_open(ocib_context *ctx, const ob_reference *repository,
			   const ob_registry_options *options, ob_registry **out, ocib_error **err);
ob_registry *ob_registry_free(ob_registry *registry);
OB_DEFINE_AUTO(ob_registry);
/** Bytes of documents and blobs received so far. */
uint64_t ob_registry_received(const ob_registry *registry);

/** Did credentials turn up when the registry asked for them? */
bool ob_registry_has_credentials(const ob_registry *registry);

/**
 * Progress of one transfer in bytes; called from the transferring thread. Non-zero return
 * cancels.
 */
typedef int (*ob_registry_progress)(uint64_t current, uint64_t total, void *arg);

/**
 * @p reference: a tag or digest text. Kinds: NOTFOUND, DENIED, NETWORK, PROTOCOL, CORRUPT,
 * LIMIT.
 */
ocib_errc ob_registry_get_manifest(ob_registry *registry, const char *reference,
				   ob_buffer *document, char **media_type, ob_digest *digest,
				   ocib_error **err);
/** HEAD; kinds: NOTFOUND. */
ocib_errc ob_registry_head_manifest(ob_registry *registry, const char *reference,
				    ob_descriptor *out, ocib_error **err);
ocib_errc ob_registry_put_manifest(ob_registry *registry, const char *reference,
				   const char *media_type, const void *document, size_t len,
				   ocib_error **err);

/** Appended, as the registry orders them. Kinds: NOTFOUND, CORRUPT, LIMIT, PROTOCOL … */
ocib_errc ob_registry_list_tags(ob_registry *registry, ob_strlist *tags, ocib_error **err);
/** Kinds: NOTFOUND, UNSUPPORTED (this registry cannot). */
ocib_errc ob_registry_delete_tag(ob_registry *registry, const char *tag, ocib_error **err);

/** Whole blob into @p to, digest and size verified; restarts by range after a broken connection. */
ocib_errc ob_registry_get_blob(ob_registry *registry, const ob_descriptor *blob, ob_writer *to,
			       ob_registry_progress progress, void *arg, ocib_error **err);
/**
 * Part of a blob, not verified (the caller checks a digest of its own). Kinds: UNSUPPORTED (no
 * ranges).
 */
ocib_errc ob_registry_get_blob_range(ob_registry *registry, const ob_digest *digest,
				     uint64_t offset, uint64_t len, ob_buffer *out,
				     ocib_error **err);
ocib_errc ob_registry_has_blob(ob_registry *registry, const ob_digest *digest, bool *out,
			       ocib_error **err);
/**
 * Mount from another repository of the same registry; *mounted false when the registry
 * would not.
 */
ocib_errc ob_registry_mount_blob(ob_registry *registry, const ob_digest *digest,
				 const char *from_repository, bool *mounted, ocib_error **err);
/** Upload a file of blob->size bytes (skipped when it is there already: *skipped). */
ocib_errc ob_registry_put_blob(ob_registry *registry, const ob_descriptor *blob, int fd,
			       ob_registry_progress progress, void *arg, bool *skipped,
			       ocib_error **err);

#endif
