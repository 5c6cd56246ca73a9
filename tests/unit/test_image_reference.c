/* test_image_reference.c — names as Docker reads them, and what it refuses. */
#include "harness.h"
#include "base/strings.h"
#include "image/reference.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *text, *full, *familiar;
} GOOD[] = {
	{"python", "docker.io/library/python", "python"},
	{"python:3.11-slim", "docker.io/library/python:3.11-slim", "python:3.11-slim"},
	{"runtime:v20240101-120000", "docker.io/library/runtime:v20240101-120000",
	 "runtime:v20240101-120000"},
	{"localhost", "docker.io/library/localhost", "localhost"},
	{"localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"},
	{"localhost/foo", "localhost/foo", "localhost/foo"},
	{"localhost:5000/foo/bar:Tag_1.x-", "localhost:5000/foo/bar:Tag_1.x-",
	 "localhost:5000/foo/bar:Tag_1.x-"},
	{"grafana/grafana", "docker.io/grafana/grafana", "grafana/grafana"},
	{"docker.io/python", "docker.io/library/python", "python"},
	{"docker.io/library/python", "docker.io/library/python", "python"},
	{"index.docker.io/python:3", "docker.io/library/python:3", "python:3"},
	{"index.docker.io/a/b", "docker.io/a/b", "a/b"},
	{"library/a/b", "docker.io/library/a/b", "library/a/b"},
	{"ghcr.io/o/r:1", "ghcr.io/o/r:1", "ghcr.io/o/r:1"},
	{"Registry/app", "Registry/app", "Registry/app"},
	{"REG.example:80/a", "REG.example:80/a", "REG.example:80/a"},
	{"[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"},
	{"[fe80::1]/a/b:1", "[fe80::1]/a/b:1", "[fe80::1]/a/b:1"},
	{"a@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX},
	{"h:1/a:t@sha256:" HEX, "h:1/a:t@sha256:" HEX, "h:1/a:t@sha256:" HEX},
	{"a-b.c_d__e---f", "docker.io/library/a-b.c_d__e---f", "a-b.c_d__e---f"},
	{"test.com:tag", "docker.io/library/test.com:tag", "test.com:tag"},
	{"test.com:5000", "docker.io/library/test.com:5000", "test.com:5000"},
	{"test.com/repo:tag", "test.com/repo:tag", "test.com/repo:tag"},
	{"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com/myimage:xn--n3h.com",
	 "xn--n3h.com/myimage:xn--n3h.com"},
	{"a:_", "docker.io/library/a:_", "a:_"},
	{"docker.io/library/" HEX, "docker.io/library/" HEX, "docker.io/library/" HEX},
	{"docker.io/localhost/x", "docker.io/localhost/x", "docker.io/localhost/x"},
	{"docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c"},
	{HEX "0", "docker.io/library/" HEX "0", HEX "0"},
};

static const struct {
	const char *text, *why;
} BAD[] = {
	{"", "empty"},
	{HEX, "image id"},
	{"Python", "lower case"},
	{"docker/Docker", "lower case"},
	{"a:", "tag"},
	{"a:-x", "tag"},
	{"a:.x", "tag"},
	{"a:x/y", "no valid registry host"},
	{"a:b:c", "tag"},
	{"a@", "digest"},
	{"a@sha256:", "digest"},
	{"a@sha256:" HEX "0", "digest"},
	{"a@sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "digest"},
	{"a@sha512:" HEX HEX, "digest"},
	{"a@sha256:" HEX ":t", "digest"},
	{":a", "no repository"},
	{"@sha256:" HEX, "no repository"},
	{"/a", "repository"},
	{"a/", "repository"},
	{"a//b", "repository"},
	{"docker.io/", "no repository"},
	{"-a", "repository"},
	{"a-", "repository"},
	{"a..b", "repository"},
	{"a___b", "repository"},
	{"a._b", "repository"},
	{"a b", "repository"},
	{"a\nb", "repository"},
	{"\xc3\xa9t\xc3\xa9", "repository"},
	{"https://github.com/docker/docker", "no valid registry host"},
	{"foo_bar.com/x", "no valid registry host"},
	{"-host.com/x", "no valid registry host"},
	{"host-.com/x", "no valid registry host"},
	{"host..com/x", "no valid registry host"},
	{".host/x", "no valid registry host"},
	{"host./x", "no valid registry host"},
	{"host:/x", "no valid registry host"},
	{"host:port/x", "no valid registry host"},
	{"[::1/x", "no valid registry host"},
	{"[]:5/x", "no valid registry host"},
	{"[fe80::1%25en0]:5000/x", "no valid registry host"},
	{"::1:5000/x", "no valid registry host"},
};

TEST(reference__names_are_normalised_and_made_familiar_again)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(GOOD); i++) {
		ob_autodone(ob_reference) ref = {0};
		ob_autofree char *full = NULL, *familiar = NULL;

		ASSERT_OK(ob_reference_parse(GOOD[i].text, &ref, &t_err));
		full = ob_reference_format(&ref);
		familiar = ob_reference_familiar(&ref);
		assert_string_equal(full, GOOD[i].full);
		assert_string_equal(familiar, GOOD[i].familiar);
	}
}

