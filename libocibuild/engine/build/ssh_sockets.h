/* engine/build/ssh_sockets.h — what --ssh gives to a build's steps: sockets that lead to agents. */
#ifndef OB_ENGINE_BUILD_SSH_SOCKETS_H
#define OB_ENGINE_BUILD_SSH_SOCKETS_H

#include <pthread.h>
#include "engine/build/workshop.h"
#include "engine/plan.h"
#include "engine/ssh/ssh_agent.h"
#include "engine/ssh/ssh_relay.h"

/** One that steps see: an agent behind an owner and a mode. */
typedef struct ob_ssh_socket {
	const ob_ssh_agent *agent;
	uint32_t mode, uid, gid;
	char *path;
} ob_ssh_socket;

typedef struct ob_ssh_sockets {
	pthread_mutex_t lock;
	bool is_ready; /**< the lock was made */
	ob_ssh_agent *agents;
	size_t agent_count;
	ob_ssh_relay *relay; /**< NULL until a step asks for a socket */
	ob_ssh_socket *items;
	size_t len;
} ob_ssh_sockets;

/** Kinds: those of ob_ssh_agent_open(); INVALID: two of one id. */
ocib_errc ob_ssh_sockets_load(const ocib_ssh *given, size_t count, ob_ssh_sockets *out,
			      ocib_error **err);
void ob_ssh_sockets_done(ob_ssh_sockets *ssh);

/**
 * The socket for a mount, made by the first step that asks; *path is borrowed and stays NULL where no agent of
 * that id was given. Any thread.
 */
ocib_errc ob_ssh_sockets_get(ob_ssh_sockets *ssh, ob_workshop *shop, const ob_step_mount *mount,
			     const char **path, ocib_error **err);
/**
 * The socket of the agent itself, for a command that this process trusts; *path is borrowed and stays NULL where
 * no agent of that id was given. Any thread.
 */
ocib_errc ob_ssh_sockets_agent(ob_ssh_sockets *ssh, ocib_context *ctx, const char *id,
			       const char **path, ocib_error **err);

#endif
