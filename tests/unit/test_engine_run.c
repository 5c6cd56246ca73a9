/* test_engine_run.c — RUN through the public call: needs a static busybox and a machine that allows it. */
#include <time.h>
#include "build_fixture.h"

#define BASE "FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n"

/* Copy the host's busybox into the context, or skip the case. */
static void need_run(build_fixture *f)
{
	const char *rung = "none";
	char command[512];

	if (access("/bin/busybox", X_OK) < 0)
		SKIP("there is no /bin/busybox (apt install busybox-static)");
	(void)fixture_try(f, "FROM scratch\n");
	t_err = ocib_error_free(t_err);
	if (ocib_doctor(f->ctx, f->store, NULL, NULL, &rung, &t_err) != OCIB_OK)
		SKIP("no worker: %s", ocib_error_message(t_err));
	if (strcmp(rung, "none") == 0)
		SKIP("this machine does not allow a RUN");
	(void)snprintf(command, sizeof(command), "cp -p /bin/busybox '%s/busybox'", f->dir);
	FILE *cp = popen(command, "re");
	assert_non_null(cp);
	assert_int_equal(pclose(cp), 0);
}

TEST(run__what_a_command_writes_is_a_layer)
{
	build_fixture f = fixture_new();

	need_run(&f);
	fixture_build(&f, BASE "RUN echo one > /f && echo said\n");
	assert_int_equal(ocib_image_layer_count(f.image), 2);
	assert_string_equal(f.output, "said\n");
	fixture_build(&f, BASE "RUN echo one > /f && echo said\nRUN /bin/busybox cat /f\n");
	assert_string_equal(f.output, "one\n");
	assert_int_equal(f.cached, 2);
	fixture_done(&f);
}

TEST(run__chain_of_commands_sees_each_others_files)
{
	static const char text[] = BASE "RUN echo 1 >> /f\nRUN echo 2 >> /f\nRUN echo 3 >> /f\n"
					"RUN /bin/busybox rm -rf /f2; echo 4 >> /f\n"
					"RUN /bin/busybox cat /f\n";
	build_fixture f = fixture_new();
	char digest[80];

	need_run(&f);
	fixture_build(&f, text);
	assert_string_equal(f.output, "1\n2\n3\n4\n");
	(void)snprintf(digest, sizeof(digest), "%s", ocib_image_digest(f.image));
	fixture_build(&f, text);
	assert_string_equal(f.output, "");
	assert_int_equal(f.cached, 6);
	assert_string_equal(ocib_image_digest(f.image), digest);
	fixture_done(&f);
}

TEST(run__chain_gives_the_same_digest_in_two_stores_under_an_epoch)
{
	static const char text[] = BASE "RUN /bin/busybox mkdir /d && echo 1 > /d/a\n"
					"RUN /bin/busybox rm /d/a && echo 2 > /d/b\n"
					"RUN /bin/busybox mv /d /e\n";
	char digest[2][80];

	for (size_t i = 0; i < 2; i++) {
		build_fixture f = fixture_new();

		need_run(&f);
		f.options.has_source_date_epoch = 1;
		f.options.source_date_epoch = 1700000000;
		fixture_build(&f, text);
		(void)snprintf(digest[i], sizeof(digest[i]), "%s", ocib_image_digest(f.image));
		fixture_done(&f);
	}
	assert_string_equal(digest[0], digest[1]);
}

TEST(run__trees_that_were_removed_are_made_again)
{
	static const char text[] = BASE "RUN echo 1 > /f\nRUN /bin/busybox rm /f; echo 2 > /g\n";
	build_fixture f = fixture_new();
	char path[256];

	need_run(&f);
	fixture_build(&f, text);
	(void)snprintf(path, sizeof(path), "%s/trees", f.store_dir);
	ASSERT_OK(ob_remove_tree(AT_FDCWD, path, &t_err));
	fixture_build(&f, BASE "RUN echo 1 > /f\nRUN /bin/busybox rm /f; echo 2 > /g\n"
			       "RUN /bin/busybox ls /f /g 2>&1 || :\n");
	assert_int_equal(f.cached, 3);
	assert_non_null(strstr(f.output, "/f: No such file"));
	assert_non_null(strstr(f.output, "/g\n"));
	fixture_done(&f);
}

TEST(run__command_that_changes_nothing_is_an_empty_layer)
{
	build_fixture f = fixture_new();

	need_run(&f);
	fixture_build(&f, BASE "RUN :\n");
	assert_int_equal(ocib_image_layer_count(f.image), 2);
	/* An empty tar: BuildKit's images have the same diff id there. */
	assert_non_null(
		strstr(ocib_image_config_json(f.image),
		       "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"));
	fixture_done(&f);
}

