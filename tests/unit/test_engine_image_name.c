/* tests/unit/test_engine_image_name.c — how people say where an image is. */
#include "harness.h"
#include "base/strings.h"
#include "engine/source/image_name.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_text(const char *got, const char *want)
{
	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

TEST(name__places_paths_and_tags)
{
	static const struct {
		const char *text;
		ob_image_place place;
		const char *path, *tag, *digest, *ref;
	} cases[] = {
		{"python:3.11", OB_PLACE_STORE, NULL, NULL, "", "docker.io/library/python:3.11"},
		{"runtime", OB_PLACE_STORE, NULL, NULL, "", "docker.io/library/runtime:latest"},
		{"x@sha256:" HEX, OB_PLACE_STORE, NULL, NULL, "",
		 "docker.io/library/x@sha256:" HEX},
		{"sha256:" HEX, OB_PLACE_STORE, NULL, NULL, "sha256:" HEX, NULL},
		{HEX, OB_PLACE_STORE, NULL, NULL, "sha256:" HEX, NULL},
		{"docker://127.0.0.1:5000/a/b", OB_PLACE_REGISTRY, NULL, NULL, "",
		 "127.0.0.1:5000/a/b:latest"},
		{"docker-image://alpine", OB_PLACE_REGISTRY, NULL, NULL, "",
		 "docker.io/library/alpine:latest"},
		{"oci:dir", OB_PLACE_LAYOUT, "dir", NULL, "", NULL},
		{"oci:/a/b:tag", OB_PLACE_LAYOUT, "/a/b", "tag", "", NULL},
		{"oci:dir:docker.io/library/x:1", OB_PLACE_LAYOUT, "dir", "docker.io/library/x:1",
		 "", NULL},
		{"oci-layout:///a/b", OB_PLACE_LAYOUT, "/a/b", NULL, "", NULL},
		{"oci-layout://a:b/c:tag", OB_PLACE_LAYOUT, "a:b/c", "tag", "", NULL},
		{"oci-layout://dir@sha256:" HEX, OB_PLACE_LAYOUT, "dir", NULL, "sha256:" HEX, NULL},
		{"oci-archive:f.tar:t", OB_PLACE_OCI_ARCHIVE, "f.tar", "t", "", NULL},
		{"docker-archive:f.tar:n:t", OB_PLACE_DOCKER_ARCHIVE, "f.tar", "n:t", "", NULL},
		{"docker-archive:f.tar:", OB_PLACE_DOCKER_ARCHIVE, "f.tar", NULL, "", NULL},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autodone(ob_image_name) name = {0};

		ASSERT_OK(ob_image_name_parse(cases[i].text, &name, &t_err));
		ob_autofree char *ref = name.ref.path ? ob_reference_format(&name.ref) : NULL;
		assert_int_equal(name.place, cases[i].place);
		assert_text(name.path, cases[i].path);
		assert_text(name.tag, cases[i].tag);
		assert_text(name.digest.text, cases[i].digest);
		assert_text(ref, cases[i].ref);
	}
}

TEST(name__what_is_none)
{
	static const char *const cases[] = {
		"",
		"UPPER",
		"oci:",
		"oci::tag",
		"oci-layout://",
		"oci-layout://d@sha256:12",
		"sha256:xyz",
		"docker://",
		"a b",
		"docker-archive:",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autodone(ob_image_name) name = {0};

		ASSERT_ERROR(ob_image_name_parse(cases[i], &name, &t_err), OCIB_ERR_INVALID, "");
	}
}
