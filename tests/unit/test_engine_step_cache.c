/* test_engine_step_cache.c — keys of steps and the records under them. */
#include <ocibuild/ocibuild.h>
#include "engine/build/step_cache.h"
#include "harness.h"

typedef struct fixture {
	ocib_context *ctx;
	ob_store *store;
	uint8_t key[OB_SHA256_LEN];
	ob_digest parent;
	ob_step_record record;
} fixture;

/* A store with one layer: its blob, its index, and a record that names them. */
static fixture fixture_new(void)
{
	fixture f = {.key = {1}};
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	ob_autodone(ob_layer_result) layer = {0};

	ASSERT_OK(ocib_context_new(NULL, &f.ctx, &t_err));
	ASSERT_OK(ocib_store_open(f.ctx, t_temp_dir(), &f.store, &t_err));
	ASSERT_OK(ob_store_write_blob(f.store, "blob", 4, &layer.descriptor.digest, &t_err));
	ob_digest_of(&layer.diff_id, "diff", 4);
	ob_digest_of(&f.parent, "parent", 6);
	layer.descriptor.media_type = strdup(OB_MEDIA_OCI_LAYER_GZIP);
	layer.descriptor.size = 4;
	assert_int_equal(ob_env_set(&layer.descriptor.annotations, "a", "b=c"), 0);
	assert_non_null(index);
	ASSERT_OK(ob_store_put_layer_index(f.store, &layer.diff_id, index, &t_err));
	ASSERT_OK(ob_step_record_of_layer(&layer, &f.parent, &f.record, &t_err));
	return f;
}

static void fixture_done(fixture *f)
{
	ob_step_record_done(&f->record);
	ocib_store_close(f->store);
	ocib_context_free(f->ctx);
}

static bool find(fixture *f, const ob_digest *parent, ob_step_record *out)
{
	bool found = true;

	ASSERT_OK(ob_step_record_find(f->store, f->key, parent, &found, out, &t_err));
	return found;
}

TEST(step_key__parts_do_not_run_into_each_other)
{
	const ob_key_part ab_c[] = {{"ab", 2}, {"c", 1}}, a_bc[] = {{"a", 1}, {"bc", 2}};
	uint8_t one[OB_SHA256_LEN], two[OB_SHA256_LEN];

	ASSERT_OK(ob_step_key("x", ab_c, 2, one, &t_err));
	ASSERT_OK(ob_step_key("x", a_bc, 2, two, &t_err));
	assert_memory_not_equal(one, two, OB_SHA256_LEN);
	ASSERT_OK(ob_step_key("y", ab_c, 2, two, &t_err));
	assert_memory_not_equal(one, two, OB_SHA256_LEN);
	ASSERT_OK(ob_step_key("x", ab_c, 2, two, &t_err));
	assert_memory_equal(one, two, OB_SHA256_LEN);
}

TEST(step_record__is_found_with_all_it_says)
{
	fixture f = fixture_new();
	ob_autodone(ob_step_record) got = {0};

	assert_false(ob_step_record_exists(f.store, f.key));
	assert_false(find(&f, &f.parent, &got));
	ASSERT_OK(ob_step_record_save(f.store, f.key, &f.record, &t_err));
	assert_true(ob_step_record_exists(f.store, f.key));
	assert_true(find(&f, &f.parent, &got));
	assert_string_equal(got.created, f.record.created);
	assert_true(ob_digest_eq(&got.diff_id, &f.record.diff_id));
	assert_true(ob_digest_eq(&got.descriptor.digest, &f.record.descriptor.digest));
	assert_string_equal(ob_descriptor_annotation(&got.descriptor, "a"), "b=c");
	fixture_done(&f);
}

TEST(step_record__made_on_another_tree_is_not_believed)
{
	fixture f = fixture_new();
	ob_autodone(ob_step_record) got = {0};
	const ob_digest nothing = {0};
	ob_digest other;

	ob_digest_of(&other, "other", 5);
	ASSERT_OK(ob_step_record_save(f.store, f.key, &f.record, &t_err));
	assert_false(find(&f, &other, &got));
	assert_false(find(&f, &nothing, &got));
	f.record.parent = nothing;
	ASSERT_OK(ob_step_record_save(f.store, f.key, &f.record, &t_err));
	assert_true(find(&f, &nothing, &got));
	fixture_done(&f);
}

TEST(step_record__whose_layer_is_gone_is_as_good_as_none)
{
	fixture f = fixture_new();
	ob_autodone(ob_step_record) got = {0};

	ob_digest_of(&f.record.descriptor.digest, "never written", 13);
	ASSERT_OK(ob_step_record_save(f.store, f.key, &f.record, &t_err));
	assert_false(find(&f, &f.parent, &got));
	fixture_done(&f);
}

TEST(step_record__that_is_garbage_is_as_good_as_none)
{
	fixture f = fixture_new();
	ob_autodone(ob_step_record) got = {0};
	ob_auto(ob_json) json = ob_json_object();
	ob_digest name;

	ob_json_set_str(json, "diffId", "not a digest");
	ob_json_set_str(json, "created", "yesterday");
	ob_digest_from_bytes(&name, f.key);
	ASSERT_OK(ob_store_put_record(f.store, &name, json, &t_err));
	assert_false(find(&f, &f.parent, &got));
	fixture_done(&f);
}
