/* tests/unit/test_layer_writer.c — entries to tar bytes, to blobs, and back. */
#include "layer_fixture.h"
#include <fcntl.h>
#include <unistd.h>
#include "base/fds.h"
#include "layer/tar_writer.h"
#include "layer/write_behind.h"

static const ob_layer_writer_options plain = {.compression = OB_COMPRESSION_NONE};

/* Writes one entry and gives its headers. */
static void header_of(const ob_entry *entry, ob_buffer *out)
{
	*out = (ob_buffer)OB_BUFFER_INIT(OB_TAR_HEADER_MAX, "headers");
	ASSERT_OK(ob_tar_header_format(entry, out, &t_err));
	assert_int_equal(out->len % OB_TAR_BLOCK, 0);
}

/* Through our writer and our reader: the same entry. */
static void assert_survives(const ob_entry *entry, size_t blocks)
{
	ob_autodone(ob_buffer) tar = OB_BUFFER_INIT(4 * OB_MIB, "a tar");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_autofree char *zeros = calloc(1, entry->size < OB_MIB ? entry->size + 1 : 1);
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_layer_index) scanned = NULL;
	ob_auto(ob_reader) content = NULL;
	ob_auto(ob_reader) reader = NULL;
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(&tar, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&plain, to, &writer, &t_err));
	ASSERT_OK(ob_reader_open_memory(zeros, entry->size, &content, &t_err));
	ASSERT_OK(ob_layer_writer_add(writer, entry, content, &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	ASSERT_OK(ob_reader_open_memory(tar.data, tar.len, &reader, &t_err));
	ASSERT_OK(ob_layer_index_scan(reader, "what was written", &scanned, &t_err));
	t_assert_index_equal(scanned, result.index);
	t_assert_entry_equal(&scanned->entries[0], &result.index->entries[0]);
	assert_string_equal(scanned->entries[0].path, entry->path);
	assert_int_equal(scanned->entries[0].uid, entry->uid);
	assert_true(scanned->entries[0].mtime_sec == entry->mtime_sec);
	if (blocks)
		assert_int_equal(scanned->entries[0].data_offset ? scanned->entries[0].data_offset
								 : tar.len - OB_TAR_END_LEN,
				 blocks * OB_TAR_BLOCK);
}

TEST(tar_writer__ustar_block_is_what_posix_says)
{
	ob_autodone(ob_entry) entry = {.path = strdup("etc/motd"),
				       .type = OB_ENTRY_FILE,
				       .mode = 0644,
				       .uid = 1000,
				       .gid = 100,
				       .size = 13,
				       .mtime_sec = 1700000000};
	ob_autodone(ob_buffer) got = {.data = NULL};

	header_of(&entry, &got);
	assert_int_equal(got.len, 512);
	assert_string_equal(got.data, "etc/motd");
	assert_string_equal(got.data + 100, "0000644");
	assert_string_equal(got.data + 108, "0001750");
	assert_string_equal(got.data + 116, "0000144");
	assert_string_equal(got.data + 124, "00000000015");
	assert_string_equal(got.data + 136, "14524770400");
	assert_memory_equal(got.data + 156, "0\0", 2);
	assert_memory_equal(got.data + 257, "ustar\00000\0", 9);
	assert_string_equal(got.data + 329, "0000000");
	assert_memory_equal(got.data + 148, "010732\0 ", 8);
}

/* n times the byte, with a slash at each of the given places. */
static char *long_name(int byte, size_t n, size_t slash_every)
{
	char *name = malloc(n + 1);

	assert_non_null(name);
	for (size_t i = 0; i < n; i++)
		name[i] = (i + 1) % slash_every == 0 && i + 1 < n ? '/' : (char)byte;
	name[n] = '\0';
	return name;
}

TEST(tar_writer__names_of_any_length_survive)
{
	static const size_t lengths[] = {1,   99,  100, 101, 154, 155, 156, 157,  200,  254,
					 255, 256, 257, 300, 511, 512, 513, 4095, 65536};
	static const int bytes[] = {'n', '\xe9'};

	for (size_t i = 0; i < OB_ARRAY_LEN(lengths); i++) {
		for (size_t k = 0; k < OB_ARRAY_LEN(bytes); k++) {
			for (size_t every = 50; every < 250; every += 83) {
				ob_autodone(ob_entry)
					file = {.path = long_name(bytes[k], lengths[i], every),
						.type = OB_ENTRY_FILE,
						.size = 1};
				ob_autodone(ob_entry)
					link = {.path = strdup("l"),
						.type = OB_ENTRY_SYMLINK,
						.link = long_name(bytes[k], lengths[i], every)};
				ob_autodone(ob_entry) dir = {.path = NULL};

				assert_survives(&file, 0);
				assert_survives(&link, 0);
				assert_int_equal(ob_entry_copy(&dir, &file), 0);
				dir.type = OB_ENTRY_DIR;
				assert_survives(&dir, 0);
			}
		}
	}
}

TEST(tar_writer__pax_only_where_ustar_cannot_say_it)
{
	ob_autodone(ob_entry) entry = {.path = strdup("f"), .type = OB_ENTRY_FILE, .size = 1};

	entry.uid = 07777777;
	entry.mtime_sec = 077777777777;
	assert_survives(&entry, 1);
	entry.uid = 010000000;
	assert_survives(&entry, 3);
	entry.uid = 0;
	entry.mtime_sec = 0100000000000;
	assert_survives(&entry, 3);
	entry.mtime_sec = -1;
	assert_survives(&entry, 3);
	entry.gid = UINT32_MAX;
	entry.mtime_sec = -62135596800; /* Go's zero time */
	assert_survives(&entry, 3);
	free(entry.path);
	entry.path = strdup("caf\xc3\xa9/\xff");
	entry.gid = 0;
	entry.mtime_sec = 0;
	assert_survives(&entry, 1);
}

TEST(tar_writer__large_size_goes_to_pax)
{
	ob_autodone(ob_entry)
		entry = {.path = strdup("f"), .type = OB_ENTRY_FILE, .size = 8 * OB_GIB};
	ob_autodone(ob_buffer) got = {.data = NULL}, small = {.data = NULL};

	header_of(&entry, &got);
	assert_int_equal(got.len, 3 * 512);
	assert_string_equal(got.data + 512, "19 size=8589934592\n");
	assert_string_equal(got.data + 1024 + 124, "00000000000");
	entry.size--;
	header_of(&entry, &small);
	assert_int_equal(small.len, 512);
	assert_string_equal(small.data + 124, "77777777777");
}

TEST(tar_writer__xattrs_of_any_bytes_survive)
{
	ob_autodone(ob_entry) entry = {.path = strdup("f"), .type = OB_ENTRY_FILE, .size = 3};
	uint8_t bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(ob_entry_add_xattr(&entry, "user.all", bytes, sizeof(bytes)), 0);
	assert_int_equal(ob_entry_add_xattr(&entry, "security.capability", bytes, 20), 0);
	assert_int_equal(ob_entry_add_xattr(&entry, "user.none", "", 0), 0);
	/* Records whose length has one digit more when it is counted. */
	for (size_t n = 70; n < 90; n++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "user.n%zu", n);
		assert_int_equal(ob_entry_add_xattr(&entry, name, bytes, n), 0);
	}
	assert_survives(&entry, 0);
}

