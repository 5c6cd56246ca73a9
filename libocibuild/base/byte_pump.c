/* base/byte_pump.c — read when empty, write until empty again.
 *
 * A pipe or terminal that belongs to somebody else may not be made non-blocking: the flag is shared with
 * everybody who has it open. So little is written at a time, what poll() guarantees to fit.
 */
#include "base/byte_pump.h"
#include <errno.h>
#include <limits.h>
#include <unistd.h>

void ob_byte_pump_init(ob_byte_pump *pump, int from, int to, bool is_ours)
{
	pump->from = from;
	pump->to = to;
	pump->begin = pump->end = 0;
	pump->has_ended = from < 0;
	pump->is_broken = false;
	pump->is_ours = is_ours;
}

void ob_byte_pump_watch(const ob_byte_pump *pump, struct pollfd fds[2])
{
	bool is_empty = pump->begin == pump->end;

	fds[0] = (struct pollfd){
		.fd = is_empty && !pump->has_ended ? pump->from : -1,
		.events = POLLIN,
	};
	fds[1] = (struct pollfd){.fd = is_empty ? -1 : pump->to, .events = POLLOUT};
}

static bool is_passing(int error_number)
{
	return error_number == EAGAIN || error_number == EINTR;
}

static void take_in(ob_byte_pump *pump)
{
	ssize_t n = read(pump->from, pump->data, sizeof(pump->data));

	pump->begin = 0;
	pump->end = n > 0 ? (size_t)n : 0;
	if (n == 0 || (n < 0 && !is_passing(errno)))
		pump->has_ended = true;
}

static void give_out(ob_byte_pump *pump)
{
	size_t len = pump->end - pump->begin;
	size_t most = pump->is_ours ? len : PIPE_BUF;
	ssize_t n = write(pump->to, pump->data + pump->begin, len < most ? len : most);

	if (n > 0)
		pump->begin += (size_t)n;
	if (n >= 0 || is_passing(errno))
		return;
	pump->begin = pump->end;
	pump->has_ended = pump->is_broken = true;
}

void ob_byte_pump_step(ob_byte_pump *pump, const struct pollfd fds[2])
{
	if (fds[0].fd >= 0 && fds[0].revents)
		take_in(pump);
	bool may_write = pump->is_ours || (fds[1].fd >= 0 && fds[1].revents);
	if (may_write && pump->begin < pump->end)
		give_out(pump);
}
