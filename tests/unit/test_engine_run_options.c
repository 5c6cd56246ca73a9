/* test_engine_run_options.c — what `run` reads: variables, ports, volumes, signals, health. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "harness.h"
#include "base/strings.h"
#include "engine/run/env_file.h"
#include "engine/run/health.h"
#include "engine/run/port_spec.h"
#include "engine/run/volume_spec.h"
#include "engine/signal_name.h"

/* The entries of a file, joined by '|'. */
static const char *env_of(const char *text)
{
	static char joined[256];
	ob_autodone(ob_strlist) list = {0};

	ASSERT_OK(ob_env_file_parse(text, strlen(text), "vars", &list, &t_err));
	joined[0] = '\0';
	for (size_t i = 0; i < list.len; i++)
		(void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s",
			       i ? "|" : "", list.items[i]);
	return joined;
}

TEST(env_file__lines_are_taken_as_docker_takes_them)
{
	assert_string_equal(env_of(""), "");
	assert_string_equal(env_of("A=1\nB=2"), "A=1|B=2");
	assert_string_equal(env_of("\xef\xbb\xbf"
				   "A=1\r\nB=2\r\n"),
			    "A=1|B=2");
	assert_string_equal(env_of("# no\n  #no\n\n \t\n\tA=b # not a comment \n"),
			    "A=b # not a comment ");
	assert_string_equal(env_of("A=\"q\" 'r'\nB==\nC=\nD\n"), "A=\"q\" 'r'|B==|C=|D");
	assert_string_equal(env_of("export=1\n"), "export=1");
}

TEST(env_file__what_is_no_variable_is_refused_with_its_line)
{
	static const struct {
		const char *text, *message;
		size_t len;
	} cases[] = {
		{"A=1\n=2\n", "vars:2: no variable before the '='", 7},
		{"A B=1", "vars:1: variable 'A B' has a blank in it", 5},
		{"export A=1", "vars:1: variable 'export A' has a blank in it", 10},
		{"A=\xff", "vars:1: the line is not UTF-8 text", 3},
		{"\nA=\0x", "vars:2: the line is not UTF-8 text", 5},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autodone(ob_strlist) list = {0};

		ASSERT_ERROR(ob_env_file_parse(cases[i].text, cases[i].len, "vars", &list, &t_err),
			     OCIB_ERR_INVALID, cases[i].message);
	}
}

/* "ADDRESS OUTSIDE INSIDE" of each port, joined by '|'. */
static const char *ports_of(const char *text)
{
	static char joined[256];
	ob_autodone(ob_port_list) ports = {0};

	ASSERT_OK(ob_port_spec_parse(text, &ports, &t_err));
	joined[0] = '\0';
	for (size_t i = 0; i < ports.len; i++)
		(void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined),
			       "%s%s %u %u", i ? "|" : "",
			       ports.items[i].address ? ports.items[i].address : "*",
			       ports.items[i].outside, ports.items[i].inside);
	return joined;
}

TEST(port__has_an_address_two_numbers_and_a_protocol)
{
	assert_string_equal(ports_of("80"), "* 0 80");
	assert_string_equal(ports_of("8080:80/tcp"), "* 8080 80");
	assert_string_equal(ports_of("127.0.0.1:8080:80"), "127.0.0.1 8080 80");
	assert_string_equal(ports_of("127.0.0.1::80"), "127.0.0.1 0 80");
	assert_string_equal(ports_of("[::1]:8080:80"), "::1 8080 80");
	assert_string_equal(ports_of("8000-8002:80-82/TCP"), "* 8000 80|* 8001 81|* 8002 82");
	assert_string_equal(ports_of("65535:65535"), "* 65535 65535");
	assert_string_equal(ports_of(":80"), "* 0 80");
}

TEST(port__anything_else_is_refused)
{
	static const char *const wrong[] = {
		"",        "x",     "0",      "80:0",      "65536",   "80:",
		"a:80",    "-1:80", "80-79",  "1-3:1-2",   "1-2:5",   "80/udp",
		"80/sctp", "80/x",  "h:1:80", "1.2.3:1:2", "[x]:1:2", "80:80 ",
		"+80:80",  "80/",   "::::",   "1-2-3",     "1:2:3:4",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(wrong); i++) {
		ob_autodone(ob_port_list) ports = {0};

		if (ob_port_spec_parse(wrong[i], &ports, &t_err) != OCIB_ERR_INVALID)
			fail_msg("'%s' was taken", wrong[i]);
		t_err = ocib_error_free(t_err);
	}
	ob_autodone(ob_port_list) ports = {0};
	ASSERT_ERROR(ob_port_spec_parse("1-200", &ports, &t_err), OCIB_ERR_LIMIT, "more than 128");
}

