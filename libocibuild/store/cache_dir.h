/* store/cache_dir.h — directories of RUN cache mounts: what is in them is nobody's result and everybody's help.
 *
 *   mounts/<key hex>/about.json   whose cache it is, for people and for prune
 *   mounts/<key hex>/<n>          a directory of it, owned by a container's users
 *   mounts/<key hex>/<n>.lock     held by who uses it: shared or exclusive
 *
 * A cache has more than one directory when several wanted one of their own at the same time. The locks
 * are OFD locks: they hold between threads and processes, and go with their owner.
 */
#ifndef OB_STORE_CACHE_DIR_H
#define OB_STORE_CACHE_DIR_H

#include "store/store.h"

typedef enum ob_cache_sharing {
	OB_CACHE_SHARED = 1, /**< with all who share; else another directory */
	OB_CACHE_PRIVATE,    /**< one that nobody uses */
	OB_CACHE_LOCKED      /**< one that nobody uses, never another because it is in use */
} ob_cache_sharing;

typedef struct ob_cache_dir ob_cache_dir;
/**
 * Hold a directory of the cache @p key, until it is freed. It may not exist yet: who holds it may make
 * it, by a rename. *out stays NULL when the cache is LOCKED and in use: try again later.
 * @p about describes a new cache. Kinds: LIMIT (too many directories in use).
 */
ocib_errc ob_cache_dir_take(ob_store *store, const ob_digest *key, const ob_json *about,
			    ob_cache_sharing sharing, ob_cache_dir **out, ocib_error **err);
/**
 * Hold the first directory of the cache @p key for oneself alone, where it is there. *out stays NULL where it
 * is not, and where it is in use, which *is_busy says.
 */
ocib_errc ob_cache_dir_take_first(ob_store *store, const ob_digest *key, ob_cache_dir **out,
				  bool *is_busy, ocib_error **err);
ob_cache_dir *ob_cache_dir_free(ob_cache_dir *dir);
OB_DEFINE_AUTO(ob_cache_dir);
const char *ob_cache_dir_path(const ob_cache_dir *dir); /**< absolute */
bool ob_cache_dir_exists(const ob_cache_dir *dir);

#endif
