/* engine/run/run_streams.h — the caller's standard streams and the command's. */
#ifndef OB_ENGINE_RUN_STREAMS_H
#define OB_ENGINE_RUN_STREAMS_H

#include <stdint.h>
#include <termios.h>
#include "base/byte_pump.h"
#include "base/error.h"

#define OB_RUN_STREAMS_FDS 6 /**< entries that ob_run_streams_watch() fills in */

typedef struct ob_run_streams {
	int own[3];            /**< borrowed */
	int command[3];        /**< for the command; closed once they are handed over */
	int ends[3];           /**< our ends of pipes; -1: none. A terminal is ends[1] */
	ob_byte_pump pumps[3]; /**< in, out, error */
	bool is_terminal, is_interactive, has_started;
	bool is_raw; /**< own[0] is, and was as in saved */
	struct termios saved;
} ob_run_streams;
#define OB_RUN_STREAMS_INIT                                     \
	{                                                       \
		.command = {-1, -1, -1}, .ends = { -1, -1, -1 } \
	}

/**
 * Decide on each stream: no terminal of the caller's is given to a command. Kinds: INVALID (a terminal
 * cannot be had).
 */
ocib_errc ob_run_streams_open(ob_run_streams *streams, const int own[3], bool is_interactive,
			      bool is_terminal, ocib_error **err);
/** Restores the terminal. */
void ob_run_streams_done(ob_run_streams *streams);

/** The caller's window; 0 where there is none. */
void ob_run_streams_size(const ob_run_streams *streams, uint16_t *rows, uint16_t *columns);
/** The command has its streams. @p terminal its terminal's other end, taken over; -1: none. */
void ob_run_streams_start(ob_run_streams *streams, int terminal);
/** Hand the size of the caller's window on. */
void ob_run_streams_resize(const ob_run_streams *streams);

void ob_run_streams_watch(const ob_run_streams *streams, struct pollfd fds[OB_RUN_STREAMS_FDS]);
void ob_run_streams_step(ob_run_streams *streams, const struct pollfd fds[OB_RUN_STREAMS_FDS]);
/** Is output under way? */
bool ob_run_streams_is_busy(const ob_run_streams *streams);
/** Is the person gone who sat at the terminal? */
bool ob_run_streams_is_hung_up(const ob_run_streams *streams);
/** Then the command's terminal goes, too. */
void ob_run_streams_hang_up(ob_run_streams *streams);

#endif
