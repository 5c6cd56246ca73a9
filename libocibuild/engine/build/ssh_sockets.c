/* engine/build/ssh_sockets.c — see ssh_sockets.h.
 *
 * A socket lies in the build's temporary directory, where only its owner comes; the worker gives it to its
 * user and mounts it. It serves all steps that mount this agent in the same way, so that a step costs one
 * mount more. Agents are started and sockets made when they are first asked for.
 */
#include "engine/build/ssh_sockets.h"
#include "base/strings.h"

#define SOCKET_NAME "agent"

ocib_errc ob_ssh_sockets_load(const ocib_ssh *given, size_t count, ob_ssh_sockets *out,
			      ocib_error **err)
{
	(void)pthread_mutex_init(&out->lock, NULL);
	out->is_ready = true;
	out->agents = calloc(count + 1, sizeof(*out->agents));
	if (!out->agents)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		ob_ssh_agent *agent = &out->agents[out->agent_count++];
		ocib_errc r = ob_ssh_agent_open(&given[i], agent, err);

		for (size_t j = 0; r == OCIB_OK && j < i; j++)
			if (ob_str_eq(out->agents[j].id, agent->id))
				r = ob_fail(err, OCIB_ERR_INVALID, "two ssh agents are called '%s'",
					    agent->id);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

void ob_ssh_sockets_done(ob_ssh_sockets *ssh)
{
	if (!ssh->is_ready)
		return;
	(void)ob_ssh_relay_free(ssh->relay);
	for (size_t i = 0; i < ssh->len; i++)
		free(ssh->items[i].path);
	free(ssh->items);
	for (size_t i = 0; i < ssh->agent_count; i++)
		ob_ssh_agent_done(&ssh->agents[i]);
	free(ssh->agents);
	(void)pthread_mutex_destroy(&ssh->lock);
	*ssh = (ob_ssh_sockets){0};
}

static ob_ssh_agent *find_agent(const ob_ssh_sockets *ssh, const char *id)
{
	for (size_t i = 0; i < ssh->agent_count; i++)
		if (ob_str_eq(ssh->agents[i].id, id))
			return &ssh->agents[i];
	return NULL;
}

static const ob_ssh_socket *find_socket(const ob_ssh_sockets *ssh, const ob_ssh_agent *agent,
					const ob_step_mount *mount)
{
	for (size_t i = 0; i < ssh->len; i++) {
		const ob_ssh_socket *s = &ssh->items[i];

		if (s->agent == agent && s->mode == mount->mode && s->uid == mount->uid &&
		    s->gid == mount->gid)
			return s;
	}
	return NULL;
}

static ocib_errc listen_for(ob_ssh_sockets *ssh, ob_workshop *shop, const ob_ssh_agent *agent,
			    char **path, ocib_error **err)
{
	ob_autofree char *dir = NULL;
	ocib_errc r = ob_workshop_new_dir(shop, &dir, err);

	if (r < 0)
		return r;
	int listener = ob_ssh_listen(dir, SOCKET_NAME);
	if (listener < 0)
		return ob_fail_errno(err, "make a socket in '%s'", dir);
	r = ob_ssh_relay_add(ssh->relay, listener, agent->socket, err);
	if (r < 0)
		return r;
	*path = ob_str_printf("%s/" SOCKET_NAME, dir);
	return *path ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc make_socket(ob_ssh_sockets *ssh, ob_workshop *shop, ob_ssh_agent *agent,
			     const ob_step_mount *mount, ocib_error **err)
{
	ob_ssh_socket *grown = reallocarray(ssh->items, ssh->len + 1, sizeof(*grown)), *s;

	if (!grown)
		return ob_fail_nomem(err);
	ssh->items = grown;
	s = &grown[ssh->len];
	*s = (ob_ssh_socket){agent, mount->mode, mount->uid, mount->gid, NULL};
	ocib_errc r = ob_ssh_agent_start(shop->ctx, agent, err);
	if (r == OCIB_OK && !ssh->relay)
		r = ob_ssh_relay_new(&ssh->relay, err);
	if (r == OCIB_OK)
		r = listen_for(ssh, shop, agent, &s->path, err);
	ssh->len += r == OCIB_OK;
	return r;
}

ocib_errc ob_ssh_sockets_get(ob_ssh_sockets *ssh, ob_workshop *shop, const ob_step_mount *mount,
			     const char **path, ocib_error **err)
{
	ob_ssh_agent *agent = find_agent(ssh, mount->id);
	ocib_errc r = OCIB_OK;

	if (!agent)
		return OCIB_OK;
	(void)pthread_mutex_lock(&ssh->lock);
	if (!find_socket(ssh, agent, mount))
		r = make_socket(ssh, shop, agent, mount, err);
	if (r == OCIB_OK)
		*path = find_socket(ssh, agent, mount)->path;
	(void)pthread_mutex_unlock(&ssh->lock);
	return r;
}

ocib_errc ob_ssh_sockets_agent(ob_ssh_sockets *ssh, ocib_context *ctx, const char *id,
			       const char **path, ocib_error **err)
{
	ob_ssh_agent *agent = find_agent(ssh, id);

	if (!agent)
		return OCIB_OK;
	(void)pthread_mutex_lock(&ssh->lock);
	ocib_errc r = ob_ssh_agent_start(ctx, agent, err);
	if (r == OCIB_OK)
		*path = agent->socket;
	(void)pthread_mutex_unlock(&ssh->lock);
	return r;
}
