/* test_store_stat_cache.c — digests remembered only for files at rest, and found only for the same file. */
#include "store_fixture.h"
#include <sys/stat.h>
#include <time.h>
#include "store/stat_cache.h"

static ob_stat_cache *open_cache(ob_store *store)
{
	ob_stat_cache *cache = NULL;

	ASSERT_OK(ob_stat_cache_open(store, t_temp_dir(), &cache, &t_err));
	return cache;
}

/** A file at rest: of an hour ago by all its times. */
static struct stat at_rest(uint64_t number)
{
	struct timespec now;
	struct stat st = {0}, dir;

	assert_int_equal(stat(t_temp_dir(), &dir), 0);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	st.st_dev = dir.st_dev;
	st.st_ino = (ino_t)(1000 + number);
	st.st_size = 7;
	st.st_mtim.tv_sec = st.st_ctim.tv_sec = now.tv_sec - 3600;
	st.st_mtim.tv_nsec = st.st_ctim.tv_nsec = 123456789;
	return st;
}

static void set(uint8_t digest[OB_SHA256_LEN], uint64_t number)
{
	ob_sha256(&number, sizeof(number), digest);
}

static bool knows(ob_stat_cache *cache, const char *path, const struct stat *st, uint64_t number)
{
	uint8_t found[OB_SHA256_LEN], expected[OB_SHA256_LEN];

	if (!ob_stat_cache_get(cache, path, st, found))
		return false;
	set(expected, number);
	assert_memory_equal(found, expected, OB_SHA256_LEN);
	return true;
}

static void learn(ob_stat_cache *cache, const char *path, const struct stat *st, uint64_t number)
{
	uint8_t digest[OB_SHA256_LEN];

	set(digest, number);
	ob_stat_cache_put(cache, path, st, digest);
}

TEST(stat_cache__remembers_over_openings)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = open_cache(store);
	struct stat st = at_rest(1);

	assert_false(knows(cache, "a/b", &st, 1));
	learn(cache, "a/b", &st, 1);
	assert_true(knows(cache, "a/b", &st, 1));
	ob_stat_cache_save(cache);
	cache = ob_stat_cache_free(cache);
	cache = open_cache(store);
	assert_true(knows(cache, "a/b", &st, 1));
	assert_false(knows(cache, "a/c", &st, 1));
}

TEST(stat_cache__any_difference_is_a_miss)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = open_cache(store);
	struct stat st = at_rest(1), other;

	learn(cache, "f", &st, 1);
#define ASSERT_MISS(change)                                 \
	do {                                                \
		other = st;                                 \
		change;                                     \
		assert_false(knows(cache, "f", &other, 1)); \
	} while (0)
	ASSERT_MISS(other.st_dev++);
	ASSERT_MISS(other.st_ino++);
	ASSERT_MISS(other.st_size++);
	ASSERT_MISS(other.st_mtim.tv_sec++);
	ASSERT_MISS(other.st_mtim.tv_nsec++);
	ASSERT_MISS(other.st_ctim.tv_sec++);
	ASSERT_MISS(other.st_ctim.tv_nsec++);
	assert_true(knows(cache, "f", &st, 1));
	other = st;
	other.st_ctim.tv_sec++;
	learn(cache, "f", &other, 2);
	assert_true(knows(cache, "f", &other, 2));
	assert_false(knows(cache, "f", &st, 1));
}

TEST(stat_cache__a_file_that_was_just_changed_is_not_remembered)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = NULL;
	ob_autofree char *path = ob_str_printf("%s/file", t_temp_dir());
	struct stat st;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	cache = open_cache(store);
	assert_int_equal(stat(path, &st), 0);
	learn(cache, "file", &st, 1);
	assert_false(knows(cache, "file", &st, 1));
	cache = ob_stat_cache_free(cache);

	/* Changed while the cache is open, it may be read before or after: never remembered. */
	cache = open_cache(store);
	(void)nanosleep(&(struct timespec){0, 100000000}, NULL);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	(void)nanosleep(&(struct timespec){0, 100000000}, NULL);
	learn(cache, "file", &st, 1);
	assert_false(knows(cache, "file", &st, 1));
	cache = ob_stat_cache_free(cache);

	cache = open_cache(store);
	learn(cache, "file", &st, 1);
	if (st.st_ctim.tv_nsec == 0)
		SKIP("a file system with whole seconds");
	assert_true(knows(cache, "file", &st, 1));
}

