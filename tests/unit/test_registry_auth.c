/* tests/unit/test_registry_auth.c — challenges, config.json, credential helpers, URLs, messages. */
#include <stdlib.h>
#include <sys/stat.h>
#include "harness.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/auth_challenge.h"
#include "registry/auth_config.h"
#include "registry/base64.h"
#include "registry/http_url.h"
#include "registry/server_message.h"

/* ---- Challenges. ---- */

TEST(challenge__docker_hub_is_understood)
{
	ob_autodone(ob_challenges) list = {0};

	ASSERT_OK(ob_challenges_parse(
		"Bearer realm=\"https://auth.docker.io/token\",service=\"r.io\","
		"scope=\"repository:library/python:pull,push\"",
		&list, &t_err));
	const ob_challenge *bearer = ob_challenges_find(&list, "bearer");
	assert_non_null(bearer);
	assert_string_equal(ob_challenge_param(bearer, "realm"), "https://auth.docker.io/token");
	assert_string_equal(ob_challenge_param(bearer, "service"), "r.io");
	assert_string_equal(ob_challenge_param(bearer, "scope"),
			    "repository:library/python:pull,push");
	assert_null(ob_challenge_param(bearer, "error"));
}

TEST(challenge__several_schemes_in_one_header)
{
	ob_autodone(ob_challenges) list = {0};

	ASSERT_OK(
		ob_challenges_parse("Negotiate YWJj==, Bearer realm=\"a, b=\\\"c\\\"\" , service=x,"
				    " Basic Realm = \"y\"",
				    &list, &t_err));
	assert_int_equal(list.len, 3);
	assert_string_equal(list.items[0].scheme, "negotiate");
	assert_string_equal(ob_challenge_param(&list.items[1], "realm"), "a, b=\"c\"");
	assert_string_equal(ob_challenge_param(&list.items[1], "service"), "x");
	assert_string_equal(ob_challenge_param(&list.items[2], "realm"), "y");
}

TEST(challenge__nonsense_gives_what_came_before_it)
{
	ob_autodone(ob_challenges) list = {0};

	ASSERT_OK(ob_challenges_parse("Basic realm=\"x\", Bearer realm=\"open", &list, &t_err));
	assert_non_null(ob_challenges_find(&list, "basic"));
	ASSERT_OK(ob_challenges_parse("", &list, &t_err));
	ASSERT_OK(ob_challenges_parse("\"", &list, &t_err));
	assert_int_equal(list.len, 2);
}

TEST(challenge__too_many_are_refused)
{
	ob_autodone(ob_challenges) list = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "test");

	for (int i = 0; i < 100; i++)
		ob_buffer_append_str(&text, "Basic, ");
	ASSERT_ERROR(ob_challenges_parse(text.data, &list, &t_err), OCIB_ERR_LIMIT, "challenges");
}

/* ---- base64. ---- */

TEST(base64__both_ways)
{
	static const struct {
		const char *plain, *code;
	} cases[] = {{"", ""},
		     {"f", "Zg=="},
		     {"fo", "Zm8="},
		     {"foo", "Zm9v"},
		     {"user:pa\xffss", "dXNlcjpwYf9zcw=="}};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		size_t len = 99;
		ob_autofree char *code = ob_base64_encode(cases[i].plain, strlen(cases[i].plain));
		ob_autofree char *plain = ob_base64_decode(cases[i].code, &len);

		assert_string_equal(code, cases[i].code);
		assert_string_equal(plain, cases[i].plain);
		assert_int_equal(len, strlen(cases[i].plain));
	}
	size_t len;
	assert_null(ob_base64_decode("Zm9v!", &len));
	assert_null(ob_base64_decode("Z m9", &len));
}

/* ---- config.json. ---- */

static ob_credentials found;

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	ob_autofree char *path = ob_str_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

static int count_warnings(const ocib_event *event, void *user)
{
	*(int *)user += event->type == OCIB_EVENT_WARNING;
	return 0;
}

static int load_warnings;

static ocib_errc load(const char *config, const char *host, const char *path)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_context *ctx = NULL;

	ob_credentials_done(&found);
	load_warnings = 0;
	write_file(t_temp_dir(), "config.json", config, 0600);
	options.docker_config_dir = t_temp_dir();
	options.on_event = count_warnings;
	options.user = &load_warnings;
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	ocib_errc rc = ob_credentials_load(ctx, host, path, &found, &t_err);
	ocib_context_free(ctx);
	return rc;
}

