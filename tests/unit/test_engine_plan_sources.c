/* test_engine_plan_sources.c — images, named contexts and ONBUILD triggers. */
#include "plan_fixture.h"

TEST(plan__base_image_gives_config_and_history_and_nothing_unknown)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base",
		       "\"User\":\"u\",\"Cmd\":[\"c\"],\"Image\":\"sha256:1\","
		       "\"Labels\":{\"l\":\"1\"}");
	plan_ok(&f, "FROM base\nENV a=b\n");
	const ob_config *config = plan_config(&f);
	assert_string_equal(config->user, "u");
	ASSERT_LIST(&config->cmd.args, "c");
	ASSERT_HISTORY(plan_target(&f), "base", "ENV a=b");
	assert_string_equal(config->history[0].created, "2020-01-01T00:00:00Z");
	assert_null(config->created);
	assert_null(config->rest);
	assert_null(config->config_rest);
	assert_null(config->working_dir);
}

TEST(plan__missing_base_points_at_its_word_and_says_how_to_build_it)
{
	ob_autodone(plan_fixture) f = {0};

	assert_int_equal(plan_try(&f, "ARG B=runtime\nFROM scratch AS x\nFROM $B\n"),
			 OCIB_ERR_NOTFOUND);
	assert_int_equal(ocib_error_line(t_err), 3);
	assert_int_equal(ocib_error_column(t_err), 6);
	assert_non_null(strstr(ocib_error_message(t_err), "runtime"));
	assert_non_null(strstr(ocib_error_hint(t_err),
			       "ocibuild build -f build/Dockerfile.runtime -t runtime:latest ."));
	t_err = ocib_error_free(t_err);
	(void)plan_try(&f, "FROM runtime:v20250101-000000\n");
	assert_non_null(strstr(ocib_error_hint(t_err), "-t runtime:v20250101-000000 ."));
	t_err = ocib_error_free(t_err);
	(void)plan_try(&f, "FROM scratch AS builder\nFROM biulder\n");
	assert_non_null(strstr(ocib_error_hint(t_err), "did you mean the stage 'builder'?"));
}

TEST(plan__several_missing_bases_report_the_first)
{
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < 5; i++) {
		(void)plan_try(
			&f, "FROM none-a AS a\nFROM none-b AS b\nFROM none-c AS c\nFROM scratch\n"
			    "COPY --from=c / /\nCOPY --from=b / /\nCOPY --from=a / /\n");
		assert_int_equal(ocib_error_line(t_err), 1);
		t_err = ocib_error_free(t_err);
	}
}

TEST(plan__canceled_context_plans_nothing)
{
	ob_autodone(plan_fixture) f = {0};

	plan_open(&f);
	ocib_context_cancel(f.ctx);
	ASSERT_ERROR(plan_try(&f, "FROM scratch\nENV a=b\n"), OCIB_ERR_CANCELED, "");
}

TEST(plan__named_context_replaces_an_image_in_every_spelling)
{
	static const char *const spellings[] = {"img", "img:latest", "docker.io/library/img",
						"docker.io/library/img:latest"};
	char value[300];

	for (size_t i = 0; i < OB_ARRAY_LEN(spellings); i++)
		for (size_t k = 0; k < OB_ARRAY_LEN(spellings); k++) {
			ob_autodone(plan_fixture) f = {0};
			ob_autofree char *text = ob_str_printf("FROM %s\n", spellings[i]);

			plan_open(&f);
			(void)ob_remove_tree(AT_FDCWD, f.dir, NULL);
			plan_add_image(&f, "other", "\"User\":\"other\"");
			(void)snprintf(value, sizeof(value), "docker-image://other");
			plan_context(&f, spellings[k], value);
			plan_ok(&f, text);
			assert_string_equal(plan_config(&f)->user, "other");
			plan_fixture_done(&f);
			f = (plan_fixture){0};
			(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
			assert_int_equal(mkdir(t_temp_dir(), 0755), 0);
		}
}

TEST(plan__named_context_of_the_platform_comes_first)
{
	ob_autodone(plan_fixture) f = {0};
	char name[160], platform[128];

	plan_add_image(&f, "one", "\"User\":\"one\"");
	plan_add_image(&f, "two", "\"User\":\"two\"");
	ob_platform_format(&f.options.platform, platform);
	(void)snprintf(name, sizeof(name), "img::%s", platform);
	plan_context(&f, name, "docker-image://one");
	plan_context(&f, "img", "docker-image://two");
	plan_ok(&f, "FROM img\n");
	assert_string_equal(plan_config(&f)->user, "one");
}

TEST(plan__named_context_replaces_a_stage_wholly)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "other", "\"User\":\"other\"");
	plan_context(&f, "base", "docker-image://other");
	plan_ok(&f, "FROM missing AS Base\nRUN --mount=type=cache,target=/x a\nFROM base\n"
		    "COPY --from=base /a /b\n");
	assert_string_equal(plan_config(&f)->user, "other");
	assert_int_equal(f.plan->nodes[plan_target(&f)->base].kind, OB_NODE_IMAGE);
	assert_int_equal(plan_step(&f, 0)->copy.from, plan_target(&f)->base);
	f.options.target = "base";
	plan_ok(&f, "FROM missing AS base\nRUN a\nFROM scratch\n");
	assert_int_equal(plan_target(&f)->kind, OB_NODE_STAGE);
	assert_int_equal(plan_target(&f)->step_count, 0);
	assert_string_equal(plan_config(&f)->user, "other");
}

