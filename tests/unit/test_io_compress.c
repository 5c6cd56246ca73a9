/* tests/unit/test_io_compress.c — packing, unpacking, member tables, hidden data. */
#include "harness.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "io/compress.h"

#define PACKED_MAX (64 * OB_MIB)

/* Text-like bytes that pack somewhat, the same every time. */
static char *sample(size_t len)
{
	char *data = malloc(len + 1);
	uint32_t state = 12345;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		data[i] = state >> 28 ? (char)('a' + (i / 7 + (state >> 24)) % 20)
				      : (char)(state >> 16);
	}
	return data;
}

/* Written in uneven pieces, so that blocks and writes never line up. */
static void pack(ob_buffer *out, const char *data, size_t len, ob_compression kind, int level,
		 uint32_t threads, ob_member_table *table)
{
	ob_auto(ob_writer) end = NULL;
	ob_auto(ob_compress_writer) w = NULL;

	ASSERT_OK(ob_writer_open_buffer(out, &end, &t_err));
	ASSERT_OK(ob_compress_writer_new(end, kind, level, threads, &w, &t_err));
	for (size_t at = 0, step = 1; at < len; at += step, step = step * 3 % 700001 + 1)
		ASSERT_OK(ob_writer_write(ob_compress_writer_base(w), data + at,
					  len - at < step ? len - at : step, &t_err));
	ASSERT_OK(ob_writer_finish(ob_compress_writer_base(w), &t_err));
	if (table)
		*table = ob_compress_writer_take_table(w);
}

/* A reader that gives one byte at a time, for every boundary there is. */
typedef struct drip {
	ob_reader base;
	const char *data;
	size_t left, step;
} drip;

static ocib_errc drip_read(ob_reader *self, void *to, size_t cap, size_t *got, ocib_error **err)
{
	drip *d = (drip *)self;

	(void)err;
	*got = d->step < cap ? d->step : cap;
	if (*got > d->left)
		*got = d->left;
	if (*got)
		memcpy(to, d->data, *got);
	d->data += *got;
	d->left -= *got;
	return OCIB_OK;
}

static void drip_destroy(ob_reader *self)
{
	free(self);
}

static ob_reader *drip_new(const char *data, size_t len, size_t step)
{
	static const ob_reader_ops ops = {drip_read, drip_destroy};
	drip *d = malloc(sizeof(*d));

	assert_non_null(d);
	*d = (drip){{&ops}, data, len, step};
	return &d->base;
}

static ocib_errc unpack(const char *packed, size_t len, size_t step, ob_buffer *out)
{
	ob_auto(ob_reader) r = NULL;
	ocib_errc rc = ob_reader_open_decompress(drip_new(packed, len, step), &r, &t_err);

	return rc ? rc : ob_reader_read_all(r, out, &t_err);
}

static const size_t sizes[] = {0,
			       1,
			       1000,
			       OB_MEMBER_GZIP - 1,
			       OB_MEMBER_GZIP,
			       OB_MEMBER_GZIP + 1,
			       5 * OB_MEMBER_GZIP + 77,
			       2 * OB_MEMBER_ZSTD,
			       3 * OB_MEMBER_ZSTD + 5};

static void check_round_trip(ob_compression kind, int level)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(sizes); i++) {
		ob_autofree char *data = sample(sizes[i]);
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

		pack(&packed, data, sizes[i], kind, level, 2, NULL);
		ASSERT_OK(unpack(packed.data, packed.len, 1 << 20, &back));
		assert_int_equal(back.len, sizes[i]);
		assert_true(sizes[i] == 0 || memcmp(back.data, data, sizes[i]) == 0);
	}
}

TEST(compress__gzip_comes_back)
{
	check_round_trip(OB_COMPRESSION_GZIP, 0);
}

TEST(compress__gzip_by_zlib_comes_back)
{
	check_round_trip(OB_COMPRESSION_GZIP, 6);
}

TEST(compress__zstd_comes_back)
{
	check_round_trip(OB_COMPRESSION_ZSTD, 0);
}

TEST(compress__none_passes_through)
{
	check_round_trip(OB_COMPRESSION_NONE, 0);
}

TEST(compress__same_bytes_for_any_number_of_threads)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};
	size_t len = 9 * OB_MEMBER_GZIP + 3;
	ob_autofree char *data = sample(len);

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++) {
		ob_autodone(ob_buffer) one = OB_BUFFER_INIT(PACKED_MAX, "one");

		pack(&one, data, len, kinds[k], 0, 1, NULL);
		for (uint32_t threads = 0; threads <= 7; threads += threads < 2 ? 2 : 5) {
			ob_autodone(ob_buffer) many = OB_BUFFER_INIT(PACKED_MAX, "many");

			pack(&many, data, len, kinds[k], 0, threads, NULL);
			assert_int_equal(many.len, one.len);
			assert_memory_equal(many.data, one.data, one.len);
		}
	}
}

