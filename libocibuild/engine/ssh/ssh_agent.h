/* engine/ssh/ssh_agent.h — what --ssh gives to steps: somebody's agent, or one of our own with some keys. */
#ifndef OB_ENGINE_SSH_AGENT_H
#define OB_ENGINE_SSH_AGENT_H

#include <ocibuild/build.h>
#include "base/context.h"
#include "base/error.h"

typedef struct ob_ssh_agent {
	char *id;
	char *socket; /**< NULL: an agent that is started when it is first needed */
	char **keys;  /**< files, NULL-terminated; NULL for somebody's agent */
	pid_t pid;    /**< of our own; 0: not started */
	int input;    /**< it ends when this is closed; -1: not started */
} ob_ssh_agent;
void ob_ssh_agent_done(ob_ssh_agent *agent); /**< ends our own */

/** What @p given is; its files must be there. Kinds: INVALID, NOTFOUND, SYSTEM. */
ocib_errc ob_ssh_agent_open(const ocib_ssh *given, ob_ssh_agent *out, ocib_error **err);
/** Start it if it is ours; then its socket is known. Kinds: NOTFOUND (no ssh-agent), INVALID (a key). */
ocib_errc ob_ssh_agent_start(ocib_context *ctx, ob_ssh_agent *agent, ocib_error **err);

#endif
