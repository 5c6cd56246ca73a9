/* tests/support/fake_server.h — an HTTP server on loopback that misbehaves as a test wants.
 *
 * One thread accepts, one thread per connection reads requests and calls the test's handler, which
 * writes whatever bytes it likes. Every request is logged as "METHOD TARGET" with its headers.
 * Static functions: included by the one test program that needs it.
 */
#ifndef OB_TESTS_FAKE_SERVER_H
#define OB_TESTS_FAKE_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "harness.h"

#define FAKE_MAX_REQUESTS 256

typedef struct fake_request {
	char method[16];
	char target[4096];
	char *headers; /* all header lines */
	char *body;
	size_t body_len;
} fake_request;

typedef struct fake_server fake_server;
/* Returns false to close the connection. @p nth counts requests of the server from 0. */
typedef bool (*fake_handler)(fake_server *server, const fake_request *request, size_t nth, int fd);

struct fake_server {
	int fd;
	int port;
	fake_handler handler;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	fake_request log[FAKE_MAX_REQUESTS];
	size_t count;
	size_t alive; /* connection threads */
	int open_fds[FAKE_MAX_REQUESTS];
};

typedef struct fake_connection {
	fake_server *server;
	int fd;
} fake_connection;

static inline void fake_write(int fd, const void *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data = (const char *)data + n;
		len -= (size_t)n;
	}
}

/* @p headers: lines that each end with "\r\n". Content-Length is added. */
static inline bool fake_reply_data(int fd, int status, const char *headers, const void *body,
				   size_t len)
{
	char head[8192];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n",
			 status, headers, len);

	fake_write(fd, head, (size_t)n);
	fake_write(fd, body, len);
	return true;
}

static inline bool fake_reply(int fd, int status, const char *headers, const char *body)
{
	return fake_reply_data(fd, status, headers, body, strlen(body));
}

/* Value of a header of the request into out; false if absent. */
static inline bool fake_header(const fake_request *request, const char *name, char *out, size_t cap)
{
	size_t len = strlen(name);

	for (const char *at = request->headers; at && *at; at = strstr(at, "\r\n") + 2) {
		if (strncasecmp(at, name, len) || at[len] != ':')
			continue;
		at += len + 1;
		at += strspn(at, " ");
		snprintf(out, cap, "%.*s", (int)strcspn(at, "\r"), at);
		return true;
	}
	return false;
}

static inline bool fake_read_request(int fd, fake_request *request)
{
	size_t used = 0, cap = 1 << 16;
	char *text = calloc(1, cap + 1), *end = NULL;
	char value[64];

	while (!end && used < cap) {
		ssize_t n = recv(fd, text + used, cap - used, 0);

		if (n <= 0)
			break;
		used += (size_t)n;
		text[used] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	if (!end || sscanf(text, "%15s %4095s", request->method, request->target) != 2) {
		free(text);
		return false;
	}
	char *lines = strstr(text, "\r\n") + 2;
	request->headers = strndup(lines, (size_t)(end + 2 - lines));
	if (fake_header(request, "Content-Length", value, sizeof(value))) {
		size_t have = used - (size_t)(end + 4 - text);

		request->body_len = strtoul(value, NULL, 10);
		request->body = calloc(1, request->body_len + 1);
		memcpy(request->body, end + 4, have < request->body_len ? have : request->body_len);
		while (have < request->body_len) {
			ssize_t n = recv(fd, request->body + have, request->body_len - have, 0);

			if (n <= 0)
				break;
			have += (size_t)n;
		}
	}
	free(text);
	return true;
}

static inline void *fake_serve_connection(void *arg)
{
	fake_connection connection = *(fake_connection *)arg;
	fake_server *server = connection.server;
	bool go_on = true;

	free(arg);
	while (go_on) {
		fake_request request = {0};

		if (!fake_read_request(connection.fd, &request))
			break;
		pthread_mutex_lock(&server->lock);
		size_t nth = server->count++;
		assert(nth < FAKE_MAX_REQUESTS);
		server->log[nth] = request;
		pthread_mutex_unlock(&server->lock);
		go_on = server->handler(server, &request, nth, connection.fd);
	}
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < FAKE_MAX_REQUESTS; i++) {
		if (server->open_fds[i] == connection.fd)
			server->open_fds[i] = -1;
	}
	close(connection.fd);
	server->alive--;
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

static inline void *fake_accept(void *arg)
{
	fake_server *server = arg;

	for (size_t n = 0;; n++) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (fd < 0 || n == FAKE_MAX_REQUESTS)
			return NULL;
		fake_connection *connection = malloc(sizeof(*connection));
		*connection = (fake_connection){server, fd};
		pthread_mutex_lock(&server->lock);
		server->open_fds[n] = fd;
		server->alive++;
		pthread_mutex_unlock(&server->lock);
		if (pthread_create(&thread, NULL, fake_serve_connection, connection))
			abort();
		pthread_detach(thread);
	}
}

static inline void fake_start(fake_server *server, fake_handler handler, void *arg)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	memset(server, 0, sizeof(*server));
	for (size_t i = 0; i < FAKE_MAX_REQUESTS; i++)
		server->open_fds[i] = -1;
	server->handler = handler;
	server->arg = arg;
	pthread_mutex_init(&server->lock, NULL);
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->fd >= 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 16), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, fake_accept, server), 0);
}

static inline void fake_stop(fake_server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
	for (bool wait = true; wait;) {
		pthread_mutex_lock(&server->lock);
		for (size_t i = 0; i < FAKE_MAX_REQUESTS; i++) {
			if (server->open_fds[i] >= 0)
				shutdown(server->open_fds[i], SHUT_RDWR);
		}
		wait = server->alive > 0;
		pthread_mutex_unlock(&server->lock);
		if (wait)
			usleep(1000);
	}
	for (size_t i = 0; i < server->count; i++) {
		free(server->log[i].headers);
		free(server->log[i].body);
	}
	pthread_mutex_destroy(&server->lock);
}

#endif