TEST(tar_writer__what_no_tar_can_hold_is_refused)
{
	ob_autodone(ob_entry) xattr = {.path = strdup("f"), .type = OB_ENTRY_DIR};
	ob_autodone(ob_entry)
		device = {.path = strdup("f"), .type = OB_ENTRY_CHAR, .dev_minor = 1U << 30};
	ob_autodone(ob_entry) large = {.path = strdup("f"), .type = OB_ENTRY_DIR};
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(OB_TAR_HEADER_MAX, "headers");
	ob_autofree uint8_t *bytes = calloc(1, OB_LIMIT_TAR_XATTRS);

	assert_int_equal(ob_entry_add_xattr(&xattr, "user.a=b", "", 0), 0);
	ASSERT_ERROR(ob_tar_header_format(&xattr, &out, &t_err), OCIB_ERR_UNSUPPORTED,
		     "'f': a tar cannot hold an xattr of the name 'user.a=b'");
	ASSERT_ERROR(ob_tar_header_format(&device, &out, &t_err), OCIB_ERR_UNSUPPORTED, "device");
	assert_int_equal(ob_entry_add_xattr(&large, "user.a", bytes, OB_LIMIT_TAR_XATTRS), 0);
	ASSERT_ERROR(ob_tar_header_format(&large, &out, &t_err), OCIB_ERR_LIMIT, "xattrs");
}

#define EVERYTHING                                                                                \
	"d . 0755", "w bin", "d bin", "o bin", "f bin/a 04755 hello", "f bin/empty",              \
		"h bin/h bin/a", "l bin/s ../bin/a", "c dev/null 1 3", "b dev/sda 8 1", "p fifo", \
		"w gone/file"

