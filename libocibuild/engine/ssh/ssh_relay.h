/* engine/ssh/ssh_relay.h — a thread between the sockets that steps see and the agents behind them. */
#ifndef OB_ENGINE_SSH_RELAY_H
#define OB_ENGINE_SSH_RELAY_H

#include "base/error.h"

typedef struct ob_ssh_relay ob_ssh_relay;

ocib_errc ob_ssh_relay_new(ob_ssh_relay **out, ocib_error **err);
/** Ends the thread and all connections. */
ob_ssh_relay *ob_ssh_relay_free(ob_ssh_relay *relay);
OB_DEFINE_AUTO(ob_ssh_relay);

/** A listening socket's address by path, of any length. -1 and errno. */
int ob_ssh_listen(const char *dir, const char *name);
/**
 * From now on, who connects to @p listener (taken, also on failure; non-blocking) talks to the agent whose
 * socket is @p agent, as far as messages may pass. Any thread. Kinds: LIMIT, SYSTEM.
 */
ocib_errc ob_ssh_relay_add(ob_ssh_relay *relay, int listener, const char *agent, ocib_error **err);

#endif