TEST(compress__incompressible_data_has_room)
{
	size_t len = 3 * OB_MEMBER_GZIP;
	ob_autofree char *data = malloc(len);
	uint64_t state = 88172645463325252ULL;

	for (size_t i = 0; i < len; i++) {
		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		data[i] = (char)(state >> 32);
	}
	for (int level = 0; level <= 9; level += 3) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

		pack(&packed, data, len, OB_COMPRESSION_GZIP, level, 2, NULL);
		ASSERT_OK(unpack(packed.data, packed.len, 4096, &back));
		assert_memory_equal(back.data, data, len);
	}
}

TEST(compress__header_says_neither_time_nor_name)
{
	for (int level = 0; level <= 9; level++) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");

		pack(&packed, "x", 1, OB_COMPRESSION_GZIP, level, 1, NULL);
		assert_memory_equal(packed.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
	}
}

TEST(compress__levels_out_of_range_are_refused)
{
	ob_auto(ob_writer) end = NULL;
	ob_compress_writer *w = NULL;

	ASSERT_OK(ob_writer_open_null(&end, &t_err));
	ASSERT_ERROR(ob_compress_writer_new(end, OB_COMPRESSION_GZIP, 10, 1, &w, &t_err),
		     OCIB_ERR_INVALID, "levels 0 to 9");
	ASSERT_ERROR(ob_compress_writer_new(end, OB_COMPRESSION_ZSTD, 99, 1, &w, &t_err),
		     OCIB_ERR_INVALID, "zstd has levels");
}

static ocib_errc refuse(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	(void)self, (void)data, (void)len;
	return ob_fail(err, OCIB_ERR_SYSTEM, "disk full");
}

static void nothing(ob_writer *self)
{
	(void)self;
}

TEST(compress__failure_below_comes_up_with_threads_running)
{
	static const ob_writer_ops ops = {refuse, NULL, nothing};
	ob_writer full = {&ops};
	ob_auto(ob_compress_writer) w = NULL;
	ob_autofree char *data = sample(4 * OB_MEMBER_GZIP);
	ocib_errc r = OCIB_OK;

	ASSERT_OK(ob_compress_writer_new(&full, OB_COMPRESSION_GZIP, 0, 2, &w, &t_err));
	for (int i = 0; i < 20 && r == OCIB_OK; i++)
		r = ob_writer_write(ob_compress_writer_base(w), data, 4 * OB_MEMBER_GZIP, &t_err);
	ASSERT_ERROR(r, OCIB_ERR_SYSTEM, "disk full");
}

TEST(decompress__any_cut_of_the_input)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};
	ob_autofree char *data = sample(30000);

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_auto(ob_writer) end = NULL;

		/* Three members and hidden data between and behind. */
		ASSERT_OK(ob_writer_open_buffer(&packed, &end, &t_err));
		pack(&packed, data, 10000, kinds[k], 0, 1, NULL);
		ASSERT_OK(ob_hidden_write(end, kinds[k], "secret", 6, &t_err));
		pack(&packed, data + 10000, 0, kinds[k], 0, 1, NULL);
		pack(&packed, data + 10000, 20000, kinds[k], 0, 1, NULL);
		ASSERT_OK(ob_hidden_write(end, kinds[k], data, 30000, &t_err));
		for (size_t step = 1; step < 20; step++) {
			ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

			ASSERT_OK(unpack(packed.data, packed.len, step, &back));
			assert_int_equal(back.len, 30000);
			assert_memory_equal(back.data, data, 30000);
		}
	}
}

TEST(decompress__small_reads)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
	ob_auto(ob_reader) r = NULL;
	ob_autofree char *data = sample(5000);

	pack(&packed, data, 5000, OB_COMPRESSION_GZIP, 0, 1, NULL);
	ASSERT_OK(ob_reader_open_decompress(drip_new(packed.data, packed.len, 7), &r, &t_err));
	for (size_t i = 0; i < 5000; i++) {
		size_t got = 0;
		char c;

		ASSERT_OK(ob_reader_read(r, &c, 1, &got, &t_err));
		assert_int_equal(got, 1);
		assert_int_equal(c, data[i]);
	}
	for (int i = 0; i < 2; i++) {
		size_t got = 9;
		char c;

		ASSERT_OK(ob_reader_read(r, &c, 1, &got, &t_err));
		assert_int_equal(got, 0);
	}
}

