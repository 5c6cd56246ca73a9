/* registry/registry.c — one repository: where it is, what it speaks, and requests with credentials.
 *
 * Everything is https but for loopback addresses and where the caller asked for plain http. A
 * loopback host is asked once, over http, for /v2/; when what answers wants TLS, https it is. That
 * first reply also carries the challenge, so that the question costs nothing where credentials are
 * needed.
 */
#include "registry/registry_session.h"
#include <stdarg.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_url.h"

#define HUB_DOMAIN "docker.io"
#define HUB_HOST   "registry-1.docker.io"

/* A request, the answer to its challenge, and one more for a token that had just expired. */
#define AUTH_ROUNDS 3

ob_registry *ob_registry_free(ob_registry *registry)
{
	if (!registry)
		return NULL;
	ob_auth_free(registry->auth);
	ob_curl_pool_free(registry->pool);
	free(registry->domain);
	free(registry->host);
	free(registry->path);
	free(registry->scope);
	free(registry->base);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
	return NULL;
}

static ocib_errc set_names(ob_registry *registry, const ob_reference *repository, bool push,
			   ocib_error **err)
{
	bool hub = ob_str_eq(repository->domain, HUB_DOMAIN) ||
		   ob_str_eq(repository->domain, "index.docker.io");

	registry->domain = strdup(hub ? HUB_DOMAIN : repository->domain);
	registry->host = strdup(hub ? HUB_HOST : repository->domain);
	registry->path = strdup(repository->path);
	registry->scope =
		ob_str_printf("repository:%s:%s", repository->path, push ? "pull,push" : "pull");
	return registry->domain && registry->host && registry->path && registry->scope
		       ? OCIB_OK
		       : ob_fail_nomem(err);
}

static ocib_errc set_base(ob_registry *registry, const ob_reference *repository, bool plain_http,
			  ocib_error **err)
{
	if (!plain_http && ob_reference_is_loopback(repository))
		return OCIB_OK;
	registry->base = ob_str_printf("%s://%s", plain_http ? "http" : "https", registry->host);
	return registry->base ? OCIB_OK : ob_fail_nomem(err);
}

/* A call's own options, and for what they leave open what the context knows about the host. */
static ob_registry_options merge_options(const ocib_context *ctx, const ob_reference *repository,
					 const ob_registry_options *given)
{
	ob_registry_options merged = given ? *given : (ob_registry_options){0};
	const ob_registry_access *known = ob_context_registry(ctx, repository->domain);

	if (!known)
		return merged;
	merged.plain_http = merged.plain_http || known->plain_http;
	merged.skip_tls_verify = merged.skip_tls_verify || known->skip_tls_verify;
	if (!merged.ca_file)
		merged.ca_file = known->ca_cert;
	if (!merged.username) {
		merged.username = known->username;
		merged.password = known->password;
	}
	return merged;
}

