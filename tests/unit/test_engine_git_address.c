/* test_engine_git_address.c — what git URLs say. */
#include "base/strings.h"
#include "engine/source/git_address.h"
#include "harness.h"

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

TEST(git_address__remote_reference_and_directory)
{
	static const struct {
		const char *text, *remote, *ref, *subdir;
	} good[] = {
		{"https://h/r.git", "https://h/r.git", "-", "-"},
		{"HTTPS://h/r.git#v1", "https://h/r.git", "v1", "-"},
		{"https://h/r.git#a/b:c/d", "https://h/r.git", "a/b", "c/d"},
		{"https://h/r.git#:d", "https://h/r.git", "-", "d"},
		{"https://h/r.git#x:../../d/./e/", "https://h/r.git", "x", "d/e"},
		{"https://h/r.git#%76%31", "https://h/r.git", "v1", "-"},
		{"git://h/r", "git://h/r", "-", "-"},
		{"ssh://git@h:22/r", "ssh://git@h:22/r", "-", "-"},
		{"git@h:u/r.git#v1", "git@h:u/r.git", "v1", "-"},
		{"git@h:r?subdir=/d#v", "git@h:r", "v", "d"},
		{"github.com/u/r#v", "https://github.com/u/r", "v", "-"},
		{"https://h/r.git?ref=v&subdir=/s/t", "https://h/r.git", "v", "s/t"},
		{"https://h/r.git?ref=v#v", "https://h/r.git", "v", "-"},
		{"https://h/r.git?tag=v", "https://h/r.git", "refs/tags/v", "-"},
		{"https://h/r.git?tag=refs/tags/v", "https://h/r.git", "refs/tags/v", "-"},
		{"https://h/r.git?branch=a%2Fb", "https://h/r.git", "refs/heads/a/b", "-"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(good); i++) {
		ob_autodone(ob_git_address) a = {0};

		ASSERT_OK(ob_git_address_parse(good[i].text, &a, &t_err));
		assert_string_equal(a.remote, good[i].remote);
		assert_string_equal(or_none(a.ref), good[i].ref);
		assert_string_equal(or_none(a.subdir), good[i].subdir);
	}
}

TEST(git_address__query_says_more)
{
	static const char id[] = "0123456789abcdef0123456789abcdef01234567";
	ob_autodone(ob_git_address) a = {0}, b = {0}, c = {0};
	ob_autofree char *text = ob_str_printf("https://h/r.git?fetch-by-commit&commit=%s", id);

	ASSERT_OK(ob_git_address_parse("https://h/r.git?checksum=ABC&keep-git-dir&submodules=0&"
				       "mtime=commit",
				       &a, &t_err));
	assert_string_equal(a.checksum, "abc");
	assert_int_equal(a.keep_git_dir, 1);
	assert_int_equal(a.submodules, 0);
	assert_true(a.commit_time);
	assert_false(a.by_commit);
	ASSERT_OK(ob_git_address_parse("git://h/r?keep-git-dir=false&mtime=checkout", &b, &t_err));
	assert_int_equal(b.keep_git_dir, 0);
	assert_int_equal(b.submodules, -1);
	assert_false(b.commit_time);
	ASSERT_OK(ob_git_address_parse(text, &c, &t_err));
	assert_true(c.by_commit);
	assert_true(ob_is_commit_id(c.checksum));
}

TEST(git_address__password_is_not_in_the_remote)
{
	ob_autodone(ob_git_address) a = {0};

	ASSERT_OK(ob_git_address_parse("https://me:a%40b@h:8080/r.git", &a, &t_err));
	assert_string_equal(a.remote, "https://h:8080/r.git");
	assert_string_equal(a.user, "me");
	assert_string_equal(a.password, "a@b");
}

TEST(git_address__what_cannot_be_is_refused)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"https://h/r", "not a git URL"},
		{"./r.git", "not a git URL"},
		{"-oProxyCommand@h:r", "not a git URL"},
		{"me@-oProxyCommand:r", "no host"},
		{"ssh://-oProxyCommand/r", "no host"},
		{"https:///r.git", "no host"},
		{"https://h/r.git#-x", "no git reference"},
		{"https://h/r.git#a..b", "no git reference"},
		{"https://h/r.git?ref=a%20b", "no git reference"},
		{"https://h/r.git#%00", "no text"},
		{"https://h/r.git?ref=a&ref=b", "twice"},
		{"https://h/r.git?ref=a#b", "ref conflicts"},
		{"https://h/r.git?ref=a&tag=b", "ref conflicts"},
		{"https://h/r.git?tag=a&branch=b", "branch conflicts with tag"},
		{"https://h/r.git?ref=", "has no value"},
		{"https://h/r.git?x=1", "unexpected query 'x'"},
		{"https://h/r.git?mtime=now", "checkout or commit"},
		{"https://h/r.git?submodules=maybe", "true or false"},
		{"https://h/r.git?checksum=xyz", "no beginning"},
		{"https://h/r.git?fetch-by-commit&checksum=abc", "whole commit id"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		ob_autodone(ob_git_address) a = {0};

		ASSERT_ERROR(ob_git_address_parse(bad[i].text, &a, &t_err), OCIB_ERR_INVALID,
			     bad[i].words);
	}
}
