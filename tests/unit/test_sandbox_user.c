/* test_sandbox_user.c — USER by the image's files, and subordinate id ranges. */
#include "harness.h"
#include "sandbox/idmap.h"
#include "sandbox/run_user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# comment\n"
			     "broken:x:abc:0::/:\n"
			     "ann:x:1000:1001:Ann:/home/ann:/bin/sh\n"
			     "1234:x:77:78::/home/number:/bin/sh\n"
			     "ann:x:5:5:second:/nowhere:/bin/sh\n";
static const char group[] = "root:x:0:\nann:x:1001:\nvideo:x:44:bob,ann\naudio:x:45:ann\n"
			    "anna:x:46:anna\nshort\n";

#define ASSERT_USER(text, uid_, gid_, home_, groups_)                                           \
	do {                                                                                    \
		ob_autodone(ob_run_user) user = {0};                                            \
		char list[64] = "";                                                             \
		ASSERT_OK(ob_run_user_parse(passwd, group, (text), &user, &t_err));             \
		assert_int_equal(user.uid, (uid_));                                             \
		assert_int_equal(user.gid, (gid_));                                             \
		assert_string_equal(user.home, (home_));                                        \
		for (size_t i = 0; i < user.group_count; i++)                                   \
			(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%u ", \
				       user.groups[i]);                                         \
		assert_string_equal(list, (groups_));                                           \
	} while (0)

TEST(user__nothing_is_root)
{
	ASSERT_USER("", 0, 0, "/root", "0 ");
	ASSERT_USER(NULL, 0, 0, "/root", "0 ");
}

TEST(user__name_brings_all_its_groups)
{
	ASSERT_USER("ann", 1000, 1001, "/home/ann", "1001 44 45 ");
}

TEST(user__known_id_is_that_user)
{
	ASSERT_USER("1000", 1000, 1001, "/home/ann", "1001 44 45 ");
}

TEST(user__unknown_id_needs_no_entry)
{
	ASSERT_USER("4711", 4711, 0, "/", "0 ");
	ASSERT_USER("4711:12", 4711, 12, "/", "12 ");
}

TEST(user__named_group_is_the_only_one)
{
	ASSERT_USER("ann:video", 1000, 44, "/home/ann", "44 ");
	ASSERT_USER("ann:9", 1000, 9, "/home/ann", "9 ");
	ASSERT_USER("1000:video", 1000, 44, "/home/ann", "44 ");
}

TEST(user__a_number_is_an_id_and_not_a_name)
{
	ASSERT_USER("1234", 1234, 0, "/", "0 ");
}

TEST(user__missing_names_are_named)
{
	ob_autodone(ob_run_user) user = {0};

	ASSERT_ERROR(ob_run_user_parse(passwd, group, "bob", &user, &t_err), OCIB_ERR_NOTFOUND,
		     "user 'bob' is not in the image's /etc/passwd");
	ASSERT_ERROR(ob_run_user_parse(passwd, group, "ann:wheel", &user, &t_err),
		     OCIB_ERR_NOTFOUND, "group 'wheel' is not in the image's /etc/group");
	ASSERT_ERROR(ob_run_user_parse(NULL, NULL, "ann", &user, &t_err), OCIB_ERR_NOTFOUND, "ann");
	/* A broken line is no entry, above all none of user 0. */
	ASSERT_ERROR(ob_run_user_parse(passwd, group, "broken", &user, &t_err), OCIB_ERR_NOTFOUND,
		     "broken");
	/* Ids end at 2^31 - 1, as runtimes have it. */
	ASSERT_ERROR(ob_run_user_parse(passwd, group, "4294967295", &user, &t_err),
		     OCIB_ERR_NOTFOUND, "4294967295");
}

TEST(user__root_is_zero_without_any_file)
{
	ob_autodone(ob_run_user) user = {0};

	ASSERT_OK(ob_run_user_parse(NULL, NULL, "root:root", &user, &t_err));
	assert_int_equal(user.uid, 0);
	assert_int_equal(user.gid, 0);
}

TEST(ranges__are_found_by_name_and_by_number)
{
	ob_id_ranges ranges;

	ob_id_ranges_parse("u:100000:65536\nv:165536:65536\n1001:300000:10\n# x\nbroken\n:::\n",
			   1001, "u", &ranges);
	assert_int_equal(ranges.len, 2);
	assert_int_equal(ranges.items[0].start, 100000);
	assert_int_equal(ranges.items[1].count, 10);
	assert_int_equal(ranges.total, 65546);
	assert_int_equal(ranges.free_start, 300010);
}

TEST(ranges__an_empty_file_begins_at_the_usual_place)
{
	ob_id_ranges ranges;

	ob_id_ranges_parse("", 1001, "u", &ranges);
	assert_int_equal(ranges.len, 0);
	assert_int_equal(ranges.free_start, 100000);
}

TEST(ranges__numbers_out_of_range_are_no_ranges)
{
	ob_id_ranges ranges;

	ob_id_ranges_parse("u:4294967295:2\nu:1:0\nu:-1:5\nu:99999999999:1\n", 1001, "u", &ranges);
	assert_int_equal(ranges.len, 0);
}
