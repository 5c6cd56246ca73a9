/* registry/auth_token.c — tokens: GET with Basic or nothing, POST where we hold an identity token.
 *
 * A token goes into a header later, so only visible ASCII is taken. The reply with the token is
 * never part of an error or a debug event.
 */
#include "registry/auth_token.h"
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/base64.h"
#include "registry/curl_library.h"
#include "registry/http_url.h"

#define DEFAULT_LIFETIME 60
#define MAX_LIFETIME     86400

ocib_errc ob_token_realm(const char *registry_url, const char *realm, char **out, ocib_error **err)
{
	ob_autofree char *url = NULL;
	ob_auto(ocib_error) failure = NULL;

	ocib_errc rc = ob_url_resolve(registry_url, realm ? realm : "", &url, NULL, &failure);
	if (rc == OCIB_ERR_NOMEM)
		return ob_fail_nomem(err);
	if (rc || !realm)
		return ob_fail(err, OCIB_ERR_PROTOCOL, "its token server has no usable address");
	if (ob_url_is_https(registry_url) && !ob_url_is_https(url) && !ob_url_is_loopback(url))
		return ob_fail(err, OCIB_ERR_PROTOCOL, "its token server is not reached by https");
	*out = ob_take_ptr(url);
	return OCIB_OK;
}

static int add_query(char **url, const char *key, const char *value)
{
	char *longer = ob_url_add_query(*url, key, value);

	if (!longer)
		return -1;
	free(*url);
	*url = longer;
	return 0;
}

/* One scope parameter for each blank-separated scope. */
static int add_scopes(char **url, const char *scope)
{
	ob_autofree char *copy = strdup(scope);
	char *save = NULL;

	if (!copy)
		return -1;
	for (char *one = strtok_r(copy, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
		if (add_query(url, "scope", one))
			return -1;
	}
	return 0;
}

static ocib_errc make_url(const ob_token_request *request, char **out, ocib_error **err)
{
	const char *user = request->credentials->username;
	ob_autofree char *url = strdup(request->realm);

	if (!url || (*request->service && add_query(&url, "service", request->service)) ||
	    add_scopes(&url, request->scope) || (user && add_query(&url, "account", user)))
		return ob_fail_nomem(err);
	*out = ob_take_ptr(url);
	return OCIB_OK;
}

static int add_field(ob_buffer *form, const char *key, const char *value)
{
	char *code = ob_curl.curl_easy_escape(NULL, value, 0);

	ob_buffer_printf(form, "%s%s=%s", form->len ? "&" : "", key, code ? code : "");
	ob_curl.curl_free(code);
	return code ? 0 : -1;
}

static ocib_errc make_form(const ob_token_request *request, ob_buffer *form, ocib_error **err)
{
	if (add_field(form, "grant_type", "refresh_token") ||
	    add_field(form, "service", request->service) ||
	    add_field(form, "client_id", "ocibuild") || add_field(form, "scope", request->scope) ||
	    add_field(form, "refresh_token", request->credentials->identity_token))
		return ob_fail_nomem(err);
	return ob_buffer_check(form, err);
}

static ocib_errc keep_body(const void *data, size_t len, void *arg, ocib_error **err)
{
	ob_buffer_append(arg, data, len);
	return ob_buffer_check(arg, err);
}

static ocib_errc forget_body(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	(void)reply;
	(void)err;
	ob_buffer_clear(arg);
	return OCIB_OK;
}

static ocib_errc send_request(ocib_context *ctx, ob_curl_pool *pool,
			      const ob_token_request *request, ob_http_call *call,
			      ob_http_reply *reply, ocib_error **err)
{
	ob_autodone(ob_buffer) form = OB_BUFFER_INIT(OB_LIMIT_TOKEN, "token request");
	ob_autofree char *url = NULL;
	ob_http_retry retry = {0};
	ocib_errc rc;
	bool again;

	if (request->credentials->identity_token) {
		call->method = OB_HTTP_POST;
		call->url = request->realm;
		rc = make_form(request, &form, err);
		call->data = form.data;
		call->size = form.len;
	} else {
		call->method = OB_HTTP_GET;
		rc = make_url(request, &url, err);
		call->url = url;
	}
	if (rc)
		return rc;
	do {
		rc = ob_http_send(ctx, pool, call, reply, err);
		rc = ob_http_retry_wait(&retry, ctx, rc, reply, &again, err);
	} while (again && !rc);
	if (form.data)
		explicit_bzero(form.data, form.len);
	return rc;
}

static bool is_usable(const char *token)
{
	for (const char *p = token; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return *token != '\0';
}

static ocib_errc take_token(const ob_buffer *body, char **token, int64_t *lifetime,
			    ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) ignored = NULL;
	const char *text = NULL;

	if (ob_json_parse(body->data ? body->data : "", body->len, &json, &ignored) == OCIB_OK)
		text = ob_json_get_str(json, "token");
	if (json && !text)
		text = ob_json_get_str(json, "access_token");
	if (!text || !is_usable(text))
		return ob_fail(err, OCIB_ERR_PROTOCOL, "its answer holds no token");
	if (!ob_json_get_i64(json, "expires_in", lifetime) || *lifetime <= 0)
		*lifetime = DEFAULT_LIFETIME;
	if (*lifetime > MAX_LIFETIME)
		*lifetime = MAX_LIFETIME;
	*token = strdup(text);
	return *token ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc basic_header(const ob_credentials *credentials, char **out, ocib_error **err)
{
	if (!credentials->username || credentials->identity_token)
		return OCIB_OK;
	char *pair = ob_str_printf("%s:%s", credentials->username, credentials->password);
	ob_autofree char *code = pair ? ob_base64_encode(pair, strlen(pair)) : NULL;

	*out = code ? ob_str_printf("Basic %s", code) : NULL;
	if (pair)
		explicit_bzero(pair, strlen(pair));
	free(pair);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_token_fetch(ocib_context *ctx, ob_curl_pool *pool, const ob_token_request *request,
			 char **token, int64_t *lifetime, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autodone(ob_buffer) body = OB_BUFFER_INIT(OB_LIMIT_TOKEN, "answer of a token server");
	ob_autofree char *basic = NULL;
	ob_autofree char *shown = ob_url_show(request->realm);
	ob_http_call call = {.on_reply = forget_body, .on_data = keep_body, .arg = &body};

	if (!shown)
		return ob_fail_nomem(err);
	ocib_errc rc = basic_header(request->credentials, &basic, err);
	if (rc)
		return rc;
	call.authorization = basic;
	rc = send_request(ctx, pool, request, &call, &reply, err);
	if (!rc && reply.status != 200) {
		rc = ob_http_fail_status(&reply, OCIB_ERR_PROTOCOL, err);
		if (reply.status == 401 && ob_credentials_is_set(request->credentials))
			ob_error_set_hint(err, "the user name or password is wrong; log in again");
	} else if (!rc) {
		rc = take_token(&body, token, lifetime, err);
	}
	if (body.data)
		explicit_bzero(body.data, body.len);
	if (basic)
		explicit_bzero(basic, strlen(basic));
	return rc ? ob_wrap(err, rc, "token server %s", shown) : OCIB_OK;
}
