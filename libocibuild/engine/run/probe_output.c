/* engine/run/probe_output.c — what a health check writes, as far as it helps to understand a failure. */
#include "engine/run/probe_output.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/strings.h"

void ob_probe_output_done(ob_probe_output *output)
{
	ob_closep(&output->fd);
	output->fd = -1;
}

ocib_errc ob_probe_output_open(ob_probe_output *output, int *end, ocib_error **err)
{
	int ends[2];

	ob_probe_output_done(output);
	output->len = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	output->fd = ends[0];
	*end = ends[1];
	if (fcntl(output->fd, F_SETFL, O_NONBLOCK) < 0)
		return ob_fail_errno(err, "set up a pipe");
	return OCIB_OK;
}

void ob_probe_output_read(ob_probe_output *output)
{
	char block[4096];
	ssize_t n = read(output->fd, block, sizeof(block));
	size_t room = sizeof(output->text) - 1 - output->len;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		ob_probe_output_done(output);
	if (n <= 0)
		return;
	if (room > (size_t)n)
		room = (size_t)n;
	memcpy(output->text + output->len, block, room);
	output->len += room;
}

const char *ob_probe_output_finish(ob_probe_output *output)
{
	size_t to = 0;

	if (output->fd >= 0)
		ob_probe_output_read(output);
	ob_probe_output_done(output);
	output->text[output->len] = '\0';
	for (size_t i = 0; i < output->len; i++) {
		unsigned char c = (unsigned char)output->text[i];

		if (c == '\n' && !to)
			continue;
		if (c == '\n')
			break;
		output->text[to++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	output->text[to] = '\0';
	return output->text;
}
