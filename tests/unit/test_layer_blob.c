/* tests/unit/test_layer_blob.c — content out of blobs of all kinds. */
#include "layer_fixture.h"
#include <fcntl.h>
#include <unistd.h>
#include "base/fds.h"
#include "layer/layer_blob.h"

#define CORPUS TEST_CORPUS "/tar_layer/"
#define FILES  40

/* File i: its own bytes, of a size of its own; some span members. */
static uint64_t size_of(size_t i)
{
	return i % 7 == 3 ? 1500000 : i * 1237;
}

static char *content_of(size_t i)
{
	uint64_t size = size_of(i);
	char *content = malloc(size + 1);

	assert_non_null(content);
	for (uint64_t k = 0; k < size; k++)
		content[k] = (char)('a' + (i + k / 97 + k * k) % 26);
	return content;
}

static void write_blob(ob_compression kind, ob_buffer *blob, ob_layer_result *result)
{
	const ob_layer_writer_options options = {.compression = kind};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(blob, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, to, &writer, &t_err));
	for (size_t i = 0; i < FILES; i++) {
		ob_autofree char *content = content_of(i);
		ob_autodone(ob_entry) entry = {.path = ob_str_printf("f%03zu", i),
					       .type = OB_ENTRY_FILE,
					       .size = size_of(i)};
		ob_auto(ob_reader) reader = NULL;

		ASSERT_OK(ob_reader_open_memory(content, size_of(i), &reader, &t_err));
		ASSERT_OK(ob_layer_writer_add(writer, &entry, reader, &t_err));
	}
	ASSERT_OK(ob_layer_writer_finish(writer, result, &t_err));
}

static int temp_file(const void *data, size_t len)
{
	ob_autofree char *path = ob_str_printf("%s/blob", t_temp_dir());
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ob_write_full(fd, data, len), 0);
	return fd;
}

static void assert_file(ob_layer_blob *blob, const ob_layer_index *index, size_t i)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(4 * OB_MIB, "content");
	ob_autofree char *content = content_of(i);
	ob_reader *reader = NULL;

	ASSERT_OK(ob_layer_blob_content(blob, &index->entries[i], &reader, &t_err));
	ASSERT_OK(ob_reader_read_all(reader, &got, &t_err));
	assert_int_equal(got.len, size_of(i));
	if (got.len)
		assert_memory_equal(got.data, content, got.len);
}

/* In order, backwards, one file twice, and a file read in part before another. */
static void assert_all_files(int fd /* taken */, const ob_layer_index *index)
{
	ob_auto(ob_layer_blob) blob = NULL;
	ob_reader *reader = NULL;
	char some[100];
	size_t got;

	ASSERT_OK(ob_layer_blob_open(fd, index, &blob, &t_err));
	for (size_t i = 0; i < FILES; i++)
		assert_file(blob, index, i);
	for (size_t i = FILES; i-- > FILES - 6;)
		assert_file(blob, index, i);
	assert_file(blob, index, 3);
	assert_file(blob, index, 3);
	ASSERT_OK(ob_layer_blob_content(blob, &index->entries[10], &reader, &t_err));
	ASSERT_OK(ob_reader_read(reader, some, sizeof(some), &got, &t_err));
	assert_file(blob, index, 11);
	assert_file(blob, index, 38);
	assert_file(blob, index, 0);
}

TEST(blob__gives_content_in_any_order)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_GZIP,
					       OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		ob_autodone(ob_buffer) bytes = OB_BUFFER_INIT(64 * OB_MIB, "a blob");
		ob_autodone(ob_layer_result) result = {.index = NULL};

		write_blob(kinds[i], &bytes, &result);
		assert_all_files(temp_file(bytes.data, bytes.len), result.index);
		/* As if it were somebody else's: no table, one stream from the beginning. */
		ob_member_table_done(&result.index->members);
		assert_all_files(temp_file(bytes.data, bytes.len), result.index);
	}
}

