/* base/byte_pump.h — bytes from one descriptor to another, as fast as both allow and no faster.
 *
 * For loops that wait for many things at once: nothing here blocks, also where a descriptor would. Plain data and system calls: a forked child may use it.
 */
#ifndef OB_BASE_BYTE_PUMP_H
#define OB_BASE_BYTE_PUMP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ob_byte_pump {
	int from, to; /**< borrowed */
	size_t begin, end;
	bool has_ended; /**< nothing more is read: the end came, or nobody takes it any more */
	bool is_broken; /**< @ref to takes nothing more */
	bool is_ours;   /**< both descriptors are non-blocking */
	char data[16384];
} ob_byte_pump;

/** Start over; a negative @p from makes a pump that is done. @p is_ours: both are non-blocking, so they
 *  need not be handled with care. */
void ob_byte_pump_init(ob_byte_pump *pump, int from, int to, bool is_ours);
/** What to wait for, in two entries. */
void ob_byte_pump_watch(const ob_byte_pump *pump, struct pollfd fds[2]);
/** After poll() on them. */
void ob_byte_pump_step(ob_byte_pump *pump, const struct pollfd fds[2]);
/** Has everything been passed on that ever will be? */
static inline bool ob_byte_pump_is_done(const ob_byte_pump *pump)
{
	return pump->has_ended && pump->begin == pump->end;
}

#endif