TEST(config__docker_hub_by_its_old_key)
{
	ASSERT_OK(load("{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dXNlcjpwYXNz\"}}}",
		       "docker.io", "library/python"));
	assert_string_equal(found.username, "user");
	assert_string_equal(found.password, "pass");
	ob_credentials_done(&found);
}

TEST(config__other_hosts_do_not_match)
{
	ASSERT_OK(load("{\"auths\":{\"ghcr.io\":{\"auth\":\"dXNlcjpwYXNz\"}}}", "ghcr.io.evil.org",
		       "x"));
	assert_false(ob_credentials_is_set(&found));
	ASSERT_OK(
		load("{\"auths\":{\"ghcr.io\":{\"auth\":\"dXNlcjpwYXNz\"}}}", "ghcr.io:444", "x"));
	assert_false(ob_credentials_is_set(&found));
	ASSERT_OK(load("{\"auths\":{\"https://GHCR.io/v2/\":{\"auth\":\"dXNlcjpwYXNz\"}}}",
		       "ghcr.io", "x"));
	assert_true(ob_credentials_is_set(&found));
	ob_credentials_done(&found);
}

TEST(config__the_longest_path_wins)
{
	static const char text[] = "{\"auths\":{\"r.io\":{\"username\":\"all\",\"password\":\"1\"},"
				   "\"r.io/team\":{\"username\":\"team\",\"password\":\"2\"}}}";

	ASSERT_OK(load(text, "r.io", "team/app"));
	assert_string_equal(found.username, "team");
	ASSERT_OK(load(text, "r.io", "teamwork/app"));
	assert_string_equal(found.username, "all");
	ob_credentials_done(&found);
}

TEST(config__missing_is_anonymous_and_broken_is_an_error)
{
	ASSERT_OK(load("{}", "r.io", "x"));
	assert_false(ob_credentials_is_set(&found));
	ASSERT_ERROR(load("{", "r.io", "x"), OCIB_ERR_CORRUPT, "config.json");
	ASSERT_ERROR(load("{\"auths\":{\"r.io\":{\"auth\":\"%%%\"}}}", "r.io", "x"),
		     OCIB_ERR_CORRUPT, "r.io");
	ASSERT_ERROR(load("{\"auths\":{\"r.io\":{\"auth\":\"bm9jb2xvbg==\"}}}", "r.io", "x"),
		     OCIB_ERR_CORRUPT, "r.io");
	ob_credentials_done(&found);
}

/* ---- Helpers. ---- */

static void put_helper(const char *name, const char *script)
{
	ob_autofree char *program = ob_str_printf("docker-credential-%s", name);
	ob_autofree char *path = ob_str_printf("%s:/usr/bin:/bin", t_temp_dir());

	write_file(t_temp_dir(), program, script, 0755);
	setenv("PATH", path, 1);
}

TEST(helper__is_asked_and_answers)
{
	put_helper("test",
		   "#!/bin/sh\nread server\n"
		   "[ \"$1\" = get ] || exit 9\n"
		   "printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"for %s\"}' "
		   "\"$server\" \"$server\"\n");
	ASSERT_OK(load("{\"credHelpers\":{\"r.io\":\"test\"}}", "r.io", "x"));
	assert_string_equal(found.username, "u");
	assert_string_equal(found.password, "for r.io");
	ASSERT_OK(load("{\"credsStore\":\"test\"}", "docker.io", "x"));
	assert_string_equal(found.password, "for https://index.docker.io/v1/");
	ob_credentials_done(&found);
}

TEST(helper__identity_token)
{
	put_helper("test", "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'\n");
	ASSERT_OK(load("{\"credsStore\":\"test\"}", "r.io", "x"));
	assert_null(found.username);
	assert_string_equal(found.identity_token, "refresh");
	ob_credentials_done(&found);
}

TEST(helper__that_knows_nothing_leaves_it_to_auths)
{
	put_helper("test", "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n");
	ASSERT_OK(load("{\"credsStore\":\"test\",\"auths\":{\"r.io\":{\"auth\":\"dXNlcjpwYXNz\"}}}",
		       "r.io", "x"));
	assert_string_equal(found.username, "user");
	assert_int_equal(load_warnings, 0);
	ob_credentials_done(&found);
}