TEST(reference__bad_names_say_why)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(BAD); i++) {
		ob_autodone(ob_reference) ref = {0};

		ASSERT_ERROR(ob_reference_parse(BAD[i].text, &ref, &t_err), OCIB_ERR_INVALID,
			     BAD[i].why);
		assert_null(ref.domain);
	}
}

TEST(reference__lengths_are_limited)
{
	char text[6000];
	ob_autodone(ob_reference) ref = {0};

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ASSERT_ERROR(ob_reference_parse(text, &ref, &t_err), OCIB_ERR_LIMIT, "longer than");
	text[255 - 7] = '\0'; /* with "library/" one more than 255 */
	ASSERT_ERROR(ob_reference_parse(text, &ref, &t_err), OCIB_ERR_LIMIT, "at most 255");
	text[255 - 8] = '\0';
	ASSERT_OK(ob_reference_parse(text, &ref, &t_err));
	ob_reference_done(&ref);

	memset(text, 'a', 200);
	text[1] = ':';
	text[2 + 128] = '\0';
	ASSERT_OK(ob_reference_parse(text, &ref, &t_err));
	text[2 + 128] = 'a';
	text[2 + 129] = '\0';
	ASSERT_ERROR(ob_reference_parse(text, &(ob_reference){0}, &t_err), OCIB_ERR_INVALID, "tag");
}

TEST(reference__latest_is_added_only_where_nothing_else_is_said)
{
	static const char *const CASES[][2] = {
		{"a", "a:latest"}, {"a:1", "a:1"}, {"a@sha256:" HEX, "a@sha256:" HEX}};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++) {
		ob_autodone(ob_reference) ref = {0};
		ob_autofree char *text = NULL;

		ASSERT_OK(ob_reference_parse(CASES[i][0], &ref, &t_err));
		ASSERT_OK(ob_reference_default_tag(&ref, &t_err));
		text = ob_reference_familiar(&ref);
		assert_string_equal(text, CASES[i][1]);
	}
}

TEST(reference__loopback_hosts_are_known)
{
	static const struct {
		const char *text;
		bool loopback;
	} CASES[] = {{"localhost/a", true},
		     {"localhost:5000/a", true},
		     {"127.0.0.1:5000/a", true},
		     {"127.255.0.9/a", true},
		     {"[::1]:5000/a", true},
		     {"127.0.0.1.example.com/a", false},
		     {"127.1/a", false},
		     {"127.0.0.256/a", false},
		     {"localhost.example/a", false},
		     {"[::2]/a", false},
		     {"a", false},
		     {"128.0.0.1/a", false}};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++) {
		ob_autodone(ob_reference) ref = {0};

		ASSERT_OK(ob_reference_parse(CASES[i].text, &ref, &t_err));
		assert_int_equal(ob_reference_is_loopback(&ref), CASES[i].loopback);
	}
}
