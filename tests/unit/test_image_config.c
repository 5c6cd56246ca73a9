/* test_image_config.c — configurations read, kept and written as BuildKit writes them. */
#include "harness.h"
#include <fcntl.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "image/config.h"

#define ID "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* In BuildKit's order, with its escapes, and with members nobody knows at both levels. */
static const char FULL[] =
	"{\"a.top\":{\"z\":1,\"a\":[null,true]},\"architecture\":\"arm64\",\"author\":\"me\","
	"\"config\":{\"User\":\"app\",\"ExposedPorts\":{\"53/udp\":{},\"8000/tcp\":{}},"
	"\"Env\":[\"PATH=/bin\",\"X=\"],\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"\"],"
	"\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/w\",\"Labels\":{\"a\":\"1\",\"b=c\":\"2\"},"
	"\"StopSignal\":\"SIGTERM\",\"ArgsEscaped\":true,"
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":30000000000,"
	"\"Timeout\":5000000000,\"StartPeriod\":1,\"StartInterval\":2,\"Retries\":3},"
	"\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/bash\",\"-c\"],\"Hostname\":\"h\"},"
	"\"created\":\"2024-01-02T03:04:05.678Z\","
	"\"history\":[{\"created\":\"2024-01-01T00:00:00Z\",\"created_by\":\"RUN a \\u0026\\u0026 b "
	"\\u003e/c\\u2028\\u001b\\n # buildkit\",\"comment\":\"buildkit.dockerfile.v0\"},"
	"{\"author\":\"me\",\"empty_layer\":true}],\"os\":\"linux\",\"os.version\":\"1\","
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" ID "\"]},\"variant\":\"v8\","
	"\"zz\":\"kept\"}";

static ob_config *parsed(const char *text)
{
	ob_config *config = NULL;

	ASSERT_OK(ob_config_parse(text, strlen(text), &config, &t_err));
	return config;
}

static void assert_text(const ob_config *config, const char *expected)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "test");

	ASSERT_OK(ob_config_format(config, &out, &t_err));
	assert_string_equal(out.data, expected);
}

TEST(config__every_member_is_read)
{
	ob_auto(ob_config) c = parsed(FULL);

	assert_string_equal(c->platform.arch, "arm64");
	assert_string_equal(c->platform.variant, "v8");
	assert_string_equal(c->user, "app");
	assert_int_equal(c->exposed_ports.len, 2);
	assert_string_equal(c->exposed_ports.items[0], "53/udp");
	assert_string_equal(ob_env_get(&c->env, "X"), "");
	assert_true(c->entrypoint.is_set && c->cmd.is_set && c->shell.is_set);
	assert_int_equal(c->cmd.args.len, 2);
	assert_int_equal(c->labels.len, 4);
	assert_true(c->healthcheck.is_set);
	assert_int_equal(c->healthcheck.interval_ns, 30000000000);
	assert_int_equal(c->healthcheck.retries, 3);
	assert_int_equal(c->diff_id_count, 1);
	assert_int_equal(c->history_count, 2);
	assert_string_equal(c->history[0].created_by,
			    "RUN a && b >/c\xe2\x80\xa8\x1b\n # buildkit");
	assert_true(c->history[1].empty_layer);
	assert_null(c->history[1].created_by);
}

TEST(config__is_written_as_it_was_read)
{
	ob_auto(ob_config) c = parsed(FULL);
	ob_auto(ob_config) copy = ob_config_copy(c);

	assert_text(c, FULL);
	assert_text(copy, FULL);
}

/* Written by BuildKit 0.8, but for the place of ArgsEscaped, which newer ones have before Healthcheck. */
TEST(config__of_buildkit_is_written_back_byte_for_byte)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "test");
	ob_auto(ob_config) c = NULL;

	ASSERT_OK(
		ob_read_file(AT_FDCWD, TEST_DATA "/image/config-of-buildkit.json", &text, &t_err));
	ASSERT_OK(ob_config_parse(text.data, text.len, &c, &t_err));
	assert_null(c->rest);
	assert_null(c->config_rest);
	assert_int_equal(c->history_count, 13);
	assert_text(c, text.data);
}