TEST(stat_cache__whole_seconds_and_other_devices_need_longer_rest)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = open_cache(store);
	struct stat st = at_rest(1);

	st.st_ctim.tv_sec += 3599; /* a second ago */
	learn(cache, "fine", &st, 1);
	assert_true(knows(cache, "fine", &st, 1));
	st.st_mtim.tv_nsec = st.st_ctim.tv_nsec = 0;
	learn(cache, "whole", &st, 1);
	assert_false(knows(cache, "whole", &st, 1));
	st.st_ctim.tv_sec -= 3;
	learn(cache, "whole", &st, 1);
	assert_true(knows(cache, "whole", &st, 1));
	st.st_dev++;
	learn(cache, "mounted", &st, 1);
	assert_false(knows(cache, "mounted", &st, 1));
	st.st_ctim.tv_sec -= 60;
	learn(cache, "mounted", &st, 1);
	assert_true(knows(cache, "mounted", &st, 1));
}

/** The cache's only file, by its path in the store; malloc'ed. */
static char *cache_file(ob_store *store)
{
	ob_digest name;

	ob_digest_of(&name, t_temp_dir(), strlen(t_temp_dir()));
	(void)store;
	return ob_str_printf("cache/stat/%s", ob_digest_hex(&name));
}

TEST(stat_cache__a_damaged_file_is_an_empty_cache)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autofree char *path = cache_file(store);
	struct stat st = at_rest(1), file;
	int dir = ob_store_dirfd(store);

	for (off_t at = 0; at < 200; at += 13) {
		ob_auto(ob_stat_cache) cache = open_cache(store);
		ob_autofd int fd = -1;
		char byte;

		learn(cache, "a", &st, 1);
		learn(cache, "b", &st, 2);
		ob_stat_cache_save(cache);
		cache = ob_stat_cache_free(cache);
		fd = openat(dir, path, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0 && fstat(fd, &file) == 0 && file.st_size > 180);
		if (at >= file.st_size)
			break;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte = (char)(byte ^ 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		cache = open_cache(store);
		assert_false(knows(cache, "a", &st, 1));
		cache = ob_stat_cache_free(cache);
		byte = (char)(byte ^ 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(ftruncate(fd, file.st_size - 1), 0);
		cache = open_cache(store);
		assert_false(knows(cache, "a", &st, 1));
		cache = ob_stat_cache_free(cache);
		assert_int_equal(ftruncate(fd, 0), 0);
		cache = open_cache(store);
		assert_false(knows(cache, "a", &st, 1));
	}
}

TEST(stat_cache__holds_many_and_forgets_what_nobody_asks_for)
{
	enum { MANY = 150000 };
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = open_cache(store);
	ob_autofree char *path = cache_file(store);
	struct stat file;
	char name[32];

	for (uint64_t i = 0; i < MANY; i++) {
		struct stat st = at_rest(0);

		st.st_ino = (ino_t)i;
		(void)snprintf(name, sizeof(name), "dir/%zu", (size_t)i);
		learn(cache, name, &st, i);
	}
	struct stat first = at_rest(0);
	first.st_ino = 0;
	ob_stat_cache_save(cache);
	cache = ob_stat_cache_free(cache);
	assert_int_equal(fstatat(ob_store_dirfd(store), path, &file, 0), 0);
	assert_true(file.st_size > MANY * 72);

	/* This build asks for one file and changes it: the others are too many to keep. */
	cache = open_cache(store);
	learn(cache, "dir/0", &first, 7);
	ob_stat_cache_save(cache);
	assert_true(knows(cache, "dir/0", &first, 7));
	cache = ob_stat_cache_free(cache);
	assert_int_equal(fstatat(ob_store_dirfd(store), path, &file, 0), 0);
	assert_true(file.st_size < 1000);
}

TEST(stat_cache__contexts_do_not_share)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_stat_cache) cache = open_cache(store);
	ob_auto(ob_stat_cache) other = NULL;
	struct stat st = at_rest(1);

	learn(cache, "a", &st, 1);
	ob_stat_cache_save(cache);
	ASSERT_OK(ob_stat_cache_open(store, ob_store_path(store), &other, &t_err));
	assert_false(knows(other, "a", &st, 1));
}
