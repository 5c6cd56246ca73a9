/* fuzz_ssh_message.c — requests to an ssh agent: whatever comes, only two kinds of message come through, each
 * whole and unchanged.
 *
 * The first byte is how much is read at once; the rest is what a step writes.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/limits.h"
#include "engine/ssh/ssh_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A row of whole messages that may pass, but for the end of the last. */
static void check_passed(const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		assert(len - at >= 5);
		size_t size = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
			      (size_t)bytes[at + 2] << 8 | bytes[at + 3];

		assert(size >= 1 && size <= OB_LIMIT_SSH_MESSAGE);
		assert(bytes[at + 4] == 11 || bytes[at + 4] == 13);
		at += 4 + size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autofree uint8_t *passed = malloc(size + 1);
	ob_ssh_message message;
	size_t len = 0, piece = size ? data[0] % 64 + 1 : 1;

	assert(passed);
	ob_ssh_message_begin(&message, true);
	for (size_t at = 1; at < size;) {
		size_t n = ob_ssh_message_wants(&message);

		assert(n > 0 && !ob_ssh_message_is_done(&message));
		n = n < piece ? n : piece;
		n = n < size - at ? n : size - at;
		if (!ob_ssh_message_take(&message, data + at, n))
			break;
		at += n;
		memcpy(passed + len, message.data + message.begin, message.end - message.begin);
		len += message.end - message.begin;
		assert(len <= size);
		message.begin = message.end;
		if (ob_ssh_message_is_done(&message))
			ob_ssh_message_begin(&message, true);
	}
	check_passed(passed, len);
	return 0;
}
