/* registry/registry_session.h — inside of an ob_registry: its address, its credentials, one
 * request.
 */
#ifndef OB_REGISTRY_REGISTRY_SESSION_H
#define OB_REGISTRY_REGISTRY_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include "registry/auth.h"
#include "registry/registry.h"

struct ob_registry {
	ocib_context *ctx;
	ob_curl_pool *pool;
	ob_auth *auth;
	char *domain;         /* for people and credentials: "docker.io" */
	char *host;           /* that is connected to: "registry-1.docker.io" */
	char *path;           /* "library/python" */
	char *scope;          /* of its requests' tokens */
	pthread_mutex_t lock; /* guards base while it is being found out */
	char *base; /* "https://registry-1.docker.io"; NULL: a loopback host not yet asked */
	atomic_uint_fast64_t received;
};

/**
 * "https://host/v2/path/" and the formatted rest; malloc'ed. May ask a loopback host what it
 * speaks.
 */
ocib_errc ob_registry_url(ob_registry *registry, char **out, ocib_error **err, const char *format,
			  ...) ob_printf(4, 5);

/**
 * One request with credentials (only to the registry's own origin), asked again after a 401 that
 * can be answered. No repetition after failures. @p scope NULL: the registry's own.
 */
ocib_errc ob_registry_send(ob_registry *registry, const ob_http_call *call, const char *scope,
			   ob_http_reply *reply, ocib_error **err);
/** The same, repeated after transient failures: for calls whose callbacks can start over. */
ocib_errc ob_registry_request(ob_registry *registry, const ob_http_call *call, const char *scope,
			      ob_http_reply *reply, ocib_error **err);
/** ob_http_fail_status() with a hint about credentials. */
ocib_errc ob_registry_fail_status(ob_registry *registry, const ob_http_reply *reply,
				  ocib_error **err);

/** Puts "registry HOST: " and what was done in front. */
#define ob_registry_wrap(registry, err, code, format, ...) \
	ob_wrap((err), (code), "registry %s: " format, (registry)->host, __VA_ARGS__)

#endif
