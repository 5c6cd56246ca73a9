/* registry/server_message.h — what a server says about a failure, made safe to show. */
#ifndef OB_REGISTRY_SERVER_MESSAGE_H
#define OB_REGISTRY_SERVER_MESSAGE_H

#include "base/buffer.h"

/**
 * Append the server's own words out of the body of a refusal: the distribution specification's
 * errors, a token server's, or a short plain text; nothing where there are none. One line of at
 * most OB_LIMIT_HTTP_MESSAGE bytes without control characters.
 */
void ob_server_message(const char *body, size_t len, ob_buffer *out);

#endif
