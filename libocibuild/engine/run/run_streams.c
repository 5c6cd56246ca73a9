/* engine/run/run_streams.c — what a command reads and writes.
 *
 * A command never gets a terminal of the caller's: it could read what is typed there, or change it. Where
 * one of the streams is a terminal, it gets a pipe, or with a terminal of its own that; and we pass on.
 * Every other stream, a file or a pipe, it gets as it is.
 */
#include "engine/run/run_streams.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/cleanup.h"

static void close_end(ob_run_streams *streams, int stream)
{
	ob_closep(&streams->ends[stream]);
	streams->ends[stream] = -1;
}

static ocib_errc open_null(ob_run_streams *streams, int stream, ocib_error **err)
{
	streams->command[stream] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return streams->command[stream] < 0 ? ob_fail_errno(err, "open '/dev/null'") : OCIB_OK;
}

static ocib_errc open_stream(ob_run_streams *streams, int stream, ocib_error **err)
{
	int ends[2];

	if (!isatty(streams->own[stream])) {
		streams->command[stream] = fcntl(streams->own[stream], F_DUPFD_CLOEXEC, 3);
		return streams->command[stream] < 0
			       ? ob_fail_errno(err, "pass standard stream %d", stream)
			       : OCIB_OK;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	streams->command[stream] = ends[stream != 0];
	streams->ends[stream] = ends[stream == 0];
	return OCIB_OK;
}

/* What is typed goes to the command's terminal as it is, ^C included; that one makes the rest of it. */
static ocib_errc make_raw(ob_run_streams *streams, ocib_error **err)
{
	struct termios raw;

	if (tcgetattr(streams->own[0], &streams->saved) < 0)
		return ob_fail_errno(err, "read the settings of the terminal");
	raw = streams->saved;
	cfmakeraw(&raw);
	if (tcsetattr(streams->own[0], TCSANOW, &raw) < 0)
		return ob_fail_errno(err, "set up the terminal");
	streams->is_raw = true;
	return OCIB_OK;
}

ocib_errc ob_run_streams_open(ob_run_streams *streams, const int own[3], bool is_interactive,
			      bool is_terminal, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (int i = 0; i < 3; i++) {
		streams->own[i] = own[i];
		ob_byte_pump_init(&streams->pumps[i], -1, -1, false);
	}
	streams->is_terminal = is_terminal;
	streams->is_interactive = is_interactive;
	if (is_terminal && is_interactive && !isatty(own[0]))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "a terminal was asked for, and standard input is none: leave out "
			       "--tty (-t)");
	for (int i = 0; i < 3 && r == OCIB_OK; i++)
		r = is_terminal || (i == 0 && !is_interactive) ? open_null(streams, i, err)
							       : open_stream(streams, i, err);
	return r == OCIB_OK && is_terminal && is_interactive ? make_raw(streams, err) : r;
}

void ob_run_streams_done(ob_run_streams *streams)
{
	if (streams->is_raw)
		(void)tcsetattr(streams->own[0], TCSADRAIN, &streams->saved);
	streams->is_raw = false;
	for (int i = 0; i < 3; i++) {
		ob_closep(&streams->command[i]);
		close_end(streams, i);
	}
}

static bool read_size(const ob_run_streams *streams, struct winsize *size)
{
	for (int i = 0; i < 3; i++)
		if (ioctl(streams->own[i], TIOCGWINSZ, size) == 0)
			return true;
	return false;
}

void ob_run_streams_size(const ob_run_streams *streams, uint16_t *rows, uint16_t *columns)
{
	struct winsize size = {0};

	(void)read_size(streams, &size);
	*rows = size.ws_row;
	*columns = size.ws_col;
}

void ob_run_streams_resize(const ob_run_streams *streams)
{
	struct winsize size;

	if (streams->is_terminal && streams->ends[1] >= 0 && read_size(streams, &size))
		(void)ioctl(streams->ends[1], TIOCSWINSZ, &size);
}

void ob_run_streams_start(ob_run_streams *streams, int terminal)
{
	int to_input = streams->is_terminal ? terminal : streams->ends[0];

	streams->has_started = true;
	for (int i = 0; i < 3; i++) {
		ob_closep(&streams->command[i]);
		streams->command[i] = -1;
	}
	if (streams->is_terminal)
		streams->ends[1] = terminal;
	if (to_input >= 0 && streams->is_interactive)
		ob_byte_pump_init(&streams->pumps[0], streams->own[0], to_input, false);
	for (int i = 1; i < 3; i++)
		ob_byte_pump_init(&streams->pumps[i], streams->ends[i], streams->own[i], false);
	ob_run_streams_resize(streams); /* it may have changed since it was asked for */
}

void ob_run_streams_watch(const ob_run_streams *streams, struct pollfd fds[OB_RUN_STREAMS_FDS])
{
	for (int i = 0; i < 3; i++)
		ob_byte_pump_watch(&streams->pumps[i], fds + 2 * i);
}

void ob_run_streams_step(ob_run_streams *streams, const struct pollfd fds[OB_RUN_STREAMS_FDS])
{
	if (!streams->has_started)
		return;
	for (int i = 0; i < 3; i++) {
		ob_byte_pump_step(&streams->pumps[i], fds + 2 * i);
		if (ob_byte_pump_is_done(&streams->pumps[i]))
			close_end(streams, i); /* the command sees the end of its input so */
	}
	if (streams->is_terminal && streams->ends[1] < 0)
		ob_run_streams_hang_up(streams); /* input led there, too */
}

bool ob_run_streams_is_busy(const ob_run_streams *streams)
{
	return !ob_byte_pump_is_done(&streams->pumps[1]) ||
	       !ob_byte_pump_is_done(&streams->pumps[2]);
}

bool ob_run_streams_is_hung_up(const ob_run_streams *streams)
{
	return streams->is_raw && streams->ends[1] >= 0 &&
	       ob_byte_pump_is_done(&streams->pumps[0]) && !streams->pumps[0].is_broken;
}

void ob_run_streams_hang_up(ob_run_streams *streams)
{
	close_end(streams, 1);
	for (int i = 0; i < 2; i++)
		ob_byte_pump_init(&streams->pumps[i], -1, -1, false);
}
