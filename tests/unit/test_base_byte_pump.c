/* test_base_byte_pump.c — bytes from one descriptor to another, through poll(). */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "harness.h"
#include "base/byte_pump.h"

static void step(ob_byte_pump *pump)
{
	struct pollfd fds[2];

	ob_byte_pump_watch(pump, fds);
	assert_true(poll(fds, 2, 0) >= 0);
	ob_byte_pump_step(pump, fds);
}

static void pass_on(bool is_ours)
{
	static char sent[100000], got[100000];
	static ob_byte_pump pump;
	int in[2], out[2];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 + i / 251);
	assert_int_equal(pipe2(in, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
	ob_byte_pump_init(&pump, in[0], out[1], is_ours);
	for (size_t at = 0; !ob_byte_pump_is_done(&pump);) {
		ssize_t n = at < sizeof(sent) ? write(in[1], sent + at, sizeof(sent) - at) : 0;

		at += n > 0 ? (size_t)n : 0;
		if (at == sizeof(sent) && in[1] >= 0) {
			(void)close(in[1]);
			in[1] = -1;
		}
		step(&pump);
		n = read(out[0], got + len, sizeof(got) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	for (ssize_t n; (n = read(out[0], got + len, sizeof(got) - len)) > 0;)
		len += (size_t)n;
	assert_int_equal(len, sizeof(sent));
	assert_memory_equal(got, sent, sizeof(sent));
	assert_false(pump.is_broken);
	(void)close(in[0]);
	(void)close(out[0]);
	(void)close(out[1]);
}

TEST(pump__passes_everything_on_and_ends)
{
	pass_on(false);
	pass_on(true);
}

TEST(pump__takes_no_more_than_goes_out)
{
	static ob_byte_pump pump;
	char block[4096] = "";
	int in[2], out[2];
	ssize_t taken = 0;

	assert_int_equal(pipe2(in, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0); /* a blocking one: it must not block us */
	ob_byte_pump_init(&pump, in[0], out[1], false);
	for (int i = 0; i < 1000; i++) {
		ssize_t n = write(in[1], block, sizeof(block));

		taken += n > 0 ? n : 0;
		step(&pump);
	}
	assert_in_range(taken, 65536, 2 * 65536 + 2 * 16384);
	assert_false(ob_byte_pump_is_done(&pump));
	for (int i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
}

TEST(pump__is_done_when_nobody_reads)
{
	static ob_byte_pump pump;
	int in[2], out[2];

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	(void)close(out[0]);
	ob_byte_pump_init(&pump, in[0], out[1], false);
	assert_int_equal(write(in[1], "x", 1), 1);
	step(&pump);
	step(&pump);
	assert_true(ob_byte_pump_is_done(&pump));
	assert_true(pump.is_broken);
	(void)close(in[0]);
	(void)close(in[1]);
	(void)close(out[1]);
}

TEST(pump__from_nowhere_is_done)
{
	static ob_byte_pump pump;

	ob_byte_pump_init(&pump, -1, 1, false);
	step(&pump);
	assert_true(ob_byte_pump_is_done(&pump));
}
