/* registry/http_get.c — a file from a URL, with the validators that say whether it has changed.
 *
 * Bytes go straight to the writer, so only what failed before the first byte is tried again. User
 * information in the URL becomes a Basic header and stays with its host.
 */
#include "registry/http_get.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_client.h"
#include "registry/http_url.h"

typedef struct fetch {
	ob_writer *to;
	uint64_t done, max;
} fetch;

void ob_http_result_done(ob_http_result *result)
{
	free(result->etag);
	free(result->last_modified);
	free(result->disposition_name);
	free(result->final_url);
	*result = (ob_http_result){0};
}

static ocib_errc fail_size(const fetch *f, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_LIMIT, "more than %ju bytes", (uintmax_t)f->max);
}

static ocib_errc begin_file(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	const char *text = ob_http_header(reply, "Content-Length", 0);
	const fetch *f = arg;
	uint64_t length;

	if (text && ob_parse_u64(text, 10, UINT64_MAX, &length) && length > f->max)
		return fail_size(f, err);
	return OCIB_OK;
}

static ocib_errc take_file(const void *data, size_t len, void *arg, ocib_error **err)
{
	fetch *f = arg;

	if (len > f->max - f->done)
		return fail_size(f, err);
	f->done += len;
	return ob_writer_write(f->to, data, len, err);
}

/* filename of "attachment; filename=\"x.tar\"", without any folders; NULL when there is none. */
static char *disposition_name(const char *header)
{
	static const char key[] = "filename=";
	const char *at = header ? strcasestr(header, key) : NULL;

	if (!at || (at > header && !strchr("; \t", at[-1])))
		return NULL;
	at += sizeof(key) - 1;
	bool quoted = *at == '"';
	at += quoted;
	char *name = strndup(at, strcspn(at, quoted ? "\"" : "; \t"));
	if (!name)
		return NULL;
	const char *slash = strrchr(name, '/');
	if (slash)
		memmove(name, slash + 1, strlen(slash + 1) + 1);
	if (*name && !ob_str_eq(name, ".") && !ob_str_eq(name, ".."))
		return name;
	free(name);
	return NULL;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

static ocib_errc take_result(const ob_http_reply *reply, ob_http_result *out, ocib_error **err)
{
	ob_autodone(ob_http_result) result = {.status = reply->status, .mtime = -1};
	const char *modified = ob_http_header(reply, "Last-Modified", 0);

	if (copy_text(ob_http_header(reply, "ETag", 0), &result.etag) ||
	    copy_text(modified, &result.last_modified) || copy_text(reply->url, &result.final_url))
		return ob_fail_nomem(err);
	if (modified)
		result.mtime = ob_curl.curl_getdate(modified, NULL);
	result.disposition_name = disposition_name(ob_http_header(reply, "Content-Disposition", 0));
	*out = result;
	result = (ob_http_result){0};
	return OCIB_OK;
}

static ocib_errc add_validators(const ob_http_request *request, ob_strlist *headers,
				ocib_error **err)
{
	if ((request->etag && ob_strlist_add_printf(headers, "If-None-Match: %s", request->etag)) ||
	    (request->last_modified &&
	     ob_strlist_add_printf(headers, "If-Modified-Since: %s", request->last_modified)))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc get_url(ocib_context *ctx, ob_curl_pool *pool, const ob_http_call *call, fetch *f,
			 ob_http_result *out, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_http_retry retry = {0};
	bool again = false;
	ocib_errc rc;

	do {
		rc = ob_http_send(ctx, pool, call, &reply, err);
		if (f->done)
			break;
		rc = ob_http_retry_wait(&retry, ctx, rc, &reply, &again, err);
	} while (again && !rc);
	if (rc)
		return rc;
	if (reply.status != 200 && reply.status != 304)
		return ob_http_fail_status(&reply, OCIB_ERR_NOTFOUND, err);
	return take_result(&reply, out, err);
}

ocib_errc ob_http_get(ocib_context *ctx, const ob_http_request *request, ob_writer *to,
		      ob_http_result *out, ocib_error **err)
{
	ob_autodone(ob_strlist) headers = {0};
	ob_auto(ob_curl_pool) pool = NULL;
	ob_autofree char *url = NULL;
	ob_autofree char *basic = NULL;
	fetch f = {.to = to, .max = request->max_size};
	ob_http_call call = {.method = OB_HTTP_GET,
			     .headers = &headers,
			     .on_reply = begin_file,
			     .on_data = take_file,
			     .arg = &f};

	ocib_errc rc = ob_url_resolve(NULL, request->url, &url, &basic, err);
	if (rc)
		return rc;
	ob_autofree char *shown = ob_url_show(url);
	if (!shown)
		return ob_fail_nomem(err);
	call.url = url;
	call.authorization = request->authorization ? request->authorization : basic;
	rc = add_validators(request, &headers, err);
	if (!rc)
		rc = ob_curl_pool_new(request->ca_file, false, &pool, err);
	if (!rc)
		rc = get_url(ctx, pool, &call, &f, out, err);
	return rc ? ob_wrap(err, rc, "%s", shown) : OCIB_OK;
}
