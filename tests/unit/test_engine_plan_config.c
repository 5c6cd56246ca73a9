/* test_engine_plan_config.c — instructions that set a field, and the history each leaves. */
#include "plan_fixture.h"

#define PATH_ENV "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

TEST(plan__scratch_has_a_path_a_working_directory_and_the_platform)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\n");
	const ob_config *config = plan_config(&f);
	ASSERT_LIST(&config->env, PATH_ENV);
	assert_string_equal(config->working_dir, "/");
	assert_true(ob_platform_eq(&config->platform, &f.options.platform));
	assert_int_equal(config->history_count, 0);
	assert_int_equal(plan_target(&f)->step_count, 0);
	assert_int_equal(f.plan->nodes[plan_target(&f)->base].kind, OB_NODE_SCRATCH);
}

TEST(plan__history_is_buildkits_but_for_the_builders_name)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\n"
		    "MAINTAINER Me <me@x>\n"
		    "ARG A=1 B\n"
		    "ENV C=\"x y\" D=$A\n"
		    "LABEL l=\"$C\"\n"
		    "WORKDIR /w\n"
		    "COPY --chown=5 --link a b/ /d/\n"
		    "ADD --chmod=755 a /e\n"
		    "RUN echo $C\n"
		    "RUN [\"true\", \"a b\"]\n"
		    "USER u:g\n"
		    "EXPOSE 80 53/UDP\n"
		    "VOLUME /v [x\n"
		    "STOPSIGNAL SIGTERM\n"
		    "HEALTHCHECK --interval=90s --timeout=1500ms CMD curl x\n"
		    "SHELL [\"/bin/bash\", \"-c\"]\n"
		    "ENTRYPOINT exec a\n"
		    "CMD [\"a\", \"\\u00e9\\t\\\"\"]\n"
		    "ONBUILD RUN true\n");
	ASSERT_HISTORY(plan_target(&f), "MAINTAINER Me <me@x>", "ARG A=1 B", "ENV C=x y D=1",
		       "LABEL l=x y", "WORKDIR /w", "COPY --chown=5 a b/ /d/ # ocibuild",
		       "ADD --chmod=755 a /e # ocibuild",
		       "RUN |2 A=1 B= /bin/sh -c echo $C # ocibuild",
		       "RUN |2 A=1 B= true a b # ocibuild", "USER u:g", "EXPOSE [53/udp 80/tcp]",
		       "VOLUME [/v [x]", "STOPSIGNAL SIGTERM",
		       "HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:1m30s Timeout:1.5s "
		       "StartPeriod:0s StartInterval:0s Retries:0}",
		       "SHELL [/bin/bash -c]", "ENTRYPOINT [\"/bin/bash\" \"-c\" \"exec a\"]",
		       "CMD [\"a\" \"\u00e9\\t\\\"\"]");
	for (size_t i = 0; i < plan_config(&f)->history_count; i++) {
		const ob_history *entry = &plan_config(&f)->history[i];
		bool layer = i >= 4 && i <= 8;

		assert_string_equal(entry->comment, "ocibuild.dockerfile.v0");
		assert_null(entry->created);
		assert_int_equal(entry->empty_layer, !layer);
	}
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(plan_step(&f, i)->history, 4 + i);
}

TEST(plan__cmd_in_either_form_sets_args_escaped)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nCMD echo  hi\n");
	ASSERT_LIST(&plan_config(&f)->cmd.args, "/bin/sh", "-c", "echo  hi");
	assert_true(plan_config(&f)->args_escaped);
	plan_ok(&f, "FROM scratch\nCMD [\"a\"]\n");
	ASSERT_LIST(&plan_config(&f)->cmd.args, "a");
	assert_true(plan_config(&f)->args_escaped);
	plan_ok(&f, "FROM scratch\nENTRYPOINT a\n");
	assert_false(plan_config(&f)->args_escaped);
}

TEST(plan__cmd_that_is_no_json_is_a_shell_line)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nSHELL [\"x\"]\nCMD ['a']\n");
	ASSERT_LIST(&plan_config(&f)->cmd.args, "x", "['a']");
}

TEST(plan__empty_cmd_is_set_and_empty_entrypoint_is_not)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"]");
	plan_ok(&f, "FROM base\nCMD []\n");
	assert_int_equal(plan_config(&f)->cmd.args.len, 0);
	ASSERT_LIST(&plan_config(&f)->entrypoint.args, "e");
	plan_ok(&f, "FROM base\nENTRYPOINT []\n");
	assert_false(plan_config(&f)->entrypoint.is_set);
	assert_false(plan_config(&f)->cmd.is_set);
}

TEST(plan__entrypoint_clears_an_inherited_cmd_only)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nCMD [\"c\"]\nFROM a\nENTRYPOINT [\"e\"]\n");
	assert_false(plan_config(&f)->cmd.is_set);
	plan_ok(&f, "FROM scratch\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\n");
	ASSERT_LIST(&plan_config(&f)->cmd.args, "c");
	plan_ok(&f, "FROM scratch AS a\nENTRYPOINT [\"e\"]\nFROM a\nCMD [\"c\"]\n");
	ASSERT_LIST(&plan_config(&f)->entrypoint.args, "e");
}

TEST(plan__shell_goes_on_to_later_stages)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nSHELL [\"sh\", \"-ec\"]\nFROM a\nRUN x\n");
	ASSERT_LIST(&plan_step(&f, 0)->run.argv, "sh", "-ec", "x");
	ASSERT_LIST(&plan_config(&f)->shell.args, "sh", "-ec");
}