TEST(run__failure_has_status_line_and_last_words)
{
	build_fixture f = fixture_new();

	need_run(&f);
	assert_int_equal(fixture_try(&f, BASE "RUN echo first && echo last words && exit 42\n"),
			 OCIB_ERR_COMMAND);
	assert_int_equal(ocib_error_exit_status(t_err), 42);
	assert_int_equal(ocib_error_line(t_err), 4);
	assert_non_null(strstr(ocib_error_hint(t_err), "last words"));
	assert_non_null(strstr(ocib_error_message(t_err), "exit code: 42"));
	assert_int_equal(f.failed, 1);
	t_err = ocib_error_free(t_err);
	/* The next build is as if nothing had been. */
	fixture_build(&f, BASE "RUN echo fine\n");
	assert_string_equal(f.output, "fine\n");
	fixture_done(&f);
}

TEST(run__failure_in_one_stage_ends_the_others_at_once)
{
	build_fixture f = fixture_new();
	struct timespec begin, now;

	need_run(&f);
	f.options.jobs = 2;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(
		fixture_try(
			&f,
			"FROM scratch AS a\nCOPY busybox /\nRUN [\"/busybox\",\"sh\",\"-c\","
			"\"/busybox sleep 1; exit 3\"]\n"
			"FROM scratch AS b\nCOPY busybox /\nRUN [\"/busybox\",\"sleep\",\"60\"]\n"
			"FROM scratch\nCOPY --from=a / /\nCOPY --from=b / /\n"),
		OCIB_ERR_COMMAND);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_int_equal(ocib_error_exit_status(t_err), 3);
	assert_true(now.tv_sec - begin.tv_sec < 30);
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}

TEST(run__same_step_of_two_stages_is_executed_once)
{
	build_fixture f = fixture_new();

	need_run(&f);
	f.options.jobs = 2;
	fixture_build(&f,
		      "FROM scratch AS a\nCOPY busybox /\nRUN [\"/busybox\",\"echo\",\"once\"]\n"
		      "FROM scratch AS b\nCOPY busybox /\nRUN [\"/busybox\",\"echo\",\"once\"]\n"
		      "FROM scratch\nCOPY --from=a / /\nCOPY --from=b / /\n");
	assert_string_equal(f.output, "once\n");
	fixture_done(&f);
}

TEST(run__rerun_that_gives_other_bytes_voids_what_stands_on_it)
{
	static const char text[] = BASE "RUN /bin/busybox head -c 16 /dev/urandom > /r\n"
					"RUN /bin/busybox cp /r /copy\n";
	build_fixture f = fixture_new();

	need_run(&f);
	fixture_build(&f, text);
	f.options.no_cache = 1;
	fixture_build(&f, text);
	f.options.no_cache = 0;
	fixture_build(&f, text);
	assert_int_equal(f.cached, 3);
	fixture_build(&f, text);
	assert_int_equal(f.cached, 3);
	fixture_done(&f);
}

TEST(run__cancel_ends_a_command_at_once)
{
	build_fixture f = fixture_new();

	need_run(&f);
	fixture_build(&f, BASE);
	f.cancel_at_output = 1;
	ASSERT_ERROR(fixture_try(&f, BASE "RUN echo go; /bin/busybox sleep 60\n"),
		     OCIB_ERR_CANCELED, "");
	fixture_done(&f);
}

TEST(run__here_document_is_a_script)
{
	build_fixture f = fixture_new();

	need_run(&f);
	fixture_build(&f, BASE "RUN <<EOF\necho one\necho two\nEOF\n");
	assert_string_equal(f.output, "one\ntwo\n");
	fixture_done(&f);
}

TEST(run__certificates_leave_no_trace)
{
	build_fixture f = fixture_new();
	char pem[256];

	need_run(&f);
	fixture_write(&f, "ca.pem",
		      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	(void)snprintf(pem, sizeof(pem), "%s/ca.pem", f.dir);
	f.options.ca_cert = pem;
	fixture_build(&f, BASE "RUN /bin/busybox cat $SSL_CERT_FILE; echo x > /x\n");
	assert_non_null(strstr(f.output, "AAAA"));
	assert_null(strstr(ocib_image_config_json(f.image), "ocibuild-ca"));
	/* Neither is it in the key. */
	f.options.ca_cert = "";
	fixture_build(&f, BASE "RUN /bin/busybox cat $SSL_CERT_FILE; echo x > /x\n");
	assert_int_equal(f.cached, 2);
	fixture_done(&f);
}

TEST(run__image_runs_with_its_command_and_its_status)
{
	const char *const tags[] = {"app", NULL};
	build_fixture f = fixture_new();
	ocib_run_options options = OCIB_RUN_OPTIONS_INIT;
	int pipes[2], status = -1;
	char text[64] = "";

	need_run(&f);
	f.options.tags = tags;
	fixture_build(&f, BASE
		      "RUN echo kept > /f\nENV A=b\nCMD /bin/busybox cat /f; echo $A; exit 3\n");
	assert_int_equal(pipe(pipes), 0);
	options.has_stdio = 1;
	options.stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	options.stdio[1] = pipes[1];
	options.stdio[2] = pipes[1];
	ASSERT_OK(ocib_run(f.ctx, f.store, "app", &options, &status, &t_err));
	assert_int_equal(status, 3);
	assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "kept\nb\n");
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(options.stdio[0]);
	fixture_done(&f);
}