TEST(plan__base_image_replaces_an_image_and_no_stage)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "other", "\"User\":\"other\"");
	plan_context(&f, "base", "docker-image://other");
	f.contexts[0].images_only = true;
	plan_ok(&f, "FROM base AS base\nRUN a\nFROM base\nRUN b\n");
	assert_string_equal(plan_config(&f)->user, "other");
	assert_int_equal(f.plan->nodes[plan_target(&f)->base].kind, OB_NODE_STAGE);
}

TEST(plan__named_directory_obeys_its_own_ignore_file)
{
	ob_autodone(plan_fixture) f = {0};
	char value[256];

	plan_mkdir(&f, "data");
	plan_write(&f, "data/.dockerignore", "out2\n");
	plan_write(&f, "context/.dockerignore", "other\n");
	(void)snprintf(value, sizeof(value), "%s/context/../data", t_temp_dir());
	plan_context(&f, "base", value);
	plan_ok(&f, "FROM missing AS base\nFROM scratch\nCOPY --from=base /o* /\n");
	const ob_node *node = &f.plan->nodes[plan_step(&f, 0)->copy.from];
	assert_int_equal(node->kind, OB_NODE_CONTEXT);
	assert_true(ob_str_ends(node->dir, "/data"));
	assert_null(strstr(node->dir, ".."));
	ASSERT_LIST(&node->ignore_patterns, "out2");
	assert_false(plan_step(&f, 0)->copy.keep_owner);
}

TEST(plan__directory_as_a_base_is_one_layer_on_nothing)
{
	ob_autodone(plan_fixture) f = {0};
	char value[256];

	plan_mkdir(&f, "data");
	(void)snprintf(value, sizeof(value), "%s/data", t_temp_dir());
	plan_context(&f, "foo", value);
	plan_ok(&f, "FROM foo AS x\nRUN cat /foo\n");
	ASSERT_STEPS(plan_target(&f), "FROM foo", "RUN cat /foo");
	assert_int_equal(f.plan->nodes[plan_target(&f)->base].kind, OB_NODE_SCRATCH);
	assert_int_equal(f.plan->nodes[plan_step(&f, 0)->copy.from].kind, OB_NODE_CONTEXT);
	assert_string_equal(plan_step(&f, 0)->copy.dest, "/");
	assert_int_equal(plan_step(&f, 1)->number, 2);
	assert_int_equal(plan_step(&f, 1)->history, 1);
	assert_false(plan_config(&f)->history[0].empty_layer);
}

TEST(plan__named_context_may_be_scratch_and_scratch_may_not_be_replaced)
{
	ob_autodone(plan_fixture) f = {0};

	plan_context(&f, "img", "docker-image://scratch");
	plan_context(&f, "scratch", "docker-image://missing");
	plan_ok(&f, "FROM img\nCOPY a /\nCOPY --from=scratch / /\n");
	assert_int_equal(f.plan->nodes[plan_target(&f)->base].kind, OB_NODE_SCRATCH);
	assert_string_equal(plan_config(&f)->working_dir, "/");
}