static void assert_whole_tar(const ob_buffer *bytes, const ob_layer_result *result,
			     const ob_layer_index *index)
{
	ob_autofd int fd = temp_file(bytes->data, bytes->len);
	ob_auto(ob_hash_writer) hash = NULL;
	ob_auto(ob_reader) tar = NULL;
	uint8_t sha256[OB_SHA256_LEN];

	ASSERT_OK(ob_layer_blob_open_tar(fd, index, 2, &tar, &t_err));
	ASSERT_OK(ob_hash_writer_new(NULL, &hash, &t_err));
	ASSERT_OK(ob_stream_copy(tar, ob_hash_writer_base(hash), NULL, &t_err));
	ob_hash_writer_peek(hash, sha256);
	assert_memory_equal(sha256, result->diff_id.bytes, sizeof(sha256));
}

TEST(blob__opens_as_a_whole_tar)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_GZIP,
					       OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		ob_autodone(ob_buffer) bytes = OB_BUFFER_INIT(64 * OB_MIB, "a blob");
		ob_autodone(ob_layer_result) result = {.index = NULL};

		write_blob(kinds[i], &bytes, &result);
		assert_whole_tar(&bytes, &result, result.index);
		assert_whole_tar(&bytes, &result, NULL);
	}
}

TEST(blob__sparse_files_of_foreign_tars_are_read_by_their_headers)
{
	static const char *const names[] = {CORPUS "sparse-gnu.tar", CORPUS "sparse-pax-1.0.tar"};

	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		ob_auto(ob_layer_index) index = NULL;
		ob_auto(ob_reader) tar = NULL;
		ob_auto(ob_layer_blob) blob = NULL;
		int fd = open(names[i], O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		ASSERT_OK(ob_layer_blob_open_tar(fd, NULL, 1, &tar, &t_err));
		ASSERT_OK(ob_layer_index_scan(tar, "layer", &index, &t_err));
		ASSERT_OK(ob_layer_blob_open(fd, index, &blob, &t_err));
		for (int again = 0; again < 2; again++) {
			ob_autodone(ob_buffer) got = OB_BUFFER_INIT(OB_MIB, "content");
			ob_reader *reader = NULL;

			ASSERT_OK(ob_layer_blob_content(blob, ob_layer_index_find(index, "sp"),
							&reader, &t_err));
			ASSERT_OK(ob_reader_read_all(reader, &got, &t_err));
			assert_int_equal(got.len, 200000);
			assert_memory_equal(got.data + 102400, "middle", 6);
			ob_buffer_clear(&got);
			ASSERT_OK(ob_layer_blob_content(blob, ob_layer_index_find(index, "z"),
							&reader, &t_err));
			ASSERT_OK(ob_reader_read_all(reader, &got, &t_err));
			assert_string_equal(got.data, "after");
		}
	}
}

TEST(blob__that_ends_too_soon_is_corrupt)
{
	ob_autodone(ob_buffer) bytes = OB_BUFFER_INIT(64 * OB_MIB, "a blob");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_auto(ob_layer_blob) blob = NULL;
	ob_reader *reader = NULL;
	char some[4096];
	size_t got = 1;

	write_blob(OB_COMPRESSION_NONE, &bytes, &result);
	const ob_entry *last = &result.index->entries[FILES - 1];
	int fd = temp_file(bytes.data, last->data_offset + 10);
	ASSERT_OK(ob_layer_blob_open(fd, result.index, &blob, &t_err));
	ASSERT_OK(ob_layer_blob_content(blob, last, &reader, &t_err));
	ASSERT_OK(ob_reader_read(reader, some, sizeof(some), &got, &t_err));
	ASSERT_ERROR(ob_reader_read(reader, some, sizeof(some), &got, &t_err), OCIB_ERR_CORRUPT,
		     "ends inside a file");
}

TEST(blob__index_that_points_elsewhere_is_corrupt)
{
	ob_autodone(ob_buffer) bytes = OB_BUFFER_INIT(64 * OB_MIB, "a blob");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_auto(ob_layer_blob) blob = NULL;
	ob_reader *reader = NULL;

	write_blob(OB_COMPRESSION_GZIP, &bytes, &result);
	ob_entry *entry = &result.index->entries[5];
	entry->data_offset = 0; /* find it by its header, which is another file's */
	entry->tar_offset = result.index->entries[6].tar_offset;
	ASSERT_OK(
		ob_layer_blob_open(temp_file(bytes.data, bytes.len), result.index, &blob, &t_err));
	ASSERT_ERROR(ob_layer_blob_content(blob, entry, &reader, &t_err), OCIB_ERR_CORRUPT,
		     "not where its layer index says: 'f005'");
}