ocib_errc ob_registry_open(ocib_context *ctx, const ob_reference *repository,
			   const ob_registry_options *options, ob_registry **out, ocib_error **err)
{
	const ob_registry_options merged = merge_options(ctx, repository, options), *o = &merged;
	ob_auto(ob_registry) registry = calloc(1, sizeof(*registry));

	if (!registry)
		return ob_fail_nomem(err);
	pthread_mutex_init(&registry->lock, NULL);
	registry->ctx = ctx;
	ocib_errc rc = set_names(registry, repository, o->push, err);
	if (!rc)
		rc = set_base(registry, repository, o->plain_http, err);
	if (!rc)
		rc = ob_curl_pool_new(o->ca_file, o->skip_tls_verify, &registry->pool, err);
	if (!rc)
		rc = ob_auth_new(ctx, registry->pool, registry->domain, registry->path, o->username,
				 o->password, &registry->auth, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(registry);
	return OCIB_OK;
}

uint64_t ob_registry_received(const ob_registry *registry)
{
	return atomic_load(&registry->received);
}

bool ob_registry_has_credentials(const ob_registry *registry)
{
	return ob_auth_has_credentials(registry->auth);
}

/* ---- Where it is. ---- */

static bool wants_tls(const ob_http_reply *reply)
{
	return reply->not_http ||
	       (reply->status == 400 && reply->body.data &&
		(strstr(reply->body.data, "HTTPS") || strstr(reply->body.data, "https")));
}

static ocib_errc ask_loopback(ob_registry *registry, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_auto(ocib_error) failure = NULL;
	ob_autofree char *url = ob_str_printf("http://%s/v2/", registry->host);
	const ob_http_call call = {.method = OB_HTTP_GET, .url = url};
	ob_http_retry retry = {0};
	bool again, ignored;
	ocib_errc rc;

	if (!url)
		return ob_fail_nomem(err);
	do {
		rc = ob_http_transfer(registry->ctx, registry->pool, &call, &reply, &failure);
		if (wants_tls(&reply))
			break;
		rc = ob_http_retry_wait(&retry, registry->ctx, rc, &reply, &again, &failure);
	} while (again && !rc);
	if (rc && !wants_tls(&reply))
		return ob_error_move(err, &failure);
	registry->base =
		ob_str_printf("%s://%s", wants_tls(&reply) ? "https" : "http", registry->host);
	if (!registry->base)
		return ob_fail_nomem(err);
	if (!rc && reply.status == 401)
		return ob_auth_challenged(registry->auth, &reply, NULL, &ignored, err);
	return OCIB_OK;
}

ocib_errc ob_registry_url(ob_registry *registry, char **out, ocib_error **err, const char *format,
			  ...)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_URL, "URL");
	ocib_errc rc = OCIB_OK;
	va_list args;

	pthread_mutex_lock(&registry->lock);
	if (!registry->base)
		rc = ask_loopback(registry, err);
	pthread_mutex_unlock(&registry->lock);
	if (rc)
		return rc;
	ob_buffer_printf(&text, "%s/v2/%s/", registry->base, registry->path);
	va_start(args, format);
	ob_buffer_vprintf(&text, format, args);
	va_end(args);
	return ob_buffer_finish(&text, out, err);
}

/* ---- Requests. ---- */

ocib_errc ob_registry_send(ob_registry *registry, const ob_http_call *call, const char *scope,
			   ob_http_reply *reply, ocib_error **err)
{
	ob_http_call with_auth = *call;
	/* An upload may be sent to storage elsewhere, which is not who gave us the token. */
	bool ours = ob_url_same_origin(call->url, registry->base);

	for (int round = 1;; round++) {
		ob_autofree char *header = NULL;
		bool again = false;
		ocib_errc rc = OCIB_OK;

		if (ours)
			rc = ob_auth_header(registry->auth, scope ? scope : registry->scope,
					    &header, err);
		if (rc)
			return rc;
		with_auth.authorization = header;
		rc = ob_http_send(registry->ctx, registry->pool, &with_auth, reply, err);
		if (!rc && reply->status == 401 && ours && round < AUTH_ROUNDS &&
		    ob_url_same_origin(reply->url, registry->base))
			rc = ob_auth_challenged(registry->auth, reply, header, &again, err);
		if (header)
			explicit_bzero(header, strlen(header));
		if (rc || !again)
			return rc;
	}
}

ocib_errc ob_registry_request(ob_registry *registry, const ob_http_call *call, const char *scope,
			      ob_http_reply *reply, ocib_error **err)
{
	ob_http_retry retry = {0};
	bool again;
	ocib_errc rc;

	do {
		rc = ob_registry_send(registry, call, scope, reply, err);
		rc = ob_http_retry_wait(&retry, registry->ctx, rc, reply, &again, err);
	} while (again && !rc);
	return rc;
}

ocib_errc ob_registry_fail_status(ob_registry *registry, const ob_http_reply *reply,
				  ocib_error **err)
{
	ocib_errc rc = ob_http_fail_status(reply, OCIB_ERR_NOTFOUND, err);

	if (reply->status != 401 && reply->status != 403)
		return rc;
	if (ob_auth_has_credentials(registry->auth))
		ob_error_set_hint(
			err,
			"the registry refuses this user; the credentials for %s may be wrong "
			"or may not cover '%s'",
			registry->domain, registry->path);
	else
		ob_error_set_hint(
			err,
			"there are no credentials for %s: log in to it, or check the name "
			"'%s'",
			registry->domain, registry->path);
	return rc;
}
