/* ocibuild/transfer.h — images between the store, layouts, archives and registries. */
#ifndef OCIBUILD_TRANSFER_H
#define OCIBUILD_TRANSFER_H

#include <ocibuild/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Start from OCIB_TRANSFER_OPTIONS_INIT; a zero field means its default. */
typedef struct ocib_transfer_options {
	size_t size; /**< sizeof this struct, set by the initialiser */
	/** Which of an index; "all" keeps the index. Default this machine's, for a push all. */
	const char *platform;
	int plain_http; /**< non-zero: registries over HTTP */
	int skip_tls_verify;
	const char *ca_cert;  /**< PEM file, more trust for registries */
	const char *username; /**< default: Docker's config.json */
	const char *password;
} ocib_transfer_options;
#define OCIB_TRANSFER_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_transfer_options)

/** What moved. */
typedef struct ocib_transfer_result {
	char digest[72];        /**< of the manifest or index that is now at the destination */
	uint64_t bytes;         /**< bytes moved */
	uint64_t blobs_skipped; /**< blobs that were there already or mounted */
} ocib_transfer_result;

/** From its registry into the store under its name. */
OCIB_API ocib_errc ocib_pull(ocib_context *ctx, ocib_store *store, const char *name,
			     const ocib_transfer_options *options, ocib_transfer_result *result,
			     ocib_error **err);
/**
 * From the store to the registry of @p destination (NULL: of @p name). A destination with a digest,
 * "registry/app@sha256:…", which must be the image's own, gets the image without a tag.
 */
OCIB_API ocib_errc ocib_push(ocib_context *ctx, ocib_store *store, const char *name,
			     const char *destination, const ocib_transfer_options *options,
			     ocib_transfer_result *result, ocib_error **err);
/**
 * Between any two of: NAME (the store), docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG],
 * docker-archive:FILE[:NAME] (destination and source).
 */
OCIB_API ocib_errc ocib_copy(ocib_context *ctx, ocib_store *store, const char *source,
			     const char *destination, const ocib_transfer_options *options,
			     ocib_transfer_result *result, ocib_error **err);

/** Start from OCIB_IMPORT_OPTIONS_INIT. */
typedef struct ocib_import_options {
	size_t size;
	const char *platform;       /**< default this machine's */
	const char *const *changes; /**< Dockerfile instructions (CMD, ENV, …), NULL-terminated */
	const char *message;        /**< history comment */
	const char *compression;    /**< "gzip" (default), "zstd", "uncompressed" */
	int has_source_date_epoch;
	int64_t source_date_epoch;
} ocib_import_options;
#define OCIB_IMPORT_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_import_options)

/** A root file system tarball (packed or not; "-" is fd 0) as a one-layer image named @p name. */
OCIB_API ocib_errc ocib_import(ocib_context *ctx, ocib_store *store, const char *file,
			       const char *name, const ocib_import_options *options,
			       ocib_image **out, ocib_error **err);

#ifdef __cplusplus
}
#endif
#endif
