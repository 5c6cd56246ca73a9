/* engine/ssh/ssh_message.c — see ssh_message.h.
 *
 * A step may ask which keys there are and have something signed. Everything else (adding and removing keys,
 * locking, extensions) changes the agent of the person who builds, or lets it do more than sign, and is
 * refused, as BuildKit does. Bytes are handed on as they come: a message is never held whole.
 */
#include "engine/ssh/ssh_message.h"
#include <string.h>
#include "base/limits.h"

enum { LENGTH_BYTES = 4, FAILURE = 5, REQUEST_IDENTITIES = 11, SIGN_REQUEST = 13 };

void ob_ssh_message_begin(ob_ssh_message *message, bool is_request)
{
	message->is_request = is_request;
	message->is_refused = false;
	message->head_len = 0;
	message->left = 0;
	message->begin = message->end = 0;
}

void ob_ssh_message_refuse(ob_ssh_message *message)
{
	static const uint8_t failure[] = {0, 0, 0, 1, FAILURE};

	ob_ssh_message_begin(message, false);
	memcpy(message->data, failure, sizeof(failure));
	message->head_len = sizeof(message->head);
	message->end = sizeof(failure);
}

static bool is_pending(const ob_ssh_message *message)
{
	return message->begin < message->end;
}

size_t ob_ssh_message_wants(const ob_ssh_message *message)
{
	if (is_pending(message))
		return 0;
	if (message->head_len < sizeof(message->head))
		return sizeof(message->head) - message->head_len;
	return message->left < sizeof(message->data) ? message->left : sizeof(message->data);
}

/* The head is complete: what is this, and how much of it follows? */
static bool read_head(ob_ssh_message *message)
{
	const uint8_t *head = message->head;
	uint32_t len = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
		       head[3];

	if (len < 1 || len > OB_LIMIT_SSH_MESSAGE)
		return false;
	message->left = len - 1;
	message->is_refused = message->is_request && head[LENGTH_BYTES] != REQUEST_IDENTITIES &&
			      head[LENGTH_BYTES] != SIGN_REQUEST;
	return true;
}

static void put(ob_ssh_message *message, const uint8_t *bytes, size_t len)
{
	if (message->is_refused)
		return;
	memcpy(message->data, bytes, len);
	message->begin = 0;
	message->end = len;
}

bool ob_ssh_message_take(ob_ssh_message *message, const uint8_t *bytes, size_t len)
{
	if (len > ob_ssh_message_wants(message))
		return false;
	if (message->head_len == sizeof(message->head)) {
		message->left -= (uint32_t)len;
		put(message, bytes, len);
		return true;
	}
	memcpy(message->head + message->head_len, bytes, len);
	message->head_len += len;
	if (message->head_len < sizeof(message->head))
		return true;
	if (!read_head(message))
		return false;
	put(message, message->head, sizeof(message->head));
	return true;
}

bool ob_ssh_message_is_done(const ob_ssh_message *message)
{
	return message->head_len == sizeof(message->head) && !message->left && !is_pending(message);
}
