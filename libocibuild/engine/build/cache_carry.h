/* engine/build/cache_carry.h — cache mounts from other machines, and to them: --cache-mount-from, -to.
 *
 * Caches travel as an artifact, a manifest with one layer for each cache: in an OCI layout directory, an
 * archive of one, or a registry. Annotations of a layer say whose it is.
 */
#ifndef OB_ENGINE_BUILD_CACHE_CARRY_H
#define OB_ENGINE_BUILD_CACHE_CARRY_H

#include <pthread.h>
#include "engine/build/workshop.h"
#include "engine/transfer/transfer.h"
#include "image/manifest.h"

#define OB_CACHE_ARTIFACT   "application/vnd.ocibuild.cache-mounts.v1"
#define OB_CACHE_KEY        "org.ocibuild.cache-mount.key"
#define OB_CACHE_ID         "org.ocibuild.cache-mount.id"
#define OB_CACHE_DIFF_ID    "org.ocibuild.cache-mount.diff-id"
#define OB_CACHE_ROOT_MODE  "org.ocibuild.cache-mount.mode"  /* octal */
#define OB_CACHE_ROOT_OWNER "org.ocibuild.cache-mount.owner" /* "UID:GID" */

/** One place where caches are: looked at when the first is missing here. */
typedef struct ob_cache_source {
	const char *name; /**< as given; borrowed */
	bool is_open;     /**< was looked at; without a manifest there is nothing */
	ob_transfer transfer;
	ob_manifest *manifest;
} ob_cache_source;

/** A cache that this build used. */
typedef struct ob_cache_use {
	ob_digest key;
	const char *id; /**< borrowed from the plan */
} ob_cache_use;

typedef struct ob_cache_carry {
	ocib_context *ctx;
	ob_store *store;
	bool plain_http;
	pthread_mutex_t lock;
	bool is_ready; /**< the lock was made */
	ob_cache_source *sources;
	size_t source_count;
	ob_image_name *targets;
	size_t target_count;
	ob_cache_use *uses; /**< each once; kept only where there are targets */
	size_t use_count;
} ob_cache_carry;

/** Kinds: INVALID (a name that is no such place). The lists are borrowed, NULL-terminated, may be NULL. */
ocib_errc ob_cache_carry_init(ob_cache_carry *carry, ocib_context *ctx, ob_store *store,
			      const char *const *from, const char *const *to, bool plain_http,
			      ocib_error **err);
void ob_cache_carry_done(ob_cache_carry *carry);

/** Where this cache can be had, or NULL. What cannot be reached or read is told as a warning. Any thread. */
typedef struct ob_cache_found {
	const ob_cache_source *source;
	const ob_descriptor *layer;
} ob_cache_found;
bool ob_cache_carry_find(ob_cache_carry *carry, const ob_digest *key, ob_cache_found *out);
/** Bring it here; *path (malloc'ed) is its blob, the rest what it unpacks to. Kinds: those of fetching;
 *  CORRUPT (annotations). */
ocib_errc ob_cache_carry_fetch(const ob_cache_found *found, uint32_t step, char **path,
			       ob_digest *diff_id, ob_tree_root *root, ocib_error **err);
/** A step uses this cache. Any thread. */
ocib_errc ob_cache_carry_note(ob_cache_carry *carry, const ob_digest *key, const char *id,
			      ocib_error **err);

/** Write all caches that were noted to all targets. No step is running. */
ocib_errc ob_cache_carry_export(ob_cache_carry *carry, ob_workshop *shop, uint32_t threads,
				ob_registry_set *registries, ocib_error **err);

#endif