TEST(plan__remote_named_contexts_are_refused_where_they_are_used)
{
	static const char *const values[] = {"hg://h/r", "target:other"};

	for (size_t i = 0; i < OB_ARRAY_LEN(values); i++) {
		ob_autodone(plan_fixture) f = {0};

		plan_context(&f, "img", values[i]);
		if (i)
			f.options.context_dir = NULL;
		plan_open(&f);
		plan_ok(&f, "FROM img AS x\nFROM scratch\n");
		ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY --from=img / /\n", OCIB_ERR_UNSUPPORTED,
				  2, "is not supported");
		plan_fixture_done(&f);
		f = (plan_fixture){0};
		(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
		assert_int_equal(mkdir(t_temp_dir(), 0755), 0);
	}
}

TEST(plan__named_context_behind_a_url_is_fetched_where_it_is_used)
{
	ob_autodone(plan_fixture) f = {0};

	plan_context(&f, "img", "http://127.0.0.1:1/x.tar");
	plan_ok(&f, "FROM img AS x\nFROM scratch\n");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY --from=img / /\n", OCIB_ERR_DENIED, 2,
			  "build context 'img': http://127.0.0.1:1/x.tar: offline");
}

TEST(plan__named_context_that_is_not_there_is_named)
{
	ob_autodone(plan_fixture) f = {0};

	plan_context(&f, "img", "/no/such/directory");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY --from=img / /\n", OCIB_ERR_NOTFOUND, 2,
			  "'/no/such/directory'");
	plan_context(&f, "Bad Name", "/tmp");
	ASSERT_ERROR(plan_try(&f, "FROM img\n"), OCIB_ERR_INVALID, "Bad Name");
}

TEST(plan__triggers_of_an_image_run_right_after_the_from)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base",
		       "\"OnBuild\":[\"ARG X=1\",\"COPY . /src\",\"RUN make $X\"],"
		       "\"WorkingDir\":\"/w\"");
	plan_ok(&f, "FROM scratch\nFROM base\nRUN own\n");
	ASSERT_STEPS(plan_target(&f), "ONBUILD COPY . /src", "ONBUILD RUN make 1", "RUN own");
	ASSERT_HISTORY(plan_target(&f), "base", "ARG X=1", "COPY . /src # ocibuild",
		       "RUN |1 X=1 /bin/sh -c make $X # ocibuild",
		       "RUN |1 X=1 /bin/sh -c own # ocibuild");
	assert_int_equal(plan_config(&f)->on_build.len, 0);
	assert_int_equal(plan_step(&f, 0)->at.line, 2);
	assert_int_equal(plan_step(&f, 2)->total, 4);
}

TEST(plan__triggers_of_a_stage_run_in_its_children_only)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nONBUILD ENV X=1\nONBUILD RUN <<E\nscript $X\nE\n"
		    "FROM a AS b\nFROM b\n");
	ASSERT_STEPS(plan_node(&f, "b"), "ONBUILD RUN <<E (script 1)");
	assert_int_equal(plan_target(&f)->step_count, 0);
	assert_int_equal(plan_config(&f)->on_build.len, 0);
	assert_string_equal(ob_env_get(&plan_config(&f)->env, "X"), "1");
	assert_int_equal(plan_node(&f, "b")->steps[0].run.argv.len, 3);
	assert_string_equal(plan_node(&f, "b")->steps[0].run.argv.items[2], "script $X\n");
}

TEST(plan__triggers_may_need_stages_and_images)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "third", "");
	plan_add_image(&f, "base",
		       "\"OnBuild\":[\"COPY --from=other /a /b\",\"COPY --from=third /a /c\"]");
	plan_ok(&f, "FROM scratch AS other\nCOPY x /a\nFROM base\n");
	assert_string_equal(f.plan->nodes[plan_step(&f, 0)->copy.from].name, "other");
	assert_string_equal(f.plan->nodes[plan_step(&f, 1)->copy.from].name, "third");
}

TEST(plan__wrong_triggers_point_at_the_from)
{
	static const char *const bad[] = {
		"FROM x",        "ONBUILD RUN a", "MAINTAINER x",      "NOSUCH a",
		"RUN a\\nRUN b", "WORKDIR ${x",   "COPY --from=9 / /", ""};

	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		ob_autodone(plan_fixture) f = {0};
		ob_autofree char *config = ob_str_printf("\"OnBuild\":[\"%s\"]", bad[i]);

		plan_add_image(&f, "base", config);
		ASSERT_PLAN_ERROR(&f, "FROM scratch\nFROM base\nRUN x\n", OCIB_ERR_SYNTAX, 2, "");
		plan_fixture_done(&f);
		f = (plan_fixture){0};
		(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
		assert_int_equal(mkdir(t_temp_dir(), 0755), 0);
	}
}