TEST(helper__that_fails_is_a_warning)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nexit 3\n",
		"#!/bin/sh\necho 'no json'\n",
		"#!/bin/sh\nhead -c 3000000 /dev/zero\n",
		"#!/bin/sh\nkill -9 $$\n",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(scripts); i++) {
		put_helper("test", scripts[i]);
		ASSERT_OK(load("{\"credsStore\":\"test\"}", "r.io", "x"));
		assert_false(ob_credentials_is_set(&found));
		assert_int_equal(load_warnings, 1);
	}
	ASSERT_OK(load("{\"credsStore\":\"none-of-that-name\"}", "r.io", "x"));
	assert_int_equal(load_warnings, 1);
	ASSERT_OK(load("{\"credsStore\":\"../../evil\"}", "r.io", "x"));
	assert_int_equal(load_warnings, 1);
}

/* ---- URLs. ---- */

TEST(url__relative_locations)
{
	static const struct {
		const char *base, *location, *result;
	} cases[] = {
		{"https://r.io/v2/x/blobs/uploads/", "/v2/x/blobs/uploads/1?_state=a%2Bb",
		 "https://r.io/v2/x/blobs/uploads/1?_state=a%2Bb"},
		{"https://r.io:5000/a/b?q", "c", "https://r.io:5000/a/c"},
		{"https://r.io/a", "//cdn.io/b#f", "https://cdn.io/b"},
		{NULL, "http://[::1]:80/x", "http://[::1]:80/x"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autofree char *url = NULL;

		ASSERT_OK(ob_url_resolve(cases[i].base, cases[i].location, &url, NULL, &t_err));
		assert_string_equal(url, cases[i].result);
	}
}

TEST(url__only_http_and_no_users)
{
	ob_autofree char *url = NULL;
	ob_autofree char *basic = NULL;

	ASSERT_ERROR(ob_url_resolve(NULL, "file:///etc/passwd", &url, NULL, &t_err),
		     OCIB_ERR_INVALID, "file");
	ASSERT_ERROR(ob_url_resolve(NULL, "/x", &url, NULL, &t_err), OCIB_ERR_INVALID, "URL");
	ASSERT_ERROR(ob_url_resolve(NULL, "http://u:p@h/", &url, NULL, &t_err), OCIB_ERR_INVALID,
		     "user");
	ASSERT_OK(ob_url_resolve(NULL, "http://user:pa%20ss@h/x", &url, &basic, &t_err));
	assert_string_equal(url, "http://h/x");
	assert_string_equal(basic, "Basic dXNlcjpwYSBzcw==");
}

TEST(url__origins_and_loopback)
{
	assert_true(ob_url_same_origin("https://a.io/x", "https://A.io:443/y?z"));
	assert_false(ob_url_same_origin("https://a.io/", "http://a.io/"));
	assert_false(ob_url_same_origin("https://a.io/", "https://a.io:444/"));
	assert_false(ob_url_same_origin("https://a.io/", "https://b.io/"));
	assert_true(ob_url_is_loopback("http://127.0.0.1:5000/"));
	assert_true(ob_url_is_loopback("http://127.9.9.9/"));
	assert_true(ob_url_is_loopback("http://[::1]:5000/"));
	assert_true(ob_url_is_loopback("http://localhost/"));
	assert_false(ob_url_is_loopback("http://127.0.0.1.evil.org/"));
	assert_false(ob_url_is_loopback("http://localhost.evil.org/"));
	assert_false(ob_url_is_loopback("http://10.0.0.1/"));
}

TEST(url__shown_without_its_signature)
{
	ob_autofree char *shown = ob_url_show("https://s3.io/blob?X-Amz-Signature=secret");

	assert_string_equal(shown, "https://s3.io/blob");
}

/* ---- Messages. ---- */

static void assert_message(const char *body, const char *message)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "test");

	ob_server_message(body, strlen(body), &text);
	assert_string_equal(text.data ? text.data : "", message);
}

TEST(message__from_registries_and_token_servers)
{
	assert_message(
		"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}\n",
		"MANIFEST_UNKNOWN: manifest unknown");
	assert_message("{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"}]}", "A; b");
	assert_message("{\"details\":\"incorrect username or password\"}",
		       "incorrect username or password");
	assert_message("<html><body>502</body></html>", "");
	assert_message("  slow down \n", "slow down");
	assert_message("", "");
}

TEST(message__cannot_reach_the_terminal)
{
	char long_text[4096];

	assert_message("{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b[31mb\\nc\\u009b2J\"}]}",
		       "X: a?[31mb c?2J");
	assert_message("bad \xff bytes", "bad ? bytes");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "test");
	ob_server_message(long_text, strlen(long_text), &text);
	assert_int_equal(text.len, OB_LIMIT_HTTP_MESSAGE);
}
