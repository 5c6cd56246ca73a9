/* store/stat_cache.c — digests of a context's files, remembered by what stat says about them.
 *
 * A digest is believed when path, device, inode, size, mtime and ctime are what they were. That is safe
 * only for files that were at rest: a file that is changed twice within one tick of the clock has the same
 * times after the second change as after the first. So a digest is remembered only when the file's ctime
 * (which nobody can set) is older, by more than any tick, than the moment at which this cache was opened;
 * and since stat and read come after that, any change after the read gives a later ctime. Files that are
 * too young are hashed again by the next build.
 *
 * How much older depends on the clock that made the ctime: the kernel's own ticks every 10 ms at most;
 * where times have no fraction, the file system keeps whole or even seconds; and on a remote file system
 * the server's clock may be off. Not seen is what mmap writes into a page that is already dirty, which
 * make and git do not see either.
 *
 * In memory and in the file it is one block: a header and an array. A file that is cut off, damaged or of
 * another version is an empty cache.
 */
#include "store/stat_cache.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include "base/fds.h"
#include "base/limits.h"
#include "store/store_inside.h"

#define MAGIC         0x0148435441545342ULL /* "BSTATCH" and the version */
#define SECOND        1000000000LL
#define GRAIN_LOCAL   (50 * SECOND / 1000)
#define GRAIN_SECONDS (2 * SECOND)
#define GRAIN_REMOTE  (60 * SECOND)
#define FIRST_CAP     1024
#define KEEP_UNSEEN   100000 /* entries of files that this build did not ask for */

typedef struct entry {
	uint64_t
		path; /* hash; a collision costs a hit and no more, since all below must be equal too */
	uint64_t dev, ino, size;
	int64_t mtime, ctime; /* nanoseconds */
	uint8_t digest[OB_SHA256_LEN];
} entry;

typedef struct block {
	uint64_t magic;
	uint64_t count;
	uint64_t checksum; /* of the entries */
	entry entries[];
} block;

struct ob_stat_cache {
	ob_store *store; /* borrowed */
	char path[OB_STORE_PATH_LEN];
	block *block;
	size_t cap;
	uint32_t *slots; /* entry number + 1, by path hash; a power of two of them */
	size_t slot_count;
	uint8_t *seen;  /* by entry: asked for in this build */
	int64_t opened; /* nanoseconds, by the clock that ctimes are made of */
	int64_t grain;
	dev_t dev; /* of the context's directory: what grain was chosen for */
	bool changed;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 32);
}

static uint64_t hash_bytes(const void *data, size_t len)
{
	const char *p = data;
	uint64_t hash = mix(0x243f6a8885a308d3ULL, len), word = 0;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(mix(hash, word), 0);
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND + t->tv_nsec;
}

static size_t block_size(size_t count)
{
	return sizeof(block) + count * sizeof(entry);
}

static void insert_slot(ob_stat_cache *cache, size_t number)
{
	size_t mask = cache->slot_count - 1;
	size_t at = cache->block->entries[number].path & mask;

	while (cache->slots[at])
		at = (at + 1) & mask;
	cache->slots[at] = (uint32_t)number + 1;
}

/** Slots for @p cap entries, at most half of them in use. */
static int build_slots(ob_stat_cache *cache, size_t cap)
{
	size_t count = 2 * FIRST_CAP;
	uint32_t *slots;

	while (count < 2 * cap)
		count *= 2;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return -1;
	free(cache->slots);
	cache->slots = slots;
	cache->slot_count = count;
	for (size_t i = 0; i < cache->block->count; i++)
		insert_slot(cache, i);
	return 0;
}

/** The entry of a path, or NULL. */
static entry *find(const ob_stat_cache *cache, uint64_t path)
{
	size_t mask = cache->slot_count - 1;

	for (size_t at = path & mask; cache->slots[at]; at = (at + 1) & mask) {
		entry *e = &cache->block->entries[cache->slots[at] - 1];

		if (e->path == path)
			return e;
	}
	return NULL;
}

static bool has_room(ob_stat_cache *cache)
{
	size_t cap = cache->cap * 2;
	block *more;
	uint8_t *seen;

	if (cache->block->count < cache->cap)
		return true;
	if (block_size(cap) > OB_LIMIT_STAT_CACHE)
		return false;
	seen = realloc(cache->seen, cap);
	if (!seen)
		return false;
	memset(seen + cache->cap, 0, cap - cache->cap);
	cache->seen = seen;
	more = realloc(cache->block, block_size(cap));
	if (!more)
		return false;
	cache->block = more;
	if (build_slots(cache, cap) < 0)
		return false;
	cache->cap = cap;
	return true;
}

static bool is_valid(const block *b, size_t size)
{
	return size >= sizeof(*b) && b->magic == MAGIC && b->count > 0 && b->count < UINT32_MAX &&
	       size == block_size(b->count) &&
	       b->checksum == hash_bytes(b->entries, b->count * sizeof(entry));
}

/** The file's block, or NULL: there is none that is valid. */
static block *read_block(const ob_stat_cache *cache)
{
	ob_autofd int fd = openat(cache->store->dirfd, cache->path, O_RDONLY | O_CLOEXEC);
	ob_autofree block *b = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size > OB_LIMIT_STAT_CACHE ||
	    (size_t)st.st_size < sizeof(*b))
		return NULL;
	b = malloc((size_t)st.st_size);
	if (!b || ob_read_full(fd, b, (size_t)st.st_size) != (ssize_t)st.st_size ||
	    !is_valid(b, (size_t)st.st_size))
		return NULL;
	return ob_take_ptr(b);
}

