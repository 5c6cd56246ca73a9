/* ocibuild/store.h — where images are kept: an OCI image layout with a cache beside it.
 *
 * Thread rule: a store may be used by several threads; several processes may open one store.
 */
#ifndef OCIBUILD_STORE_H
#define OCIBUILD_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <ocibuild/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ocib_store ocib_store;

/**
 * Open a store, making it if missing.
 *
 * @param path NULL: $OCIBUILD_STORE, else $XDG_DATA_HOME/ocibuild, else /var/lib/ocibuild for root and
 *             ~/.local/share/ocibuild for everybody else.
 * @return OCIB_OK. Branch on: OCIB_ERR_UNSUPPORTED (written by another version), OCIB_ERR_SYSTEM.
 */
OCIB_API ocib_errc ocib_store_open(ocib_context *ctx, const char *path, ocib_store **out,
				   ocib_error **err);
/** @return NULL. */
OCIB_API ocib_store *ocib_store_close(ocib_store *store);
/** Absolute path; borrowed. */
OCIB_API const char *ocib_store_path(const ocib_store *store);

/** One name in the store. Strings are borrowed for the callback. */
typedef struct ocib_store_ref {
	const char *name;      /**< as a person types it: "runtime:latest" */
	const char *full_name; /**< "docker.io/library/runtime:latest" */
	const char *digest;    /**< of the manifest or index */
	const char *image_id;  /**< digest of the config; "" for an index of several platforms */
	const char *platform;  /**< "linux/amd64"; all of an index, comma-separated */
	const char *created;   /**< RFC 3339 or "" */
	uint64_t size;         /**< bytes of all blobs, packed */
} ocib_store_ref;
/** @return 0 to go on. */
typedef int (*ocib_store_ref_fn)(const ocib_store_ref *ref, void *user);
/** Every name, sorted. */
OCIB_API ocib_errc ocib_store_list(ocib_store *store, ocib_store_ref_fn each, void *user,
				   ocib_error **err);
/**
 * Give an image one more name.
 *
 * @param image a name, a digest, an image id or the beginning of one (4 hex digits or more).
 * @return OCIB_OK. Branch on: OCIB_ERR_NOTFOUND, OCIB_ERR_INVALID (no valid name, or not unique).
 */
OCIB_API ocib_errc ocib_store_tag(ocib_store *store, const char *image, const char *new_name,
				  ocib_error **err);
/** Remove a name; the image and its blobs stay. Branch on: OCIB_ERR_NOTFOUND, OCIB_ERR_INVALID. */
OCIB_API ocib_errc ocib_store_untag(ocib_store *store, const char *name, ocib_error **err);

/** What ocib_store_check() found wrong, one call each. */
typedef int (*ocib_store_problem_fn)(const char *problem, void *user);
/** Read everything and verify it. @p problems receives their number. */
OCIB_API ocib_errc ocib_store_check(ocib_context *ctx, ocib_store *store,
				    ocib_store_problem_fn each, void *user, uint64_t *problems,
				    ocib_error **err);

#ifdef __cplusplus
}
#endif
#endif
