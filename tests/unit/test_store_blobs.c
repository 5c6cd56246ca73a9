/* test_store_blobs.c — blobs written, verified, found damaged; records and indexes that do not parse. */
#include "store_fixture.h"
#include <sys/stat.h>

TEST(blob__is_there_after_commit_and_not_before)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest, committed;

	ob_digest_of(&digest, "hello", 5);
	ASSERT_OK(ob_blob_writer_open(store, &writer, &t_err));
	ASSERT_OK(ob_writer_write(ob_blob_writer_base(writer), "hel", 3, &t_err));
	ASSERT_OK(ob_writer_write(ob_blob_writer_base(writer), "lo", 2, &t_err));
	assert_false(ob_store_has_blob(store, &digest));
	ASSERT_OK(ob_blob_writer_commit(writer, &digest, 5, &committed, &t_err));
	assert_true(ob_digest_eq(&digest, &committed));
	assert_true(ob_store_has_blob(store, &digest));
	ASSERT_OK(ob_store_read_blob(store, &digest, &text, &t_err));
	assert_string_equal(text.data, "hello");
}

TEST(blob__of_the_wrong_digest_or_size_is_not_committed)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_digest digest, out;

	ob_digest_of(&digest, "hello", 5);
	for (int i = 0; i < 2; i++) {
		ob_auto(ob_blob_writer) writer = NULL;
		const char *text = i ? "hellO" : "hell";

		ASSERT_OK(ob_blob_writer_open(store, &writer, &t_err));
		ASSERT_OK(ob_writer_write(ob_blob_writer_base(writer), text, strlen(text), &t_err));
		ASSERT_ERROR(ob_blob_writer_commit(writer, &digest, 5, &out, &t_err),
			     OCIB_ERR_CORRUPT,
			     i ? "what came has digest" : "4 bytes came instead of 5");
		assert_false(ob_store_has_blob(store, &digest));
		assert_int_equal(
			faccessat(ob_store_dirfd(store), ob_blob_writer_path(writer), F_OK, 0), 0);
	}
}

TEST(blob__dropped_leaves_no_file)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autofree char *path = NULL;

	ASSERT_OK(ob_blob_writer_open(store, &writer, &t_err));
	path = strdup(ob_blob_writer_path(writer));
	assert_int_equal(faccessat(ob_store_dirfd(store), path, F_OK, 0), 0);
	writer = ob_blob_writer_free(writer);
	assert_int_not_equal(faccessat(ob_store_dirfd(store), path, F_OK, 0), 0);
}

TEST(blob__written_by_another_is_committed_trusted)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest;

	ob_digest_of(&digest, "work", 4);
	ASSERT_OK(ob_blob_writer_open(store, &writer, &t_err));
	fixture_overwrite(store, ob_blob_writer_path(writer), "work");
	ASSERT_OK(ob_blob_writer_commit_trusted(writer, &digest, &t_err));
	ASSERT_OK(ob_store_read_blob(store, &digest, &text, &t_err));
}

TEST(blob__unhashed_stream_writes_the_same)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest;

	ob_digest_of(&digest, "work", 4);
	ASSERT_OK(ob_blob_writer_open(store, &writer, &t_err));
	ASSERT_OK(ob_writer_write(ob_blob_writer_unhashed(writer), "work", 4, &t_err));
	ASSERT_OK(ob_blob_writer_commit_trusted(writer, &digest, &t_err));
	ASSERT_OK(ob_store_read_blob(store, &digest, &text, &t_err));
}

TEST(blob__missing_damaged_or_strange_is_told_apart)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest;
	ob_autofree char *path = NULL;
	ob_autofd int fd = -1;

	ob_digest_of(&digest, "hello", 5);
	path = fixture_blob_path(&digest);
	ASSERT_ERROR(ob_store_open_blob(store, &digest, 5, &fd, &t_err), OCIB_ERR_NOTFOUND,
		     digest.text);
	ASSERT_OK(ob_store_write_blob(store, "hello", 5, &digest, &t_err));
	ASSERT_OK(ob_store_flush(store, &t_err));
	ASSERT_ERROR(ob_store_open_blob(store, &digest, 6, &fd, &t_err), OCIB_ERR_CORRUPT,
		     "5 bytes instead of 6");
	fixture_overwrite(store, path, "hellO");
	ASSERT_ERROR(ob_store_read_blob(store, &digest, &text, &t_err), OCIB_ERR_CORRUPT,
		     "damaged");
	assert_int_equal(unlinkat(ob_store_dirfd(store), path, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", ob_store_dirfd(store), path), 0);
	assert_false(ob_store_has_blob(store, &digest));
	ASSERT_ERROR(ob_store_open_blob(store, &digest, UINT64_MAX, &fd, &t_err), OCIB_ERR_CORRUPT,
		     "regular file");
	assert_int_equal(unlinkat(ob_store_dirfd(store), path, 0), 0);
	assert_int_equal(mkfifoat(ob_store_dirfd(store), path, 0600), 0);
	ASSERT_ERROR(ob_store_open_blob(store, &digest, UINT64_MAX, &fd, &t_err), OCIB_ERR_CORRUPT,
		     "regular file");
}

TEST(blob__that_was_cut_off_is_mended_by_writing_it_again)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest;
	ob_autofree char *path = NULL;

	ASSERT_OK(ob_store_write_blob(store, "hello", 5, &digest, &t_err));
	ASSERT_OK(ob_store_flush(store, &t_err));
	path = fixture_blob_path(&digest);
	fixture_overwrite(store, path, "he");
	ASSERT_OK(ob_store_write_blob(store, "hello", 5, &digest, &t_err));
	ASSERT_OK(ob_store_flush(store, &t_err));
	ASSERT_OK(ob_store_read_blob(store, &digest, &text, &t_err));
}