/* The network that is chosen, and how many ports are relayed. */
static void choose(const char *asked, const char *const *texts, ob_network *network, bool *own,
		   size_t *relayed)
{
	ob_autodone(ob_port_list) ports = {0};

	for (; *texts; texts++)
		ASSERT_OK(ob_port_spec_parse(*texts, &ports, &t_err));
	ASSERT_OK(ob_port_choose_network(asked, &ports, network, own, &t_err));
	*relayed = ports.len;
}

TEST(port__calls_for_a_network_of_its_own_only_when_it_is_mapped)
{
	static const struct {
		const char *asked, *ports[3];
		ob_network network;
		bool own;
		size_t relayed;
	} cases[] = {
		{NULL, {NULL}, OB_NETWORK_HOST, false, 0},
		{"", {"80:80"}, OB_NETWORK_HOST, false, 0},
		{NULL, {"80:80", "81:82"}, OB_NETWORK_NONE, true, 2},
		{NULL, {"127.0.0.1:80:80"}, OB_NETWORK_NONE, true, 1},
		{NULL, {"80"}, OB_NETWORK_NONE, true, 1},
		{"none", {"80:80"}, OB_NETWORK_NONE, false, 1},
		{"host", {"80:80", "81:82"}, OB_NETWORK_HOST, false, 1},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_network network = OB_NETWORK_DEFAULT;
		size_t relayed = 99;
		bool own = false;

		choose(cases[i].asked, cases[i].ports, &network, &own, &relayed);
		assert_int_equal(network, cases[i].network);
		assert_int_equal(own, cases[i].own);
		assert_int_equal(relayed, cases[i].relayed);
	}
	ob_autodone(ob_port_list) ports = {0};
	ob_network network;
	bool own;
	ASSERT_ERROR(ob_port_choose_network("bridge", &ports, &network, &own, &t_err),
		     OCIB_ERR_INVALID, "network is host or none, not 'bridge'");
	ASSERT_OK(ob_port_spec_parse("81:82", &ports, &t_err));
	ASSERT_OK(ob_port_spec_parse("127.0.0.1:80:80", &ports, &t_err));
	ASSERT_ERROR(ob_port_choose_network("host", &ports, &network, &own, &t_err),
		     OCIB_ERR_INVALID, "the command chooses its address itself");
}

static void volume_done(ob_mount *mount)
{
	free(mount->source);
	free(mount->target);
}

TEST(volume__is_something_that_is_there)
{
	char text[512];
	ob_mount mount;

	(void)snprintf(text, sizeof(text), "%s/.:/in/../data/:ro", t_temp_dir());
	ASSERT_OK(ob_volume_spec_parse(text, &mount, &t_err));
	assert_string_equal(mount.source, t_temp_dir());
	assert_string_equal(mount.target, "/data");
	assert_true(mount.read_only);
	volume_done(&mount);
	ASSERT_OK(ob_volume_spec_parse(".:/x:rw", &mount, &t_err));
	assert_int_equal(mount.source[0], '/');
	assert_false(mount.read_only);
	volume_done(&mount);
	ASSERT_ERROR(ob_volume_spec_parse("./no-such-thing:/x", &mount, &t_err), OCIB_ERR_NOTFOUND,
		     "'./no-such-thing' does not exist");
	volume_done(&mount);
}

TEST(volume__anything_else_is_refused)
{
	static const char *const wrong[] = {
		"",
		":",
		"/x",
		":/x",
		"/tmp:x",
		"/tmp:",
		"name:/x",
		"/tmp:/",
		"/tmp:/..",
		"/tmp:/x:",
		"/tmp:/x:z",
		"/tmp:/x:ro,z",
		"/tmp:/x:ro:ro",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(wrong); i++) {
		ob_mount mount = {0};

		if (ob_volume_spec_parse(wrong[i], &mount, &t_err) != OCIB_ERR_INVALID)
			fail_msg("'%s' was taken", wrong[i]);
		t_err = ocib_error_free(t_err);
		volume_done(&mount);
	}
}

TEST(signal__has_a_name_or_a_number)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {
		{"SIGTERM", SIGTERM}, {"term", SIGTERM},  {"sigQuit", SIGQUIT}, {"9", 9},
		{"RTMIN+3", 37},      {"SIGRTMAX-1", 63}, {"SIGRTMIN", 34},
	};
	int number;

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		assert_true(ob_signal_parse(cases[i].text, &number));
		assert_int_equal(number, cases[i].number);
	}
	assert_false(ob_signal_parse("", &number));
	assert_false(ob_signal_parse("SIG", &number));
	assert_false(ob_signal_parse("SIGNONE", &number));
	assert_false(ob_signal_parse("0", &number));
	assert_false(ob_signal_parse("RTMIN+16", &number));
}

/* A check: two seconds between probes, three failures. */
static ob_healthcheck check_of(const char *kind)
{
	ob_healthcheck check = {
		.is_set = true, .interval_ns = 2000000000, .timeout_ns = 1000000000};

	assert_int_equal(ob_strlist_add(&check.test, kind), 0);
	assert_int_equal(ob_strlist_add(&check.test, "probe it"), 0);
	return check;
}