TEST(plan__expose_expands_ranges_and_sorts)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "P=9 8/udp");
	plan_ok(&f, "FROM scratch\nARG P\nEXPOSE 7000-7002/TCP $P\nEXPOSE 7001 127.0.0.1:80:81 "
		    "[::1]:82:83\n");
	ASSERT_LIST(&plan_config(&f)->exposed_ports, "7000/tcp", "7001/tcp", "7002/tcp", "8/udp",
		    "81/tcp", "83/tcp", "9/tcp");
}

TEST(plan__expose_refuses_what_is_no_port)
{
	ob_autodone(plan_fixture) f = {0};
	static const char *const bad[] = {
		"70000", "80/icmp", "a",         "5-4",  "80-",       "-80",           "x:80:80",
		"/tcp",  "1:",      "65536/udp", "0x50", "1-3:80-81", "1.2.3.400:1:2",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		ob_autofree char *text = ob_str_printf("FROM scratch\nEXPOSE %s\n", bad[i]);

		ASSERT_PLAN_ERROR(&f, text, OCIB_ERR_SYNTAX, 2, "invalid port");
	}
}

TEST(plan__expose_of_every_port_again_and_again_ends_at_a_limit)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 << 20, "test");

	ob_buffer_append_str(&text, "FROM scratch\n");
	for (size_t i = 0; i < 1000; i++)
		ob_buffer_append_str(&text, "EXPOSE 0-65535 0-65535/udp\n");
	assert_int_equal(plan_try(&f, text.data), OCIB_ERR_LIMIT);
}

TEST(plan__stopsignal_is_checked)
{
	ob_autodone(plan_fixture) f = {0};
	static const char *const good[] = {"9", "-1", "KILL", "sigkill", "SIGRTMIN+3", "RTMAX-14"};
	static const char *const bad[] = {"0", "SIGFOO", "RTMIN+16", "RTMAX-15", "RTMIN+", "SIG"};

	for (size_t i = 0; i < OB_ARRAY_LEN(good); i++) {
		ob_autofree char *text = ob_str_printf("FROM scratch\nSTOPSIGNAL %s\n", good[i]);

		plan_ok(&f, text);
		assert_string_equal(plan_config(&f)->stop_signal, good[i]);
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		ob_autofree char *text = ob_str_printf("FROM scratch\nSTOPSIGNAL %s\n", bad[i]);

		ASSERT_PLAN_ERROR(&f, text, OCIB_ERR_SYNTAX, 2, "invalid signal");
	}
}

TEST(plan__volume_is_a_set_of_expanded_paths)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV V=/z\nVOLUME $V /a\nVOLUME [\"/a\", \"/b c\"]\n");
	ASSERT_LIST(&plan_config(&f)->volumes, "/a", "/b c", "/z");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nVOLUME /a $NOTHING\n", OCIB_ERR_SYNTAX, 2, "empty");
}

TEST(plan__healthcheck_in_its_three_forms)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nHEALTHCHECK --retries=3 --start-period=1h2m CMD a $b\n");
	const ob_healthcheck *check = &plan_config(&f)->healthcheck;
	ASSERT_LIST(&check->test, "CMD-SHELL", "a $b");
	assert_int_equal(check->retries, 3);
	assert_int_equal(check->start_period_ns, 3720LL * 1000000000LL);
	plan_ok(&f, "FROM scratch\nHEALTHCHECK --start-interval=5ms CMD [\"a\", \"b\"]\n");
	ASSERT_LIST(&plan_config(&f)->healthcheck.test, "CMD", "a", "b");
	assert_int_equal(plan_config(&f)->healthcheck.start_interval_ns, 5000000);
	plan_ok(&f, "FROM scratch\nHEALTHCHECK CMD x\nHEALTHCHECK NONE\n");
	ASSERT_LIST(&plan_config(&f)->healthcheck.test, "NONE");
	assert_int_equal(plan_config(&f)->healthcheck.retries, 0);
}

TEST(plan__workdir_is_joined_and_makes_a_layer_but_for_the_root)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nWORKDIR a\nUSER u\nWORKDIR ../b/./c\nWORKDIR /\nWORKDIR $X\n"
		    "WORKDIR /t/\n");
	ASSERT_HISTORY(plan_target(&f), "WORKDIR /a", "USER u", "WORKDIR /b/c", "WORKDIR /",
		       "WORKDIR /", "WORKDIR /t/");
	ASSERT_STEPS(plan_target(&f), "WORKDIR a", "WORKDIR ../b/./c", "WORKDIR /t/");
	assert_string_equal(plan_step(&f, 0)->workdir.path, "/a");
	assert_string_equal(plan_step(&f, 0)->workdir.user, "");
	assert_string_equal(plan_step(&f, 1)->workdir.path, "/b/c");
	assert_string_equal(plan_step(&f, 1)->workdir.user, "u");
	assert_true(plan_config(&f)->history[3].empty_layer);
	assert_string_equal(plan_config(&f)->working_dir, "/t/");
}

TEST(plan__onbuild_is_kept_as_text_and_leaves_no_history)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nONBUILD RUN echo $X\nONBUILD COPY <<A /a\nbody $X\nA\n");
	ASSERT_LIST(&plan_config(&f)->on_build, "RUN echo $X", "COPY <<A /a\nbody $X\nA");
	assert_int_equal(plan_config(&f)->history_count, 0);
	assert_int_equal(plan_target(&f)->step_count, 0);
}

TEST(plan__labels_of_the_command_line_come_last_and_without_history)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_strlist) labels = {0};

	ob_strlist_add(&labels, "a=b");
	ob_strlist_add(&labels, "two");
	f.options.labels = &labels;
	plan_ok(&f, "FROM scratch\nLABEL a=1 a=b=one\n");
	ASSERT_LIST(&plan_config(&f)->labels, "a", "b=one", "a=b", "two");
	assert_int_equal(plan_config(&f)->history_count, 1);
}
