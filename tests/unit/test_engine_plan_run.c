/* test_engine_plan_run.c — RUN: the command, what it sees, and what is refused. */
#include "plan_fixture.h"

TEST(plan__run_in_shell_and_exec_form)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nRUN echo \"$HOME\" \\\n  && b\nRUN [\"a\", \"$HOME\"]\n");
	ASSERT_LIST(&plan_step(&f, 0)->run.argv, "/bin/sh", "-c", "echo \"$HOME\"   && b");
	ASSERT_LIST(&plan_step(&f, 1)->run.argv, "a", "$HOME");
	assert_int_equal(plan_step(&f, 0)->at.line, 2);
	assert_int_equal(plan_step(&f, 0)->at.end_line, 3);
}

TEST(plan__run_sees_user_directory_and_environment_of_its_line)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "\"User\":\"u\",\"WorkingDir\":\"srv\",\"Env\":[\"PATH=/p\"]");
	plan_ok(&f, "FROM base\nRUN a\nUSER v\nWORKDIR x\nENV K=1\nRUN b\n");
	const ob_run_op *first = &plan_step(&f, 0)->run, *last = &plan_step(&f, 2)->run;
	assert_string_equal(first->user, "u");
	assert_string_equal(first->cwd, "/srv");
	ASSERT_LIST(&first->env, "PATH=/p");
	assert_string_equal(last->user, "v");
	assert_string_equal(last->cwd, "/srv/x");
	ASSERT_LIST(&last->env, "PATH=/p", "K=1");
}

TEST(plan__sole_heredoc_is_the_argument_of_the_shell)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f,
		"FROM scratch\nSHELL [\"bash\", \"-c\"]\nRUN <<-EOF\n\techo $X\n\ttwo\n\tEOF\n");
	ASSERT_LIST(&plan_step(&f, 0)->run.argv, "bash", "-c", "echo $X\ntwo\n");
	assert_int_equal(plan_step(&f, 0)->run.file_count, 0);
	assert_string_equal(plan_step(&f, 0)->text, "RUN <<-EOF (echo $X...)");
}

TEST(plan__heredoc_with_an_interpreter_is_a_file)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nRUN <<\"PY\"\n#!/usr/bin/python3\nprint()\nPY\n");
	const ob_run_op *run = &plan_step(&f, 0)->run;
	ASSERT_LIST(&run->argv, "/bin/sh", "-c", "/dev/pipes/PY");
	assert_int_equal(run->file_count, 1);
	assert_string_equal(run->files[0].name, "PY");
	assert_string_equal(run->files[0].content, "#!/usr/bin/python3\nprint()\n");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN <<../x\n#!/bin/sh\n../x\n", OCIB_ERR_SYNTAX, 2,
			  "inline file");
}

TEST(plan__other_heredocs_are_put_back_for_the_shell)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nRUN cat <<A - <<-\"B\" | sort\none\nA\n\ttwo $X\n\tB\n");
	ASSERT_LIST(&plan_step(&f, 0)->run.argv, "/bin/sh", "-c",
		    "cat <<A - <<-\"B\" | sort\none\nA\n\ttwo $X\nB");
	assert_string_equal(plan_step(&f, 0)->text, "RUN cat <<A - <<-\"B\" | sort");
}

TEST(plan__run_network_modes)
{
	ob_autodone(plan_fixture) f = {0};
	static const char text[] = "FROM scratch\nRUN a\nRUN --network=default a\n"
				   "RUN --network=none a\nRUN --network=host a\n";

	f.options.allow_host_network = true;
	plan_ok(&f, text);
	assert_int_equal(plan_step(&f, 0)->run.network, OB_NETWORK_DEFAULT);
	assert_int_equal(plan_step(&f, 2)->run.network, OB_NETWORK_NONE);
	assert_int_equal(plan_step(&f, 3)->run.network, OB_NETWORK_HOST);
	f.options.network = OB_NETWORK_NONE;
	plan_ok(&f, text);
	assert_int_equal(plan_step(&f, 0)->run.network, OB_NETWORK_NONE);
	assert_int_equal(plan_step(&f, 1)->run.network, OB_NETWORK_NONE);
	assert_int_equal(plan_step(&f, 3)->run.network, OB_NETWORK_HOST);
	ASSERT_STEPS(plan_target(&f), "RUN a", "RUN --network=default a", "RUN --network=none a",
		     "RUN --network=host a");
}

TEST(plan__run_flags_that_are_not_executed_are_refused_with_a_caret)
{
	ob_autodone(plan_fixture) f = {0};

	assert_int_equal(plan_try(&f, "FROM scratch\nRUN --network=none --device=x a\n"),
			 OCIB_ERR_UNSUPPORTED);
	assert_int_equal(ocib_error_column(t_err), 20);
	assert_non_null(strstr(ocib_error_excerpt(t_err), "^"));
	t_err = ocib_error_free(t_err);
}

TEST(plan__run_may_do_more_where_it_is_allowed)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nRUN --security=sandbox a\n");
	assert_false(plan_step(&f, 0)->run.insecure);
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --security=insecure a\n", OCIB_ERR_DENIED, 2,
			  "'security.insecure'");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --network=host a\n", OCIB_ERR_DENIED, 2,
			  "'network.host'");
	f.options.allow_insecure = true;
	plan_ok(&f, "FROM scratch\nRUN --security=insecure a\n");
	assert_true(plan_step(&f, 0)->run.insecure);
}

TEST(plan__run_host_name_is_a_build_argument)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nRUN a\n");
	assert_null(plan_step(&f, 0)->run.hostname);
	plan_arg(&f, "BUILDKIT_SANDBOX_HOSTNAME=mine");
	plan_ok(&f, "FROM scratch\nRUN a\n");
	assert_string_equal(plan_step(&f, 0)->run.hostname, "mine");
	assert_int_equal(f.plan->unused_args.len, 0);
}

TEST(plan__run_of_nothing_is_refused)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN []\n", OCIB_ERR_SYNTAX, 2, "command");
}

TEST(plan__run_for_another_system_is_refused)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_OK(ob_platform_parse("linux/s390x", &f.options.platform, &t_err));
	f.options.platform_given = true;
	plan_ok(&f, "FROM scratch\nRUN a\n");
	assert_string_equal(plan_config(&f)->platform.arch, "s390x");
	ASSERT_OK(ob_platform_parse("freebsd/amd64", &f.options.platform, &t_err));
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN a\n", OCIB_ERR_UNSUPPORTED, 2, "freebsd/amd64");
}

TEST(plan__step_text_shows_values_and_keeps_what_is_unset)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV V=1 d=/x\nrun echo \"$V\" '$V' $unset\ncopy $V $unset $d\n"
		    "workdir $d\n");
	ASSERT_STEPS(plan_target(&f), "RUN echo \"1\" '$V' $unset", "COPY 1  /x", "WORKDIR /x");
}
