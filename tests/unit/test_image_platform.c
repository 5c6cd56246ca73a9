/* test_image_platform.c — names of platforms, and which may stand in for which. */
#include "harness.h"
#include "base/strings.h"
#include "image/platform.h"

static ob_platform parsed(const char *text)
{
	ob_platform p = {0};

	ASSERT_OK(ob_platform_parse(text, &p, &t_err));
	return p;
}

TEST(platform__spellings_are_normalised)
{
	static const char *const CASES[][2] = {
		{"linux/amd64", "linux/amd64"},
		{"linux/x86_64", "linux/amd64"},
		{"Linux/X86-64", "linux/amd64"},
		{"linux/amd64/v1", "linux/amd64"},
		{"linux/amd64/v3", "linux/amd64/v3"},
		{"linux/aarch64", "linux/arm64"},
		{"linux/arm64/v8", "linux/arm64"},
		{"linux/arm64/9", "linux/arm64/v9"},
		{"linux/arm", "linux/arm/v7"},
		{"linux/armhf", "linux/arm/v7"},
		{"linux/armel", "linux/arm/v6"},
		{"linux/arm/5", "linux/arm/v5"},
		{"linux/i386", "linux/386"},
		{"arm64", "linux/arm64"},
		{"s390x", "linux/s390x"},
		{"macos/arm64", "darwin/arm64"},
		{"windows(10.0.17763)/amd64", "windows/amd64"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++) {
		char text[128];
		ob_platform p = parsed(CASES[i][0]);

		ob_platform_format(&p, text);
		assert_string_equal(text, CASES[i][1]);
	}
	assert_string_equal(parsed("windows(10.0.17763)/amd64").os_version, "10.0.17763");
}

TEST(platform__an_operating_system_alone_means_this_machine)
{
	ob_platform host, p = parsed("linux");

	ob_platform_host(&host);
	assert_true(ob_platform_eq(&p, &host));
}

TEST(platform__bad_names_are_refused)
{
	static const char *const CASES[] = {
		"",
		"/",
		"linux/",
		"linux//v7",
		"vax",
		"linux/amd64/v1/x",
		"linux/a b",
		"*/amd64",
		"windows(10/amd64",
		"linux)/amd64",
		"(1)/amd64",
		"linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++)
		ASSERT_ERROR(ob_platform_parse(CASES[i], &(ob_platform){0}, &t_err),
			     OCIB_ERR_INVALID, "platform");
}

/** @p haves in falling preference, space separated; all of them match. */
static void assert_preference(const char *want_text, const char *const *haves)
{
	ob_platform want = parsed(want_text);
	int last = 1 << 20;

	for (; *haves; haves++) {
		ob_platform have = parsed(*haves);
		int score = ob_platform_match(&want, &have);

		if (score < 0 || score >= last)
			fail_msg("%s for %s: score %d after %d", *haves, want_text, score, last);
		last = score;
	}
}

TEST(platform__stand_ins_are_preferred_in_order)
{
	assert_preference("linux/amd64", (const char *const[]){"linux/amd64", "linux/386", NULL});
	assert_preference("linux/amd64/v3",
			  (const char *const[]){"linux/amd64/v3", "linux/amd64/v2", "linux/amd64",
						"linux/386", NULL});
	assert_preference("linux/arm64",
			  (const char *const[]){"linux/arm64", "linux/arm/v8", "linux/arm/v7",
						"linux/arm/v6", "linux/arm/v5", NULL});
	assert_preference("linux/arm64/v9.1",
			  (const char *const[]){"linux/arm64/v9.1", "linux/arm64/v9",
						"linux/arm64/v8.6", "linux/arm64/v8",
						"linux/arm/v7", NULL});
	assert_preference("linux/arm/v7", (const char *const[]){"linux/arm/v7", "linux/arm/v6",
								"linux/arm/v5", NULL});
}

TEST(platform__others_do_not_match)
{
	static const char *const CASES[][2] = {
		{"linux/amd64", "linux/arm64"},
		{"linux/amd64", "windows/amd64"},
		{"linux/amd64", "linux/amd64/v2"},
		{"linux/386", "linux/amd64"},
		{"linux/arm/v6", "linux/arm/v7"},
		{"linux/arm", "linux/arm64"},
		{"linux/arm64", "linux/arm64/v9"},
		{"linux/arm64/v9", "linux/arm64/v8.6"},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++) {
		ob_platform want = parsed(CASES[i][0]), have = parsed(CASES[i][1]);

		if (ob_platform_match(&want, &have) >= 0)
			fail_msg("%s matches %s", CASES[i][1], CASES[i][0]);
	}
	ob_platform want = parsed("windows(10.0.17763.1)/amd64");
	ob_platform have = parsed("windows(10.0.17763.999)/amd64");
	assert_true(ob_platform_match(&want, &have) >= 0);
}

TEST(platform__json_is_kept_as_it_was_written)
{
	static const char TEXT[] =
		"{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"}";
	ob_auto(ob_json) json = NULL;
	ob_auto(ob_json) again = NULL;
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "test");
	ob_platform p = {0}, want = parsed("linux/arm64");

	ASSERT_OK(ob_json_parse(TEXT, sizeof(TEXT) - 1, &json, &t_err));
	ASSERT_OK(ob_platform_from_json(json, &p, &t_err));
	again = ob_platform_to_json(&p);
	ASSERT_OK(ob_json_dump(again, OB_JSON_COMPACT, &out, &t_err));
	assert_string_equal(out.data, TEXT);
	assert_true(ob_platform_eq(&p, &want));
}

TEST(platform__json_of_wrong_types_or_lengths_is_refused)
{
	static const char LONG[] = "{\"os\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";
	ob_auto(ob_json) number = NULL;
	ob_auto(ob_json) longer = NULL;
	ob_platform p = {0};

	ASSERT_OK(ob_json_parse("{\"os\":1}", 8, &number, &t_err));
	ASSERT_OK(ob_json_parse(LONG, sizeof(LONG) - 1, &longer, &t_err));
	ASSERT_ERROR(ob_platform_from_json(number, &p, &t_err), OCIB_ERR_CORRUPT, "'os'");
	ASSERT_ERROR(ob_platform_from_json(longer, &p, &t_err), OCIB_ERR_LIMIT, "'os'");
	ASSERT_ERROR(ob_platform_from_json(NULL, &p, &t_err), OCIB_ERR_CORRUPT, "object");
}
