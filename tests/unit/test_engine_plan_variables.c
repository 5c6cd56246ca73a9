/* test_engine_plan_variables.c — ENV and ARG: who sees which value, where, and how much of it. */
#include "base/limits.h"
#include "plan_fixture.h"

static const char *value(const plan_fixture *f, const char *key)
{
	const ob_node *target = plan_target(f);

	return ob_env_get(&target->steps[target->step_count - 1].run.env, key);
}

TEST(plan__env_sees_values_from_before_the_instruction)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n");
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "def"), "hello");
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "ghi"), "bye");
}

TEST(plan__env_keys_expand_too)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV k=name\nENV $k=v\nLABEL $k=w\n");
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "name"), "v");
	ASSERT_LIST(&plan_config(&f)->labels, "name", "w");
}

TEST(plan__one_arg_sees_its_earlier_words)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nARG a=1 b=$a\nRUN x\n");
	assert_string_equal(value(&f, "b"), "1");
	assert_null(ob_env_get(&plan_config(&f)->env, "a"));
}

TEST(plan__later_of_arg_and_env_wins)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV X=env\nARG X=arg\nRUN x\n");
	assert_string_equal(value(&f, "X"), "arg");
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "X"), "env");
	plan_ok(&f, "FROM scratch\nARG X=arg\nENV X=env\nRUN x\n");
	assert_string_equal(value(&f, "X"), "env");
	plan_ok(&f, "FROM scratch\nENV X=env\nARG X\nRUN x\n");
	assert_string_equal(value(&f, "X"), "env");
	ASSERT_HISTORY(plan_target(&f), "ENV X=env", "ARG X",
		       "RUN |1 X=env /bin/sh -c x # ocibuild");
}

TEST(plan__build_arg_beats_the_default_and_is_not_expanded)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "X=first");
	plan_arg(&f, "X=$Y");
	plan_ok(&f, "FROM scratch\nARG X=default\nRUN x\n");
	assert_string_equal(value(&f, "X"), "$Y");
	assert_int_equal(f.plan->unused_args.len, 0);
}

TEST(plan__build_arg_without_value_is_not_given)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "X");
	plan_ok(&f, "FROM scratch\nARG X=default\nRUN x\n");
	assert_string_equal(value(&f, "X"), "default");
}

TEST(plan__global_arg_is_for_from_until_a_stage_imports_it)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base:7", "");
	plan_ok(&f,
		"ARG V=7\nARG NAME=base:${V}\nFROM $NAME\nRUN a\nARG V\nARG NAME=other\nRUN b\n");
	assert_null(ob_env_get(&plan_step(&f, 0)->run.env, "V"));
	assert_string_equal(value(&f, "V"), "7");
	assert_string_equal(value(&f, "NAME"), "other");
	assert_string_equal(plan_node(&f, "base:7")->name, "base:7");
}

TEST(plan__arg_reaches_stages_built_on_the_stage_and_no_others)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nARG X=1\nFROM a AS b\nRUN x\nFROM scratch\n"
		    "COPY --from=b / /\nRUN y\n");
	assert_string_equal(ob_env_get(&plan_node(&f, "b")->steps[0].run.env, "X"), "1");
	assert_string_equal(plan_node(&f, "b")->config->history[1].created_by,
			    "RUN |1 X=1 /bin/sh -c x # ocibuild");
	assert_null(value(&f, "X"));
}

TEST(plan__env_of_a_parent_beats_its_arg_in_the_child)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nENV X=env\nARG X=arg\nFROM a\nRUN x\n");
	assert_string_equal(value(&f, "X"), "env");
}

TEST(plan__env_of_the_base_image_is_seen)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "\"Env\":[\"A=1\",\"PATH=/p\",\"NOVALUE\"]");
	plan_ok(&f, "FROM base\nENV B=$A\nRUN x\n");
	ASSERT_LIST(&plan_config(&f)->env, "A=1", "PATH=/p", "NOVALUE", "B=1");
	assert_string_equal(value(&f, "NOVALUE"), "");
}

