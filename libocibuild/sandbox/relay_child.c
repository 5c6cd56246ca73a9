/* sandbox/relay_child.c — one loop over all listeners and connections.
 *
 * Runs in a child that was only cloned: system calls, a table that the kernel gave, no malloc. A
 * connection is two sockets and a pump for each way. Each way ends by itself, as TCP's do; the connection
 * is over when both have. When the table is full, the next ones wait in the kernel's queue.
 */
#include "sandbox/relay_child.h"
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "base/byte_pump.h"
#include "sandbox/kernel_calls.h"

#define MAX_CONNECTIONS 256
#define NOBODY          65534

typedef enum phase { FREE = 0, CONNECTING, CONNECTED } phase;

typedef struct connection {
	phase phase;
	int outer, inner;
	uint16_t port;
	bool is_v6;          /* the second try */
	bool is_shut[2];     /* the end of this way was passed on */
	ob_byte_pump way[2]; /* in, out */
} connection;

typedef struct relay {
	const ob_relay_plan *plan;
	connection *table;
	size_t used; /* no connection is at this index or above */
	struct pollfd fds[OB_LIMIT_RUN_PORTS + 4 * MAX_CONNECTIONS];
} relay;

static _Noreturn void fail_relay(const ob_relay_plan *plan)
{
	int error_number = errno;

	(void)!write(plan->report, &error_number, sizeof(error_number));
	_exit(1);
}

/* The lowest listener from @p first on; ~0U: none. */
static unsigned next_listener(const ob_relay_plan *plan, unsigned first)
{
	unsigned lowest = ~0U;

	for (size_t i = 0; i < plan->count; i++) {
		unsigned fd = (unsigned)plan->listeners[i];

		if (fd >= first && fd < lowest)
			lowest = fd;
	}
	return lowest;
}

static void close_others(const ob_relay_plan *plan)
{
	unsigned first = 0;

	for (unsigned fd; (fd = next_listener(plan, first)) != ~0U; first = fd + 1)
		if (fd > first)
			(void)ob_sys_close_range(first, fd - 1);
	(void)ob_sys_close_range(first, ~0U);
}

static int drop_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)ob_sys_set_ids(NOBODY, NOBODY, 0, NULL); /* where there is such an id */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &header, none);
}

/* The loopback of the inner network: first IPv4's, then IPv6's. */
static int start_connect(uint16_t port, bool is_v6)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	const struct sockaddr *to = is_v6 ? (const struct sockaddr *)(const void *)&v6
					  : (const struct sockaddr *)(const void *)&v4;
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, to, is_v6 ? sizeof(v6) : sizeof(v4)) < 0 &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void end_connection(connection *c)
{
	(void)close(c->outer);
	if (c->inner >= 0)
		(void)close(c->inner);
	c->phase = FREE;
}

static void try_connect(connection *c)
{
	c->inner = start_connect(c->port, c->is_v6);
	if (c->inner < 0 && !c->is_v6) {
		c->is_v6 = true;
		c->inner = start_connect(c->port, true);
	}
	if (c->inner < 0)
		end_connection(c);
}

static void finish_connect(connection *c)
{
	int error_number = 0;
	socklen_t len = sizeof(error_number);

	if (getsockopt(c->inner, SOL_SOCKET, SO_ERROR, &error_number, &len) < 0 || error_number) {
		(void)close(c->inner);
		c->inner = -1;
		if (c->is_v6) {
			end_connection(c);
			return;
		}
		c->is_v6 = true;
		try_connect(c);
		return;
	}
	c->phase = CONNECTED;
	c->is_shut[0] = c->is_shut[1] = false;
	ob_byte_pump_init(&c->way[0], c->outer, c->inner, true);
	ob_byte_pump_init(&c->way[1], c->inner, c->outer, true);
}

static void pass_on(connection *c, const struct pollfd fds[4])
{
	for (int i = 0; i < 2; i++) {
		ob_byte_pump_step(&c->way[i], fds + 2 * i);
		if (ob_byte_pump_is_done(&c->way[i]) && !c->is_shut[i]) {
			(void)shutdown(c->way[i].to, SHUT_WR);
			(void)shutdown(c->way[i].from, SHUT_RD);
			c->is_shut[i] = true;
		}
	}
	if (c->is_shut[0] && c->is_shut[1])
		end_connection(c);
}

static void watch_connection(const connection *c, struct pollfd fds[4])
{
	for (int i = 0; i < 4; i++)
		fds[i] = (struct pollfd){.fd = -1};
	if (c->phase == CONNECTING) {
		fds[0] = (struct pollfd){.fd = c->inner, .events = POLLOUT};
	} else if (c->phase == CONNECTED) {
		ob_byte_pump_watch(&c->way[0], fds);
		ob_byte_pump_watch(&c->way[1], fds + 2);
	}
}

static connection *find_free(const relay *r)
{
	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		if (r->table[i].phase == FREE)
			return &r->table[i];
	return NULL;
}

static void accept_one(relay *r, size_t listener)
{
	connection *c = find_free(r);
	int fd = c ? accept4(r->plan->listeners[listener], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)
		   : -1;

	if (fd < 0)
		return;
	if ((size_t)(c - r->table) >= r->used)
		r->used = (size_t)(c - r->table) + 1;
	c->phase = CONNECTING;
	c->outer = fd;
	c->inner = -1;
	c->port = r->plan->ports[listener];
	c->is_v6 = false;
	try_connect(c);
}

static void serve_once(relay *r)
{
	size_t count = r->plan->count;
	struct pollfd *ways = r->fds + count;
	bool has_room = find_free(r) != NULL;

	while (r->used > 0 && r->table[r->used - 1].phase == FREE)
		r->used--;
	for (size_t i = 0; i < count; i++)
		r->fds[i] = (struct pollfd){
			.fd = has_room ? r->plan->listeners[i] : -1,
			.events = POLLIN,
		};
	for (size_t i = 0; i < r->used; i++)
		watch_connection(&r->table[i], ways + 4 * i);
	if (poll(r->fds, count + 4 * r->used, -1) < 0)
		return;
	for (size_t i = 0; i < r->used; i++) {
		if (r->table[i].phase == CONNECTED)
			pass_on(&r->table[i], ways + 4 * i);
		else if (r->table[i].phase == CONNECTING && ways[4 * i].revents)
			finish_connect(&r->table[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (r->fds[i].revents)
			accept_one(r, i);
}

_Noreturn void ob_relay_child(ob_relay_plan *plan)
{
	relay *r = mmap(NULL, sizeof(*r) + MAX_CONNECTIONS * sizeof(connection),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (r == MAP_FAILED || (plan->network >= 0 && setns(plan->network, CLONE_NEWNET) < 0) ||
	    drop_rights() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail_relay(plan);
	r->plan = plan;
	r->table = (connection *)(void *)(r + 1);
	close_others(plan); /* the report ends with it */
	for (;;)
		serve_once(r);
}
