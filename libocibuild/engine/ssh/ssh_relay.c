/* engine/ssh/ssh_relay.c — see ssh_relay.h.
 *
 * One loop over all listeners and clients. A client's turn is either its own, then a request is read and
 * passed on, or the agent's, then an answer is: never both, so that the answer to a refused request comes
 * in its place. A client that does not keep to the protocol, or whose agent is gone, is hung up on.
 *
 * The thread alone touches the clients; the list of listeners grows under the lock and never shrinks.
 */
#include "engine/ssh/ssh_relay.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/limits.h"
#include "base/threads.h"
#include "engine/ssh/ssh_message.h"

typedef struct listener {
	int fd;
	char *agent;
} listener;

typedef struct client {
	int step, agent;
	ob_ssh_message message;
} client;

struct ob_ssh_relay {
	pthread_mutex_t lock;
	pthread_t thread;
	int wake; /* eventfd: look at the lists again */
	bool is_running;
	bool stop;
	listener listeners[OB_LIMIT_SSH_SOCKETS];
	size_t listener_count;
	client *clients[OB_LIMIT_SSH_CLIENTS];
	size_t client_count;
};

/* --- sockets by paths of any length --- */

static socklen_t set_address(struct sockaddr_un *at, int fd, const char *name)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(at->sun_path, sizeof(at->sun_path), "/proc/self/fd/%d%s%s", fd,
		       *name ? "/" : "", name);
	return sizeof(*at);
}

int ob_ssh_listen(const char *dir, const char *name)
{
	ob_autofd int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ob_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;

	if (at < 0 || fd < 0)
		return -1;
	socklen_t len = set_address(&address, at, name);
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return ob_take_fd(fd);
}

static int connect_to(const char *path)
{
	ob_autofd int at = open(path, O_PATH | O_CLOEXEC);
	ob_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;

	if (at < 0 || fd < 0)
		return -1;
	socklen_t len = set_address(&address, at, "");
	if (connect(fd, (struct sockaddr *)&address, len) < 0)
		return -1;
	return ob_take_fd(fd);
}

/* --- clients --- */

static client *client_free(client *c)
{
	if (!c)
		return NULL;
	ob_closep(&c->step);
	ob_closep(&c->agent);
	free(c);
	return NULL;
}

static void accept_client(ob_ssh_relay *relay, const listener *l)
{
	ob_autofd int step = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ob_autofd int agent = step < 0 ? -1 : connect_to(l->agent);
	client *c = agent < 0 ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return;
	c->step = ob_take_fd(step);
	c->agent = ob_take_fd(agent);
	ob_ssh_message_begin(&c->message, true);
	relay->clients[relay->client_count++] = c;
}

static int end_to_read(const client *c)
{
	return c->message.is_request ? c->step : c->agent;
}

static int end_to_write(const client *c)
{
	return c->message.is_request ? c->agent : c->step;
}

/* What this client waits for, and whether it has gone away meanwhile. */
static void watch_client(const client *c, struct pollfd fds[2])
{
	bool reads = ob_ssh_message_wants(&c->message) > 0;

	fds[0] = (struct pollfd){
		.fd = reads ? end_to_read(c) : end_to_write(c),
		.events = reads ? POLLIN : POLLOUT,
	};
	fds[1] = (struct pollfd){.fd = c->step};
}

static bool is_passing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool read_some(client *c, size_t wanted)
{
	uint8_t bytes[sizeof(c->message.data)];
	ssize_t n = read(end_to_read(c), bytes, wanted);

	if (n <= 0)
		return is_passing(n);
	return ob_ssh_message_take(&c->message, bytes, (size_t)n);
}

static bool write_some(client *c)
{
	ob_ssh_message *m = &c->message;
	ssize_t n = send(end_to_write(c), m->data + m->begin, m->end - m->begin, MSG_NOSIGNAL);

	if (n < 0)
		return is_passing(n);
	m->begin += (size_t)n;
	return true;
}

/* false: it is over. */
static bool serve_client(client *c, const struct pollfd fds[2])
{
	ob_ssh_message *m = &c->message;
	size_t wanted = ob_ssh_message_wants(m);

	if (!fds[0].revents)
		return !fds[1].revents;
	if (!(wanted ? read_some(c, wanted) : write_some(c)))
		return false;
	if (!ob_ssh_message_is_done(m))
		return true;
	if (m->is_refused)
		ob_ssh_message_refuse(m);
	else
		ob_ssh_message_begin(m, !m->is_request);
	return true;
}

/* --- the loop --- */

