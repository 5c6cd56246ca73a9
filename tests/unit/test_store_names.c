/* test_store_names.c — names given, found, listed and taken; index.json of other tools kept. */
#include "store_fixture.h"
#include <pthread.h>

#define A "docker.io/library/a:latest"
#define B "docker.io/library/b:1"

static void assert_digest_of(ob_store *store, const char *name, const ob_descriptor *image)
{
	ob_autodone(ob_descriptor) found = {0};

	ASSERT_OK(ob_store_get_ref(store, name, &found, &t_err));
	assert_string_equal(found.digest.text, image->digest.text);
}

static ocib_errc get(ob_store *store, const char *name)
{
	ob_autodone(ob_descriptor) found = {0};

	return ob_store_get_ref(store, name, &found, &t_err);
}

static ocib_errc find(ob_store *store, const char *text, const ob_descriptor *image)
{
	ob_autodone(ob_descriptor) found = {0};
	ocib_errc r = ob_store_find_image(store, text, &found, &t_err);

	if (r == OCIB_OK)
		assert_string_equal(found.digest.text, image->digest.text);
	return r;
}

TEST(names__are_given_moved_and_taken)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) one = {0}, two = {0};
	const char *const names[] = {A, B};
	ob_descriptor list[2];

	fixture_image(store, "1", &one);
	fixture_image(store, "2", &two);
	list[0] = one;
	list[1] = two;
	ASSERT_OK(ob_store_set_refs(store, names, list, 2, &t_err));
	assert_digest_of(store, A, &one);
	assert_digest_of(store, B, &two);
	fixture_name(store, A, &two);
	assert_digest_of(store, A, &two);
	ASSERT_OK(ob_store_remove_ref(store, A, &t_err));
	ASSERT_ERROR(get(store, A), OCIB_ERR_NOTFOUND, A);
	ASSERT_ERROR(ob_store_remove_ref(store, A, &t_err), OCIB_ERR_NOTFOUND, A);
	assert_digest_of(store, B, &two);
}

TEST(names__that_stay_as_they_are_write_nothing)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0};
	struct stat before, after;

	fixture_image(store, "1", &image);
	fixture_name(store, A, &image);
	assert_int_equal(fstatat(ob_store_dirfd(store), "index.json", &before, 0), 0);
	fixture_name(store, A, &image);
	assert_int_equal(fstatat(ob_store_dirfd(store), "index.json", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

TEST(names__entries_of_other_tools_are_kept)
{
	static const char FOREIGN[] =
		"{\"manifests\":[{\"annotations\":{\"org.opencontainers.image.ref.name\":\"x\",\"z\":\"1\"},"
		"\"digest\":\"sha512:00\",\"mediaType\":\"m\",\"odd\":[1,2],\"size\":3},"
		"{\"digest\":\"sha256:"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
		"\"mediaType\":\"n\",\"size\":0}],\"schemaVersion\":2,\"annotations\":{\"of\":\"all\"}";
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ob_index) index = NULL;
	ob_autofree char *all = ob_str_printf("%s}", FOREIGN), *text = NULL, *after = NULL;

	fixture_overwrite(layout, "index.json", all);
	fixture_image(layout, "1", &image);
	fixture_name(layout, "latest", &image);
	text = fixture_read(layout, "index.json");
	assert_non_null(strstr(text, "\"odd\":[1,2]"));
	assert_non_null(strstr(text, "\"annotations\":{\"of\":\"all\"}"));
	assert_non_null(strstr(text, "\"z\":\"1\""));
	ASSERT_OK(ob_store_list_refs(layout, &index, &t_err));
	assert_int_equal(index->manifest_count, 2); /* sha512 is none of ours */
	ASSERT_OK(ob_store_remove_ref(layout, "latest", &t_err));
	after = fixture_read(layout, "index.json");
	assert_string_equal(after, all);
}

TEST(names__index_that_is_missing_or_damaged_is_told)
{
	ob_auto(ocib_store) store = fixture_store("store", false);

	fixture_overwrite(store, "index.json", "{\"manifests\":{}}");
	ASSERT_ERROR(get(store, A), OCIB_ERR_CORRUPT, "index.json");
	fixture_overwrite(store, "index.json", "");
	ASSERT_ERROR(get(store, A), OCIB_ERR_CORRUPT, "index.json");
	assert_int_equal(unlinkat(ob_store_dirfd(store), "index.json", 0), 0);
	ASSERT_ERROR(get(store, A), OCIB_ERR_CORRUPT, "index.json");
}

TEST(names__of_a_layout_are_found_as_other_tools_write_them)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autodone(ob_descriptor) one = {0}, two = {0}, three = {0};

	ASSERT_ERROR(get(layout, NULL), OCIB_ERR_NOTFOUND, "");
	fixture_image(layout, "1", &one);
	fixture_image(layout, "2", &two);
	fixture_image(layout, "3", &three);
	fixture_name(layout, "v1", &one);
	assert_digest_of(layout, NULL, &one);
	fixture_name(layout, "example.com/app:v2", &two);
	assert_digest_of(layout, "v1", &one);
	assert_digest_of(layout, "v2", &two);
	assert_digest_of(layout, "example.com/app:v2", &two);
	ASSERT_ERROR(get(layout, "v3"), OCIB_ERR_NOTFOUND, "v3");
	ASSERT_ERROR(get(layout, NULL), OCIB_ERR_INVALID, "more than one");
	fixture_name(layout, "latest", &three);
	assert_digest_of(layout, NULL, &three);
	assert_digest_of(layout, one.digest.text, &one);

	fixture_name(layout, "example.com/other:v2", &three);
	ASSERT_ERROR(get(layout, "v2"), OCIB_ERR_INVALID, "more than one");
	assert_int_equal(ob_env_set(&one.annotations, "io.containerd.image.name", A), 0);
	fixture_name(layout, "v1", &one);
	assert_digest_of(layout, A, &one);
}

