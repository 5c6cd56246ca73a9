/* test_store_check.c — fsck tells exactly what is wrong, and nothing when nothing is. */
#include "store_fixture.h"
#include <sys/stat.h>

#define A "docker.io/library/a:latest"
#define B "docker.io/library/b:latest"

static int collect(const char *problem, void *user)
{
	ob_buffer_printf(user, "%s\n", problem);
	return 0;
}

/** All problems, a line each; malloc'ed. */
static char *problems_of(ob_store *store)
{
	ob_autodone(ob_buffer) lines = OB_BUFFER_INIT(100000, "test");
	uint64_t count = 0, newlines = 0;
	char *out = NULL;

	ASSERT_OK(ocib_store_check(NULL, store, collect, &lines, &count, &t_err));
	for (size_t i = 0; i < lines.len; i++)
		newlines += lines.data[i] == '\n';
	assert_int_equal(count, newlines);
	ASSERT_OK(ob_buffer_finish(&lines, &out, &t_err));
	return out;
}

static void assert_one_problem(ob_store *store, const char *text, const char *and_text)
{
	ob_autofree char *found = problems_of(store);
	const char *newline = strchr(found, '\n');

	if (!newline || newline[1] || !strstr(found, text) || !strstr(found, and_text))
		fail_msg("wanted one problem with '%s' and '%s', got: %s", text, and_text, found);
}

static void assert_whole(ob_store *store)
{
	ob_autofree char *found = problems_of(store);

	assert_string_equal(found, "");
}

/** A store with an image of two names, a record and a layer index. */
static ob_store *full_store(ob_descriptor *image)
{
	ob_store *store = fixture_store("store", false);
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	ob_auto(ob_json) record = ob_json_object();
	ob_autofree char *temp = NULL;
	ob_digest key;

	fixture_image(store, "content", image);
	fixture_name(store, A, image);
	fixture_name(store, B, image);
	ob_digest_of(&key, "key", 3);
	ASSERT_OK(ob_store_put_layer_index(store, &key, index, &t_err));
	ob_json_set(record, "blob", ob_descriptor_to_json(image));
	ASSERT_OK(ob_store_put_record(store, &key, record, &t_err));
	ASSERT_OK(ob_store_new_temp_dir(store, &temp, &t_err));
	return store;
}

TEST(check__a_whole_store_has_no_problems)
{
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);
	ob_digest unused;

	ASSERT_OK(ob_store_write_blob(store, "nobody's", 8, &unused, &t_err));
	assert_whole(store);
}

TEST(check__a_damaged_blob_is_told_with_its_images)
{
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);
	ob_autofree char *path = NULL;
	ob_digest layer;

	ob_digest_of(&layer, "content", 7);
	path = fixture_blob_path(&layer);
	fixture_overwrite(store, path, "CONTENT");
	assert_one_problem(store, layer.text, "used by " A ", " B);
	fixture_overwrite(store, path, "");
	assert_one_problem(store, layer.text, "used by " A);
	assert_int_equal(unlinkat(ob_store_dirfd(store), path, 0), 0);
	assert_one_problem(store, "is missing", "used by " A);
	assert_int_equal(mkdirat(ob_store_dirfd(store), path, 0700), 0);
	ob_autofree char *found = problems_of(store);
	assert_non_null(strstr(found, "is not a regular file"));
}

TEST(check__a_damaged_manifest_is_told)
{
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);
	ob_autofree char *path = fixture_blob_path(&image.digest);

	fixture_overwrite(store, path, "{}");
	assert_one_problem(store, image.digest.text, "step record");
}

TEST(check__documents_that_contradict_are_told)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0}, odd = {0};

	fixture_image(store, "content", &image);
	image.size++;
	fixture_name(store, A, &image);
	assert_one_problem(store, "but its descriptor says", A);
	ASSERT_OK(ob_store_remove_ref(store, A, &t_err));
	fixture_blob(store, OB_MEDIA_OCI_MANIFEST, "{}", 2, &odd);
	fixture_name(store, A, &odd);
	assert_one_problem(store, "image '" A "'", "schemaVersion");
}

TEST(check__a_damaged_index_is_told)
{
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);

	fixture_overwrite(store, "index.json",
			  "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"x\"}]}");
	assert_one_problem(store, "index.json: entry 1", "digest");
	fixture_overwrite(store, "index.json", "{");
	assert_one_problem(store, "index.json", "JSON");
}

TEST(check__damaged_caches_are_told)
{
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);
	ob_autofree char *record = NULL, *index = NULL;
	ob_digest key;

	ob_digest_of(&key, "key", 3);
	record = ob_str_printf("cache/%s", ob_digest_hex(&key));
	index = ob_str_printf("layers/%s", ob_digest_hex(&key));
	fixture_overwrite(store, record, "{");
	assert_one_problem(store, "step record", "damaged");
	fixture_overwrite(store, record,
			  "{\"a\":[{\"mediaType\":\"x\",\"size\":1,\"digest\":\"sha256:"
			  "0000000000000000000000000000000000000000000000000000000000000000\"}]}");
	assert_one_problem(store, "is missing", "step record");
	fixture_overwrite(store, record, "{}");
	fixture_overwrite(store, index, "junk");
	assert_one_problem(store, "index of layer", key.text);
}

TEST(check__strange_names_are_told)
{
	static const char *const NAMES[] = {"letter",  "blobs/sha256/short", "blobs/sha512",
					    "cache/x", "layers/x",           "trees/x",
					    "tmp/x",   "cache/stat/x",       "mounts/x"};
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ocib_store) store = full_store(&image);

	for (size_t i = 0; i < OB_ARRAY_LEN(NAMES); i++) {
		fixture_overwrite(store, NAMES[i], "");
		assert_one_problem(store, NAMES[i], "");
		assert_int_equal(unlinkat(ob_store_dirfd(store), NAMES[i], 0), 0);
	}
}

static int stop(const char *problem, void *user)
{
	(void)problem;
	++*(int *)user;
	return 1;
}

TEST(check__stops_when_it_is_told_to)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	int calls = 0;

	fixture_overwrite(store, "x", "");
	fixture_overwrite(store, "y", "");
	ASSERT_ERROR(ocib_store_check(NULL, store, stop, &calls, NULL, &t_err), OCIB_ERR_CANCELED,
		     "");
	assert_int_equal(calls, 1);
}
