/* RUN --mount and --device values, typed. */
#include "dockerfile/duration.h"
#include "dockerfile/byte_size.h"
#include "dockerfile/run_mount.h"
#include "harness.h"

static ob_run_mount parse(const char *text)
{
	ob_run_mount mount = {0};

	ASSERT_OK(ob_run_mount_check(text, &t_err));
	ASSERT_OK(ob_run_mount_parse(text, NULL, NULL, &mount, &t_err));
	return mount;
}

TEST(mount__defaults_depend_on_the_type)
{
	ob_autodone(ob_run_mount) bind = parse("target=/t");
	ob_autodone(ob_run_mount) cache = parse("type=cache,dst=/t");
	ob_autodone(ob_run_mount) tmpfs = parse("type=tmpfs,destination=/t");
	ob_autodone(ob_run_mount) secret = parse("type=secret,id=s");

	assert_int_equal(bind.type, OB_RUN_MOUNT_BIND);
	assert_true(bind.read_only);
	assert_null(bind.from);
	assert_false(cache.read_only);
	assert_int_equal(cache.sharing, OB_SHARING_UNSET);
	assert_false(tmpfs.read_only);
	assert_true(secret.read_only);
	assert_null(secret.env);
}

TEST(mount__has_every_option)
{
	ob_autodone(ob_run_mount) mount = parse(
		"TYPE=Cache,From=a,src=b,target=c,id=d,sharing=Locked,mode=0755,uid=1,gid=4294967295,ro");

	assert_int_equal(mount.type, OB_RUN_MOUNT_CACHE);
	assert_string_equal(mount.from, "a");
	assert_string_equal(mount.source, "b");
	assert_string_equal(mount.target, "c");
	assert_string_equal(mount.id, "d");
	assert_int_equal(mount.sharing, OB_SHARING_LOCKED);
	assert_int_equal(mount.mode, 0755);
	assert_true(mount.has_uid && mount.uid == 1 && mount.gid == 4294967295U);
	assert_true(mount.read_only);
}

TEST(mount__fields_may_be_quoted)
{
	ob_autodone(ob_run_mount) mount = parse("\"target=/a,b\",\"source=say \"\"x\"\"\",rw=true");

	assert_string_equal(mount.target, "/a,b");
	assert_string_equal(mount.source, "say \"x\"");
	assert_false(mount.read_only);
}

TEST(mount__secret_may_be_a_variable)
{
	ob_autodone(ob_run_mount) named = parse("type=secret,id=s,env=TOKEN,required");
	ob_autodone(ob_run_mount) unnamed = parse("type=secret,id=s,env=");

	assert_string_equal(named.env, "TOKEN");
	assert_true(named.required);
	assert_string_equal(unnamed.env, "");
}

static ocib_errc shout(void *user, const char *word, char **out, ocib_error **err)
{
	(void)err;
	++*(int *)user;
	*out = strdup(strcmp(word, "$T") == 0 ? "/expanded" : word);
	return OCIB_OK;
}

TEST(mount__values_are_expanded)
{
	ob_autodone(ob_run_mount) mount = {0};
	int calls = 0;

	ASSERT_OK(ob_run_mount_check("type=cache,target=$T,ro", &t_err));
	ASSERT_OK(ob_run_mount_parse("type=cache,target=$T,ro", shout, &calls, &mount, &t_err));
	assert_string_equal(mount.target, "/expanded");
	assert_int_equal(calls, 2);
}

TEST(mount__from_is_known_before_variables_are)
{
	ob_autofree char *from = NULL, *none = NULL, *empty = NULL;

	ASSERT_OK(ob_run_mount_from("type=$T,From=a,target=$X,from=b", &from, &t_err));
	assert_string_equal(from, "b");
	ASSERT_OK(ob_run_mount_from("type=$T,rw,source=from", &none, &t_err));
	assert_null(none);
	ASSERT_OK(ob_run_mount_from("from=a,from=", &empty, &t_err));
	assert_null(empty);
}