TEST(names__a_digest_in_a_layout_needs_no_entry)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autodone(ob_descriptor) image = {0}, found = {0};
	ob_digest nothing;

	fixture_image(layout, "1", &image);
	ASSERT_OK(ob_store_get_ref(layout, image.digest.text, &found, &t_err));
	assert_string_equal(found.media_type, OB_MEDIA_OCI_MANIFEST);
	assert_int_equal(found.size, image.size);
	ob_digest_of(&nothing, "?", 1);
	ASSERT_ERROR(get(layout, nothing.text), OCIB_ERR_NOTFOUND, nothing.text);
}

static ob_digest config_of(ob_store *store, const ob_descriptor *image)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "test");
	ob_auto(ob_manifest) manifest = NULL;

	ASSERT_OK(ob_store_read_blob(store, &image->digest, &text, &t_err));
	ASSERT_OK(ob_manifest_parse(text.data, text.len, NULL, &manifest, &t_err));
	return manifest->config.digest;
}

TEST(find__takes_what_people_type)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) named = {0}, unnamed = {0};
	ob_digest id, unnamed_id;
	char prefix[13];

	fixture_image(store, "1", &named);
	fixture_image(store, "2", &unnamed);
	fixture_name(store, A, &named);
	id = config_of(store, &named);
	unnamed_id = config_of(store, &unnamed);
	ASSERT_OK(find(store, "a", &named));
	ASSERT_OK(find(store, "a:latest", &named));
	ASSERT_OK(find(store, "docker.io/library/a", &named));
	ASSERT_OK(find(store, named.digest.text, &named));
	ASSERT_OK(find(store, id.text, &named));
	ASSERT_OK(find(store, ob_digest_hex(&id), &named));
	(void)snprintf(prefix, sizeof(prefix), "%s", ob_digest_hex(&id));
	ASSERT_OK(find(store, prefix, &named));
	ASSERT_OK(find(store, unnamed.digest.text, &unnamed));
	ASSERT_OK(find(store, unnamed_id.text, &unnamed));
	(void)snprintf(prefix, sizeof(prefix), "%s", ob_digest_hex(&unnamed_id));
	ASSERT_OK(find(store, prefix, &unnamed));
	ASSERT_ERROR(find(store, "b", NULL), OCIB_ERR_NOTFOUND, "'b'");
	ASSERT_ERROR(find(store, "0123456789ab", NULL), OCIB_ERR_NOTFOUND, "0123456789ab");
	ASSERT_ERROR(find(store, "B", NULL), OCIB_ERR_INVALID, "lower case");
	ASSERT_ERROR(find(store, "sha256:xyz", NULL), OCIB_ERR_INVALID, "digest");
	/* A layer is no image. */
	ob_digest layer;
	ob_digest_of(&layer, "1", 1);
	ASSERT_ERROR(find(store, layer.text, NULL), OCIB_ERR_NOTFOUND, layer.text);
}

static int collect(const ocib_store_ref *ref, void *user)
{
	ob_buffer_printf(user, "%s %s %s %s %zu %s\n", ref->name, ref->full_name, ref->platform,
			 ref->created, (size_t)ref->size, ref->image_id[0] ? "id" : "-");
	return 0;
}

static int stop(const ocib_store_ref *ref, void *user)
{
	(void)ref;
	return ++*(int *)user;
}