TEST(layer_writer__layer_scans_to_its_own_index)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_GZIP,
					       OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		const ob_layer_writer_options options = {.compression = kinds[i], .threads = 2};
		ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(OB_MIB, "a blob");
		ob_autodone(ob_layer_result) result = {.index = NULL};
		ob_auto(ob_layer_index) scanned = NULL;
		ob_auto(ob_reader) packed = NULL;
		ob_auto(ob_reader) reader = NULL;
		uint8_t sha256[OB_SHA256_LEN];

		T_LAYER(&options, &blob, &result, EVERYTHING);
		assert_string_equal(result.descriptor.media_type, ob_media_layer(kinds[i]));
		assert_int_equal(result.descriptor.size, blob.len);
		ob_sha256(blob.data, blob.len, sha256);
		assert_memory_equal(result.descriptor.digest.bytes, sha256, sizeof(sha256));
		ASSERT_OK(ob_reader_open_memory(blob.data, blob.len, &packed, &t_err));
		ASSERT_OK(ob_reader_open_decompress(ob_take_ptr(packed), &reader, &t_err));
		ASSERT_OK(ob_layer_index_scan(reader, "layer", &scanned, &t_err));
		t_assert_index_equal(scanned, result.index);
		assert_int_equal(scanned->len, 12);
	}
}

/* The index that is hidden in the blob is the one that came out beside it. */
static void assert_hidden_index(const ob_buffer *blob, const ob_layer_result *result,
				ob_compression kind)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "an index");
	ob_auto(ob_layer_index) hidden = NULL;
	const ob_descriptor *d = &result->descriptor;
	uint64_t offset, size;
	ob_digest digest;

	assert_true(ob_parse_u64(ob_descriptor_annotation(d, OB_ANNOTATION_INDEX_OFFSET), 10,
				 blob->len, &offset));
	assert_true(ob_parse_u64(ob_descriptor_annotation(d, OB_ANNOTATION_INDEX_SIZE), 10,
				 blob->len, &size));
	assert_int_equal(offset + size, blob->len);
	ASSERT_OK(ob_hidden_read(blob->data + offset, size, kind, &document, &t_err));
	ob_digest_of(&digest, document.data, document.len);
	assert_string_equal(digest.text, ob_descriptor_annotation(d, OB_ANNOTATION_INDEX_DIGEST));
	ASSERT_OK(ob_layer_index_parse(document.data, document.len, &hidden, &t_err));
	t_assert_index_equal(hidden, result->index);
	assert_int_equal(hidden->compression, kind);
	assert_int_equal(hidden->members.len, result->index->members.len);
}

TEST(layer_writer__hides_its_index_in_the_blob)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		const ob_layer_writer_options with = {.compression = kinds[i]};
		const ob_layer_writer_options without = {.compression = kinds[i],
							 .no_hidden_index = true};
		ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(OB_MIB, "a blob");
		ob_autodone(ob_buffer) bare = OB_BUFFER_INIT(OB_MIB, "a blob");
		ob_autodone(ob_layer_result) result = {.index = NULL}, other = {.index = NULL};

		T_LAYER(&with, &blob, &result, EVERYTHING);
		assert_hidden_index(&blob, &result, kinds[i]);
		T_LAYER(&without, &bare, &other, EVERYTHING);
		assert_int_equal(other.descriptor.annotations.len, 0);
		assert_true(bare.len < blob.len);
		assert_true(ob_digest_eq(&result.diff_id, &other.diff_id));
	}
}

/* Some files of noise around the sizes of blocks and members; content from a descriptor. */
static void write_large_layer(uint32_t threads, ob_compression kind, ob_layer_result *result)
{
	const ob_layer_writer_options options = {.compression = kind, .threads = threads};
	ob_autofree char *path = ob_str_printf("%s/noise", t_temp_dir());
	ob_autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ob_auto(ob_layer_writer) writer = NULL;
	ob_autofree uint8_t *noise = malloc(3 * OB_MIB);
	ob_auto(ob_writer) null = NULL;
	uint32_t state = 7;

	assert_true(fd >= 0);
	for (size_t i = 0; i < 3 * OB_MIB; i++)
		noise[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> (i % 3 ? 30 : 24));
	assert_int_equal(ob_write_full(fd, noise, 3 * OB_MIB), 0);
	ASSERT_OK(ob_writer_open_null(&null, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, null, &writer, &t_err));
	for (unsigned i = 0; i < 7; i++) {
		ob_autodone(ob_entry) entry = {.type = OB_ENTRY_FILE,
					       .path = ob_str_printf("f%02u", i),
					       .size = 3 * OB_MIB - i * 37};

		assert_int_equal(ftruncate(fd, (off_t)entry.size), 0);
		ASSERT_OK(ob_layer_writer_add_fd(writer, &entry, fd, &t_err));
	}
	assert_int_equal(ob_layer_writer_entries(writer), 7);
	ASSERT_OK(ob_layer_writer_finish(writer, result, &t_err));
	uint8_t sha256[OB_SHA256_LEN];
	ob_sha256(noise, 3 * OB_MIB, sha256);
	assert_memory_equal(result->index->entries[0].digest, sha256, sizeof(sha256));
}

