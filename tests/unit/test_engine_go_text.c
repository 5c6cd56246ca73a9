/* test_engine_go_text.c — Go's %q, %v and durations. */
#include "base/buffer.h"
#include "base/strings.h"
#include "engine/plan/go_text.h"
#include "harness.h"

TEST(go_text__quotes_as_strconv_does)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\""},
		{"\"\\'", "\"\\\"\\\\'\""},
		{"\x01\x1b\x7f", "\"\\x01\\x1b\\x7f\""},
		{"\u00e9\u65e5\U0001f600", "\"\u00e9\u65e5\U0001f600\""},
		{"\u00a0\u200b\ufeff", "\"\\u00a0\\u200b\\ufeff\""},
		{"\U000e0001", "\"\\U000e0001\""},
		{"\xff\xc3", "\"\\xff\\xc3\""},
		{"\ufffd", "\"\ufffd\""},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "test");

		ob_go_quote(cases[i].text, &out);
		assert_string_equal(out.data, cases[i].want);
	}
}

TEST(go_text__prints_lists)
{
	char a[] = "a", b[] = "b c";
	char *items[] = {a, b, NULL};
	const ob_strlist list = {items, 2, 0}, none = {0};
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "test");

	ob_go_list(&list, &out);
	ob_go_quote_list(&list, &out);
	ob_go_list(&none, &out);
	ob_go_quote_list(&none, &out);
	assert_string_equal(out.data, "[a b c][\"a\" \"b c\"][][]");
}

TEST(go_text__prints_durations_in_their_largest_unit)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{0, "0s"},
		{1, "1ns"},
		{1100, "1.1\u00b5s"},
		{2200000, "2.2ms"},
		{3300000000, "3.3s"},
		{245000000000, "4m5s"},
		{245001000000, "4m5.001s"},
		{18367001000000, "5h6m7.001s"},
		{480000000001, "8m0.000000001s"},
		{3600000000000, "1h0m0s"},
		{INT64_MAX, "2562047h47m16.854775807s"},
		{INT64_MIN, "-2562047h47m16.854775808s"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "test");

		ob_go_duration_format(cases[i].ns, &out);
		assert_string_equal(out.data, cases[i].want);
	}
}