TEST(document__is_found_by_its_writer_at_once_and_by_others_after_the_flush)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ocib_store) other = fixture_store("store", false);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(100, "test");
	ob_digest digest, again;

	ASSERT_OK(ob_store_write_blob(store, "hello", 5, &digest, &t_err));
	assert_true(ob_store_has_blob(store, &digest));
	assert_false(ob_store_has_blob(other, &digest));
	ASSERT_OK(ob_store_read_blob(store, &digest, &text, &t_err));
	assert_string_equal(text.data, "hello");
	ASSERT_OK(ob_store_write_blob(store, "hello", 5, &again, &t_err));
	ASSERT_OK(ob_store_flush(store, &t_err));
	assert_true(ob_store_has_blob(other, &digest));
	ob_buffer_clear(&text);
	ASSERT_OK(ob_store_read_blob(other, &digest, &text, &t_err));
}

TEST(document__is_not_lost_when_its_writer_closes)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_digest digests[200];

	/* More than may be pending at a time. */
	for (int i = 0; i < 200; i++)
		ASSERT_OK(ob_store_write_blob(store, &i, sizeof(i), &digests[i], &t_err));
	store = ocib_store_close(store);
	store = fixture_store("store", false);
	for (int i = 0; i < 200; i++)
		assert_true(ob_store_has_blob(store, &digests[i]));
}

TEST(blob__can_be_written_to_a_layout_without_the_folder)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_digest digest;

	assert_int_equal(unlinkat(ob_store_dirfd(layout), "blobs/sha256", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(ob_store_dirfd(layout), "blobs", AT_REMOVEDIR), 0);
	ASSERT_OK(ob_store_write_blob(layout, "x", 1, &digest, &t_err));
	ASSERT_OK(ob_store_flush(layout, &t_err));
	assert_true(ob_store_has_blob(layout, &digest));
}

TEST(record__is_found_until_it_is_damaged)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_json) record = ob_json_object();
	ob_auto(ob_json) found = NULL;
	ob_autofree char *path = NULL;
	ob_digest key;

	ob_digest_of(&key, "key", 3);
	ASSERT_ERROR(ob_store_get_record(store, &key, &found, &t_err), OCIB_ERR_NOTFOUND, "");
	ob_json_set_str(record, "diffId", "x");
	ASSERT_OK(ob_store_put_record(store, &key, record, &t_err));
	ASSERT_OK(ob_store_get_record(store, &key, &found, &t_err));
	assert_string_equal(ob_json_get_str(found, "diffId"), "x");
	found = ob_json_free(found);
	path = ob_str_printf("cache/%s", ob_digest_hex(&key));
	fixture_overwrite(store, path, "{\"diffId\":");
	ASSERT_ERROR(ob_store_get_record(store, &key, &found, &t_err), OCIB_ERR_NOTFOUND,
		     "damaged");
	fixture_overwrite(store, path, "");
	ASSERT_ERROR(ob_store_get_record(store, &key, &found, &t_err), OCIB_ERR_NOTFOUND,
		     "damaged");
}

TEST(layer_index__is_kept_by_diff_id)
{
	ob_auto(ocib_store) store = fixture_store("store", false);
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	ob_auto(ob_layer_index) found = NULL;
	ob_autofree char *path = NULL;
	ob_digest id, other;

	ob_digest_of(&id, "id", 2);
	ob_digest_of(&other, "other", 5);
	assert_false(ob_store_has_layer_index(store, &id));
	index->tar_size = 10240;
	ASSERT_OK(ob_store_put_layer_index(store, &id, index, &t_err));
	assert_true(ob_store_has_layer_index(store, &id));
	ASSERT_OK(ob_store_get_layer_index(store, &id, &found, &t_err));
	assert_int_equal(found->tar_size, 10240);
	found = ob_layer_index_free(found);

	path = ob_str_printf("%s/layers/%s", ob_store_path(store), ob_digest_hex(&id));
	ASSERT_OK(ob_store_adopt_layer_index(store, &other, path, &t_err));
	assert_false(ob_store_has_layer_index(store, &id));
	ASSERT_OK(ob_store_get_layer_index(store, &other, &found, &t_err));
	free(path);
	path = ob_str_printf("layers/%s", ob_digest_hex(&other));
	fixture_overwrite(store, path, "OBLI?");
	found = ob_layer_index_free(found);
	ASSERT_ERROR(ob_store_get_layer_index(store, &other, &found, &t_err), OCIB_ERR_NOTFOUND,
		     "damaged");
	assert_false(ob_store_has_layer_index(store, &other));
}

TEST(layout__has_no_caches)
{
	ob_auto(ocib_store) layout = fixture_store("layout", true);
	ob_auto(ob_json) record = ob_json_object();
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	ob_digest key;

	ob_digest_of(&key, "key", 3);
	ASSERT_ERROR(ob_store_put_record(layout, &key, record, &t_err), OCIB_ERR_INVALID,
		     "no caches");
	ASSERT_ERROR(ob_store_put_layer_index(layout, &key, index, &t_err), OCIB_ERR_INVALID,
		     "no caches");
	assert_false(ob_store_has_tree(layout, &key));
}
