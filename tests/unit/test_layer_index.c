/* tests/unit/test_layer_index.c — the index in memory and as a document. */
#include "layer_fixture.h"
#include <time.h>
#include "layer/layer_index_codec.h"

static void format(const ob_layer_index *index, ob_buffer *out)
{
	ASSERT_OK(ob_layer_index_format(index, out, &t_err));
}

static ob_layer_index *parse(const ob_buffer *document)
{
	ob_layer_index *index = NULL;

	ASSERT_OK(ob_layer_index_parse(document->data, document->len, &index, &t_err));
	return index;
}

TEST(index__finds_by_path)
{
	ob_auto(ob_layer_index) index =
		T_INDEX("d a", "o a", "w a/b", "w c", "d c", "f c/d", "f e", "w f");

	assert_int_equal(ob_layer_index_find(index, "a")->type, OB_ENTRY_DIR);
	assert_int_equal(ob_layer_index_find(index, "a/b")->type, OB_ENTRY_WHITEOUT);
	assert_int_equal(ob_layer_index_find(index, "c")->type, OB_ENTRY_DIR);
	assert_int_equal(ob_layer_index_find(index, "f")->type, OB_ENTRY_WHITEOUT);
	assert_null(ob_layer_index_find(index, ""));
	assert_null(ob_layer_index_find(index, "c/dd"));
	assert_null(ob_layer_index_find(index, "zz"));
}

TEST(index__subtree_is_a_range)
{
	ob_auto(ob_layer_index) index =
		T_INDEX("d a", "f a/1", "f a/2", "f a/3", "f a/4", "f a/5", "f a-", "f a0", "f b");

	for (size_t from = 0; from <= 6; from++)
		assert_int_equal(ob_layer_index_subtree_end(index, from, "a"), 6);
	assert_int_equal(ob_layer_index_subtree_end(index, 8, "b"), 9);
	assert_int_equal(ob_layer_index_subtree_end(index, 9, "b"), 9);
	assert_int_equal(ob_layer_index_subtree_end(index, 0, ""), 9);
	assert_int_equal(ob_layer_index_lower_bound(index, "a/3"), 3);
	assert_int_equal(ob_layer_index_lower_bound(index, "a/33"), 4);
	assert_int_equal(ob_layer_index_lower_bound(index, "zz"), 9);
}

TEST(index__later_of_two_entries_wins)
{
	ob_auto(ob_layer_index) index =
		T_INDEX("f a 0600", "d b 0700", "f b/x", "f a 0640", "d b 0711", "f a 0644");

	assert_int_equal(index->len, 3);
	assert_int_equal(ob_layer_index_find(index, "a")->mode, 0644);
	assert_int_equal(ob_layer_index_find(index, "b")->mode, 0711);
}

TEST(index__path_that_is_directory_and_something_else_is_refused)
{
	static const char *const layers[][4] = {
		{"d a", "l a /etc", "f a/passwd", NULL}, /* a directory swapped for a link midway */
		{"l a /etc", "f a/passwd", NULL},
		{"f a", "o a", NULL},
		{"f a", "w a/b", NULL},
		{"l a b", "d a", NULL},
		{"f a", "f a-b", "d a", NULL},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(layers); i++) {
		ob_auto(ob_layer_index) index = ob_layer_index_new();

		for (size_t k = 0; k < 4 && layers[i][k]; k++) {
			ob_autofree char *content = NULL;
			ob_entry entry;

			t_parse_entry(layers[i][k], &entry, &content);
			entry.tar_offset = k * 512;
			assert_int_equal(ob_layer_index_take(index, &entry), 0);
		}
		ASSERT_ERROR(ob_layer_index_settle(index, &t_err), OCIB_ERR_CORRUPT,
			     "'a' is a directory and something else");
	}
}