TEST(decompress__every_truncation_and_garbage_is_corrupt)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_autofree char *data = sample(300);

		pack(&packed, data, 300, kinds[k], 0, 1, NULL);
		for (size_t len = 6; len < packed.len; len++) {
			ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

			assert_int_equal(unpack(packed.data, len, 4096, &back), OCIB_ERR_CORRUPT);
			t_err = ocib_error_free(t_err);
		}
		ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");
		ob_buffer_append_str(&packed, "this is no member");
		assert_int_equal(unpack(packed.data, packed.len, 4096, &back), OCIB_ERR_CORRUPT);
		t_err = ocib_error_free(t_err);
	}
}

TEST(decompress__gzip_checksum_is_checked)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
	ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

	pack(&packed, "hello", 5, OB_COMPRESSION_GZIP, 0, 1, NULL);
	packed.data[packed.len - 8] = (char)~packed.data[packed.len - 8];
	ASSERT_ERROR(unpack(packed.data, packed.len, 4096, &back), OCIB_ERR_CORRUPT, "gzip");
}

TEST(decompress__bombs_end_early)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_ZSTD};
	size_t len = OB_LIMIT_EXPANSION_FREE + 32 * OB_MIB;
	ob_autofree char *zeros = calloc(1, len);

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_auto(ob_reader) r = NULL;

		pack(&packed, zeros, len, kinds[k], 0, 2, NULL);
		ASSERT_OK(ob_reader_open_decompress(drip_new(packed.data, packed.len, 1 << 20), &r,
						    &t_err));
		ASSERT_ERROR(ob_reader_skip(r, len, &t_err), OCIB_ERR_LIMIT, "2000 times");
	}
}

TEST(detect__by_the_first_bytes)
{
	assert_int_equal(ob_compression_detect("\x1f\x8b\x08", 3), OB_COMPRESSION_GZIP);
	assert_int_equal(ob_compression_detect("\x1f\x8b", 2), OB_COMPRESSION_NONE);
	assert_int_equal(ob_compression_detect("\x28\xb5\x2f\xfd", 4), OB_COMPRESSION_ZSTD);
	assert_int_equal(ob_compression_detect("\x50\x2a\x4d\x18", 4), OB_COMPRESSION_ZSTD);
	assert_int_equal(ob_compression_detect("etc/", 4), OB_COMPRESSION_NONE);
	assert_int_equal(ob_compression_detect("", 0), OB_COMPRESSION_NONE);
}

static int packed_file(const ob_buffer *packed)
{
	int fd = open(t_temp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ob_write_full(fd, packed->data, packed->len), 0);
	return fd;
}

static void check_range(int fd, ob_compression kind, const ob_member_table *table, const char *data,
			size_t total, uint64_t offset, uint64_t len, uint32_t threads)
{
	ob_auto(ob_reader) r = NULL;
	ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");
	size_t begin = offset < total ? (size_t)offset : total;
	size_t want = len < total - begin ? (size_t)len : total - begin;

	ASSERT_OK(ob_reader_open_members(fd, kind, table, offset, len, threads, &r, &t_err));
	ASSERT_OK(ob_reader_read_all(r, &back, &t_err));
	assert_int_equal(back.len, want);
	assert_true(!want || memcmp(back.data, data + begin, want) == 0);
}

TEST(members__any_range_on_any_number_of_threads)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};
	static const uint32_t threads[] = {1, 2, 5};
	const uint64_t m = OB_MEMBER_GZIP;
	size_t total = 9 * OB_MEMBER_GZIP + 100;
	ob_autofree char *data = sample(total);

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++) {
		ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
		ob_autodone(ob_member_table) table = {0};

		pack(&packed, data, total, kinds[k], 0, 2, &table);
		assert_int_equal(table.items[table.len - 1].packed, packed.len);
		assert_int_equal(table.items[table.len - 1].unpacked, total);
		ob_autofd int fd = packed_file(&packed);
		for (size_t t = 0; t < OB_ARRAY_LEN(threads); t++) {
			check_range(fd, kinds[k], &table, data, total, 0, UINT64_MAX, threads[t]);
			check_range(fd, kinds[k], &table, data, total, m - 1, 2, threads[t]);
			check_range(fd, kinds[k], &table, data, total, m, m, threads[t]);
			check_range(fd, kinds[k], &table, data, total, 3 * m + 5, 4 * m,
				    threads[t]);
			check_range(fd, kinds[k], &table, data, total, total - 1, 10, threads[t]);
			check_range(fd, kinds[k], &table, data, total, total, 10, threads[t]);
			check_range(fd, kinds[k], &table, data, total, UINT64_MAX, 10, threads[t]);
			check_range(fd, kinds[k], &table, data, total, 7, 0, threads[t]);
		}
	}
}

