/* tests/unit/test_io_stream.c — ends, wrappers, hashes. */
#include "harness.h"
#include <fcntl.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/strings.h"
#include "io/hash.h"

static ob_reader *memory(const char *text)
{
	ob_reader *r = NULL;

	ASSERT_OK(ob_reader_open_memory(text, strlen(text), &r, &t_err));
	return r;
}

static void digest_of(const char *text, uint8_t out[OB_SHA256_LEN])
{
	ob_sha256(text, strlen(text), out);
}

TEST(stream__copies_counts_and_reads_all)
{
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "b");
	ob_auto(ob_writer) w = NULL;
	ob_auto(ob_reader) r = memory("hello");
	uint64_t copied = 0;

	ASSERT_OK(ob_writer_open_buffer(&b, &w, &t_err));
	ASSERT_OK(ob_stream_copy(r, w, &copied, &t_err));
	ASSERT_OK(ob_writer_finish(w, &t_err));
	assert_int_equal(copied, 5);
	assert_string_equal(b.data, "hello");
}

TEST(stream__read_all_keeps_to_the_limit)
{
	ob_autodone(ob_buffer) exact = OB_BUFFER_INIT(5, "b");
	ob_autodone(ob_buffer) small = OB_BUFFER_INIT(4, "token");
	ob_auto(ob_reader) r = memory("hello");
	ob_auto(ob_reader) again = memory("hello");

	ASSERT_OK(ob_reader_read_all(r, &exact, &t_err));
	assert_string_equal(exact.data, "hello");
	ASSERT_ERROR(ob_reader_read_all(again, &small, &t_err), OCIB_ERR_LIMIT, "token is larger");
}

TEST(stream__skip_past_the_end_is_corrupt)
{
	ob_auto(ob_reader) r = memory("hello");
	char c;
	size_t got;

	ASSERT_OK(ob_reader_skip(r, 4, &t_err));
	ASSERT_OK(ob_reader_read(r, &c, 1, &got, &t_err));
	assert_int_equal(c, 'o');
	ASSERT_ERROR(ob_reader_skip(r, 1, &t_err), OCIB_ERR_CORRUPT, "1 bytes too early");
}

TEST(stream__range_reads_its_part_and_leaves_the_offset)
{
	ob_autofd int fd = open(t_temp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ob_auto(ob_reader) r = NULL;
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "b");

	assert_int_equal(ob_write_full(fd, "0123456789", 10), 0);
	ASSERT_OK(ob_reader_open_range(fd, false, 3, 4, &r, &t_err));
	ASSERT_OK(ob_reader_read_all(r, &b, &t_err));
	assert_string_equal(b.data, "3456");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 10);
}

TEST(limit__one_byte_too_many_is_refused)
{
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "b");
	ob_auto(ob_reader) fits = NULL;
	ob_auto(ob_reader) larger = NULL;

	ASSERT_OK(ob_reader_open_limit(memory("12345"), 5, "reply", &fits, &t_err));
	ASSERT_OK(ob_reader_read_all(fits, &b, &t_err));
	ASSERT_OK(ob_reader_open_limit(memory("123456"), 5, "reply", &larger, &t_err));
	ASSERT_ERROR(ob_reader_read_all(larger, &b, &t_err), OCIB_ERR_LIMIT,
		     "reply is larger than 5");
}

TEST(hash__known_answers_and_reuse)
{
	ob_auto(ob_hash) hash = NULL;
	uint8_t sum[OB_SHA256_LEN];
	char text[65];

	ASSERT_OK(ob_hash_new(&hash, &t_err));
	for (int i = 0; i < 2; i++) {
		ob_hash_update(hash, "a", 1);
		ob_hash_update(hash, "bc", 2);
		ob_hash_final(hash, sum);
		ob_hex_encode(sum, sizeof(sum), text);
		assert_string_equal(
			text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	}
	ob_sha256("", 0, sum);
	ob_hex_encode(sum, sizeof(sum), text);
	assert_string_equal(text,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(hash_writer__peeking_does_not_disturb)
{
	ob_auto(ob_hash_writer) w = NULL;
	uint8_t sum[OB_SHA256_LEN], want[OB_SHA256_LEN];

	ASSERT_OK(ob_hash_writer_new(NULL, &w, &t_err));
	ASSERT_OK(ob_writer_write(ob_hash_writer_base(w), "a", 1, &t_err));
	ob_hash_writer_peek(w, sum);
	digest_of("a", want);
	assert_memory_equal(sum, want, sizeof(want));
	ASSERT_OK(ob_writer_write(ob_hash_writer_base(w), "bc", 2, &t_err));
	ob_hash_writer_peek(w, sum);
	digest_of("abc", want);
	assert_memory_equal(sum, want, sizeof(want));
	assert_int_equal(ob_hash_writer_count(w), 3);
}

TEST(verify__size_and_digest_are_held)
{
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "b");
	uint8_t sum[OB_SHA256_LEN];
	struct {
		const char *text;
		uint64_t size;
		const char *error;
	} cases[] = {
		{"abc", 3, NULL},
		{"abc", UINT64_MAX, NULL},
		{"abd", 3, "blob x has the wrong digest"},
		{"ab", 3, "has 2 bytes and should have 3"},
		{"abcd", 3, "more than the 3 bytes"},
		{"abcd", UINT64_MAX, "wrong digest"},
	};

	digest_of("abc", sum);
	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_auto(ob_reader) r = NULL;

		ASSERT_OK(ob_reader_open_verify(memory(cases[i].text), sum, cases[i].size, "blob x",
						&r, &t_err));
		if (cases[i].error)
			ASSERT_ERROR(ob_reader_read_all(r, &b, &t_err), OCIB_ERR_CORRUPT,
				     cases[i].error);
		else
			ASSERT_OK(ob_reader_read_all(r, &b, &t_err));
	}
}

TEST(tee__writes_to_both)
{
	ob_autodone(ob_buffer) a = OB_BUFFER_INIT(100, "a");
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "b");
	ob_auto(ob_writer) wa = NULL;
	ob_auto(ob_writer) wb = NULL;
	ob_auto(ob_writer) tee = NULL;

	ASSERT_OK(ob_writer_open_buffer(&a, &wa, &t_err));
	ASSERT_OK(ob_writer_open_buffer(&b, &wb, &t_err));
	ASSERT_OK(ob_writer_open_tee(wa, wb, &tee, &t_err));
	ASSERT_OK(ob_writer_write(tee, "xy", 2, &t_err));
	assert_string_equal(a.data, "xy");
	assert_string_equal(b.data, "xy");
}
