/* engine/ssh/ssh_message.h — one message of an ssh agent's protocol on its way, and whether it may pass.
 *
 * A message is a length in four bytes, big-endian, and that many bytes, the first of which says what it
 * is. Plain data; nothing here blocks when the descriptors do not.
 */
#ifndef OB_ENGINE_SSH_MESSAGE_H
#define OB_ENGINE_SSH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ob_ssh_message {
	bool is_request; /**< from the step; else an answer of the agent */
	bool is_refused; /**< a request that the agent never sees */
	uint8_t head[5];
	size_t head_len;
	uint32_t left;     /**< bytes that were not read yet, once the head was */
	size_t begin, end; /**< of what is to be written, in data */
	uint8_t data[8192];
} ob_ssh_message;

void ob_ssh_message_begin(ob_ssh_message *message, bool is_request);
/** Make it the answer "failure", which only has to be written. */
void ob_ssh_message_refuse(ob_ssh_message *message);

/** How many bytes may be read now; 0: what there is has to be written first, or nothing is missing. */
size_t ob_ssh_message_wants(const ob_ssh_message *message);
/** These bytes were read, no more than it wants. false: this is no message. */
bool ob_ssh_message_take(ob_ssh_message *message, const uint8_t *bytes, size_t len);
/** Has it been read, and what was to be written, written? */
bool ob_ssh_message_is_done(const ob_ssh_message *message);

#endif
