/* test_engine_annotations.c — which document an --annotation is for. */
#include "base/strings.h"
#include "engine/build/annotations.h"
#include "harness.h"

static const ob_platform PLATFORMS[] = {
	{.os = "linux", .arch = "amd64"},
	{.os = "linux", .arch = "arm64"},
};

/* The annotations of a place, one after the other. */
static const char *of(const char *const *texts, ob_annotation_place place,
		      const ob_platform *platform)
{
	static char out[256];
	ob_autodone(ob_strlist) list = {0};

	ASSERT_OK(ob_annotations_add(texts, place, platform, &list, &t_err));
	out[0] = '\0';
	for (size_t i = 0; i < list.len; i++)
		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s ", list.items[i]);
	return out;
}

TEST(annotations__without_a_place_they_are_the_manifests)
{
	static const char *const texts[] = {"a=b=c", "k:x=y", "d=", NULL};
	static const char *const plain[] = {"a=b=c", "d=e:f", NULL};

	assert_string_equal(of(plain, OB_ANNOTATE_MANIFEST, &PLATFORMS[1]), "a=b=c d=e:f ");
	assert_string_equal(of(plain, OB_ANNOTATE_INDEX, NULL), "");
	ASSERT_ERROR(ob_annotations_check(texts, PLATFORMS, 2, true, &t_err), OCIB_ERR_INVALID,
		     "annotation 'k:x=y'");
}

TEST(annotations__go_to_every_place_that_is_named)
{
	static const char *const texts[] = {"index,manifest[linux/arm64]:a=1",
					    "manifest-descriptor,index-descriptor:b=2", "c=3",
					    NULL};

	ASSERT_OK(ob_annotations_check(texts, PLATFORMS, 2, true, &t_err));
	assert_string_equal(of(texts, OB_ANNOTATE_INDEX, NULL), "a=1 ");
	assert_string_equal(of(texts, OB_ANNOTATE_MANIFEST, &PLATFORMS[0]), "c=3 ");
	assert_string_equal(of(texts, OB_ANNOTATE_MANIFEST, &PLATFORMS[1]), "a=1 c=3 ");
	assert_string_equal(of(texts, OB_ANNOTATE_MANIFEST_DESCRIPTOR, &PLATFORMS[0]), "b=2 ");
	assert_string_equal(of(texts, OB_ANNOTATE_INDEX_DESCRIPTOR, NULL), "b=2 ");
}

TEST(annotations__that_nothing_can_have_are_refused)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"no-equals", "KEY=VALUE"},
		{"=x", "KEY=VALUE"},
		{"index:=x", "KEY=VALUE"},
		{"indx:a=b", "not for 'indx'"},
		{"index,:a=b", "not for ''"},
		{":a=b", "not for ''"},
		{"manifest[linux/arm64:a=b", "ends with ']'"},
		{"manifest[:a=b", "ends with ']'"},
		{"manifest[]:a=b", "platform ''"},
		{"manifest[linux/s390x]:a=b", "nothing is built for linux/s390x"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		const char *const texts[] = {bad[i].text, NULL};

		ASSERT_ERROR(ob_annotations_check(texts, PLATFORMS, 2, true, &t_err),
			     OCIB_ERR_INVALID, bad[i].words);
	}
}

TEST(annotations__of_an_index_need_one)
{
	static const char *const texts[] = {"index:a=b", NULL};

	ASSERT_ERROR(ob_annotations_check(texts, PLATFORMS, 1, false, &t_err), OCIB_ERR_INVALID,
		     "no index");
}
