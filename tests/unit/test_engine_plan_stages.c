/* test_engine_plan_stages.c — FROM, targets, what needs what, and how steps are counted. */
#include "base/limits.h"
#include "plan_fixture.h"

TEST(plan__only_needed_stages_are_planned_in_dependency_order)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM missing-image AS unneeded\nRUN --mount=type=cache,target=/x a\n"
		    "FROM scratch AS one\nCOPY a /\nFROM scratch AS two\nCOPY b /\n"
		    "FROM one\nCOPY --from=two /b /\n");
	for (size_t i = 0; i < f.plan->node_count; i++) {
		const ob_node *node = &f.plan->nodes[i];

		assert_true(node->needed);
		assert_string_not_equal(node->name, "unneeded");
		if (node->kind != OB_NODE_STAGE)
			continue;
		assert_true(node->base < i);
		for (size_t k = 0; k < node->step_count; k++) {
			assert_true(node->steps[k].copy.from < i);
			assert_int_equal(node->steps[k].stage, i);
		}
	}
	assert_string_equal(plan_target(&f)->name, "stage-3");
	assert_string_equal(f.plan->nodes[plan_target(&f)->base].name, "one");
}

TEST(plan__steps_are_counted_with_the_from_of_an_image)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "");
	plan_ok(&f, "FROM base\nENV a=b\nRUN a\nWORKDIR /\nWORKDIR /w\nCOPY a /\n");
	assert_string_equal(plan_target(&f)->name, "");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(plan_step(&f, i)->number, i + 2);
		assert_int_equal(plan_step(&f, i)->total, 4);
	}
	plan_ok(&f, "FROM scratch AS x\nCOPY a /\nFROM x\nCOPY b /\n");
	assert_int_equal(plan_step(&f, 0)->number, 1);
	assert_int_equal(plan_step(&f, 0)->total, 1);
}

TEST(plan__target_is_found_by_name_in_any_case)
{
	ob_autodone(plan_fixture) f = {0};
	static const char text[] = "FROM scratch AS build\nCOPY a /\nFROM scratch\n";

	f.options.target = "BUILD";
	plan_ok(&f, text);
	assert_string_equal(plan_target(&f)->name, "build");
	f.options.target = "bulid";
	ASSERT_ERROR(plan_try(&f, text), OCIB_ERR_NOTFOUND, "'bulid' could not be found");
	assert_int_equal(plan_try(&f, text), OCIB_ERR_NOTFOUND);
	assert_non_null(strstr(ocib_error_message(t_err), "did you mean build?"));
	t_err = ocib_error_free(t_err);
	f.options.target = "0";
	ASSERT_ERROR(plan_try(&f, text), OCIB_ERR_NOTFOUND, "'0'");
}

TEST(plan__from_finds_the_latest_earlier_stage_and_copy_the_last_of_the_file)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nENV N=1\nFROM scratch AS a\nENV N=2\nFROM a\n");
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "N"), "2");
	ASSERT_PLAN_ERROR(&f,
			  "FROM scratch AS a\nFROM scratch AS b\nCOPY --from=a / /\n"
			  "FROM scratch AS a\nFROM b\n",
			  OCIB_ERR_SYNTAX, 3, "needs to be defined before current stage 'b'");
}

TEST(plan__from_is_case_sensitive_and_says_what_may_be_meant)
{
	ob_autodone(plan_fixture) f = {0};

	assert_int_equal(plan_try(&f, "FROM scratch AS Builder\nFROM Builder\n"), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 2);
	assert_non_null(strstr(ocib_error_hint(t_err), "'builder'"));
}

TEST(plan__from_number_is_an_image_name)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "0", "\"User\":\"zero\"");
	plan_ok(&f, "FROM scratch\nFROM 0\n");
	assert_string_equal(plan_config(&f)->user, "zero");
}

TEST(plan__blank_base_points_at_the_from)
{
	ob_autodone(plan_fixture) f = {0};

	assert_int_equal(plan_try(&f, "FROM scratch\nARG B=x\nFROM $B\n"), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 3);
	assert_non_null(strstr(ocib_error_message(t_err), "base name ($B) should not be blank"));
	assert_non_null(strstr(ocib_error_hint(t_err), "before the first FROM"));
	t_err = ocib_error_free(t_err);
	ASSERT_PLAN_ERROR(&f, "FROM platform-${X}\n", OCIB_ERR_SYNTAX, 1, "platform-");
}

TEST(plan__wrong_indices_and_cycles_are_errors_even_where_nobody_needs_them)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY --from=7 / /\nFROM scratch\n", OCIB_ERR_SYNTAX, 2,
			  "invalid stage index 7");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY --from=-1 / /\n", OCIB_ERR_SYNTAX, 2,
			  "invalid stage index -1");
	ASSERT_PLAN_ERROR(&f, "FROM scratch AS a\nCOPY --from=a / /\nFROM scratch\n",
			  OCIB_ERR_SYNTAX, 2, "circular dependency");
	ASSERT_PLAN_ERROR(&f,
			  "FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\n"
			  "COPY --from=a / /\n",
			  OCIB_ERR_SYNTAX, 4, "circular dependency detected on stage: a");
}

TEST(plan__forward_reference_is_an_error_where_it_is_needed)
{
	ob_autodone(plan_fixture) f = {0};
	static const char text[] = "FROM scratch AS t\nCOPY --from=later / /\n"
				   "FROM scratch AS later\nCOPY a /\nFROM t\n";

	ASSERT_PLAN_ERROR(&f, text, OCIB_ERR_SYNTAX, 2, "cannot copy from stage 'later'");
	f.options.target = "later";
	plan_ok(&f, text);
}

TEST(plan__platform_of_a_from_expands_global_args)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "");
	plan_ok(&f, "FROM --platform=$BUILDPLATFORM base AS b\nRUN a\nFROM b\nRUN c\n");
	assert_true(ob_platform_match(&plan_target(&f)->platform, &f.options.platform) >= 0);
	ASSERT_PLAN_ERROR(&f, "FROM --platform=$NOTHING scratch\n", OCIB_ERR_SYNTAX, 1,
			  "empty platform value");
	ASSERT_PLAN_ERROR(&f, "FROM --platform=no/such/plat/form scratch\n", OCIB_ERR_SYNTAX, 1,
			  "failed to parse platform");
}

TEST(plan__asked_for_platform_is_written_into_the_image)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "");
	plan_open(&f);
	f.options.platform_given = true;
	plan_ok(&f, "FROM base\n");
	assert_true(ob_platform_eq(&plan_config(&f)->platform, &f.options.platform));
}

TEST(plan__too_many_stages_end_at_a_limit)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 << 20, "test");

	for (size_t i = 0; i <= OB_LIMIT_STAGES; i++)
		ob_buffer_append_str(&text, "FROM scratch\n");
	ASSERT_PLAN_ERROR(&f, text.data, OCIB_ERR_LIMIT, OB_LIMIT_STAGES + 1, "OB_LIMIT_STAGES");
}

TEST(plan__longest_chain_of_stages_is_planned)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 << 20, "test");

	ob_buffer_append_str(&text, "FROM scratch AS s0\n");
	for (size_t i = 1; i < OB_LIMIT_STAGES; i++)
		ob_buffer_printf(&text, "FROM s%zu AS s%zu\nCOPY --from=s%zu / /\n", i - 1, i,
				 i - 1);
	plan_ok(&f, text.data);
	assert_int_equal(f.plan->node_count, OB_LIMIT_STAGES + 1);
	assert_int_equal(plan_config(&f)->history_count, OB_LIMIT_STAGES - 1);
}