TEST(config__an_empty_one_has_what_the_specification_demands)
{
	ob_auto(ob_config) c = ob_config_new();

	assert_text(c, "{\"architecture\":\"\",\"config\":{},\"os\":\"\","
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
}

TEST(config__null_is_absent_and_an_empty_command_is_set_but_not_written)
{
	ob_auto(ob_config) c = parsed(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":null,\"history\":null,"
		"\"config\":{\"Cmd\":null,\"Entrypoint\":[],\"Env\":null,\"Volumes\":null,"
		"\"Labels\":null,\"Healthcheck\":null,\"User\":\"\",\"ArgsEscaped\":false},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}");

	assert_false(c->cmd.is_set);
	assert_true(c->entrypoint.is_set);
	assert_null(c->user);
	assert_text(c, "{\"architecture\":\"amd64\",\"config\":{},\"os\":\"linux\","
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
}

TEST(config__an_empty_healthcheck_is_written)
{
	ob_auto(ob_config) c = parsed("{\"config\":{\"Healthcheck\":{}}}");

	assert_true(c->healthcheck.is_set);
	assert_text(c, "{\"architecture\":\"\",\"config\":{\"Healthcheck\":{}},\"os\":\"\","
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
}

TEST(config__sets_and_labels_come_out_sorted)
{
	ob_auto(ob_config) c = ob_config_new();

	assert_int_equal(ob_strlist_add(&c->volumes, "/b"), 0);
	assert_int_equal(ob_strlist_add(&c->volumes, "/a"), 0);
	assert_int_equal(ob_strlist_add(&c->volumes, "/b"), 0);
	assert_int_equal(ob_config_set_label(c, "z", "1"), 0);
	assert_int_equal(ob_config_set_label(c, "k=y", "old"), 0);
	assert_int_equal(ob_config_set_label(c, "k=y", "new"), 0);
	assert_text(c, "{\"architecture\":\"\",\"config\":{\"Volumes\":{\"/a\":{},\"/b\":{}},"
		       "\"Labels\":{\"k=y\":\"new\",\"z\":\"1\"}},\"os\":\"\","
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
}

TEST(config__bytes_that_are_not_text_are_mended)
{
	ob_auto(ob_config) c = ob_config_new();

	assert_int_equal(ob_strlist_add(&c->env, "A=\xff!"), 0);
	assert_text(c,
		    "{\"architecture\":\"\",\"config\":{\"Env\":[\"A=\xef\xbf\xbd!\"]},\"os\":\"\","
		    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
}

TEST(config__what_is_wrong_is_named)
{
	static const char *const CASES[][2] = {
		{"", "JSON"},
		{"[]", "object"},
		{"{\"os\":1}", "'os'"},
		{"{\"created\":1}", "'created'"},
		{"{\"config\":[]}", "'config'"},
		{"{\"config\":{\"User\":1}}", "'User'"},
		{"{\"config\":{\"Env\":\"A=1\"}}", "'Env'"},
		{"{\"config\":{\"Env\":[1]}}", "'Env'"},
		{"{\"config\":{\"Cmd\":\"sh\"}}", "'Cmd'"},
		{"{\"config\":{\"Labels\":{\"a\":1}}}", "'a'"},
		{"{\"config\":{\"Volumes\":{\"/v\":1}}}", "'/v'"},
		{"{\"config\":{\"Volumes\":[\"/v\"]}}", "'Volumes'"},
		{"{\"config\":{\"ArgsEscaped\":1}}", "'ArgsEscaped'"},
		{"{\"config\":{\"Healthcheck\":{\"Interval\":1.5}}}", "'Interval'"},
		{"{\"rootfs\":{\"type\":\"disk\"}}", "'disk'"},
		{"{\"rootfs\":{\"diff_ids\":[\"md5:1\"]}}", "diff id 1"},
		{"{\"rootfs\":{\"diff_ids\":[3]}}", "diff id 1"},
		{"{\"history\":[{},1]}", "entry 2"},
		{"{\"history\":{}}", "'history'"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++) {
		ob_auto(ob_config) c = NULL;

		ASSERT_ERROR(ob_config_parse(CASES[i][0], strlen(CASES[i][0]), &c, &t_err),
			     OCIB_ERR_CORRUPT, CASES[i][1]);
		assert_null(c);
	}
}

TEST(config__history_is_limited)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "test");
	ob_auto(ob_config) c = NULL;

	ob_buffer_append_str(&text, "{\"history\":[{}");
	for (size_t i = 0; i < OB_LIMIT_CONFIG_HISTORY; i++)
		ob_buffer_append_str(&text, ",{}");
	ob_buffer_append_str(&text, "]}");
	ASSERT_ERROR(ob_config_parse(text.data, text.len, &c, &t_err), OCIB_ERR_LIMIT, "history");
}