TEST(plan__proxies_are_for_run_only_and_leave_no_trace)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "http_proxy=http://p");
	plan_arg(&f, "ALL_PROXY=");
	plan_ok(&f, "FROM scratch\nENV X=${http_proxy:-none}\nRUN x\n");
	ASSERT_LIST(&plan_step(&f, 0)->run.secret_env, "HTTP_PROXY=http://p",
		    "http_proxy=http://p");
	assert_null(value(&f, "http_proxy"));
	ASSERT_HISTORY(plan_target(&f), "ENV X=none", "RUN /bin/sh -c x # ocibuild");
	assert_int_equal(f.plan->unused_args.len, 0);
	plan_ok(&f, "FROM scratch\nARG http_proxy\nRUN x\n");
	assert_string_equal(value(&f, "http_proxy"), "http://p");
}

TEST(plan__platform_args_must_be_declared_in_a_stage)
{
	ob_autodone(plan_fixture) f = {0};
	char platform[128];

	plan_arg(&f, "BUILDARCH=mine");
	ASSERT_OK(ob_platform_parse("linux/arm/v7", &f.options.platform, &t_err));
	ob_platform_format(&f.options.platform, platform);
	plan_ok(&f, "FROM scratch\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDARCH "
		    "TARGETSTAGE TARGETOSVERSION\n"
		    "LABEL v=$TARGETPLATFORM,$TARGETOS,$TARGETARCH,$TARGETVARIANT,$BUILDARCH,"
		    "$TARGETSTAGE,$TARGETOSVERSION,$BUILDOS\n");
	ASSERT_LIST(&plan_config(&f)->labels, "v", "linux/arm/v7,linux,arm,v7,mine,default,,");
}

TEST(plan__target_stage_arg_is_the_target)
{
	ob_autodone(plan_fixture) f = {0};
	static const char text[] = "FROM scratch AS one\nARG TARGETSTAGE\nLABEL s=$TARGETSTAGE\n"
				   "FROM one AS two\n";

	plan_ok(&f, text);
	ASSERT_LIST(&plan_config(&f)->labels, "s", "two");
	f.options.target = "one";
	plan_ok(&f, text);
	ASSERT_LIST(&plan_config(&f)->labels, "s", "one");
}

TEST(plan__unused_build_args_are_listed_and_predefined_ones_are_not)
{
	ob_autodone(plan_fixture) f = {0};
	static const char *const args[] = {"NOPE=1", "HTTPS_PROXY=x", "BUILDKIT_INLINE_CACHE=1",
					   "USED=1", "TARGETARCH=x",  "GLOBAL=1"};

	for (size_t i = 0; i < OB_ARRAY_LEN(args); i++)
		plan_arg(&f, args[i]);
	plan_ok(&f, "ARG GLOBAL\nFROM scratch AS unneeded\nARG USED\nFROM scratch\n");
	ASSERT_LIST(&f.plan->unused_args, "NOPE");
}

TEST(plan__epoch_comes_from_options_arguments_or_a_global_arg)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\n");
	assert_false(f.plan->has_epoch);
	plan_ok(&f, "ARG SOURCE_DATE_EPOCH=42\nFROM scratch\n");
	assert_true(f.plan->has_epoch);
	assert_int_equal(f.plan->epoch, 42);
	f.options.has_epoch = true;
	f.options.epoch = 7;
	plan_ok(&f, "ARG SOURCE_DATE_EPOCH=42\nFROM scratch\nARG SOURCE_DATE_EPOCH\nRUN x\n");
	assert_int_equal(f.plan->epoch, 7);
	assert_string_equal(value(&f, "SOURCE_DATE_EPOCH"), "7");
	plan_arg(&f, "SOURCE_DATE_EPOCH=9");
	plan_ok(&f, "FROM scratch\n");
	assert_int_equal(f.plan->epoch, 9);
	plan_arg(&f, "SOURCE_DATE_EPOCH=context");
	plan_ok(&f, "FROM scratch\nARG SOURCE_DATE_EPOCH\nRUN x\n"); /* a local one has no time */
	assert_false(f.plan->has_epoch);
	assert_null(value(&f, "SOURCE_DATE_EPOCH"));
	f.options.has_context_time = true;
	f.options.context_time = 1580702706;
	plan_ok(&f, "FROM scratch\nARG SOURCE_DATE_EPOCH\nRUN x\n");
	assert_int_equal(f.plan->epoch, 1580702706);
	assert_string_equal(value(&f, "SOURCE_DATE_EPOCH"), "1580702706");
}

