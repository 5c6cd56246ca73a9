/* "skip=…;error=…;experimental=…" and which rules are left. */
#include "dockerfile/findings.h"
#include "harness.h"

static ob_check_options parsed;

static const ob_check_options *parse(const char *text)
{
	ob_check_options_done(&parsed);
	parsed = (ob_check_options){0};
	ASSERT_OK(ob_check_options_parse(text, &parsed, &t_err));
	return &parsed;
}

static bool allows(const char *text, ob_rule rule)
{
	return ob_check_options_allow(parse(text), NULL, rule);
}

TEST(options__skip_by_name_and_all)
{
	assert_true(allows("", OB_RULE_UNDEFINED_VAR));
	assert_true(allows("  ", OB_RULE_UNDEFINED_VAR));
	assert_false(allows("skip=UndefinedVar", OB_RULE_UNDEFINED_VAR));
	assert_false(allows(" skip = StageNameCasing , UndefinedVar ", OB_RULE_UNDEFINED_VAR));
	assert_true(allows("skip=undefinedvar", OB_RULE_UNDEFINED_VAR));
	assert_false(allows("skip=all", OB_RULE_UNDEFINED_VAR));
	assert_true(allows("skip=UndefinedVar;skip=StageNameCasing", OB_RULE_UNDEFINED_VAR));
	ob_check_options_done(&parsed);
}

TEST(options__experimental_rules_count_when_they_are_named)
{
	assert_false(allows("", OB_RULE_INVALID_DEFINITION_DESCRIPTION));
	assert_true(allows("experimental=InvalidDefinitionDescription",
			   OB_RULE_INVALID_DEFINITION_DESCRIPTION));
	assert_true(allows("experimental=all;skip=all", OB_RULE_INVALID_DEFINITION_DESCRIPTION));
	assert_false(allows("experimental=all;skip=all", OB_RULE_UNDEFINED_VAR));
	ob_check_options_done(&parsed);
}

TEST(options__error_is_a_boolean)
{
	assert_true(parse("error=true")->error);
	assert_true(parse("skip=A;error= T ")->error);
	assert_false(parse("error=0")->error);
	ob_check_options_done(&parsed);
}

TEST(options__what_is_none_is_refused)
{
	static const char *const wrong[] = {"skip",         "nonsense=1", "skip=A;",
					    ";error=true",  "error=yes",  "skip=A;error",
					    "error=true;;", "Skip=A"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		__attribute__((cleanup(ob_check_options_done))) ob_check_options options = {0};

		if (ob_check_options_parse(wrong[i], &options, NULL) != OCIB_ERR_SYNTAX)
			fail_msg("'%s' is taken", wrong[i]);
	}
}

TEST(rules__are_in_the_order_of_their_names)
{
	assert_int_equal(ocib_check_rule_count(), OB_RULE_COUNT);
	for (size_t i = 1; i < OB_RULE_COUNT; i++)
		if (strcasecmp(ocib_check_rule_get(i - 1)->name, ocib_check_rule_get(i)->name) >= 0)
			fail_msg("%s", ocib_check_rule_get(i)->name);
	assert_null(ocib_check_rule_get(OB_RULE_COUNT));
}

TEST(findings__are_in_the_order_of_lines_and_stable)
{
	ob_autodone(ob_findings) findings = {0};
	static const unsigned lines[] = {9, 3, 7, 3, 1, 9, 3};
	static const char want[] = "4:1 1:3 3:3 6:3 2:7 0:9 5:9 ";
	char have[256] = "";

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const ob_location at = {lines[i], lines[i], 0};

		ob_findings_add(&findings, OB_RULE_UNDEFINED_VAR, NULL, &at, "%zu", i);
	}
	ob_findings_sort(&findings);
	for (size_t i = 0; i < findings.len; i++)
		(void)snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s:%u ",
			       findings.items[i].message, findings.items[i].at.line);
	assert_string_equal(have, want);
}

TEST(findings__more_than_the_limit_are_counted)
{
	ob_autodone(ob_findings) findings = {0};
	static const ob_location at = {1, 1, 0};

	for (unsigned i = 0; i < 5000; i++)
		ob_findings_add(&findings, OB_RULE_UNDEFINED_VAR, NULL, &at, "x");
	assert_int_equal(findings.len + findings.dropped, 5000);
	assert_true(findings.dropped > 0);
	ob_findings_add(NULL, OB_RULE_UNDEFINED_VAR, NULL, &at, "x");
}
