/* test_store_cache_dir.c — who gets which directory of a cache. */
#include <sys/stat.h>
#include "store/cache_dir.h"
#include "store_fixture.h"

static ob_cache_dir *take(ob_store *store, const char *name, ob_cache_sharing sharing)
{
	ob_auto(ob_json) about = ob_json_object();
	ob_cache_dir *dir = NULL;
	ob_digest key;

	ob_json_set_str(about, "id", name);
	ob_digest_of(&key, name, strlen(name));
	ASSERT_OK(ob_cache_dir_take(store, &key, about, sharing, &dir, &t_err));
	return dir;
}

static const char *number(const ob_cache_dir *dir)
{
	return strrchr(ob_cache_dir_path(dir), '/') + 1;
}

TEST(cache_dir__who_shares_gets_the_same)
{
	ob_auto(ocib_store) store = fixture_store("s", false);
	ob_auto(ocib_store) other = fixture_store("s", false); /* as another process */
	ob_auto(ob_cache_dir) a = take(store, "c", OB_CACHE_SHARED);
	ob_auto(ob_cache_dir) b = take(other, "c", OB_CACHE_SHARED);
	ob_auto(ob_cache_dir) d = take(store, "d", OB_CACHE_SHARED);

	assert_string_equal(ob_cache_dir_path(a), ob_cache_dir_path(b));
	assert_string_not_equal(ob_cache_dir_path(a), ob_cache_dir_path(d));
	assert_false(ob_cache_dir_exists(a));
	assert_int_equal(mkdir(ob_cache_dir_path(a), 0755), 0);
	assert_true(ob_cache_dir_exists(b));
}

TEST(cache_dir__who_is_private_gets_another_and_the_first_again)
{
	ob_auto(ocib_store) store = fixture_store("s", false);
	ob_auto(ob_cache_dir) a = take(store, "c", OB_CACHE_PRIVATE);
	ob_auto(ob_cache_dir) b = take(store, "c", OB_CACHE_PRIVATE);
	ob_auto(ob_cache_dir) c = take(store, "c", OB_CACHE_SHARED);

	assert_string_equal(number(a), "0");
	assert_string_equal(number(b), "1");
	assert_string_equal(number(c), "2");
	a = ob_cache_dir_free(a);
	a = take(store, "c", OB_CACHE_PRIVATE);
	assert_string_equal(number(a), "0");
}

TEST(cache_dir__who_locks_waits_unless_one_is_free)
{
	ob_auto(ocib_store) store = fixture_store("s", false);
	ob_auto(ob_cache_dir) a = take(store, "c", OB_CACHE_LOCKED);

	assert_string_equal(number(a), "0");
	assert_null(take(store, "c", OB_CACHE_LOCKED));
	ob_auto(ob_cache_dir) b = take(store, "c", OB_CACHE_PRIVATE);
	assert_string_equal(number(b), "1");
	assert_null(take(store, "c", OB_CACHE_LOCKED));
	b = ob_cache_dir_free(b);
	b = take(store, "c", OB_CACHE_LOCKED);
	assert_string_equal(number(b), "1");
}

TEST(cache_dir__fsck_knows_its_files_and_no_others)
{
	ob_auto(ocib_store) store = fixture_store("s", false);
	ob_auto(ob_cache_dir) dir = take(store, "c", OB_CACHE_SHARED);
	ob_autofree char *inside = ob_str_printf("%s/anything", ob_cache_dir_path(dir));
	ob_autofree char *strange = ob_str_printf("%s-x", ob_cache_dir_path(dir));
	uint64_t problems = 1;

	assert_int_equal(mkdir(ob_cache_dir_path(dir), 0755), 0);
	assert_int_equal(mkdir(inside, 0), 0);
	ASSERT_OK(ocib_store_check(NULL, store, NULL, NULL, &problems, &t_err));
	assert_int_equal(problems, 0);
	assert_int_equal(mkdir(strange, 0755), 0);
	ASSERT_OK(ocib_store_check(NULL, store, NULL, NULL, &problems, &t_err));
	assert_int_equal(problems, 1);
}
