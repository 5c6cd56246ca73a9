/* sandbox/port_relay.c — a process between two networks: it listens in one and connects in the other.
 *
 * A socket stays in the network it was made in. So the worker makes the listening ones in the host's, and
 * a child of it that has moved to the command's network makes the connecting ones; nobody needs an
 * interface, an address or a privilege beyond the worker's own namespace. The child has no more rights
 * than it takes to pass bytes on, and no descriptors but its sockets.
 */
#include "sandbox/port_relay.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/relay_child.h"

typedef union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} address;

static socklen_t set_address(address *to, const char *text, uint16_t port)
{
	*to = (address){0};
	if (text && inet_pton(AF_INET, text, &to->v4.sin_addr) == 1) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons(port);
		return sizeof(to->v4);
	}
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = htons(port);
	if (text)
		(void)inet_pton(AF_INET6, text, &to->v6.sin6_addr);
	return sizeof(to->v6);
}

static int listen_at(const char *text, uint16_t port)
{
	static const int on = 1;
	address at;
	socklen_t len = set_address(&at, text, port);
	int only_v6 = text != NULL; /* without an address both kinds */
	ob_autofd int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (at.any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6)) < 0)
		return -1;
	if (bind(fd, &at.any, len) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return ob_take_fd(fd);
}

/* Everywhere, also on machines without IPv6. */
static int listen_for(const ob_port *port)
{
	int fd = listen_at(port->address, port->outside);

	if (fd < 0 && !port->address && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = listen_at("0.0.0.0", port->outside);
	return fd;
}

static ocib_errc fail_listen(const ob_port *port, ocib_error **err)
{
	const char *at = port->address ? port->address : "any address";

	if (errno == EADDRINUSE)
		return ob_fail(err, OCIB_ERR_EXISTS,
			       "publish port %u: port %u is taken on this machine (%s)",
			       port->inside, port->outside, at);
	if (errno != EACCES)
		return ob_fail_errno(err, "publish port %u: listen on port %u (%s)", port->inside,
				     port->outside, at);
	ob_fail(err, OCIB_ERR_DENIED, "publish port %u: port %u is not for ordinary users",
		port->inside, port->outside);
	ob_error_set_hint(err,
			  "take another outer port, e.g. %u:%u; or, as root: sysctl -w "
			  "net.ipv4.ip_unprivileged_port_start=%u",
			  8000 + port->inside % 1000, port->inside, port->outside);
	return OCIB_ERR_DENIED;
}

/* In one network with us the command would meet whoever has its port already, and so would we. */
static ocib_errc check_inner_port(const ob_port *port, ocib_error **err)
{
	const ob_port inner = {.outside = port->inside};
	ob_autofd int fd = listen_for(&inner);

	if (fd >= 0 || errno != EADDRINUSE)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_EXISTS,
		       "port %u is taken on this machine, and the command would share it: leave "
		       "out --network=host",
		       port->inside);
}

static ocib_errc read_port(int fd, ob_port *port, ocib_error **err)
{
	address at;
	socklen_t len = sizeof(at);

	if (getsockname(fd, &at.any, &len) < 0)
		return ob_fail_errno(err, "ask for the port that is free");
	port->outside = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
	return OCIB_OK;
}

ocib_errc ob_port_relay_listen(ob_port_relay *relay, ob_port_list *ports, bool is_shared,
			       ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	if (!ports->len)
		return OCIB_OK;
	relay->listeners = calloc(ports->len, sizeof(*relay->listeners));
	if (!relay->listeners)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < ports->len && r == OCIB_OK; i++) {
		ob_port *port = &ports->items[i];

		if (is_shared)
			r = check_inner_port(port, err);
		if (r < 0)
			return r;
		int fd = listen_for(port);
		if (fd < 0)
			return fail_listen(port, err);
		relay->listeners[relay->count++] = fd;
		r = read_port(fd, port, err);
	}
	return r;
}

/* The pipe ends empty when the child is at work. */
static ocib_errc wait_for_child(int fd, ocib_error **err)
{
	int error_number = 0;
	ssize_t n = ob_read_full(fd, &error_number, sizeof(error_number));

	if (n == 0)
		return OCIB_OK;
	errno = n == (ssize_t)sizeof(error_number) ? error_number : EPROTO;
	return ob_fail_errno(err, "start the relay of the published ports");
}

ocib_errc ob_port_relay_start(ob_port_relay *relay, const ob_port_list *ports, int network,
			      ocib_error **err)
{
	ob_relay_plan plan = {
		.listeners = relay->listeners,
		.count = relay->count,
		.network = network,
	};
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&relay->pidfd,
		.exit_signal = SIGCHLD,
	};
	int ends[2];

	if (!relay->count)
		return OCIB_OK;
	for (size_t i = 0; i < ports->len; i++)
		plan.ports[i] = ports->items[i].inside;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	ob_autofd int report = ends[0], child_end = ends[1];
	plan.report = child_end;
	pid_t pid = ob_sys_clone3(&args);
	if (pid == 0)
		ob_relay_child(&plan);
	if (pid < 0)
		return ob_fail_errno(err, "start the relay of the published ports");
	relay->pid = pid;
	ob_closep(&child_end);
	child_end = -1;
	return wait_for_child(report, err);
}

void ob_port_relay_done(ob_port_relay *relay)
{
	if (relay->pid > 0) {
		(void)kill(relay->pid, SIGKILL);
		while (waitpid(relay->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	for (size_t i = 0; i < relay->count; i++)
		(void)close(relay->listeners[i]);
	free(relay->listeners);
	ob_closep(&relay->pidfd);
	*relay = (ob_port_relay)OB_PORT_RELAY_INIT;
}
