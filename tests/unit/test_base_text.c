/* tests/unit/test_base_text.c — strings, paths, buffers, lists, maps, times. */
#include "harness.h"
#include <stdlib.h>
#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"
#include "base/paths.h"
#include "base/strings.h"
#include "base/strlist.h"

static void expect(char *got, const char *want)
{
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

TEST(paths__clean_is_gos)
{
	static const char *const cases[][2] = {
		{"", "."},
		{".", "."},
		{"/", "/"},
		{"//a//b/", "/a/b"},
		{"a/./b/../c", "a/c"},
		{"..", ".."},
		{"../..", "../.."},
		{"a/../..", ".."},
		{"/..", "/"},
		{"/../a", "/a"},
		{"a/..", "."},
		{"./a", "a"},
		{"../a/../b", "../b"},
		{"/a/../..", "/"},
		{"a/b/../../..", ".."},
		{"..a/..", "."},
		{"a..", "a.."},
		{"///", "/"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++)
		expect(ob_path_clean(cases[i][0]), cases[i][1]);
}

TEST(paths__join_and_entry)
{
	expect(ob_path_join("/w", "a/../b"), "/w/b");
	expect(ob_path_join("/w", "/b"), "/b");
	expect(ob_path_join("", "b/"), "b");
	expect(ob_path_to_entry("/../../etc//passwd/"), "etc/passwd");
	expect(ob_path_to_entry("../x"), "x");
	expect(ob_path_to_entry("/"), "");
	expect(ob_path_to_entry(""), "");
}

TEST(paths__parts_and_containment)
{
	assert_string_equal(ob_path_base("a/b"), "b");
	assert_string_equal(ob_path_base("b"), "b");
	assert_string_equal(ob_path_base("/"), "");
	assert_int_equal(ob_path_parent_len("a/b/c"), 3);
	assert_int_equal(ob_path_parent_len("a"), 0);
	assert_true(ob_path_is_below("a/b", "a"));
	assert_true(ob_path_is_below("a", "a"));
	assert_true(ob_path_is_below("a", ""));
	assert_false(ob_path_is_below("ab", "a"));
}

TEST(paths__order_keeps_a_subtree_together)
{
	assert_true(ob_path_compare("a", "a/b") < 0);
	assert_true(ob_path_compare("a/z", "a.b") < 0);
	assert_true(ob_path_compare("a.b", "a/z") > 0);
	assert_true(ob_path_compare("a", "b") < 0);
	assert_true(ob_path_compare("a\xff", "ab") > 0);
	assert_int_equal(ob_path_compare("x/y", "x/y"), 0);
	assert_true(ob_path_compare("", "a") < 0);
}

TEST(strings__numbers_in_range_only)
{
	uint64_t u;
	int64_t i;
	bool b;

	assert_true(ob_parse_u64("18446744073709551615", 10, UINT64_MAX, &u));
	assert_true(u == UINT64_MAX);
	assert_false(ob_parse_u64("18446744073709551616", 10, UINT64_MAX, &u));
	assert_true(ob_parse_u64("0755", 8, 07777, &u));
	assert_int_equal(u, 0755);
	assert_false(ob_parse_u64("8", 8, 7, &u));
	assert_false(ob_parse_u64("", 10, 7, &u));
	assert_false(ob_parse_u64(" 1", 10, 7, &u));
	assert_false(ob_parse_u64("-1", 10, 7, &u));
	assert_true(ob_parse_i64("-9223372036854775808", &i));
	assert_true(i == INT64_MIN);
	assert_false(ob_parse_i64("9223372036854775808", &i));
	assert_false(ob_parse_i64("-", &i));
	assert_true(ob_parse_bool("True", &b) && b);
	assert_true(ob_parse_bool("F", &b) && !b);
	assert_false(ob_parse_bool("yes", &b));
}

TEST(strings__nearest_name)
{
	static const char *const names[] = {"ADD", "COPY", "ENTRYPOINT", "ENV", "RUN"};

	assert_string_equal(ob_nearest("COPPY", names, 5), "COPY");
	assert_string_equal(ob_nearest("cpoy", names, 5), "COPY");
	assert_string_equal(ob_nearest("ENTRIPOINT", names, 5), "ENTRYPOINT");
	assert_null(ob_nearest("HEALTHCHECK", names, 5));
	assert_null(ob_nearest("xyz", names, 5));
	assert_null(ob_nearest("", names, 5));
}

TEST(strings__hex_and_utf8)
{
	uint8_t bytes[2];
	char text[5];

	assert_true(ob_hex_decode("00fF", bytes, 2));
	ob_hex_encode(bytes, 2, text);
	assert_string_equal(text, "00ff");
	assert_false(ob_hex_decode("00f", bytes, 2));
	assert_false(ob_hex_decode("00fg", bytes, 2));
	assert_true(ob_utf8_valid("a\xc3\xa9\xf0\x9f\x98\x80", 7));
	assert_false(ob_utf8_valid("\xc0\x80", 2));
	assert_false(ob_utf8_valid("\xed\xa0\x80", 3));
	assert_false(ob_utf8_valid("\xc3", 1));
	assert_false(ob_utf8_valid("\xf4\x90\x80\x80", 4));
	assert_true(ob_str_eq_nocase("FrOm", "fRoM"));
	assert_false(ob_str_eq_nocase("a", "ab"));
	assert_true(ob_str_ends("a.tar", ".tar"));
	assert_false(ob_str_ends("r", ".tar"));
}

TEST(times__format_and_parse_agree)
{
	static const int64_t seconds[] = {0,          -1,           951782400,   1700000000,
					  4102444800, -62135596800, 253402300799};
	char text[36];
	int64_t sec;
	uint32_t nsec;

	for (size_t i = 0; i < OB_ARRAY_LEN(seconds); i++) {
		ob_time_format(seconds[i], (uint32_t)i * 1000, text);
		assert_true(ob_time_parse(text, &sec, &nsec));
		assert_true(sec == seconds[i]);
		assert_int_equal(nsec, i * 1000);
	}
	ob_time_format(1700000000, 120000000, text);
	assert_string_equal(text, "2023-11-14T22:13:20.12Z");
	ob_time_format(0, 0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	assert_true(ob_time_parse("2000-02-29T01:00:00+01:00", &sec, &nsec));
	assert_true(sec == 951782400);
	assert_false(ob_time_parse("2001-02-29T01:00:00Z", &sec, &nsec));
	assert_false(ob_time_parse("2000-01-01", &sec, &nsec));
	assert_false(ob_time_parse("2000-01-01T00:00:00Zx", &sec, &nsec));
}

TEST(buffer__limit_sticks_and_is_named)
{
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(4, "manifest");

	ob_buffer_append_str(&b, "abcd");
	ASSERT_OK(ob_buffer_check(&b, &t_err));
	ob_buffer_append_char(&b, 'e');
	ob_buffer_append(&b, "", 0);
	ASSERT_ERROR(ob_buffer_check(&b, &t_err), OCIB_ERR_LIMIT,
		     "manifest is larger than 4 bytes");
	assert_string_equal(b.data, "abcd");
	ob_buffer_clear(&b);
	ob_buffer_printf(&b, "%d", 12);
	assert_string_equal(b.data, "12");
}

TEST(buffer__empty_finishes_as_empty_string)
{
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "x");
	char *out;

	ASSERT_OK(ob_buffer_finish(&b, &out, &t_err));
	expect(out, "");
	ob_buffer_append(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	ASSERT_OK(ob_buffer_finish(&b, &out, &t_err));
	assert_memory_equal(out, "a\0b", 4);
	free(out);
}

TEST(strlist__is_always_an_argv)
{
	ob_autodone(ob_strlist) list = {0};

	for (int i = 0; i < 20; i++)
		assert_int_equal(ob_strlist_add_printf(&list, "%02d", 19 - i), 0);
	assert_null(list.items[20]);
	ob_strlist_sort(&list);
	assert_string_equal(list.items[0], "00");
	ob_strlist_remove(&list, 0);
	ob_strlist_remove(&list, 99);
	assert_int_equal(list.len, 19);
	assert_null(list.items[19]);
	assert_true(ob_strlist_contains(&list, "07"));
	assert_int_equal(ob_strlist_add_len(&list, "abc", 2), 0);
	assert_string_equal(list.items[19], "ab");
}

TEST(env__replaces_in_place)
{
	ob_autodone(ob_strlist) env = {0};

	ob_env_set(&env, "A", "1");
	ob_env_set(&env, "AB", "2");
	ob_env_set(&env, "A", "3=4");
	assert_int_equal(env.len, 2);
	assert_string_equal(env.items[0], "A=3=4");
	assert_string_equal(ob_env_get(&env, "AB"), "2");
	assert_null(ob_env_get(&env, "B"));
	ob_env_unset(&env, "A");
	ob_env_unset(&env, "Z");
	assert_int_equal(env.len, 1);
}

static int freed;

static void count_free(void *value)
{
	free(value);
	freed++;
}

TEST(map__keeps_order_and_frees_what_is_replaced)
{
	ob_auto(ob_map) map = ob_map_new(count_free);
	const char *key;
	char name[16];

	freed = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(ob_map_set(map, name, strdup(name)), 0);
	}
	assert_int_equal(ob_map_set(map, "k7", strdup("new")), 0);
	assert_int_equal(freed, 1);
	assert_int_equal(ob_map_len(map), 1000);
	assert_string_equal(ob_map_get(map, "k7"), "new");
	assert_string_equal(ob_map_at(map, 7, &key), "new");
	assert_string_equal(key, "k7");
	assert_string_equal(ob_map_get(map, "k999"), "k999");
	assert_null(ob_map_get(map, "k1000"));
	assert_null(ob_map_at(map, 1000, &key));
	map = ob_map_free(map);
	assert_int_equal(freed, 1001);
}

TEST(arena__pieces_stay_whole_and_aligned_when_arenas_are_joined)
{
	ob_autodone(ob_arena) arena = {0};
	ob_arena other = {0};
	const char *texts[2000];
	char text[32];

	for (size_t i = 0; i < OB_ARRAY_LEN(texts); i++) {
		int len = snprintf(text, sizeof(text), "text number %zu", i);
		ob_arena *to = i % 3 ? &arena : &other;

		texts[i] = ob_arena_text(to, text, (size_t)len);
		uint64_t *number = ob_arena_alloc(to, sizeof(*number));
		assert_int_equal((uintptr_t)number % sizeof(*number), 0);
		assert_int_equal(*number, 0);
		*number = UINT64_MAX;
		if (i % 500 == 0)
			ob_arena_take(&arena, &other);
	}
	ob_arena_take(&arena, &other);
	assert_null(other.chunks);
	memset(ob_arena_alloc(&arena, 1 << 20), 1, 1 << 20);
	for (size_t i = 0; i < OB_ARRAY_LEN(texts); i++) {
		(void)snprintf(text, sizeof(text), "text number %zu", i);
		assert_string_equal(texts[i], text);
	}
}