TEST(plan__epoch_of_what_has_none)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "SOURCE_DATE_EPOCH=src");
	ASSERT_ERROR(plan_try(&f, "FROM scratch\n"), OCIB_ERR_INVALID,
		     "neither a number of seconds nor 'context'");
	ASSERT_PLAN_ERROR(&f, "FROM x AS src\nADD https://h.invalid/f /\nFROM scratch\n",
			  OCIB_ERR_SYNTAX, 1, "is FROM scratch");
	ASSERT_PLAN_ERROR(&f, "FROM scratch AS src\nCOPY a /\nFROM scratch\n", OCIB_ERR_SYNTAX, 2,
			  "has ARGs and one ADD");
	ASSERT_PLAN_ERROR(&f, "FROM scratch AS Src\nFROM scratch\n", OCIB_ERR_SYNTAX, 1,
			  "exactly one ADD");
	ASSERT_PLAN_ERROR(&f,
			  "FROM scratch AS src\nADD https://h.invalid/f /\n"
			  "ADD https://h.invalid/g /\nFROM scratch\n",
			  OCIB_ERR_SYNTAX, 3, "exactly one ADD");
	ASSERT_PLAN_ERROR(&f, "FROM scratch AS src\nARG A=x\nADD $A /\nFROM scratch\n",
			  OCIB_ERR_SYNTAX, 3, "a URL or a git repository");
	f.options.checking = true;
	plan_ok(&f, "FROM scratch\n");
	assert_false(f.plan->has_epoch);
}

TEST(plan__wrong_substitution_points_at_its_line)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nENV a=b\nENV c=${a\n", OCIB_ERR_SYNTAX, 3, "");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nWORKDIR ${a:?needed}\n", OCIB_ERR_SYNTAX, 2, "needed");
	ASSERT_PLAN_ERROR(&f, "ARG a=${b\nFROM scratch\n", OCIB_ERR_SYNTAX, 1, "");
}

TEST(plan__doubling_variable_ends_at_a_limit)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 << 20, "test");

	ob_buffer_append_str(&text, "FROM scratch\nARG a=0123456789\n");
	for (size_t i = 0; i < 40; i++)
		ob_buffer_append_str(&text, "ARG a=$a$a\n");
	assert_int_equal(plan_try(&f, text.data), OCIB_ERR_LIMIT);
}

TEST(plan__many_variables_and_many_commands_end_at_limits)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(16 << 20, "test");

	ob_buffer_append_str(&text, "FROM scratch\n");
	for (size_t i = 0; i <= OB_LIMIT_VARIABLES; i++)
		ob_buffer_printf(&text, "ARG a%zu=b\n", i);
	ASSERT_ERROR(plan_try(&f, text.data), OCIB_ERR_LIMIT, "OB_LIMIT_VARIABLES");

	ob_buffer_clear(&text);
	ob_buffer_append_str(&text,
			     "FROM scratch\nENV a=0123456789012345678901234567890123456789\n");
	for (size_t i = 0; i < 14; i++)
		ob_buffer_append_str(&text, "ENV a=$a$a\n");
	for (size_t i = 0; i < 1000; i++)
		ob_buffer_append_str(&text, "RUN x\n");
	ASSERT_ERROR(plan_try(&f, text.data), OCIB_ERR_LIMIT, "OB_LIMIT_PLAN");
}
