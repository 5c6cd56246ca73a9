/* sandbox/port_relay.h — ports of the host that lead to a command's, without any network to set up. */
#ifndef OB_SANDBOX_PORT_RELAY_H
#define OB_SANDBOX_PORT_RELAY_H

#include "sandbox/sandbox.h"

typedef struct ob_port_relay {
	int *listeners;
	size_t count;
	pid_t pid; /**< 0: not started */
	int pidfd;
} ob_port_relay;
#define OB_PORT_RELAY_INIT  \
	{                   \
		.pidfd = -1 \
	}
/** Ends it, with every connection. */
void ob_port_relay_done(ob_port_relay *relay);

/**
 * Listen on the outer side, here; a free port's number is filled in. With @p is_shared the command will
 * have this network, too, and its own ports must be free. Kinds: EXISTS (a port is taken), DENIED (it may
 * not be used), SYSTEM.
 */
ocib_errc ob_port_relay_listen(ob_port_relay *relay, ob_port_list *ports, bool is_shared,
			       ocib_error **err);

/** Start passing on, in a process of its own. @p network pidfd of a process in the inner network; -1: it is
 *  this one. */
ocib_errc ob_port_relay_start(ob_port_relay *relay, const ob_port_list *ports, int network,
			      ocib_error **err);

#endif