/* One of everything, with values at the ends of their ranges. */
static ob_layer_index *rich_index(void)
{
	ob_layer_index *index =
		T_INDEX("d .", "o .", "w bin", "d bin 01777", "f bin/a 04755 hello", "f bin/b",
			"h bin/c bin/a", "l bin/d ../x", "c dev/null 1 3", "b dev/sda 8 1048575",
			"p fifo", "f \xff\xfe\x01");
	ob_entry *a = &index->entries[4];

	assert_string_equal(a->path, "bin/a");
	a->uid = UINT32_MAX;
	a->gid = 65536;
	a->mtime_sec = INT64_MIN;
	a->mtime_nsec = 999999999;
	a->has_digest = true;
	memset(a->digest, 0xa5, sizeof(a->digest));
	a->data_offset = a->tar_offset + 1536;
	assert_int_equal(ob_entry_add_xattr(a, "user.x", "\0\1\xff", 3), 0);
	assert_int_equal(ob_entry_add_xattr(a, "user.empty", "", 0), 0);
	index->entries[5].mtime_sec = INT64_MAX;
	index->entries[6].tar_offset = 0; /* a foreign tar in another order */
	index->compression = OB_COMPRESSION_ZSTD;
	index->members.items = calloc(3, sizeof(ob_member));
	index->members.items[1] = (ob_member){1000, 4096};
	index->members.items[2] = (ob_member){1500, index->tar_size};
	index->members.len = 3;
	return index;
}

TEST(index__parse_gives_back_what_was_formatted)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "index");
	ob_autodone(ob_buffer) again = OB_BUFFER_INIT(OB_MIB, "index");
	ob_auto(ob_layer_index) index = rich_index();

	format(index, &document);
	ob_auto(ob_layer_index) parsed = parse(&document);
	t_assert_index_equal(parsed, index);
	assert_int_equal(parsed->compression, OB_COMPRESSION_ZSTD);
	assert_int_equal(parsed->members.len, 3);
	assert_memory_equal(parsed->members.items, index->members.items, 3 * sizeof(ob_member));
	format(parsed, &again);
	assert_int_equal(again.len, document.len);
	assert_memory_equal(again.data, document.data, document.len);
}

TEST(index__empty_one_is_a_document_too)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "index");
	ob_auto(ob_layer_index) index = ob_layer_index_new();

	format(index, &document);
	ob_auto(ob_layer_index) parsed = parse(&document);
	assert_int_equal(parsed->len, 0);
}

/* The payload of a document, and a document of a payload. */
static void unwrap(const ob_buffer *document, ob_buffer *payload)
{
	ASSERT_OK(ob_zstd_unpack(document->data + OB_INDEX_HEAD_LEN,
				 document->len - OB_INDEX_HEAD_LEN, payload, &t_err));
}

static ocib_errc parse_payload(const void *payload, size_t len, ocib_error **err)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "index");
	ob_auto(ob_layer_index) index = NULL;

	ob_buffer_append(&document, OB_INDEX_MAGIC, OB_INDEX_HEAD_LEN);
	ASSERT_OK(ob_zstd_pack(payload, len, 0, &document, &t_err));
	return ob_layer_index_parse(document.data, document.len, &index, err);
}

TEST(index__every_prefix_is_refused)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "index");
	ob_autodone(ob_buffer) payload = OB_BUFFER_INIT(OB_MIB, "index");
	ob_auto(ob_layer_index) index = rich_index();

	format(index, &document);
	unwrap(&document, &payload);
	ASSERT_OK(parse_payload(payload.data, payload.len, &t_err));
	for (size_t len = 0; len < payload.len; len++) {
		ob_auto(ocib_error) err = NULL;

		assert_int_equal(parse_payload(payload.data, len, &err), OCIB_ERR_CORRUPT);
	}
	ob_buffer_append_char(&payload, 0);
	ASSERT_ERROR(parse_payload(payload.data, payload.len, &t_err), OCIB_ERR_CORRUPT, "end");
}

TEST(index__damage_never_crashes)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_MIB, "index");
	ob_autodone(ob_buffer) payload = OB_BUFFER_INIT(OB_MIB, "index");
	ob_auto(ob_layer_index) index = rich_index();

	format(index, &document);
	unwrap(&document, &payload);
	for (size_t i = 0; i < payload.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			ob_auto(ocib_error) err = NULL;

			payload.data[i] = (char)(payload.data[i] ^ (1 << bit));
			(void)parse_payload(payload.data, payload.len, &err);
			payload.data[i] = (char)(payload.data[i] ^ (1 << bit));
		}
	}
}

/* A payload of one entry or more, written by hand. */
#define PAYLOAD(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define HEAD(count)  0x80, 0x80, 1 /* tar of 16 KiB */, 2 /* not packed */, 0, count
#define DIR_AT(shared, len, ...) \
	OB_ENTRY_DIR | OB_INDEX_TAG_SAME, shared, len __VA_OPT__(, ) __VA_ARGS__, 0, 0