TEST(list__tells_every_name_sorted)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0};
	ob_autodone(ob_buffer) lines = OB_BUFFER_INIT(10000, "test");
	ob_autofree char *expected = NULL, *path = NULL;
	int calls = 0;

	fixture_image(store, "12345", &image);
	fixture_name(store, "example.com/x:1", &image);
	ASSERT_OK(ocib_store_tag(store, "example.com/x:1", "a", &t_err));
	fixture_name(store, "plain", &image);
	ASSERT_OK(ocib_store_list(store, collect, &lines, &t_err));
	/* Everything the image consists of counts, the documents too. */
	size_t size = 5 + (size_t)image.size;
	ob_digest id = config_of(store, &image);
	ob_autodone(ob_buffer) config = OB_BUFFER_INIT(10000, "test");
	ASSERT_OK(ob_store_read_blob(store, &id, &config, &t_err));
	size += config.len;
	assert_non_null(strstr(lines.data, "a:latest " A " linux/amd64 2024-01-02T03:04:05Z"));
	assert_true(strstr(lines.data, A) < strstr(lines.data, "example.com/x:1 example.com/x:1"));
	assert_non_null(strstr(lines.data, "plain plain linux/amd64"));
	expected = ob_str_printf(" %zu id\n", size);
	assert_non_null(strstr(lines.data, expected));
	ASSERT_ERROR(ocib_store_list(store, stop, &calls, &t_err), OCIB_ERR_CANCELED, "");
	assert_int_equal(calls, 1);

	/* What is damaged is listed all the same. */
	path = fixture_blob_path(&image.digest);
	fixture_overwrite(store, path, "{}");
	ob_buffer_clear(&lines);
	ASSERT_OK(ocib_store_list(store, collect, &lines, &t_err));
	assert_non_null(strstr(lines.data, "a:latest " A "  "));
}

TEST(list__an_index_of_several_platforms_has_no_id)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) one = {0}, two = {0}, root = {0};
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(10000, "test");
	ob_autodone(ob_buffer) lines = OB_BUFFER_INIT(10000, "test");

	fixture_image(store, "1", &one);
	fixture_image(store, "2", &two);
	assert_int_equal(ob_index_add(index, &one) | ob_index_add(index, &two), 0);
	ASSERT_OK(ob_index_format(index, &text, &t_err));
	fixture_blob(store, OB_MEDIA_OCI_INDEX, text.data, text.len, &root);
	fixture_name(store, A, &root);
	ASSERT_OK(ocib_store_list(store, collect, &lines, &t_err));
	assert_non_null(strstr(lines.data, "a:latest " A "   "));
	assert_non_null(strstr(lines.data, " -\n"));
}

TEST(tag__gives_one_more_name_and_untag_takes_it)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0};

	fixture_image(store, "1", &image);
	fixture_name(store, A, &image);
	ASSERT_OK(ocib_store_tag(store, "a", "reg.example:5000/x/y:2", &t_err));
	assert_digest_of(store, "reg.example:5000/x/y:2", &image);
	ASSERT_ERROR(ocib_store_tag(store, "nothing", "c", &t_err), OCIB_ERR_NOTFOUND, "nothing");
	ASSERT_ERROR(ocib_store_tag(store, "a", "C", &t_err), OCIB_ERR_INVALID, "lower case");
	ASSERT_ERROR(
		ocib_store_tag(store, "a",
			       "c@sha256:"
			       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			       &t_err),
		OCIB_ERR_INVALID, "digest");
	ASSERT_OK(ocib_store_untag(store, "a", &t_err));
	ASSERT_ERROR(ocib_store_untag(store, "a", &t_err), OCIB_ERR_NOTFOUND, "'a'");
	assert_digest_of(store, "reg.example:5000/x/y:2", &image);
}

typedef struct tagger {
	ob_store *store;
	const ob_descriptor *image;
	int number;
	int failed;
} tagger;

static void *tag_many(void *arg)
{
	tagger *t = arg;

	for (int i = 0; i < 20; i++) {
		ob_autofree char *name = ob_str_printf("example.com/t%d:%d", t->number, i);

		if (!name ||
		    ob_store_set_refs(t->store, (const char *const *)&name, t->image, 1, NULL))
			t->failed++;
	}
	return NULL;
}

TEST(names__given_at_the_same_time_are_all_there)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ocib_store) same = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0};
	ob_auto(ob_index) index = NULL;
	tagger taggers[4];
	pthread_t threads[4];

	fixture_image(store, "1", &image);
	for (int i = 0; i < 4; i++) {
		taggers[i] = (tagger){i % 2 ? store : same, &image, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, tag_many, &taggers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(taggers[i].failed, 0);
	}
	ASSERT_OK(ob_store_list_refs(store, &index, &t_err));
	assert_int_equal(index->manifest_count, 80);
}
