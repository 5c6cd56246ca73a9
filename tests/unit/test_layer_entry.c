/* tests/unit/test_layer_entry.c — entries, their order, their names in a tar. */
#include "layer_fixture.h"
#include "layer/member_name.h"

static char *parse_name(const char *name, bool strict)
{
	char *path = NULL;

	ASSERT_OK(ob_member_name_parse(name, strict, &path, &t_err));
	return path;
}

static void assert_name(const char *name, bool strict, const char *path)
{
	ob_autofree char *got = parse_name(name, strict);

	assert_string_equal(got, path);
}

TEST(entry__order_is_path_then_whiteout_thing_opaque)
{
	ob_auto(ob_layer_index) index =
		T_INDEX("o a", "f a-b", "f a/c", "d a", "w a", "f a/b", "f b", "d .");
	static const char *const paths[] = {"", "a", "a", "a", "a/b", "a/c", "a-b", "b"};

	assert_int_equal(index->len, 8);
	for (size_t i = 0; i < index->len; i++)
		assert_string_equal(index->entries[i].path, paths[i]);
	assert_int_equal(index->entries[1].type, OB_ENTRY_WHITEOUT);
	assert_int_equal(index->entries[2].type, OB_ENTRY_DIR);
	assert_int_equal(index->entries[3].type, OB_ENTRY_OPAQUE);
}

TEST(entry__xattrs_are_kept_sorted_and_replaced)
{
	ob_autodone(ob_entry) entry = {.path = strdup("x")};
	ob_autodone(ob_entry) copy = {.path = NULL};

	assert_int_equal(ob_entry_add_xattr(&entry, "user.b", "1", 1), 0);
	assert_int_equal(ob_entry_add_xattr(&entry, "user.c", "", 0), 0);
	assert_int_equal(ob_entry_add_xattr(&entry, "user.a", "22", 2), 0);
	assert_int_equal(ob_entry_add_xattr(&entry, "user.b", "333", 3), 0);
	assert_int_equal(ob_entry_copy(&copy, &entry), 0);
	t_assert_entry_equal(&copy, &entry);
	assert_int_equal(copy.xattr_count, 3);
	assert_string_equal(copy.xattrs[0].name, "user.a");
	assert_int_equal(ob_entry_find_xattr(&copy, "user.b")->len, 3);
	assert_null(ob_entry_find_xattr(&copy, "user.d"));
}

TEST(entry__capability_of_a_user_namespace_becomes_v2)
{
	static const uint8_t v3[24] = {1, 0, 0, 3, 0x00, 0x04, [20] = 0xa0, 0x86, 1, 0};
	static const uint8_t v2[20] = {1, 0, 0, 2, 0x00, 0x04};
	ob_autodone(ob_entry) entry = {.path = strdup("ping")};

	assert_int_equal(ob_entry_add_xattr(&entry, "security.capability", v3, sizeof(v3)), 0);
	ob_entry_normalize_capability(&entry);
	assert_int_equal(entry.xattrs[0].len, sizeof(v2));
	assert_memory_equal(entry.xattrs[0].value, v2, sizeof(v2));
	ob_entry_normalize_capability(&entry);
	assert_int_equal(entry.xattrs[0].len, sizeof(v2));
	/* Not a version that we know: somebody else's business. */
	assert_int_equal(ob_entry_add_xattr(&entry, "security.capability", "\1\0\0\3xx", 6), 0);
	ob_entry_normalize_capability(&entry);
	assert_memory_equal(entry.xattrs[0].value, "\1\0\0\3xx", 6);
}

TEST(member_name__is_cleaned)
{
	assert_name("./", true, "");
	assert_name("./etc/", true, "etc");
	assert_name(".//a/./b//c", true, "a/b/c");
	assert_name("a..b/...", true, "a..b/...");
	assert_name("\xff\xfe/x", true, "\xff\xfe/x");
}

TEST(member_name__strict_refuses_what_climbs_out)
{
	char *path = NULL;

	ASSERT_ERROR(ob_member_name_parse("/etc/passwd", true, &path, &t_err), OCIB_ERR_CORRUPT,
		     "'/etc/passwd' is absolute");
	ASSERT_ERROR(ob_member_name_parse("a/../../b", true, &path, &t_err), OCIB_ERR_CORRUPT,
		     "climbs out");
	ASSERT_ERROR(ob_member_name_parse("..", true, &path, &t_err), OCIB_ERR_CORRUPT, "..");
	assert_null(path);
}

