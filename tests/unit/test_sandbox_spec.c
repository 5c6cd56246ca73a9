/* test_sandbox_spec.c — a run spec survives its trip to the worker, bytes and all. */
#include "harness.h"
#include "base/limits.h"
#include "sandbox/json_bytes.h"
#include "sandbox/sandbox.h"

/* Out as JSON text and in again, as over the socket. */
static ob_run_spec *travel(const ob_run_spec *spec)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1 << 20, "spec");
	ob_auto(ob_json) out = ob_run_spec_to_json(spec);
	ob_auto(ob_json) in = NULL;
	ob_run_spec *arrived = NULL;

	ASSERT_OK(ob_json_dump(out, OB_JSON_COMPACT, &text, &t_err));
	ASSERT_OK(ob_json_parse(text.data, text.len, &in, &t_err));
	ASSERT_OK(ob_run_spec_from_json(in, &arrived, &t_err));
	return arrived;
}

static ob_run_spec *make(void)
{
	ob_run_spec *spec = ob_run_spec_new();

	assert_non_null(spec);
	spec->upper = strdup("/store/tmp/\xff\xfe/upper");
	spec->work = strdup("/store/work");
	assert_int_equal(ob_strlist_add(&spec->argv, "/bin/sh"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "caf\xe9 \"q\" \n"), 0);
	assert_int_equal(ob_strlist_add(&spec->env, "A=gr\xc3\xbc\xc3\x9f"), 0);
	return spec;
}

TEST(spec__everything_arrives)
{
	ob_auto(ob_run_spec) spec = make();

	spec->cwd = strdup("/w");
	spec->user = strdup("ann");
	spec->hostname = strdup("h");
	spec->network = OB_NETWORK_NONE;
	spec->read_only_root = spec->insecure = spec->terminal = spec->init_env = true;
	spec->shm_size = 1ULL << 40;
	assert_int_equal(ob_strlist_add(&spec->extra_hosts, "10.0.0.1 x"), 0);
	assert_int_equal(ob_strlist_add(&spec->ulimits, "nofile=1:2"), 0);
	assert_int_equal(ob_strlist_add(&spec->lowers, "/l"), 0);
	ob_auto(ob_run_spec) arrived = travel(spec);
	assert_string_equal(arrived->upper, spec->upper);
	assert_string_equal(arrived->argv.items[1], spec->argv.items[1]);
	assert_string_equal(arrived->env.items[0], spec->env.items[0]);
	assert_string_equal(arrived->cwd, "/w");
	assert_string_equal(arrived->user, "ann");
	assert_string_equal(arrived->hostname, "h");
	assert_int_equal(arrived->network, OB_NETWORK_NONE);
	assert_true(arrived->read_only_root && arrived->insecure && arrived->terminal &&
		    arrived->init_env && !arrived->no_new_privs);
	assert_true(arrived->shm_size == 1ULL << 40);
	assert_string_equal(arrived->extra_hosts.items[0], "10.0.0.1 x");
	assert_string_equal(arrived->ulimits.items[0], "nofile=1:2");
	assert_string_equal(arrived->lowers.items[0], "/l");
}

TEST(spec__absent_strings_stay_absent)
{
	ob_auto(ob_run_spec) spec = make();
	ob_auto(ob_run_spec) arrived = travel(spec);

	assert_null(arrived->cwd);
	assert_null(arrived->hostname);
	assert_int_equal(arrived->mount_count, 0);
}

TEST(spec__file_content_may_be_any_bytes)
{
	ob_auto(ob_run_spec) spec = make();
	static const char data[] = "a\0b\xff\n";

	spec->mounts = calloc(1, sizeof(*spec->mounts));
	spec->mount_count = 1;
	spec->mounts[0] = (ob_mount){.kind = OB_MOUNT_FILE,
				     .target = strdup("/run/secrets/x"),
				     .mode = 0400,
				     .uid = 7,
				     .gid = 8,
				     .data = malloc(5),
				     .data_len = 5};
	memcpy(spec->mounts[0].data, data, 5);
	ob_auto(ob_run_spec) arrived = travel(spec);
	assert_int_equal(arrived->mount_count, 1);
	assert_int_equal(arrived->mounts[0].data_len, 5);
	assert_memory_equal(arrived->mounts[0].data, data, 5);
	assert_int_equal(arrived->mounts[0].mode, 0400);
	assert_int_equal(arrived->mounts[0].gid, 8);
}

TEST(spec__what_is_no_spec_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"{\"argv\":[],\"upper\":\"u\",\"work\":\"w\"}",
		"{\"argv\":[3],\"upper\":\"u\",\"work\":\"w\"}",
		"{\"argv\":[{\"hex\":\"0\"}],\"upper\":\"u\",\"work\":\"w\"}",
		"{\"argv\":[{\"hex\":\"6100\"}],\"upper\":\"u\",\"work\":\"w\"}",
		"{\"argv\":[\"a\"],\"upper\":\"u\",\"work\":\"w\",\"mounts\":[{\"target\":\"/x\",\"kind\":9}]}",
		"{\"argv\":[\"a\"],\"upper\":\"u\",\"work\":\"w\",\"mounts\":[{\"kind\":1}]}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ob_auto(ob_json) json = NULL;
		ob_run_spec *spec = NULL;

		ASSERT_OK(ob_json_parse(bad[i], strlen(bad[i]), &json, &t_err));
		assert_true(ob_run_spec_from_json(json, &spec, &t_err) < 0);
		t_err = ocib_error_free(t_err);
	}
}
