/* test_engine_ssh_message.c — what of an ssh agent's protocol passes, however it is cut into pieces. */
#include <stdlib.h>
#include "base/limits.h"
#include "engine/ssh/ssh_message.h"
#include "harness.h"

/* Give it all bytes, at most @p piece at once; what it hands on goes to out. -1: refused as no message. */
static int pass(ob_ssh_message *m, const uint8_t *bytes, size_t len, size_t piece, uint8_t *out,
		size_t *out_len)
{
	*out_len = 0;
	for (size_t at = 0; at < len;) {
		size_t n = ob_ssh_message_wants(m);

		if (n > piece)
			n = piece;
		if (n > len - at)
			n = len - at;
		if (!n)
			return (int)at;
		if (!ob_ssh_message_take(m, bytes + at, n))
			return -1;
		at += n;
		memcpy(out + *out_len, m->data + m->begin, m->end - m->begin);
		*out_len += m->end - m->begin;
		m->begin = m->end;
	}
	return (int)len;
}

TEST(ssh_message__keys_may_be_listed_and_used_for_signing)
{
	static const uint8_t list[] = {0, 0, 0, 1, 11};
	static const uint8_t sign[] = {0, 0, 0, 6, 13, 1, 2, 3, 4, 5};
	ob_ssh_message m;
	uint8_t out[32];
	size_t len;

	for (size_t piece = 1; piece < 12; piece++) {
		ob_ssh_message_begin(&m, true);
		assert_int_equal(pass(&m, list, sizeof(list), piece, out, &len), sizeof(list));
		assert_true(ob_ssh_message_is_done(&m));
		assert_false(m.is_refused);
		assert_int_equal(len, sizeof(list));
		assert_memory_equal(out, list, len);
		ob_ssh_message_begin(&m, true);
		assert_int_equal(pass(&m, sign, sizeof(sign), piece, out, &len), sizeof(sign));
		assert_true(ob_ssh_message_is_done(&m));
		assert_int_equal(len, sizeof(sign));
		assert_memory_equal(out, sign, len);
	}
}

TEST(ssh_message__everything_else_is_swallowed_and_answered_with_failure)
{
	for (int type = 0; type < 256; type++) {
		const uint8_t bytes[] = {0, 0, 0, 4, (uint8_t)type, 1, 2, 3};
		ob_ssh_message m;
		uint8_t out[32];
		size_t len;

		if (type == 11 || type == 13)
			continue;
		ob_ssh_message_begin(&m, true);
		assert_int_equal(pass(&m, bytes, sizeof(bytes), 3, out, &len), sizeof(bytes));
		assert_true(ob_ssh_message_is_done(&m));
		assert_true(m.is_refused);
		assert_int_equal(len, 0);
		ob_ssh_message_refuse(&m);
		assert_false(ob_ssh_message_is_done(&m));
		assert_int_equal(m.end - m.begin, 5);
		assert_memory_equal(m.data, "\0\0\0\1\5", 5);
		m.begin = m.end;
		assert_true(ob_ssh_message_is_done(&m));
		assert_false(m.is_request);
	}
}

TEST(ssh_message__answers_of_the_agent_pass_whatever_they_are)
{
	static const uint8_t answer[] = {0, 0, 0, 3, 12, 7, 8};
	ob_ssh_message m;
	uint8_t out[32];
	size_t len;

	ob_ssh_message_begin(&m, false);
	assert_int_equal(pass(&m, answer, sizeof(answer), 100, out, &len), sizeof(answer));
	assert_true(ob_ssh_message_is_done(&m));
	assert_int_equal(len, sizeof(answer));
}

TEST(ssh_message__a_length_of_nothing_or_too_much_is_no_message)
{
	static const uint8_t none[] = {0, 0, 0, 0, 11}, much[] = {0, 4, 0, 1, 11};
	static const uint8_t most[] = {0, 4, 0, 0, 11};
	ob_ssh_message m;
	uint8_t out[32];
	size_t len;

	ob_ssh_message_begin(&m, true);
	assert_int_equal(pass(&m, none, sizeof(none), 9, out, &len), -1);
	ob_ssh_message_begin(&m, true);
	assert_int_equal(pass(&m, much, sizeof(much), 9, out, &len), -1);
	ob_ssh_message_begin(&m, true);
	assert_int_equal(pass(&m, most, sizeof(most), 9, out, &len), sizeof(most));
	assert_int_equal(m.left, OB_LIMIT_SSH_MESSAGE - 1);
}