enum { MAX_FDS = 1 + OB_LIMIT_SSH_SOCKETS + 2 * OB_LIMIT_SSH_CLIENTS };

static void drop_ended(ob_ssh_relay *relay, const struct pollfd *fds)
{
	size_t kept = 0;

	for (size_t i = 0; i < relay->client_count; i++) {
		client *c = relay->clients[i];

		if (serve_client(c, fds + 2 * i))
			relay->clients[kept++] = c;
		else
			(void)client_free(c);
	}
	relay->client_count = kept;
}

static size_t count_listeners(ob_ssh_relay *relay, bool *stop)
{
	(void)pthread_mutex_lock(&relay->lock);
	size_t count = relay->listener_count;
	*stop = relay->stop;
	(void)pthread_mutex_unlock(&relay->lock);
	return count;
}

static void serve_once(ob_ssh_relay *relay, size_t listeners)
{
	struct pollfd fds[MAX_FDS] = {{.fd = relay->wake, .events = POLLIN}};
	struct pollfd *clients = fds + 1 + listeners;
	bool has_room = relay->client_count < OB_LIMIT_SSH_CLIENTS;
	eventfd_t ignored;

	for (size_t i = 0; i < listeners; i++)
		fds[1 + i] = (struct pollfd){
			.fd = has_room ? relay->listeners[i].fd : -1,
			.events = POLLIN,
		};
	for (size_t i = 0; i < relay->client_count; i++)
		watch_client(relay->clients[i], clients + 2 * i);
	if (poll(fds, 1 + listeners + 2 * relay->client_count, -1) < 0)
		return;
	if (fds[0].revents)
		(void)eventfd_read(relay->wake, &ignored);
	drop_ended(relay, clients);
	for (size_t i = 0; i < listeners; i++)
		if (fds[1 + i].revents && relay->client_count < OB_LIMIT_SSH_CLIENTS)
			accept_client(relay, &relay->listeners[i]);
}

static void *serve(void *arg)
{
	ob_ssh_relay *relay = arg;
	bool stop = false;

	for (;;) {
		size_t listeners = count_listeners(relay, &stop);

		if (stop)
			return NULL;
		serve_once(relay, listeners);
	}
}

ocib_errc ob_ssh_relay_new(ob_ssh_relay **out, ocib_error **err)
{
	ob_auto(ob_ssh_relay) relay = calloc(1, sizeof(*relay));

	if (!relay)
		return ob_fail_nomem(err);
	(void)pthread_mutex_init(&relay->lock, NULL);
	relay->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (relay->wake < 0)
		return ob_fail_errno(err, "make an eventfd");
	errno = ob_thread_start(&relay->thread, serve, relay);
	if (errno)
		return ob_fail_errno(err, "start the thread of the ssh agents");
	relay->is_running = true;
	*out = ob_take_ptr(relay);
	return OCIB_OK;
}

ob_ssh_relay *ob_ssh_relay_free(ob_ssh_relay *relay)
{
	if (!relay)
		return NULL;
	if (relay->is_running) {
		(void)pthread_mutex_lock(&relay->lock);
		relay->stop = true;
		(void)pthread_mutex_unlock(&relay->lock);
		(void)eventfd_write(relay->wake, 1);
		(void)pthread_join(relay->thread, NULL);
	}
	for (size_t i = 0; i < relay->client_count; i++)
		(void)client_free(relay->clients[i]);
	for (size_t i = 0; i < relay->listener_count; i++) {
		ob_closep(&relay->listeners[i].fd);
		free(relay->listeners[i].agent);
	}
	ob_closep(&relay->wake);
	(void)pthread_mutex_destroy(&relay->lock);
	free(relay);
	return NULL;
}

ocib_errc ob_ssh_relay_add(ob_ssh_relay *relay, int fd, const char *agent, ocib_error **err)
{
	ob_autofd int owned = fd;
	ob_autofree char *path = strdup(agent);
	bool is_full;

	if (!path)
		return ob_fail_nomem(err);
	(void)pthread_mutex_lock(&relay->lock);
	is_full = relay->listener_count == OB_LIMIT_SSH_SOCKETS;
	if (!is_full)
		relay->listeners[relay->listener_count++] = (listener){
			.fd = ob_take_fd(owned),
			.agent = ob_take_ptr(path),
		};
	(void)pthread_mutex_unlock(&relay->lock);
	if (is_full)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "more than %d ssh sockets of different owners and modes (limit "
			       "OB_LIMIT_SSH_SOCKETS)",
			       OB_LIMIT_SSH_SOCKETS);
	(void)eventfd_write(relay->wake, 1);
	return OCIB_OK;
}
