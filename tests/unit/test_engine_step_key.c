/* test_engine_step_key.c — what changes a step's digest, and what must not. */
#include "base/limits.h"
#include "engine/step_key.h"
#include "plan_fixture.h"

/* Digest of the last step of a Dockerfile. */
static void key_of(plan_fixture *f, const char *text, uint8_t out[OB_SHA256_LEN])
{
	plan_ok(f, text);
	ASSERT_OK(ob_step_digest(plan_step(f, plan_target(f)->step_count - 1), out, &t_err));
}

static bool same_key(const char *a, const char *b)
{
	static plan_fixture f;
	uint8_t first[OB_SHA256_LEN], second[OB_SHA256_LEN];

	key_of(&f, a, first);
	key_of(&f, b, second);
	plan_fixture_done(&f);
	f = (plan_fixture){0};
	(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
	assert_int_equal(mkdir(t_temp_dir(), 0755), 0);
	return memcmp(first, second, sizeof(first)) == 0;
}

TEST(step_key__is_canonical_json)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_PLAN, "test");

	plan_ok(&f, "FROM scratch\nENV PATH=/p\nRUN --network=none x\n");
	ASSERT_OK(ob_step_canonical(plan_step(&f, 0), &text, &t_err));
	assert_string_equal(
		text.data,
		"{\"argv\":[\"/bin/sh\",\"-c\",\"x\"],\"cwd\":\"/\",\"env\":[\"PATH=/p\"],"
		"\"files\":[],\"network\":1,\"op\":\"run\",\"user\":\"\",\"version\":1}");
}

TEST(step_key__does_not_depend_on_place_or_spelling)
{
	assert_true(same_key("FROM scratch\nRUN a\n", "# c\n\nFROM scratch AS x\nrun    a\n"));
	assert_true(same_key("FROM scratch\nCOPY a /b\n", "FROM scratch\nENV X=/b\nCOPY a $X\n"));
	assert_true(same_key("FROM scratch\nWORKDIR /a\n", "FROM scratch\nWORKDIR a\n"));
}

TEST(step_key__changes_with_what_a_command_sees)
{
	static const char base[] = "FROM scratch\nRUN a\n";

	assert_false(same_key(base, "FROM scratch\nRUN b\n"));
	assert_false(same_key(base, "FROM scratch\nRUN [\"a\"]\n"));
	assert_false(same_key(base, "FROM scratch\nENV X=1\nRUN a\n"));
	assert_false(same_key(base, "FROM scratch\nARG X=1\nRUN a\n"));
	assert_false(same_key(base, "FROM scratch\nUSER u\nRUN a\n"));
	assert_false(same_key(base, "FROM scratch\nWORKDIR /w\nRUN a\n"));
	assert_false(same_key(base, "FROM scratch\nRUN --network=none a\n"));
	assert_false(
		same_key("FROM scratch\nRUN <<X\n#!a\nX\n", "FROM scratch\nRUN <<X\n#!b\nX\n"));
}

TEST(step_key__knows_mounts_but_not_which_cache_it_is)
{
	static const char base[] = "FROM scratch\nRUN --mount=type=cache,target=/c a\n";

	assert_false(same_key(base, "FROM scratch\nRUN a\n"));
	assert_false(same_key(base, "FROM scratch\nRUN --mount=type=cache,target=/d a\n"));
	assert_false(same_key(base, "FROM scratch\nRUN --mount=type=cache,target=/c,ro a\n"));
	assert_false(same_key(base, "FROM scratch\nRUN --mount=type=tmpfs,target=/c a\n"));
	assert_true(same_key(
		base, "FROM scratch\nRUN --mount=type=cache,target=/c,id=x,sharing=locked a\n"));
	assert_false(same_key("FROM scratch\nRUN --mount=type=secret,id=a,target=/c a\n",
			      "FROM scratch\nRUN --mount=type=secret,id=b,target=/c a\n"));
	assert_false(same_key("FROM scratch\nRUN --mount=type=secret,id=a a\n",
			      "FROM scratch\nRUN --mount=type=secret,id=a,env=X a\n"));
}

TEST(step_key__does_not_know_proxies)
{
	ob_autodone(plan_fixture) f = {0};
	uint8_t without[OB_SHA256_LEN], with[OB_SHA256_LEN];

	key_of(&f, "FROM scratch\nRUN a\n", without);
	plan_arg(&f, "HTTP_PROXY=http://secret");
	key_of(&f, "FROM scratch\nRUN a\n", with);
	assert_memory_equal(without, with, sizeof(with));
}

TEST(step_key__changes_with_flags_and_inline_content_of_a_copy)
{
	static const char base[] = "FROM scratch\nCOPY a /b\n";

	assert_false(same_key(base, "FROM scratch\nCOPY a /b/\n"));
	assert_false(same_key(base, "FROM scratch\nADD a /b\n"));
	assert_false(same_key(base, "FROM scratch\nCOPY --chown=1 a /b\n"));
	assert_false(same_key(base, "FROM scratch\nCOPY --chmod=1 a /b\n"));
	assert_false(same_key(base, "FROM scratch\nCOPY --exclude=x a /b\n"));
	assert_false(same_key(base, "FROM scratch\nCOPY --parents a /b\n"));
	assert_false(same_key(base, "FROM scratch\nCOPY --link a /b\n"));
	assert_false(
		same_key("FROM scratch\nCOPY <<A /b\nx\nA\n", "FROM scratch\nCOPY <<A /b\ny\nA\n"));
	assert_false(same_key("FROM scratch\nWORKDIR /a\n", "FROM scratch\nUSER u\nWORKDIR /a\n"));
}

TEST(step_key__tells_bytes_apart_that_are_no_text)
{
	assert_false(same_key("FROM scratch\nRUN a\xff\n", "FROM scratch\nRUN a\xfe\n"));
	assert_false(same_key("FROM scratch\nRUN a\xff\n", "FROM scratch\nRUN a\xef\xbf\xbd\n"));
}
