/* store/stat_cache.h — content digests of a context's files, remembered by what stat says.
 *
 * Safe against files changed within the clock's grain: a digest is remembered only when the file's ctime
 * was older than the opening of the cache by more than a grain (others are hashed again next time), and
 * path, device, inode, size, mtime and ctime must be equal. So open it before the first stat. One file
 * per context directory in the store; loaded whole, written whole. One object, one thread.
 */
#ifndef OB_STORE_STAT_CACHE_H
#define OB_STORE_STAT_CACHE_H

#include <sys/stat.h>
#include "store/store.h"

typedef struct ob_stat_cache ob_stat_cache;
/** @param context_path absolute; an unreadable or foreign cache file is an empty cache. */
ocib_errc ob_stat_cache_open(ob_store *store, const char *context_path, ob_stat_cache **out,
			     ocib_error **err);
bool ob_stat_cache_get(ob_stat_cache *cache, const char *path, const struct stat *st,
		       uint8_t digest[OB_SHA256_LEN]);
/** @p st must have been taken before the content was read. */
void ob_stat_cache_put(ob_stat_cache *cache, const char *path, const struct stat *st,
		       const uint8_t digest[OB_SHA256_LEN]);
/** Write it if something changed; failure to write is not an error of the build. */
void ob_stat_cache_save(ob_stat_cache *cache);
ob_stat_cache *ob_stat_cache_free(ob_stat_cache *cache);
OB_DEFINE_AUTO(ob_stat_cache);

#endif