TEST(layer_writer__bytes_are_the_same_for_any_number_of_threads)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_GZIP,
					       OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		ob_autodone(ob_layer_result) one = {.index = NULL};

		write_large_layer(1, kinds[i], &one);
		for (uint32_t threads = 2; threads <= 7; threads += 5) {
			ob_autodone(ob_layer_result) many = {.index = NULL};

			write_large_layer(threads, kinds[i], &many);
			assert_string_equal(many.diff_id.text, one.diff_id.text);
			assert_string_equal(many.descriptor.digest.text,
					    one.descriptor.digest.text);
		}
	}
}

TEST(layer_writer__clamps_times)
{
	const ob_layer_writer_options options = {
		.compression = OB_COMPRESSION_NONE, .clamp = true, .clamp_sec = 1000};
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(OB_MIB, "a blob");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_autodone(ob_entry) old = {
		.path = strdup("b"), .type = OB_ENTRY_DIR, .mtime_sec = 999, .mtime_nsec = 5};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(&blob, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, to, &writer, &t_err));
	ASSERT_OK(t_add(writer, "d a", &t_err));
	ASSERT_OK(ob_layer_writer_add(writer, &old, NULL, &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	assert_true(result.index->entries[0].mtime_sec == 1000);
	assert_true(result.index->entries[1].mtime_sec == 999);
	assert_int_equal(result.index->entries[1].mtime_nsec, 0);
}

TEST(layer_writer__a_known_digest_is_taken_as_it_is)
{
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(OB_MIB, "a blob");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_autodone(ob_entry) entry = {.path = strdup("a"),
				       .type = OB_ENTRY_FILE,
				       .size = 2,
				       .has_digest = true,
				       .digest = {1, 2, 3}};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_reader) content = NULL;
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(&blob, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&plain, to, &writer, &t_err));
	ASSERT_OK(ob_reader_open_memory("hi", 2, &content, &t_err));
	ASSERT_OK(ob_layer_writer_add(writer, &entry, content, &t_err));
	ASSERT_OK(t_add(writer, "f b 0644 hi", &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	uint8_t sha256[OB_SHA256_LEN];
	ob_sha256("hi", 2, sha256);
	assert_memory_equal(result.index->entries[0].digest, entry.digest, sizeof(sha256));
	assert_memory_equal(result.index->entries[1].digest, sha256, sizeof(sha256));
}

static void assert_second_refused(const char *first, const char *second, ocib_errc code,
				  const char *text)
{
	ob_auto(ob_layer_writer) writer = NULL;
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_auto(ob_writer) null = NULL;

	ASSERT_OK(ob_writer_open_null(&null, &t_err));
	ASSERT_OK(ob_layer_writer_open(&plain, null, &writer, &t_err));
	ASSERT_OK(t_add(writer, first, &t_err));
	ASSERT_ERROR(t_add(writer, second, &t_err), code, text);
	/* Nothing of it was written: the layer can go on. */
	ASSERT_OK(t_add(writer, "f zzz", &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	assert_int_equal(result.index->len, 2);
}

TEST(layer_writer__refuses_entries_out_of_order)
{
	assert_second_refused("d b", "d a", OCIB_ERR_INVALID, "'a' is out of order");
	assert_second_refused("d b", "d b", OCIB_ERR_INVALID, "out of order");
	assert_second_refused("f a-", "f a/b", OCIB_ERR_INVALID, "out of order");
	assert_second_refused("o b", "d b", OCIB_ERR_INVALID, "out of order");
	assert_second_refused("f b", "f b/c", OCIB_ERR_INVALID, "below what is no directory");
	assert_second_refused("l b x", "o b", OCIB_ERR_INVALID, "below what is no directory");
	assert_second_refused("f a", "h b c", OCIB_ERR_INVALID, "'c', which is not before it");
	assert_second_refused("d a", "h b a", OCIB_ERR_INVALID, "'a', which is not before it");
	assert_second_refused("d .", "f .wh.b", OCIB_ERR_UNSUPPORTED, "mean deletions");
}

/* Content that is not as long as it should be. */
static void assert_changed(const char *content, uint64_t size, bool by_fd, const char *text)
{
	ob_autofree char *path = ob_str_printf("%s/f", t_temp_dir());
	ob_autodone(ob_entry) entry = {.path = strdup("f"), .type = OB_ENTRY_FILE, .size = size};
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_reader) reader = NULL;
	ob_auto(ob_writer) null = NULL;

	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, path, content, strlen(content), 0600, &t_err));
	ob_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_OK(ob_reader_open_memory(content, strlen(content), &reader, &t_err));
	ASSERT_OK(ob_writer_open_null(&null, &t_err));
	ASSERT_OK(ob_layer_writer_open(&plain, null, &writer, &t_err));
	ASSERT_ERROR(by_fd ? ob_layer_writer_add_fd(writer, &entry, fd, &t_err)
			   : ob_layer_writer_add(writer, &entry, reader, &t_err),
		     OCIB_ERR_CORRUPT, text);
	ASSERT_ERROR(ob_layer_writer_finish(writer, &result, &t_err), OCIB_ERR_INVALID, "broken");
}