TEST(index__what_an_index_may_not_say_is_refused)
{
	ASSERT_OK(parse_payload(PAYLOAD(HEAD(2), DIR_AT(0, 1, 'a'), DIR_AT(0, 1, 'b')), &t_err));
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(2), DIR_AT(0, 1, 'b'), DIR_AT(0, 1, 'a')), &t_err),
		     OCIB_ERR_CORRUPT, "order");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(2), DIR_AT(0, 1, 'a'), DIR_AT(1, 0)), &t_err),
		     OCIB_ERR_CORRUPT, "order");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(1, 1, 'a')), &t_err), OCIB_ERR_CORRUPT,
		     "prefix");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(0, 1, '/')), &t_err), OCIB_ERR_CORRUPT,
		     "path");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(0, 2, 'a', '/')), &t_err),
		     OCIB_ERR_CORRUPT, "path");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(0, 2, '.', '.')), &t_err),
		     OCIB_ERR_CORRUPT, "path");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(0, 5, '.', 'w', 'h', '.', 'a')), &t_err),
		     OCIB_ERR_CORRUPT, "path");
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(1), DIR_AT(0, 2, 'a', 0)), &t_err),
		     OCIB_ERR_CORRUPT, "NUL");
	/* "a" a fifo, and then something below it */
	ASSERT_ERROR(parse_payload(PAYLOAD(HEAD(2), OB_ENTRY_FIFO | OB_INDEX_TAG_SAME, 0, 1, 'a', 0,
					   0, DIR_AT(1, 2, '/', 'b')),
				   &t_err),
		     OCIB_ERR_CORRUPT, "directory and something else");
}

TEST(index__other_documents_are_refused)
{
	ob_layer_index *index = NULL;

	ASSERT_ERROR(ob_layer_index_parse("", 0, &index, &t_err), OCIB_ERR_CORRUPT, "layer index");
	ASSERT_ERROR(ob_layer_index_parse("OBLI\2....", 9, &index, &t_err), OCIB_ERR_CORRUPT,
		     "version");
	ASSERT_ERROR(ob_layer_index_parse("OBLI\1....", 9, &index, &t_err), OCIB_ERR_CORRUPT,
		     "layer index");
}

TEST(index__small_document_that_claims_to_be_large_is_refused)
{
	/* A zstd frame of 13 bytes whose header says one gigabyte. */
	static const char document[] = "OBLI\1\x28\xb5\x2f\xfd\x80\x67\x2f\x68\x80\x3e\x6d\xfa";
	ob_layer_index *index = NULL;

	ASSERT_ERROR(ob_layer_index_parse(document, sizeof(document) - 1, &index, &t_err),
		     OCIB_ERR_LIMIT, "layer index");
}

/* A tree as a language's packages make it. */
static ob_layer_index *large_index(size_t count)
{
	ob_layer_index *index = ob_layer_index_new();

	for (size_t i = 0; i < count; i++) {
		ob_entry entry = {
			.path = ob_str_printf(
				"usr/lib/python3/dist-packages/p%03zu/m%02zu/file%zu.py", i / 1000,
				i / 50 % 20, i),
			.type = OB_ENTRY_FILE,
			.mode = 0644,
			.size = i * 37 % 9001,
			.mtime_sec = 1700000000 + (int64_t)(i % 977),
			.has_digest = true,
			.tar_offset = i * 16384,
			.data_offset = i * 37 % 9001 ? i * 16384 + 512 : 0,
		};

		ob_sha256(&i, sizeof(i), entry.digest);
		assert_int_equal(ob_layer_index_take(index, &entry), 0);
	}
	index->tar_size = count * 16384;
	ob_layer_index_sort(index);
	return index;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

TEST(index__hundred_thousand_entries_are_small_and_quick)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(64 * OB_MIB, "index");
	ob_auto(ob_layer_index) index = large_index(100000);
	double begin = seconds();

	format(index, &document);
	double middle = seconds();
	ob_auto(ob_layer_index) parsed = parse(&document);
	print_message("format %.1f ms, parse %.1f ms, %zu bytes\n", 1e3 * (middle - begin),
		      1e3 * (seconds() - middle), document.len);
	t_assert_index_equal(parsed, index);
	/* A digest is 32 bytes; all the rest of an entry should not be another 16. */
	assert_in_range(document.len, 0, 100000 * 48);
}