TEST(member_name__loose_is_clipped_to_the_root)
{
	assert_name("/etc/passwd", false, "etc/passwd");
	assert_name("../../a/../b", false, "b");
	assert_name("..", false, "");
}

TEST(member_name__limits_length_and_depth)
{
	ob_autofree char *name = malloc(OB_LIMIT_TAR_NAME + 2);
	char *path = NULL;

	assert_non_null(name);
	memset(name, 'x', OB_LIMIT_TAR_NAME + 1);
	name[OB_LIMIT_TAR_NAME + 1] = '\0';
	ASSERT_ERROR(ob_member_name_parse(name, true, &path, &t_err), OCIB_ERR_LIMIT, "longer");
	for (size_t i = 1; i < OB_LIMIT_TAR_NAME; i += 2)
		name[i] = '/';
	name[OB_LIMIT_TAR_NAME] = '\0';
	ASSERT_ERROR(ob_member_name_parse(name, true, &path, &t_err), OCIB_ERR_LIMIT, "levels");
}

TEST(member_name__is_shown_escaped_and_cut)
{
	char shown[OB_MEMBER_SHOWN], longest[1000];

	assert_string_equal(ob_member_show("a\033[31m'\\\xff", shown), "a\\033[31m\\047\\134\\377");
	memset(longest, '\n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ob_member_show(longest, shown);
	assert_true(strlen(shown) < sizeof(shown));
	assert_true(ob_str_ends(shown, "..."));
}

static void assert_whiteout(const char *name, ob_member_kind kind, const char *path)
{
	ob_autofree char *got = parse_name(name, true);
	ob_member_kind got_kind;

	ASSERT_OK(ob_member_whiteout_parse(got, &got_kind, &t_err));
	assert_int_equal(got_kind, kind);
	if (kind != OB_MEMBER_METADATA)
		assert_string_equal(got, path);
}

TEST(whiteout__names_are_recognised)
{
	assert_whiteout("etc/.wh.passwd", OB_MEMBER_WHITEOUT, "etc/passwd");
	assert_whiteout(".wh.a", OB_MEMBER_WHITEOUT, "a");
	assert_whiteout(".wh...a", OB_MEMBER_WHITEOUT, "..a");
	assert_whiteout("etc/.wh..wh..opq", OB_MEMBER_OPAQUE, "etc");
	assert_whiteout("./.wh..wh..opq", OB_MEMBER_OPAQUE, "");
	assert_whiteout("etc/.whx", OB_MEMBER_PLAIN, "etc/.whx");
	assert_whiteout(".wh..wh.aufs", OB_MEMBER_METADATA, NULL);
	assert_whiteout(".wh..wh.plnk/1234.5", OB_MEMBER_METADATA, NULL);
}

TEST(whiteout__of_nothing_is_refused)
{
	static const char *const names[] = {"a/.wh.", "a/.wh..", "a/.wh...", ".wh.d/x"};

	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		ob_autofree char *path = strdup(names[i]);
		ob_member_kind kind;

		ASSERT_ERROR(ob_member_whiteout_parse(path, &kind, &t_err), OCIB_ERR_CORRUPT,
			     "whiteout");
	}
}

static void assert_formats(const char *spec, const char *name)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "a name");
	ob_autodone(ob_entry) entry = {.path = NULL};
	ob_autofree char *content = NULL;

	t_parse_entry(spec, &entry, &content);
	ASSERT_OK(ob_member_name_format(&entry, &out, &t_err));
	assert_string_equal(out.data, name);
}

TEST(member_name__formats_what_was_parsed)
{
	assert_formats("d .", "./");
	assert_formats("d etc", "etc/");
	assert_formats("f etc/a", "etc/a");
	assert_formats("w etc/a", "etc/.wh.a");
	assert_formats("w a", ".wh.a");
	assert_formats("o etc", "etc/.wh..wh..opq");
	assert_formats("o .", ".wh..wh..opq");
}

TEST(member_name__of_a_file_that_looks_like_a_whiteout_is_refused)
{
	static const char *const specs[] = {"f a/.wh.b", "d .wh.a", "f .wh.a/b", "w .wh.a"};

	for (size_t i = 0; i < OB_ARRAY_LEN(specs); i++) {
		ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1000, "a name");
		ob_autodone(ob_entry) entry = {.path = NULL};
		ob_autofree char *content = NULL;

		t_parse_entry(specs[i], &entry, &content);
		ASSERT_ERROR(ob_member_name_format(&entry, &out, &t_err), OCIB_ERR_UNSUPPORTED,
			     "mean deletions");
	}
}
