/* test_store_copy.c — images between stores and layouts: complete, verified, not shared by inode. */
#include "store_fixture.h"
#include <sys/stat.h>

#define A "docker.io/library/a:latest"

static int tell_nothing(const char *problem, void *user)
{
	(void)user;
	print_error("problem: %s\n", problem);
	return 0;
}

static void assert_whole(ob_store *store)
{
	uint64_t problems = 1;

	ASSERT_OK(ocib_store_check(NULL, store, tell_nothing, NULL, &problems, &t_err));
	assert_int_equal(problems, 0);
}

TEST(copy__brings_everything_and_counts_it)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autodone(ob_descriptor) image = {0};
	uint64_t bytes = 0;

	fixture_image(store, "content", &image);
	ASSERT_OK(ob_store_copy_image(store, layout, &image, &bytes, &t_err));
	assert_true(bytes > image.size + strlen("content"));
	fixture_name(layout, "latest", &image);
	assert_whole(layout);
	ASSERT_OK(ob_store_copy_image(store, layout, &image, &bytes, &t_err));
	assert_int_equal(bytes, 0);
}

TEST(copy__of_an_index_brings_all_its_images)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) one = {0}, two = {0}, root = {0};
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(10000, "test");

	fixture_image(layout, "1", &one);
	fixture_image(layout, "2", &two);
	assert_int_equal(ob_index_add(index, &one) | ob_index_add(index, &two), 0);
	ASSERT_OK(ob_index_format(index, &text, &t_err));
	fixture_blob(layout, OB_MEDIA_OCI_INDEX, text.data, text.len, &root);
	ASSERT_OK(ob_store_copy_image(layout, store, &root, NULL, &t_err));
	fixture_name(store, A, &root);
	assert_whole(store);
	assert_true(ob_store_has_blob(store, &two.digest));
}

TEST(copy__does_not_share_files)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autodone(ob_descriptor) image = {0};
	ob_autofree char *path = NULL, *text = NULL;
	struct stat a, b;

	fixture_image(store, "content", &image);
	ASSERT_OK(ob_store_copy_image(store, layout, &image, NULL, &t_err));
	path = fixture_blob_path(&image.digest);
	assert_int_equal(fstatat(ob_store_dirfd(store), path, &a, 0), 0);
	assert_int_equal(fstatat(ob_store_dirfd(layout), path, &b, 0), 0);
	assert_int_not_equal(a.st_ino, b.st_ino);
	fixture_overwrite(layout, path, "changed");
	text = fixture_read(store, path);
	assert_string_not_equal(text, "changed");
}

TEST(copy__out_of_a_layout_is_verified)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0};
	ob_autofree char *path = NULL;
	ob_digest layer;

	fixture_image(layout, "content", &image);
	ob_digest_of(&layer, "content", 7);
	path = fixture_blob_path(&layer);
	fixture_overwrite(layout, path, "CONTENT");
	ASSERT_ERROR(ob_store_copy_image(layout, store, &image, NULL, &t_err), OCIB_ERR_CORRUPT,
		     layer.text);
	assert_false(ob_store_has_blob(store, &layer));
	assert_false(ob_store_has_blob(store, &image.digest));
	fixture_overwrite(layout, path, "short");
	ASSERT_ERROR(ob_store_copy_image(layout, store, &image, NULL, &t_err), OCIB_ERR_CORRUPT,
		     "5 bytes instead of 7");
	assert_int_equal(unlinkat(ob_store_dirfd(layout), path, 0), 0);
	ASSERT_ERROR(ob_store_copy_image(layout, store, &image, NULL, &t_err), OCIB_ERR_NOTFOUND,
		     layer.text);
	assert_false(ob_store_has_blob(store, &image.digest));
}

TEST(copy__of_large_blobs_is_exact)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_autofree char *data = malloc(20 << 20);
	ob_autodone(ob_descriptor) blob = {0};
	ob_autofd int fd = -1;
	ob_autofree char *again = malloc(20 << 20);

	assert_true(data && again);
	for (size_t i = 0; i < 20 << 20; i++)
		data[i] = (char)(i * i >> 7);
	fixture_blob(store, OB_MEDIA_OCI_LAYER, data, 20 << 20, &blob);
	ASSERT_OK(ob_store_copy_blob(store, layout, &blob, &t_err));
	ASSERT_OK(ob_store_open_blob(layout, &blob.digest, 20 << 20, &fd, &t_err));
	assert_int_equal(ob_read_full(fd, again, 20 << 20), 20 << 20);
	assert_memory_equal(data, again, 20 << 20);
}

TEST(copy__a_layer_that_is_elsewhere_may_be_absent)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_descriptor) image = {0}, changed = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "test");
	ob_auto(ob_manifest) manifest = NULL;
	ob_autofree char *path = NULL;

	fixture_image(layout, "content", &image);
	ASSERT_OK(ob_store_read_blob(layout, &image.digest, &text, &t_err));
	ASSERT_OK(ob_manifest_parse(text.data, text.len, NULL, &manifest, &t_err));
	ASSERT_OK(
		ob_json_parse("{\"urls\":[\"https://x\"]}", 22, &manifest->layers[0].rest, &t_err));
	ob_buffer_clear(&text);
	ASSERT_OK(ob_manifest_format(manifest, &text, &t_err));
	fixture_blob(layout, OB_MEDIA_OCI_MANIFEST, text.data, text.len, &changed);
	path = fixture_blob_path(&manifest->layers[0].digest);
	assert_int_equal(unlinkat(ob_store_dirfd(layout), path, 0), 0);
	ASSERT_OK(ob_store_copy_image(layout, store, &changed, NULL, &t_err));
	fixture_name(store, A, &changed);
	assert_whole(store);
}