/* One probe from its start to its end, half a second later. */
static bool probe(ob_health *health, bool is_good, int64_t *now)
{
	*now = health->due;
	assert_int_equal(ob_health_tick(health, *now - 1), OB_HEALTH_WAIT);
	assert_int_equal(ob_health_tick(health, *now), OB_HEALTH_PROBE);
	*now += 500;
	assert_int_equal(ob_health_tick(health, *now), OB_HEALTH_WAIT);
	return ob_health_result(health, is_good, *now);
}

TEST(health__takes_three_failures_in_a_row_and_one_success)
{
	ob_healthcheck check = check_of("CMD");
	int64_t now = 1000;
	ob_health health;

	ob_health_init(&health, &check, now);
	assert_int_equal(health.state, OB_HEALTH_STARTING);
	assert_int_equal(health.due, 3000);
	assert_false(probe(&health, false, &now));
	assert_false(probe(&health, false, &now));
	assert_true(probe(&health, true, &now));
	assert_int_equal(health.state, OB_HEALTH_HEALTHY);
	assert_false(probe(&health, false, &now));
	assert_false(probe(&health, false, &now));
	assert_true(probe(&health, false, &now));
	assert_int_equal(health.state, OB_HEALTH_UNHEALTHY);
	assert_false(probe(&health, false, &now));
	assert_true(probe(&health, true, &now));
	ob_strlist_done(&check.test);
}

TEST(health__in_the_start_period_failures_do_not_count)
{
	ob_healthcheck check = check_of("CMD");
	int64_t now = 0;
	ob_health health;

	check.start_period_ns = 4000000000;
	check.start_interval_ns = 1000000000;
	check.retries = 1;
	ob_health_init(&health, &check, now);
	assert_int_equal(health.due, 1000);
	assert_false(probe(&health, false, &now));
	assert_int_equal(health.due, 2500);
	assert_false(probe(&health, false, &now));
	assert_int_equal(health.failures, 0);
	assert_int_equal(health.due, 4000);
	assert_true(probe(&health, false, &now)); /* it ends when the period has */
	assert_int_equal(health.state, OB_HEALTH_UNHEALTHY);
	assert_int_equal(health.due, 6500);
	ob_strlist_done(&check.test);
}

TEST(health__a_probe_that_takes_too_long_is_killed_and_has_failed)
{
	ob_healthcheck check = check_of("CMD");
	ob_health health;

	check.retries = 1;
	ob_health_init(&health, &check, 0);
	assert_int_equal(ob_health_tick(&health, 2000), OB_HEALTH_PROBE);
	assert_int_equal(ob_health_tick(&health, 2999), OB_HEALTH_WAIT);
	assert_int_equal(ob_health_tick(&health, 3000), OB_HEALTH_KILL);
	assert_int_equal(ob_health_tick(&health, 9000), OB_HEALTH_WAIT);
	assert_true(ob_health_result(&health, true, 9001));
	assert_int_equal(health.state, OB_HEALTH_UNHEALTHY);
	ob_strlist_done(&check.test);
}

TEST(health__none_is_never_probed)
{
	ob_healthcheck none = {.is_set = false}, said = check_of("NONE");
	ob_health health;

	ob_health_init(&health, &none, 0);
	assert_int_equal(health.state, OB_HEALTH_NONE);
	assert_int_equal(ob_health_tick(&health, INT64_MAX), OB_HEALTH_WAIT);
	ob_health_init(&health, &said, 0);
	assert_int_equal(ob_health_tick(&health, INT64_MAX), OB_HEALTH_WAIT);
	ob_strlist_done(&said.test);
}

TEST(health__command_line_has_the_images_shell)
{
	ob_healthcheck shell_form = check_of("CMD-SHELL"), exec_form = check_of("CMD");
	ob_autodone(ob_strlist) shell = {0};
	ob_strlist none = {0}, argv[3] = {{0}, {0}, {0}};

	assert_int_equal(ob_strlist_add(&shell, "/bin/ash"), 0);
	assert_int_equal(ob_health_argv(&shell_form, &none, &argv[0]), 0);
	assert_int_equal(ob_health_argv(&shell_form, &shell, &argv[1]), 0);
	assert_int_equal(ob_health_argv(&exec_form, &shell, &argv[2]), 0);
	assert_int_equal(argv[0].len, 3);
	assert_string_equal(argv[0].items[0], "/bin/sh");
	assert_string_equal(argv[0].items[2], "probe it");
	assert_int_equal(argv[1].len, 2);
	assert_string_equal(argv[1].items[0], "/bin/ash");
	assert_int_equal(argv[2].len, 1);
	for (size_t i = 0; i < 3; i++)
		ob_strlist_done(&argv[i]);
	ob_strlist_done(&shell_form.test);
	ob_strlist_done(&exec_form.test);
}