TEST(layer_writer__refuses_content_of_another_length)
{
	for (int by_fd = 0; by_fd <= 1; by_fd++) {
		assert_changed("12345", 6, by_fd, "'f': shorter than its 6 bytes");
		assert_changed("", 1, by_fd, "shorter");
		assert_changed("12345", 4, by_fd, "'f': longer than its 4 bytes");
		assert_changed("1", 0, by_fd, "longer");
	}
}

/* A writer that fails after some bytes. */
typedef struct failing_writer {
	ob_writer base;
	size_t left;
} failing_writer;

static ocib_errc write_until_full(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	failing_writer *w = (failing_writer *)self;

	(void)data;
	if (len > w->left)
		return ob_fail(err, OCIB_ERR_SYSTEM, "no space left");
	w->left -= len;
	return OCIB_OK;
}

TEST(layer_writer__a_full_disk_comes_out_as_itself)
{
	static const ob_writer_ops ops = {.write = write_until_full};

	for (uint32_t threads = 1; threads <= 2; threads++) {
		for (size_t room = 0; room < 20 * OB_MIB; room += 3 * OB_MIB) {
			const ob_layer_writer_options options = {.compression = OB_COMPRESSION_NONE,
								 .threads = threads};
			failing_writer full = {.base.ops = &ops, .left = room};
			ob_autofree char *zeros = calloc(1, 23 * OB_MIB);
			ob_autodone(ob_entry) entry = {
				.path = strdup("f"), .type = OB_ENTRY_FILE, .size = 23 * OB_MIB};
			ob_autodone(ob_layer_result) result = {.index = NULL};
			ob_auto(ob_layer_writer) writer = NULL;
			ob_auto(ob_reader) content = NULL;

			ASSERT_OK(ob_reader_open_memory(zeros, entry.size, &content, &t_err));
			ASSERT_OK(ob_layer_writer_open(&options, &full.base, &writer, &t_err));
			ocib_errc r = ob_layer_writer_add(writer, &entry, content, &t_err);
			if (!r)
				r = ob_layer_writer_finish(writer, &result, &t_err);
			ASSERT_ERROR(r, OCIB_ERR_SYSTEM, "no space left");
		}
	}
}

TEST(write_behind__writes_everything_in_order_from_another_thread)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(64 * OB_MIB, "what came");
	ob_auto(ob_writer) to = NULL;
	ob_auto(ob_write_behind) behind = NULL;

	ASSERT_OK(ob_writer_open_buffer(&got, &to, &t_err));
	ASSERT_OK(ob_write_behind_new(to, true, &behind, &t_err));
	for (uint32_t i = 0; i < 3000000; i++)
		ASSERT_OK(ob_write_behind_write(behind, &i, sizeof(i), &t_err));
	ASSERT_OK(ob_write_behind_finish(behind, &t_err));
	assert_int_equal(got.len, 12000000);
	for (uint32_t i = 0; i < 3000000; i++)
		assert_memory_equal(got.data + i * sizeof(i), &i, sizeof(i));
}

TEST(write_behind__may_be_dropped_with_work_left)
{
	ob_auto(ob_writer) null = NULL;
	ob_auto(ob_write_behind) behind = NULL;
	ob_autofree char *zeros = calloc(1, 10 * OB_MIB);

	ASSERT_OK(ob_writer_open_null(&null, &t_err));
	ASSERT_OK(ob_write_behind_new(null, true, &behind, &t_err));
	ASSERT_OK(ob_write_behind_write(behind, zeros, 10 * OB_MIB, &t_err));
}