TEST(mount__what_is_wrong_is_said)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"type=tmpf", "unsupported mount type 'tmpf' (did you mean 'tmpfs'?)"},
		{"type=cache,sharing=lock",
		 "unsupported sharing value 'lock' (did you mean 'locked'?)"},
		{"taret=/x", "unexpected key 'taret' in 'taret=/x' (did you mean 'target'?)"},
		{"target", "invalid field 'target': must be a key=value pair"},
		{"required,type=secret", "unexpected key 'required' for mount type 'bind'"},
		{"size=1,type=tmpfs", "unexpected key 'size' for mount type 'bind'"},
		{"type=tmpfs,size=x", "invalid value for 'size': 'x'"},
		{"ro=maybe", "invalid value for 'ro': 'maybe'"},
		{"type=cache,mode=0999", "invalid value for 'mode'"},
		{"type=cache,uid=4294967296", "invalid value for 'uid'"},
		{"uid=1", "uid not allowed for 'bind' type mounts"},
		{"type=tmpfs,mode=1", "mode not allowed for 'tmpfs' type mounts"},
		{"type=secret", "one of source, target and id is required"},
		{"type=secret,id=a,source=b", "both source and id"},
		{"type=secret,id=a,from=b", "secret mount should not have a from"},
		{"type=secret,id=a,sharing=private", "secret mount should not define sharing"},
		{"type=ssh,sharing=private", "sharing set for a 'ssh' mount"},
		{"\"a", "is not closed"},
		{"\"a\"b", "extra text"},
		{"a\"b", "inside a field"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ob_run_mount mount = {0};

		ASSERT_ERROR(ob_run_mount_parse(cases[i].text, NULL, NULL, &mount, &t_err),
			     OCIB_ERR_SYNTAX, cases[i].message);
		assert_int_equal(mount.type, 0);
	}
}

TEST(device__is_a_name_and_maybe_required)
{
	ob_autodone(ob_run_device) plain = {0};
	ob_autodone(ob_run_device) full = {0};

	ASSERT_OK(ob_run_device_parse("vendor.com/gpu=all", &plain, &t_err));
	assert_string_equal(plain.name, "vendor.com/gpu=all");
	assert_false(plain.required);
	ASSERT_OK(ob_run_device_parse("required,name=a", &full, &t_err));
	assert_string_equal(full.name, "a");
	assert_true(full.required);
}

TEST(sizes__are_powers_of_1024)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} cases[] = {
		{"0", 0},
		{"10", 10},
		{"10b", 10},
		{"1k", 1024},
		{"1.5K", 1536},
		{"2 MB", 2 << 20},
		{"3GiB", 3LL << 30},
		{".5m", 1 << 19},
		{"1t", 1LL << 40},
		{"+1", 1},
		{"", -1},
		{"k", -1},
		{"1x", -1},
		{"1kx", -1},
		{"-1", -1},
		{"1  k", -1},
		{"1ib", -1},
		{"8000000p", -1},
		{"1.2.3", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t bytes = -1;
		bool good = ob_byte_size_parse(cases[i].text, &bytes);

		if (good != (cases[i].bytes >= 0) || bytes != cases[i].bytes)
			fail_msg("'%s' gives %lld", cases[i].text, (long long)bytes);
	}
}

TEST(durations__are_those_of_go)
{
	static const struct {
		const char *text;
		int64_t nanoseconds;
		bool good;
	} cases[] = {
		{"0", 0, true},
		{"1h1m1.5s", 3661500000000, true},
		{"-1.5h", -5400000000000, true},
		{"+3ms", 3000000, true},
		{"1\xc2\xb5s1us1ns", 2001, true},
		{".5s", 500000000, true},
		{"1.s", 1000000000, true},
		{"2562047h47m16.854775807s", INT64_MAX, true},
		{"2562048h", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"1", 0, false},
		{".s", 0, false},
		{"1x", 0, false},
		{"1s 1s", 0, false},
		{"99999999999999999999s", 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t nanoseconds = 0;
		bool good = ob_duration_parse(cases[i].text, &nanoseconds);

		if (good != cases[i].good || (good && nanoseconds != cases[i].nanoseconds))
			fail_msg("'%s' gives %lld", cases[i].text, (long long)nanoseconds);
	}
}
