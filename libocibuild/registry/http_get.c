/* registry/http_get.c — a file from a URL, with the validators that say whether it has changed.
 *
 * Bytes go straight to the writer, so only what failed before the first byte is tried again. User
 * information in the URL becomes a Basic header and stays with its host.
 *
 * Last-Modified has the grain of a second, and clocks differ: a file that changed shortly before it
 * was served may change again and keep its time. Then the time is no validator, as RFC 7232 has it.
 *
 * What Content-Disposition says is not looked at: nobody here lets a server choose a name.
 */
#include "registry/http_get.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_client.h"
#include "registry/http_url.h"

#define YOUNG_SECONDS 60

typedef struct fetch {
	const ob_http_request *request;
	ob_writer *to;
	uint64_t done, total;
} fetch;

void ob_http_result_done(ob_http_result *result)
{
	free(result->etag);
	free(result->last_modified);
	free(result->final_url);
	*result = (ob_http_result){0};
}

static ocib_errc fail_size(const fetch *f, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_LIMIT, "more than %ju bytes", (uintmax_t)f->request->max_size);
}

static ocib_errc begin_file(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	const char *text = ob_http_header(reply, "Content-Length", 0);
	fetch *f = arg;

	if (!text || !ob_parse_u64(text, 10, UINT64_MAX, &f->total))
		f->total = 0;
	return f->total > f->request->max_size ? fail_size(f, err) : OCIB_OK;
}

static ocib_errc take_file(const void *data, size_t len, void *arg, ocib_error **err)
{
	fetch *f = arg;
	const ob_http_request *request = f->request;

	if (len > request->max_size - f->done)
		return fail_size(f, err);
	f->done += len;
	if (request->progress && request->progress(f->done, f->total, request->progress_arg))
		return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	return ob_writer_write(f->to, data, len, err);
}

/* Seconds since 1970, -1 where the header is missing or no date. */
static int64_t header_time(const ob_http_reply *reply, const char *name)
{
	const char *text = ob_http_header(reply, name, 0);

	return text ? ob_curl.curl_getdate(text, NULL) : -1;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

static ocib_errc take_result(const ob_http_reply *reply, uint64_t size, ob_http_result *out,
			     ocib_error **err)
{
	ob_autodone(ob_http_result) result = {.status = reply->status, .size = size};
	const char *modified = ob_http_header(reply, "Last-Modified", 0);
	int64_t served = header_time(reply, "Date");

	result.mtime = header_time(reply, "Last-Modified");
	if (result.mtime < 0 || served - result.mtime < YOUNG_SECONDS)
		modified = NULL;
	if (copy_text(ob_http_header(reply, "ETag", 0), &result.etag) ||
	    copy_text(modified, &result.last_modified) || copy_text(reply->url, &result.final_url))
		return ob_fail_nomem(err);
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
	bool unchanged = reply.status == 304 && call->headers->len;
	if (!unchanged && (reply.status < 200 || reply.status > 299 || reply.status == 206))
		return ob_http_fail_status(&reply, OCIB_ERR_NOTFOUND, err);
	return take_result(&reply, f->done, out, err);
}

ocib_errc ob_http_get(ocib_context *ctx, const ob_http_request *request, ob_writer *to,
		      ob_http_result *out, ocib_error **err)
{
	ob_autodone(ob_strlist) headers = {0};
	ob_auto(ob_curl_pool) pool = NULL;
	ob_autofree char *url = NULL;
	ob_autofree char *basic = NULL;
	fetch f = {.request = request, .to = to};
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