TEST(members__stopping_early_is_fine)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
	ob_autodone(ob_member_table) table = {0};
	ob_autofree char *data = sample(8 * OB_MEMBER_GZIP);
	char c;
	size_t got;

	pack(&packed, data, 8 * OB_MEMBER_GZIP, OB_COMPRESSION_GZIP, 0, 2, &table);
	ob_autofd int fd = packed_file(&packed);
	ob_auto(ob_reader) r = NULL; /* last, so that it is freed before its file is closed */
	ASSERT_OK(ob_reader_open_members(fd, OB_COMPRESSION_GZIP, &table, 0, UINT64_MAX, 2, &r,
					 &t_err));
	ASSERT_OK(ob_reader_read(r, &c, 1, &got, &t_err));
	assert_int_equal(c, data[0]);
}

TEST(members__tables_that_lie_are_corrupt)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
	ob_autodone(ob_member_table) table = {0};
	ob_autofree char *data = sample(2 * OB_MEMBER_GZIP);
	ob_reader *r = NULL;

	pack(&packed, data, 2 * OB_MEMBER_GZIP, OB_COMPRESSION_GZIP, 0, 1, &table);
	ob_autofd int fd = packed_file(&packed);
	for (int lie = 0; lie < 6; lie++) {
		ob_member items[3];
		ob_member_table bad = {items, 3};
		ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");

		memcpy(items, table.items, sizeof(items));
		switch (lie) {
		case 0: items[1].unpacked--; break;
		case 1: items[1].packed++; break;
		case 2: items[2].unpacked += 100; break;
		case 3: items[2].packed += 100; break;
		case 4: items[2].packed = 0; break;
		case 5: items[2].unpacked = UINT64_MAX; break;
		}
		ocib_errc rc = ob_reader_open_members(fd, OB_COMPRESSION_GZIP, &bad, 0, UINT64_MAX,
						      2, &r, &t_err);
		if (rc == OCIB_OK) {
			rc = ob_reader_read_all(r, &back, &t_err);
			r = ob_reader_free(r);
		}
		assert_int_equal(rc, OCIB_ERR_CORRUPT);
		t_err = ocib_error_free(t_err);
	}
}

TEST(hidden__comes_back_and_is_strict)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_GZIP, OB_COMPRESSION_ZSTD};
	static const size_t lens[] = {0, 1, 64999, 65000, 65001, 200000};
	ob_autofree char *data = sample(200000);

	for (size_t k = 0; k < OB_ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < OB_ARRAY_LEN(lens); i++) {
			ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
			ob_autodone(ob_buffer) back = OB_BUFFER_INIT(PACKED_MAX, "back");
			ob_auto(ob_writer) end = NULL;

			ASSERT_OK(ob_writer_open_buffer(&packed, &end, &t_err));
			ASSERT_OK(ob_hidden_write(end, kinds[k], data, lens[i], &t_err));
			ASSERT_OK(ob_hidden_read(packed.data, packed.len, kinds[k], &back, &t_err));
			assert_int_equal(back.len, lens[i]);
			assert_true(!lens[i] || memcmp(back.data, data, lens[i]) == 0);
			ob_buffer_append_char(&packed, 'x');
			ASSERT_ERROR(
				ob_hidden_read(packed.data, packed.len, kinds[k], &back, &t_err),
				OCIB_ERR_CORRUPT, "hidden data");
		}
}

TEST(zstd__documents_keep_to_the_limit)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(PACKED_MAX, "packed");
	ob_autodone(ob_buffer) back = OB_BUFFER_INIT(100000, "index");
	ob_autodone(ob_buffer) small = OB_BUFFER_INIT(99999, "index");
	ob_autofree char *data = sample(100000);

	ASSERT_OK(ob_zstd_pack(data, 100000, 0, &packed, &t_err));
	ASSERT_OK(ob_zstd_unpack(packed.data, packed.len, &back, &t_err));
	assert_memory_equal(back.data, data, 100000);
	ASSERT_ERROR(ob_zstd_unpack(packed.data, packed.len, &small, &t_err), OCIB_ERR_LIMIT,
		     "index");
	ASSERT_ERROR(ob_zstd_unpack("no", 2, &back, &t_err), OCIB_ERR_CORRUPT, "zstd");
}
