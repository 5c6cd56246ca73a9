/* engine/run/port_spec.h — what --publish asks for. */
#ifndef OB_ENGINE_PORT_SPEC_H
#define OB_ENGINE_PORT_SPEC_H

#include "sandbox/sandbox.h"

/**
 * Append to @p ports what "[IP:][HOST:]CONTAINER[/tcp]" says; both ports may be ranges of one length.
 * Kinds: INVALID, LIMIT.
 */
ocib_errc ob_port_spec_parse(const char *text, ob_port_list *ports, ocib_error **err);

/**
 * Decide on the network that was asked for ("host", "none" or NULL) and keep in @p ports those that need
 * somebody between outside and inside. @p is_own_choice: nobody asked for a network without a way out.
 * Kinds: INVALID.
 */
ocib_errc ob_port_choose_network(const char *asked, ob_port_list *ports, ob_network *network,
				 bool *is_own_choice, ocib_error **err);

#endif
