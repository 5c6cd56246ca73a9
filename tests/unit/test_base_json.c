/* tests/unit/test_base_json.c */
#include "harness.h"
#include <stdlib.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"

static ob_json *parse(const char *text)
{
	ob_json *json = NULL;

	ASSERT_OK(ob_json_parse(text, strlen(text), &json, &t_err));
	return json;
}

static void expect_dump(const ob_json *json, ob_json_style style, const char *want)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1 << 20, "dump");

	ASSERT_OK(ob_json_dump(json, style, &out, &t_err));
	assert_string_equal(out.data, want);
}

TEST(json__readers_tolerate_absence_and_other_types)
{
	ob_auto(ob_json) json =
		parse("{\"a\":\"x\",\"n\":-5,\"b\":true,\"l\":[\"p\",\"q\"],\"z\":null}");
	ob_autodone(ob_strlist) list = {0};
	int64_t n = 0;

	assert_string_equal(ob_json_get_str(json, "a"), "x");
	assert_null(ob_json_get_str(json, "n"));
	assert_null(ob_json_get_str(NULL, "n"));
	assert_true(ob_json_get_i64(json, "n", &n));
	assert_int_equal(n, -5);
	assert_false(ob_json_get_i64(json, "a", &n));
	assert_true(ob_json_get_bool(json, "b"));
	assert_false(ob_json_get_bool(json, "zz"));
	assert_true(ob_json_is_null(ob_json_get(json, "z")));
	assert_int_equal(ob_json_get_strlist(json, "l", &list), 0);
	assert_int_equal(ob_json_get_strlist(json, "absent", &list), 0);
	assert_int_equal(list.len, 2);
	assert_int_equal(ob_json_len(json), 5);
	assert_null(ob_json_at(json, 0));
}

TEST(json__members_come_in_order)
{
	ob_auto(ob_json) json = parse("{\"z\":1,\"a\":2,\"m\":3}");
	ob_autodone(ob_buffer) keys = OB_BUFFER_INIT(10, "keys");
	const ob_json *value;
	const char *key;

	ob_json_foreach (json, key, value) {
		assert_non_null(value);
		ob_buffer_append_str(&keys, key);
	}
	assert_string_equal(keys.data, "zam");
	assert_non_null(ob_json_member(json, 1, &key));
	assert_string_equal(key, "a");
	assert_null(ob_json_member(json, 3, &key));
	expect_dump(json, OB_JSON_COMPACT, "{\"z\":1,\"a\":2,\"m\":3}");
	expect_dump(json, OB_JSON_CANONICAL, "{\"a\":2,\"m\":3,\"z\":1}");
}

TEST(json__bad_documents_are_refused)
{
	static const char *const bad[] = {"",         "{",   "{}x",   "{\"a\":1,}", "\"\\u0000\"",
					  "\"\xff\"", "nul", "[1 2]", "{a:1}",      "'a'"};
	ob_json *json = NULL;

	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++)
		ASSERT_ERROR(ob_json_parse(bad[i], strlen(bad[i]), &json, &t_err), OCIB_ERR_CORRUPT,
			     "not valid JSON");
	assert_null(json);
}

TEST(json__depth_is_limited)
{
	char text[2 * OB_LIMIT_JSON_DEPTH + 2];
	ob_json *json = NULL;

	memset(text, '[', OB_LIMIT_JSON_DEPTH);
	memset(text + OB_LIMIT_JSON_DEPTH, ']', OB_LIMIT_JSON_DEPTH);
	ASSERT_OK(ob_json_parse(text, 2 * OB_LIMIT_JSON_DEPTH, &json, &t_err));
	json = ob_json_free(json);
	memset(text, '[', OB_LIMIT_JSON_DEPTH + 1);
	ASSERT_ERROR(ob_json_parse(text, OB_LIMIT_JSON_DEPTH + 1, &json, &t_err), OCIB_ERR_LIMIT,
		     "nested");
	/* Brackets inside strings do not nest. */
	memset(text, '[', sizeof(text));
	text[0] = '"';
	text[sizeof(text) - 1] = '"';
	ASSERT_OK(ob_json_parse(text, sizeof(text), &json, &t_err));
	ob_json_free(json);
}

TEST(json__last_duplicate_wins)
{
	ob_auto(ob_json) json = parse("{\"a\":\"1\",\"a\":\"2\"}");

	assert_string_equal(ob_json_get_str(json, "a"), "2");
}

TEST(json__builds_without_checks_and_mends_text)
{
	ob_auto(ob_json) json = ob_json_object();
	ob_json *list = ob_json_array();

	ob_json_push(list, ob_json_new_int(INT64_MIN));
	ob_json_push(list, ob_json_new_bool(false));
	ob_json_push(list, ob_json_new_null());
	ob_json_set(json, "l", list);
	ob_json_set_str(json, "s", "a\xff/\"b");
	ob_json_set_str(json, "none", NULL);
	ob_json_set(json, "n", ob_json_new_strn("x\0y", 3));
	expect_dump(json, OB_JSON_COMPACT,
		    "{\"l\":[-9223372036854775808,false,null],\"s\":\"a\xef\xbf\xbd/\\\"b\","
		    "\"n\":\"x\xef\xbf\xbdy\"}");
	ob_json_del(json, "l");
	assert_int_equal(ob_json_len(json), 2);
}

TEST(json__failure_while_building_shows_when_dumped)
{
	ob_auto(ob_json) object = ob_json_object();
	ob_auto(ob_json) array = ob_json_array();
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1 << 20, "dump");

	ob_json_set(object, "a", NULL);
	ob_json_set_str(object, "b", "fine");
	assert_int_equal(ob_json_dump(object, OB_JSON_COMPACT, &out, &t_err), OCIB_ERR_NOMEM);
	ob_json_push(array, NULL);
	assert_int_equal(ob_json_dump(array, OB_JSON_COMPACT, &out, &t_err), OCIB_ERR_NOMEM);
	ob_json_set_str(NULL, "b", "not leaked");
	assert_int_equal(ob_json_dump(NULL, OB_JSON_COMPACT, &out, &t_err), OCIB_ERR_NOMEM);
}

TEST(json__dump_keeps_to_the_limit)
{
	ob_auto(ob_json) json = ob_json_new_str("longer than ten bytes");
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(10, "annotation");

	ASSERT_ERROR(ob_json_dump(json, OB_JSON_COMPACT, &out, &t_err), OCIB_ERR_LIMIT,
		     "annotation");
}
