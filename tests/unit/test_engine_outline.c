/* What a target takes from outside: ARGs with values and descriptions, secrets, and whose they are. */
#include "plan_fixture.h"

/* "NAME=value(description)@line" for each item of a kind. */
static void assert_items(const ocib_outline *outline, ocib_outline_kind kind, const char *want)
{
	ob_autodone(ob_buffer) have = OB_BUFFER_INIT(65536, "items");

	for (size_t i = 0; i < ocib_outline_count(outline, kind); i++) {
		const ocib_outline_item *item = ocib_outline_get(outline, kind, i);

		ob_buffer_printf(&have, "%s%s=%s(%s)@%u%s", i ? " " : "", item->name, item->value,
				 item->description, item->line, item->required ? "!" : "");
	}
	assert_string_equal(have.data ? have.data : "", want);
}

static const ocib_outline *outline_of(plan_fixture *f, const char *text)
{
	f->options.outline = true;
	f->options.checking = true;
	plan_ok(f, text);
	assert_non_null(f->plan->outline);
	return f->plan->outline;
}

TEST(outline__has_the_args_that_the_target_needs)
{
	ob_autodone(plan_fixture) f = {0};
	const ocib_outline *outline =
		outline_of(&f, "# A is first\nARG A=1\nARG B=scratch C=${A}c D=4\n"
			       "FROM $B AS one\nARG X=x\n# Y is why\nARG Y\nARG D\n"
			       "FROM scratch AS not\nARG NO\n"
			       "# two does\n# two two\nFROM one AS two\nARG C TARGETOS\n");

	assert_string_equal(ocib_outline_name(outline), "two");
	assert_string_equal(ocib_outline_description(outline), "does");
	assert_items(outline, OCIB_OUTLINE_ARG,
		     "A=1(is first)@2 B=scratch()@3 C=1c()@3 D=4()@3 X=x()@5 Y=(is why)@7");
	assert_items(outline, OCIB_OUTLINE_SECRET, "");
	assert_null(ocib_outline_get(outline, OCIB_OUTLINE_ARG, 6));
}

TEST(outline__given_values_end_what_a_default_needs)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "B=scratch");
	plan_arg(&f, "X=given");
	assert_items(outline_of(&f, "ARG A=scr\nARG B=${A}atch\nFROM $B\nARG X=1\nARG Z=$X\n"),
		     OCIB_OUTLINE_ARG, "B=scratch()@2 X=given()@4 Z=given()@5");
}

TEST(outline__an_arg_of_the_stage_comes_before_one_of_that_name_below)
{
	ob_autodone(plan_fixture) f = {0};

	assert_items(outline_of(&f, "FROM scratch AS a\nARG V=a\nARG W=a\nFROM scratch AS b\n"
				    "ARG V=b\nCOPY --from=a / /\n"),
		     OCIB_OUTLINE_ARG, "W=a()@3 V=b()@5");
}

TEST(outline__defaults_that_need_one_another_end)
{
	ob_autodone(plan_fixture) f = {0};

	assert_items(outline_of(&f, "ARG A=1\nARG B=$A\nARG A=${B}2\nFROM scratch\nARG A\n"),
		     OCIB_OUTLINE_ARG, "B=1()@2 A=12()@3");
}

TEST(outline__has_agents)
{
	ob_autodone(plan_fixture) f = {0};
	const ocib_outline *outline;

	plan_add_image(&f, "base", "");
	outline = outline_of(&f, "FROM base\nRUN --mount=type=ssh x\n"
				 "RUN --mount=type=ssh,id=git,required x\n");
	assert_items(outline, OCIB_OUTLINE_SSH, "default=()@2 git=()@3!");
}

TEST(outline__has_secrets_of_all_stages_that_are_needed)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "");
	assert_items(outline_of(&f, "FROM base AS a\nRUN --mount=type=secret,id=s,required x\n"
				    "FROM base AS b\nRUN --mount=type=secret,id=no x\n"
				    "FROM a\nRUN --mount=type=secret,target=/t \\\n x\n"),
		     OCIB_OUTLINE_SECRET, "s=()@2! t=()@6");
}