static int load(ob_stat_cache *cache)
{
	cache->block = read_block(cache);
	if (cache->block) {
		cache->cap = cache->block->count;
	} else {
		cache->block = calloc(1, block_size(FIRST_CAP));
		cache->cap = FIRST_CAP;
	}
	if (!cache->block)
		return -1;
	cache->cap = cache->cap ? cache->cap : 1;
	cache->block->magic = MAGIC;
	cache->seen = calloc(cache->cap, 1);
	return cache->seen ? build_slots(cache, cache->cap) : -1;
}

/** File systems whose clock is the kernel's that we run on. */
static bool is_local(const char *path)
{
	static const unsigned long LOCAL[] = {
		EXT4_SUPER_MAGIC,      BTRFS_SUPER_MAGIC,    XFS_SUPER_MAGIC,
		TMPFS_MAGIC,           F2FS_SUPER_MAGIC,     RAMFS_MAGIC,
		OVERLAYFS_SUPER_MAGIC, 0x2fc12fc1 /* zfs */, 0xca451a4e /* bcachefs */};
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(LOCAL) / sizeof(LOCAL[0]); i++)
		if ((unsigned long)fs.f_type == LOCAL[i])
			return true;
	return false;
}

ocib_errc ob_stat_cache_open(ob_store *store, const char *context_path, ob_stat_cache **out,
			     ocib_error **err)
{
	ob_auto(ob_stat_cache) cache = calloc(1, sizeof(*cache));
	struct timespec now;
	struct stat st;
	ob_digest name;

	if (!cache)
		return ob_fail_nomem(err);
	if (stat(context_path, &st) < 0)
		return ob_fail_errno(err, "stat '%s'", context_path);
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	cache->opened = nanoseconds(&now);
	cache->grain = is_local(context_path) ? GRAIN_LOCAL : GRAIN_REMOTE;
	cache->dev = st.st_dev;
	cache->store = store;
	ob_digest_of(&name, context_path, strlen(context_path));
	ob_store_object_path(OB_STATS_DIR, &name, cache->path);
	if (load(cache) < 0)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(cache);
	return OCIB_OK;
}

static bool is_same(const entry *e, const struct stat *st)
{
	return e->dev == st->st_dev && e->ino == st->st_ino && e->size == (uint64_t)st->st_size &&
	       e->mtime == nanoseconds(&st->st_mtim) && e->ctime == nanoseconds(&st->st_ctim);
}

bool ob_stat_cache_get(ob_stat_cache *cache, const char *path, const struct stat *st,
		       uint8_t digest[OB_SHA256_LEN])
{
	const entry *e = find(cache, hash_bytes(path, strlen(path)));

	if (!e || !is_same(e, st))
		return false;
	cache->seen[e - cache->block->entries] = 1;
	memcpy(digest, e->digest, OB_SHA256_LEN);
	return true;
}

/** Could the file have been changed after @p st was taken without its times showing it? */
static bool is_racy(const ob_stat_cache *cache, const struct stat *st)
{
	int64_t grain = st->st_dev == cache->dev ? cache->grain : GRAIN_REMOTE;

	if (st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0 && grain < GRAIN_SECONDS)
		grain = GRAIN_SECONDS;
	return nanoseconds(&st->st_ctim) >= cache->opened - grain;
}

void ob_stat_cache_put(ob_stat_cache *cache, const char *path, const struct stat *st,
		       const uint8_t digest[OB_SHA256_LEN])
{
	uint64_t hash = hash_bytes(path, strlen(path));
	entry *e = find(cache, hash);

	if (is_racy(cache, st))
		return;
	if (!e) {
		if (!has_room(cache))
			return;
		e = &cache->block->entries[cache->block->count++];
		e->path = hash;
		insert_slot(cache, cache->block->count - 1);
	}
	e->dev = st->st_dev;
	e->ino = st->st_ino;
	e->size = (uint64_t)st->st_size;
	e->mtime = nanoseconds(&st->st_mtim);
	e->ctime = nanoseconds(&st->st_ctim);
	memcpy(e->digest, digest, OB_SHA256_LEN);
	cache->seen[e - cache->block->entries] = 1;
	cache->changed = true;
}

/** Forget files that nobody asks for any more, once they are many. */
static void drop_unseen(ob_stat_cache *cache)
{
	block *b = cache->block;
	size_t seen = 0, kept = 0;

	for (size_t i = 0; i < b->count; i++)
		seen += cache->seen[i];
	if (b->count - seen <= seen + KEEP_UNSEEN)
		return;
	for (size_t i = 0; i < b->count; i++)
		if (cache->seen[i])
			b->entries[kept++] = b->entries[i];
	b->count = kept;
	memset(cache->seen, 1, kept);
	memset(cache->slots, 0, cache->slot_count * sizeof(*cache->slots));
	for (size_t i = 0; i < kept; i++)
		insert_slot(cache, i);
}

void ob_stat_cache_save(ob_stat_cache *cache)
{
	block *b = cache->block;

	if (!cache->changed || cache->store->is_layout)
		return;
	drop_unseen(cache);
	b->checksum = hash_bytes(b->entries, b->count * sizeof(entry));
	if (ob_store_replace(cache->store, cache->path, b, block_size(b->count),
			     OB_MAY_BE_LOST_OR_TORN, NULL) == OCIB_OK)
		cache->changed = false;
}

ob_stat_cache *ob_stat_cache_free(ob_stat_cache *cache)
{
	if (!cache)
		return NULL;
	free(cache->block);
	free(cache->slots);
	free(cache->seen);
	free(cache);
	return NULL;
}
